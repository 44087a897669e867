#!/usr/bin/python3
"""A large record of a teacher's layer is not held in memory: a run that reads a map of 1 MB a sample takes hardly more than
one that reads 10 logits, although its record takes 400 MB."""
import os
import resource
import sys
import tempfile

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import small_data  # noqa: E402
from retort import expect, finish, run  # noqa: E402

SAMPLES, BATCH, MOST = 400, 128, 100e6
ROW = 334 * 28 * 28 * 4
RECIPE = """data: {data}
teacher:
  network: {{layers: [{{conv: {{out: 334, kernel: 1}}, name: large}}, relu, global_average_pool, {{linear: {{out: 10}}}}]}}
  train: {{steps: 0, batch: {batch}}}
student:
  network: {{layers: [{{conv: {{out: 4, kernel: 3, padding: 1}}, name: map}}, relu, global_average_pool, {{linear: {{out: 10}}}}]}}
  train: {{epochs: 4, batch: {batch}}}
distill:
  cache: true
  losses: [{{method: labels}}, {term}]
baseline: false
"""


def peak(data, term):
    """Of all runs so far; and the bytes of this one's record."""
    with open("recipe.yaml", "w", encoding="utf-8") as file:
        file.write(RECIPE.format(data=data, batch=BATCH, term=term))
    with tempfile.TemporaryDirectory(dir=".") as cache:
        # What a sanitiser keeps of freed memory is not the program's.
        kept = f"{os.environ.get('ASAN_OPTIONS', '')}:quarantine_size_mb=1"
        done = run("distill", "recipe.yaml", "-o", "run", "--force", "--threads", "1",
                   env={**os.environ, "XDG_CACHE_HOME": os.path.abspath(cache), "ASAN_OPTIONS": kept})
        expect(done.status == 0, f"distillation with {term}", done)
        rows = [entry.stat().st_size for entry in os.scandir(f"{cache}/retort") if entry.name.endswith(".rows")]
    return resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss * 1024, sum(rows)


def main():
    with tempfile.TemporaryDirectory() as folder:
        os.chdir(folder)
        data = small_data.make(train=SAMPLES + 100, size=28)
        small, small_record = peak(data, "{method: kd}")
        large, large_record = peak(data, "{method: at, student: [map], teacher: [large]}")
        os.chdir("/")
    expect(SAMPLES * 40 <= small_record < 1e5, f"record of logits: {small_record} bytes")
    expect(SAMPLES * ROW <= large_record < SAMPLES * ROW + 1e5, f"record of maps: {large_record} bytes")
    expect(large - small < MOST, f"{(large - small) / 1e6:.1f} MB more with {large_record / 1e6:.0f} MB of record")
    print(f"{(large - small) / 1e6:.1f} MB more")
    finish()


if __name__ == "__main__":
    main()
