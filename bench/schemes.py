#!/usr/bin/python3
"""What a step of each scheme costs, beside a step of the student alone.

    bench/schemes.py [--retort build/retort] [--steps N] [--repeats N]

Each recipe of recipes/schemes is run for N steps on one thread and on two, the student alone right before it, so that what
else the machine does meets both. The figure is the time of the training steps of all networks that the
scheme trains for a student (a frozen teacher's own training is left out, what it computes in each step is not), a step,
over the same of the student alone on as many threads; then: on two threads over the student alone on one, and beside it what
the machine itself gives: two students alone at the same time, a thread each, over one. Medians of the repeats. Aims: dml at
most 2.1 (on two threads over one alone: 1.1), byot at most 1.3, ps-kd at most 1.05."""
import argparse
import concurrent.futures
import glob
import json
import os
import re
import statistics
import subprocess
import sys
import tempfile

RECIPES = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "recipes", "schemes")


def stages_of(options, command, recipe, folder, threads):
    """Entries of result.json. No validation samples: what is measured is the steps."""
    words = [options.retort, command, recipe, "-o", folder, "--force", "--quiet", "--threads", str(threads), "--set", "baseline=false",
             "--set", "seeds=[0]", "--set", "data.validation=0", "--set", f"student.train.steps={options.steps}"]
    with open(recipe, encoding="utf-8") as file:
        if re.search("^teacher:", file.read(), re.MULTILINE):
            words += ["--set", "teacher.train.steps=2"]
    done = subprocess.run(words, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        sys.exit(f"schemes.py: {' '.join(words)}: {done.stderr}")
    with open(f"{folder}/result.json", encoding="utf-8") as file:
        return json.load(file)["stages"]


def seconds_alone(options, recipe, folder, threads):
    return stages_of(options, "train", recipe, folder, threads)[0]["seconds"]


def seconds_twice(options, recipe, folder):
    """The mean of two at the same time, a thread each."""
    with concurrent.futures.ThreadPoolExecutor() as pool:
        both = [pool.submit(seconds_alone, options, recipe, f"{folder}/twice{i}", 1) for i in range(2)]
        return statistics.mean(one.result() for one in both)


def seconds_taught(options, recipe, folder, threads):
    """Of all that the scheme trains for the student: what is saved beside a stage has that stage's seconds."""
    stages = stages_of(options, "distill", recipe, folder, threads)
    return sum({stage["seconds"] for stage in stages if stage["role"] != "ensemble" and stage["name"] != "teacher"})


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--retort", default="build/retort")
    parser.add_argument("--steps", type=int, default=400)
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--only", help="schemes whose name contains this")
    options = parser.parse_args()
    print(f"{'scheme':16}{'alone':>14}{'1 thread':>10}{'2 threads':>10}{'2 over 1':>10}{'machine':>10}"
          "     (ms a step alone; times that)")
    for recipe in [r for r in sorted(glob.glob(f"{RECIPES}/*.yaml")) if not options.only or options.only in r]:
        name = os.path.basename(recipe)[:-len(".yaml")]
        alone, ratio = {1: [], 2: []}, {1: [], 2: []}
        cross, machine = [], []
        with tempfile.TemporaryDirectory() as folder:
            for _ in range(options.repeats):
                taught = {}
                for threads in (1, 2):
                    one = seconds_alone(options, recipe, f"{folder}/run", threads)
                    taught[threads] = seconds_taught(options, recipe, f"{folder}/run", threads)
                    alone[threads].append(one / options.steps)
                    ratio[threads].append(taught[threads] / one)
                cross.append(taught[2] / options.steps / alone[1][-1])
                machine.append(seconds_twice(options, recipe, folder) / options.steps / alone[1][-1])
        median = statistics.median
        print(f"{name:16}{1000 * median(alone[1]):6.2f}{1000 * median(alone[2]):8.2f}{median(ratio[1]):10.2f}"
              f"{median(ratio[2]):10.2f}{median(cross):10.2f}{median(machine):10.2f}", flush=True)


if __name__ == "__main__":
    main()
