#!/usr/bin/python3
"""What methods cost: in a training step, and alone beside PyTorch.

    bench/methods.py [--retort build/retort] [--only METHOD] [--seconds 2] [--repeats 3]

First methods.c: a step with each method beside a step with the labels alone, of two pairs of networks. Then loss and
gradients of single methods on the same arrays, ours and PyTorch's (methods_peer.py) in rounds that alternate, one thread
each, its CPU time; the best rounds count, and of PyTorch's ways (throughput.py) the fastest. Loss and gradient are
compared: a formula that is not the same would make no ratio."""
import argparse
import json
import os
import subprocess
import sys
import tempfile

import throughput

HERE = os.path.dirname(os.path.abspath(__file__))
MAPS, EMBEDDINGS = ((128, 16, 14, 14), (128, 64, 14, 14)), ((128, 128), (128, 128))
# method, the arrays of student and teacher, ratio aimed at
COMPARED = (("fsp", (MAPS[0],) * 2, (MAPS[0],) * 2, 1.5), ("fsp", (MAPS[1],) * 2, (MAPS[1],) * 2, 1.5),
            ("sp", MAPS[:1], MAPS[1:], 1.5), ("rkd-distance", EMBEDDINGS[:1], EMBEDDINGS[1:], 1.5),
            ("rkd-angle", EMBEDDINGS[:1], EMBEDDINGS[1:], 1.5), ("at", MAPS[:1], MAPS[1:], 1.5))
PAIRS = (("two residual networks", "residual.yaml"), ("the demo's networks", "../recipes/fashion-mnist.yaml"))
MAKE_ARRAYS = """import json, sys, numpy
draw = numpy.random.default_rng(1)
for path, shape in json.loads(sys.argv[1]):
    numpy.save(path, draw.standard_normal(shape).astype(numpy.float32))"""
TOLERANCE = 1e-3  # relative; float32, thousands of summands


def job_make(options, folder, method, student, teacher):
    sides = {side: [f"{folder}/{side}{i}.npy" for i in range(len(shapes))]
             for side, shapes in (("student", student), ("teacher", teacher))}
    wanted = list(zip(sides["student"], student)) + list(zip(sides["teacher"], teacher))
    subprocess.run([options.python, "-c", MAKE_ARRAYS, json.dumps(wanted)], check=True)
    return {"method": method, "retort": options.retort, "threads": 1, **sides}


def same(ours, theirs):
    return all(abs(ours[key] - theirs[key]) <= TOLERANCE * abs(theirs[key]) for key in ("loss", "gradient"))


def compare(options, folder, table, row):
    method, student, teacher, aim = row
    job = job_make(options, folder, method, student, teacher)
    ours, peer = throughput.rounds(options, job, lambda: throughput.program_run(
        job, "method_loss", method, options.seconds, *job["student"], *job["teacher"]), "methods_peer.py")
    if not same(ours[-1], peer.last):
        raise throughput.Failure(f"{method}: ours is {ours[-1]}, PyTorch's {peer.last}")
    name = f"{method} {list(student[0])}"
    table.row(name, 1, max(run["speed"] for run in ours), peer, aim)


def benchmark(options, folder):
    table = throughput.Table()
    program = os.path.join(os.path.dirname(os.path.abspath(options.retort)), "bench", "methods")
    for pair, recipe in PAIRS:
        print(f"\na training step with a method beside one with labels alone, in ms; {pair}; load "
              f"{os.getloadavg()[0]:.1f}\n", flush=True)
        subprocess.run([program, f"{HERE}/{recipe}", str(options.seconds), *filter(None, [options.only])], check=True)
    print("\nloss and gradients beside PyTorch, times a second\n\n"
          "method                       threads       ours    PyTorch  its best way             ratio   aim", flush=True)
    for row in COMPARED:
        if options.only in ("", row[0]):
            compare(options, folder, table, row)
    print("".join(f"note: {note}\n" for note in table.notes), end="")
    print(f"load {os.getloadavg()[0]:.1f}\naims met: {'; '.join(table.met) or 'none'}\n"
          f"not met: {'; '.join(table.missed) or 'none'}")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--retort", default="build/retort")
    parser.add_argument("--only", default="")
    parser.add_argument("--seconds", type=float, default=2)
    parser.add_argument("--repeats", type=int, default=3)
    options = parser.parse_args()
    try:
        options.python = throughput.python_find()
        with tempfile.TemporaryDirectory() as folder:
            benchmark(options, folder)
    except (throughput.Failure, OSError, subprocess.CalledProcessError) as error:
        print(f"methods.py: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
