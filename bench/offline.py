#!/usr/bin/python3
"""A whole offline distillation beside PyTorch's usual loop.

    bench/offline.py [--retort build/retort] [--epochs 15] [--seconds 2] [--repeats 3]

The demo's student learns from the labels and from the demo's teacher (`kd`, half each), whose model file is given: batch
128, no augmentation, one seed, no baseline. Ours is `retort distill` from its start to its end: reading the data,
measuring the teacher, recording its outputs into an empty cache, all steps, validation after each epoch, test, report.
PyTorch's loop has the teacher's forward in every step (evaluation mode, no gradients; peer.py), and nothing else: only
its steps are counted. They all take the same time: it is timed for some seconds after a warm-up and scaled to as many
steps as ours. Every PyTorch that there is, the package index's and Debian's: its usual loop, op by op, and where it can a compiled one, each
in its best layout; rounds alternate, and the best of each side counts. Memory: peak of resident memory; PyTorch's is its lowest (throughput.py)."""
import argparse
import json
import os
import subprocess
import sys
import tempfile

import throughput

DEBIAN = "/usr/bin/python3"
VALIDATION, LOOP_SHARE = 5000, 2  # PyTorch is timed for so many times --seconds a round
AIM = 6.0


def pythons_find():
    """Each Python that has a PyTorch."""
    found = [throughput.python_find()]
    if DEBIAN not in found and subprocess.run([DEBIAN, "-c", "import numpy, torch"], stderr=subprocess.DEVNULL,
                                              check=False).returncode == 0:
        found.append(DEBIAN)
    return found


def job_make(options, folder):
    """What both sides are told: the recipe of the demo, cut down to one distillation, and model files of some 20 steps of
    training for teacher and student."""
    demo = throughput.demo_recipe()
    teacher = f"{folder}/teacher.safetensors"
    taught, _ = throughput.job_make(options, folder, "teacher", demo["teacher"]["network"], 1)
    os.replace(taught["model"], teacher)
    job, _ = throughput.job_make(options, folder, "student", None, 1, teacher=teacher,
                                 optimiser=demo["student"]["train"]["optimiser"])
    student = {**demo["student"], "train": {**demo["student"]["train"], "epochs": options.epochs}}
    recipe = {"data": {"name": "fashion-mnist", "validation": VALIDATION}, "teacher": {"model": teacher},
              "student": student, "distill": {**demo["distill"], "cache": True}, "baseline": False, "seeds": [0]}
    job["recipe"] = f"{folder}/distill.yaml"
    with open(job["recipe"], "w") as file:
        json.dump(recipe, file)  # JSON is YAML
    return job


def own_run(job, threads):
    """`retort distill` with an empty cache: seconds of the whole and of the student's stage, its steps, peak memory."""
    out = f"{job['folder']}/distilled"
    with tempfile.TemporaryDirectory(dir=job["folder"]) as cache:
        seconds, peak = throughput.measured(
            [job["retort"], "distill", job["recipe"], "-o", out, "--force", "--quiet", "--threads", str(threads)],
            {**os.environ, "XDG_CACHE_HOME": cache})
    with open(f"{out}/result.json") as file:
        result = json.load(file)
    stage = next(stage for stage in result["stages"] if stage["role"] == "distilled")
    return {"seconds": seconds, "peak": peak, "stage": stage["seconds"], "steps": stage["steps"],
            "machine": result["machine"]}


def best_ways(peer):
    """Of the usual loop, which runs op by op, and of one that is compiled, where there is one: the way and its speed."""
    kinds = ([(way, speed) for way, speed in peer.speeds.items() if (way in throughput.EAGER) == eager] for eager in (True, False))
    return [max(kind, key=lambda item: item[1]) for kind in kinds if kind]


def compare(options, job, threads, pythons, aim, table):
    """Rows of each PyTorch, with so many threads; the aim (None: none) is for the fastest usual loop. Our runs."""
    peers = [throughput.Peer(python, {**job, "threads": threads}) for python in pythons]
    ours = []
    try:
        for _ in range(options.repeats):
            ours.append(own_run(job, threads))
            for peer in peers:
                peer.round(LOOP_SHARE * options.seconds)
    finally:
        for peer in peers:
            peer.close()
    own = min(run["seconds"] for run in ours)
    samples = ours[0]["steps"] * throughput.BATCH
    fastest = max(speed for peer in peers for way, speed in best_ways(peer) if way in throughput.EAGER)
    for peer, (way, speed) in [(peer, best) for peer in peers for best in best_ways(peer)]:
        ratio = samples / speed / own
        judged = aim and speed == fastest
        verdict = table.judge(f"offline distillation, {threads} threads", f"{ratio:.2f}", f"{aim:g}",
                              ratio >= aim) if judged else ""
        table.notes += peer.notes
        print(f"{threads:7}  {own:6.1f}  {samples / speed:7.1f}  {peer.version.split('+')[0]:8}  {way:23}  {ratio:5.2f}  "
              f"{aim if judged else '':>4}  {verdict}", flush=True)
    spread = max(run["seconds"] for run in ours) / own
    stage = min(ours, key=lambda run: run["seconds"])["stage"]
    print(f"{'':7}  ours: {stage:.1f} s of it the student's steps; slowest round {spread:.2f} times the fastest",
          flush=True)
    return ours


def benchmark(options, folder):
    cores = len(os.sched_getaffinity(0))
    pythons = pythons_find()
    throughput.data_unpack(folder)
    table = throughput.Table()
    job = job_make(options, folder)
    print(f"a whole offline distillation of {options.epochs} epochs, in s; PyTorch's steps timed for "
          f"{LOOP_SHARE * options.seconds:g} s a round and scaled; best of {options.repeats} rounds; load "
          f"{os.getloadavg()[0]:.1f}\n\nthreads    ours  PyTorch  version   its best way             ratio   aim", flush=True)
    ours = []
    for threads in sorted({1, cores}):
        ours += compare(options, job, threads, pythons, AIM if threads == cores else None, table)
    peak, theirs = max(run["peak"] for run in ours), min(throughput.peer_peak(python, job) for python in pythons)
    print(f"\npeak memory in MB: {peak / throughput.MB:.0f}, PyTorch {theirs / throughput.MB:.0f}, ratio "
          f"{peak / theirs:.2f}")
    print("".join(f"note: {note}\n" for note in table.notes), end="")
    machine = ours[0]["machine"]
    print(f"measured on {machine['cpu']}, {cores} cores, level {machine['isa']}; load {os.getloadavg()[0]:.1f}\n"
          f"aims met: {'; '.join(table.met) or 'none'}\nnot met: {'; '.join(table.missed) or 'none'}")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--retort", default="build/retort")
    parser.add_argument("--epochs", type=int, default=15)
    parser.add_argument("--seconds", type=float, default=2)
    parser.add_argument("--repeats", type=int, default=3)
    options = parser.parse_args()
    try:
        with tempfile.TemporaryDirectory() as folder:
            benchmark(options, folder)
    except (throughput.Failure, OSError, subprocess.CalledProcessError) as error:
        print(f"offline.py: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
