#!/usr/bin/python3
"""How much memory a large record of a teacher's layer takes.

    bench/record.py [--retort build/retort] [--quick]

Peak memory of a distillation that reads a teacher's map of 334 x 28 x 28 float32 values, 1 MB a sample (`at`), less that
of the same run, with the same networks, that reads its 10 logits (`kd`): batch 32, Fashion-MNIST's first samples, an
empty cache, 50 steps. With two sizes of the record: what it takes does not depend on the samples, so that SAMPLES of them
need not fit on the disk. The larger one takes at most a third of the free disk, and about SECONDS at the rate of the
smaller one. The cache is in the folder of the program."""
import argparse
import json
import os
import subprocess
import sys
import tempfile

import throughput

CHANNELS, SIDE, BATCH, STEPS = 334, 28, 32, 50
ROW = CHANNELS * SIDE * SIDE * 4  # bytes of a sample
SAMPLES, SECONDS, DISK_SHARE = 60000, 150, 1 / 3
FIRST, FIRST_QUICK, LEAST = 2000, 200, 64
AIM = 100  # MB
TESTED = 1000


def idx_cut(path, samples, item):
    """Keeps the first samples of an IDX file, whose header counts them; item: bytes of one, and of the header."""
    size, header = item
    with open(path, "r+b") as file:
        file.seek(4)
        file.write(samples.to_bytes(4, "big"))
        file.truncate(header + samples * size)


def data_cut(folder, samples):
    throughput.data_unpack(folder)
    for key, item in (("images", (SIDE * SIDE, 16)), ("labels", (1, 8))):
        os.replace(f"{folder}/{key}", f"{folder}/train_{key}")
        subprocess.run(["cp", f"{folder}/train_{key}", f"{folder}/test_{key}"], check=True)
        idx_cut(f"{folder}/train_{key}", samples, item)
        idx_cut(f"{folder}/test_{key}", TESTED, item)


def recipe_make(folder, method):
    student = [{"conv": {"out": 4, "kernel": 3, "padding": 1}, "name": "map"}, "relu", "global_average_pool",
               {"linear": {"out": 10}}]
    teacher = [{"conv": {"out": CHANNELS, "kernel": 1}, "name": "large"}, "relu", "global_average_pool",
               {"linear": {"out": 10}}]
    term = {"method": "at", "student": ["map"], "teacher": ["large"]} if method == "at" else {"method": method}
    recipe = {"data": {"idx": {f"{split}_{key}": f"{split}_{key}" for split in ("train", "test")
                               for key in ("images", "labels")}},
              "teacher": {"network": {"layers": teacher}, "train": {"steps": 0, "batch": BATCH}},
              "student": {"network": {"layers": student}, "train": {"steps": STEPS, "batch": BATCH}},
              "distill": {"cache": True, "cache_limit": 1000, "losses": [{"method": "labels"}, term]},
              "baseline": False, "seeds": [0]}
    with open(f"{folder}/recipe.yaml", "w") as file:
        json.dump(recipe, file)  # JSON is YAML


def own_run(options, folder, method):
    """Seconds, peak memory and bytes of the record."""
    recipe_make(folder, method)
    with tempfile.TemporaryDirectory(dir=folder) as cache:
        seconds, peak = throughput.measured(
            [options.retort, "distill", f"{folder}/recipe.yaml", "-o", f"{folder}/run", "--force", "--quiet"],
            {**os.environ, "XDG_CACHE_HOME": cache})
        rows = [entry.stat().st_size for entry in os.scandir(f"{cache}/retort") if entry.name.endswith(".rows")]
    return seconds, peak, max(rows)  # beside it lies what the teacher says of the test samples


def growth(options, folder, samples):
    """A row: what the large record takes more than the small one. Seconds with the large one, and MB."""
    data_cut(folder, samples)
    _, small, small_bytes = own_run(options, folder, "kd")
    seconds, large, large_bytes = own_run(options, folder, "at")
    if small_bytes < samples * 40 or large_bytes != samples * ROW:
        raise throughput.Failure(f"expected records of {samples} rows of 40 and {ROW} bytes, found {small_bytes} and "
                                 f"{large_bytes} bytes")
    more = (large - small) / throughput.MB
    print(f"{samples:7}  {large_bytes / 1e9:6.2f}  {seconds:7.1f}  {large / throughput.MB:7.1f}  "
          f"{small / throughput.MB:7.1f}  {more:6.1f}", flush=True)
    return seconds, more


def benchmark(options, folder):
    disk = os.statvfs(folder)
    room = int(DISK_SHARE * disk.f_bavail * disk.f_frsize / ROW)
    first = min(FIRST_QUICK if options.quick else FIRST, room // 4)
    if first < LEAST:
        raise throughput.Failure(f"{folder}: a third of the free disk has room for {room} samples of {ROW} bytes; "
                                 f"expected {4 * LEAST}")
    print(f"peak memory in MB of a distillation with a record of {ROW} bytes a sample, and of 40; load "
          f"{os.getloadavg()[0]:.1f}\n\nsamples      GB        s    large    small    more", flush=True)
    seconds, more = growth(options, folder, first)
    second = 4 * first if options.quick else min(SAMPLES, room, max(4 * first, int(first * SECONDS / seconds)))
    _, more_second = growth(options, folder, second)
    a_sample = (more_second - more) / (second - first)
    whole = more_second + a_sample * (SAMPLES - second)
    print(f"{SAMPLES} samples of {ROW / 1e6:.2f} MB, {SAMPLES * ROW / 1e9:.0f} GB"
          f"{'' if second == SAMPLES else ', extrapolated'}: {whole:.1f} MB more, {1e3 * a_sample:.2f} kB a sample; aim below "
          f"{AIM}: {'met' if max(more, more_second, whole) < AIM else 'not met'}; load {os.getloadavg()[0]:.1f}")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--retort", default="build/retort")
    parser.add_argument("--quick", action="store_true")
    options = parser.parse_args()
    options.retort = os.path.abspath(options.retort)
    try:
        with tempfile.TemporaryDirectory(dir=os.path.dirname(options.retort), prefix="bench-record-") as folder:
            benchmark(options, folder)
    except (throughput.Failure, OSError, subprocess.CalledProcessError) as error:
        print(f"record.py: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
