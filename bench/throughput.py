#!/usr/bin/python3
"""Speed and memory beside PyTorch, and beside the machine, in one run.

    bench/throughput.py [--retort build/retort] [--only NAME] [--seconds 2] [--repeats 3]

Training speed is samples/s of whole steps from labels, batch 128, float32: batch gathered from bytes in memory in
shuffled order, forward, backward, SGD. Inference is from bytes to logits. PyTorch (the Python that bench/python.sh
finds) runs in both layouts, eager and compiled, with its allocator tuned (without, it loses much of its time to page
faults), and its best counts; peer.py has the details. Rounds alternate: ours, theirs; after the first round only
those of its ways go on that are within 15% of its best. Compiling is not counted, but takes minutes when its cache is
empty. Memory is the peak of resident memory of a process that trains with one thread, data included; PyTorch's is its
lowest of both layouts, eager, without the tuning. The share of the machine is of a large float32 matrix product,
measured beside ours; multiply-accumulates of a step: three times those of the layers, but twice the first layer's.
--only: networks whose name contains NAME, in small letters."""
import argparse
import json
import os
import subprocess
import sys
import tempfile
import time

import yaml

# The measuring process stays small, because a child's peak starts at its parent's size: no numpy and no torch up here.
HERE = os.path.dirname(os.path.abspath(__file__))
TUNED = {"MALLOC_MMAP_THRESHOLD_": "1073741824", "MALLOC_TRIM_THRESHOLD_": "17179869184", "MALLOC_TOP_PAD_": "67108864"}
EAGER = ("contiguous eager", "channels_last eager")
COMPILED = ("contiguous compiled", "channels_last compiled")
OPTIMISER = {"name": "sgd", "rate": 0.05, "momentum": 0.9, "nesterov": True, "weight_decay": 5e-4}
BATCH, MEMORY_AIM, MB = 128, 0.2, 1e6
SMALL = {"name": "cnn", "widths": [8, 8, 16, 16, 32]}
# name, network (None: the demo's student), ratio aimed at, share of the matrix product aimed at
TRAINED = (("140k CNN", {"name": "cnn", "widths": [32, 32, 64, 64, 128]}, 1.4, 0.8), ("9k CNN", SMALL, 3.0, 0.45),
           ("demo's student", None, 4.0, None), ("resnet20", {"name": "resnet", "depth": 20}, 1.3, None),
           ("mobilenet-v2 0.25", {"name": "mobilenet-v2", "width": 0.25}, 1.5, None))
# name, network: whose seeds are also trained side by side, a core each
SIDE_BY_SIDE, SIDE_BY_SIDE_AIM = (("9k CNN", SMALL), ("demo's student", None)), 1.85
# name, network, batch, ratio aimed at
INFERRED = (("9k CNN", SMALL, 128, 3.0), ("9k CNN", SMALL, 1, 10.0))


class Failure(Exception):
    pass


class Peer:
    """PyTorch in a process that stays for all rounds: what it has compiled stays as well."""

    def __init__(self, python, job, script="peer.py"):
        environment = {**os.environ, **TUNED, "OMP_NUM_THREADS": str(job["threads"])}
        if not python.startswith("/usr/"):  # what it compiled stays beside its virtual environment
            environment["TORCHINDUCTOR_CACHE_DIR"] = os.path.join(os.path.dirname(python), "..", "compiled")
        self.process = subprocess.Popen([python, f"{HERE}/{script}", json.dumps(job)], env=environment, text=True,
                                        stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        about = self.read()
        self.version = about["version"]
        self.ways = list(EAGER + COMPILED if about["compiles"] else EAGER)
        self.speeds, self.notes, self.last = {}, [], None

    def read(self):
        line = self.process.stdout.readline()
        if not line:
            raise Failure(f"PyTorch's process ended with status {self.process.wait()}")
        return json.loads(line)

    def round(self, seconds):
        for way in list(self.ways):
            self.process.stdin.write(json.dumps({"way": way, "seconds": seconds}) + "\n")
            self.process.stdin.flush()
            answer = self.read()
            if "error" in answer:
                self.ways.remove(way)
                self.notes.append(f"PyTorch, {way}, failed: {answer['error']}")
            else:
                self.speeds[way] = max(self.speeds.get(way, 0), answer["speed"])
                self.last = answer
        if not self.speeds:
            raise Failure("; ".join(self.notes))
        self.ways = [way for way in self.ways if self.speeds[way] >= 0.85 * max(self.speeds.values())]

    def best(self):
        return max(self.speeds.items(), key=lambda item: item[1])

    def close(self):
        self.process.stdin.close()
        self.process.wait()


def peer_peak(python, job):
    """The lowest of both layouts, not tuned."""
    peaks = []
    for way in EAGER:
        environment = {**os.environ, "OMP_NUM_THREADS": "1"}
        done = subprocess.run([python, f"{HERE}/peer.py", json.dumps({**job, "way": way, "peak": True, "threads": 1})],
                              env=environment, stdout=subprocess.PIPE, text=True)
        if done.returncode:
            raise Failure(f"PyTorch's run for memory ended with status {done.returncode}")
        peaks.append(json.loads(done.stdout)["peak"])
    return min(peaks)


def measured(command, environment=None):
    """Runs it to its end: seconds, and peak memory in bytes from the kernel."""
    begin = time.perf_counter()
    process = subprocess.Popen(command, env=environment, stdout=subprocess.DEVNULL)
    _, status, usage = os.wait4(process.pid, 0)
    seconds = time.perf_counter() - begin
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise Failure(f"{' '.join(command)} ended with status {process.returncode}")
    return seconds, usage.ru_maxrss * 1024


def own_run(job, steps, seeds=1):
    """`retort train` for so many steps, seeds side by side; the slowest seed's speed from result.json, peak memory."""
    out = f"{job['folder']}/run"
    command = [job["retort"], "train", job["recipe"], "--set", f"student.train.steps={steps}", "--set",
               f"seeds={list(range(seeds))}", "-o", out, "--force", "--quiet", "--threads", str(job["threads"]),
               "--jobs", str(seeds)]
    _, peak = measured(command)
    with open(f"{out}/result.json") as file:
        result = json.load(file)
    stages = result["stages"]
    if [stage["steps"] for stage in stages] != [steps] * seeds:
        raise Failure(f"expected {seeds} stages of {steps} steps in {out}/result.json")
    stage = min(stages, key=lambda stage: stage["samples_per_second"])
    return {"speed": stage["samples_per_second"], "peak": peak, "model": f"{out}/{stage['model']}",
            "machine": result["machine"]}


def program_run(job, name, *arguments):
    """A program of bench/*.c, which answers in JSON."""
    program = os.path.join(os.path.dirname(job["retort"]), "bench", name)
    return json.loads(subprocess.run([program, *map(str, arguments)], check=True, stdout=subprocess.PIPE).stdout)


def numbers(value):
    """Numbers like 1e-4, which to PyYAML (YAML 1.1) are text."""
    if isinstance(value, dict):
        return {key: numbers(item) for key, item in value.items()}
    if isinstance(value, list):
        return [numbers(item) for item in value]
    try:
        return float(value) if isinstance(value, str) else value
    except ValueError:
        return value


def demo_recipe():
    with open(f"{HERE}/../recipes/fashion-mnist.yaml") as file:
        return numbers(yaml.safe_load(file))


def demo_student():
    return demo_recipe()["student"]["network"]


def job_make(options, folder, name, network, threads, **more):
    """What both sides are told, with a model file of some 20 steps of training to start from."""
    train = {"batch": BATCH, "optimiser": OPTIMISER, "schedule": {"name": "constant"}}
    recipe = {"data": {"name": "fashion-mnist", "validation": 0},
              "student": {"network": network or demo_student(), "train": train},
              "distill": {"losses": [{"method": "labels"}]}, "seeds": [0]}
    job = {"name": name, "retort": os.path.abspath(options.retort), "recipe": f"{folder}/recipe.yaml", "folder": folder,
           "threads": threads, "batch": BATCH, "optimiser": OPTIMISER, "training": True, "model": f"{folder}/start",
           "images": f"{folder}/images", "labels": f"{folder}/labels", **more}
    with open(job["recipe"], "w") as file:
        json.dump(recipe, file)  # JSON is YAML
    tried = own_run(job, 20)
    os.replace(tried["model"], job["model"])
    return job, tried


def data_unpack(folder):
    """Plain IDX files for the peer, which holds them in memory as we do; only their headers are skipped."""
    directory = "/usr/share/datasets/fashion-mnist"
    for key, name in (("images", "train-images-idx3-ubyte"), ("labels", "train-labels-idx1-ubyte")):
        with open(f"{folder}/{key}", "wb") as file:
            subprocess.run(["gzip", "-dc", f"{directory}/{name}.gz"], stdout=file, check=True)


def step_flops(job):
    """Of one sample's training step: forward, and the gradients of data (not the first layer's) and of weights."""
    described = json.loads(subprocess.run([job["retort"], "inspect", job["model"], "--json"], check=True,
                                          stdout=subprocess.PIPE).stdout)
    macs = [layer["macs"] for layer in described["layers"] if layer["macs"]]
    return 2 * (3 * sum(macs) - macs[0])


def rounds(options, job, own, script="peer.py"):
    """Alternates ours and theirs: our results, the peer with its speeds."""
    peer = Peer(options.python, job, script)
    try:
        ours = []
        for _ in range(options.repeats):
            ours.append(own())
            peer.round(options.seconds)
    finally:
        peer.close()
    return ours, peer


class Table:
    """Rows as they come, and which aims were met."""

    def __init__(self):
        self.met, self.missed, self.notes = [], [], []

    def judge(self, name, value, aim, good):
        (self.met if good else self.missed).append(f"{name} ({value} for {aim})")
        return "met" if good else "not met"

    def row(self, name, threads, ours, peer, aim):
        way, theirs = peer.best()
        ratio = ours / theirs
        verdict = self.judge(f"{name}, {threads} thread{'s' if threads > 1 else ''}", f"{ratio:.2f}", f"{aim:g}",
                             ratio >= aim)
        self.notes += [f"{name}: {note}" for note in peer.notes]
        print(f"{name:27}  {threads:7}  {ours:9.0f}  {theirs:9.0f}  {way:23}  {ratio:5.2f}  {aim:4.1f}  {verdict}",
              flush=True)


def bench_training(options, folder, table, cores):
    machine = []
    about = ""
    for name, network, aim, share_aim in TRAINED:
        if options.only not in name.lower():
            continue
        for threads in sorted({1, cores}):
            job, tried = job_make(options, folder, name, network, threads)
            steps = max(20, int(options.seconds * tried["speed"] / BATCH))
            rates = []

            def own(job=job, steps=steps, rates=rates):
                rates.append(program_run(job, "machine", job["threads"])["flops"])
                return own_run(job, steps)
            ours, peer = rounds(options, job, own)
            speed = max(run["speed"] for run in ours)
            table.row(name, threads, speed, peer, aim)
            machine.append((name, threads, speed * step_flops(job), max(rates), share_aim))
            about = f"{tried['machine']['cpu']}, {cores} cores, level {tried['machine']['isa']}; PyTorch {peer.version}"
            if threads == 1:
                theirs, peak = peer_peak(options.python, job), max(run["peak"] for run in ours)
                verdict = table.judge(f"{name}: memory", f"{peak / theirs:.2f}", f"{MEMORY_AIM}",
                                      peak <= MEMORY_AIM * theirs)
                print(f"{'':27}  peak memory in MB: {peak / MB:.0f}, PyTorch {theirs / MB:.0f}, ratio "
                      f"{peak / theirs:.2f}, at most {MEMORY_AIM}: {verdict}", flush=True)
    return machine, about


def bench_inference(options, folder, table):
    for name, network, batch, aim in INFERRED:
        if options.only not in f"{name} inference".lower():
            continue
        job, _ = job_make(options, folder, name, network, 1, training=False, batch=batch)

        def own(job=job, batch=batch):
            return program_run(job, "inference", job["model"], batch, options.seconds, 1)
        ours, peer = rounds(options, job, own)
        table.row(f"{name}, inference of {batch}", 1, max(run["speed"] for run in ours), peer, aim)


def bench_side_by_side(options, folder, table, cores):
    """Two seeds on two cores beside one seed on one: twice the slower one's speed over the single one's."""
    heading = "\ntwo seeds side by side, a core each\n\nnetwork                  one      two  ratio   aim\n"
    for name, network in SIDE_BY_SIDE:
        if cores < 2 or options.only not in f"{name} side by side".lower():
            continue
        job, tried = job_make(options, folder, name, network, 1)
        steps = max(20, int(options.seconds * tried["speed"] / BATCH))
        one, two = [], []
        for _ in range(options.repeats):
            one.append(own_run(job, steps)["speed"])
            two.append(2 * own_run({**job, "threads": 2}, steps, 2)["speed"])
        ratio = max(two) / max(one)
        verdict = table.judge(f"{name}: two seeds side by side", f"{ratio:.2f}", f"{SIDE_BY_SIDE_AIM}",
                              ratio >= SIDE_BY_SIDE_AIM)
        print(f"{heading}{name:19}  {max(one):7.0f}  {max(two):7.0f}  {ratio:5.2f}  {SIDE_BY_SIDE_AIM:4.2f}  {verdict}",
              flush=True)
        heading = ""


def machine_print(machine, table):
    print("\ntraining step beside a large float32 matrix product\n\n"
          "network            threads  GFLOP/s  product  share   aim")
    for name, threads, rate, product, aim in machine:
        verdict = table.judge(f"{name}, {threads} threads: share of the product", f"{rate / product:.2f}", f"{aim:g}",
                              rate >= aim * product) if aim else ""
        print(f"{name:17}  {threads:7}  {rate / 1e9:7.1f}  {product / 1e9:7.1f}  {rate / product:5.2f}  "
              f"{aim or '':>4}  {verdict}")


def benchmark(options, folder):
    cores = min(2, len(os.sched_getaffinity(0)))
    data_unpack(folder)
    table = Table()
    print(f"best of {options.repeats} rounds of {options.seconds:g} s; speed in samples/s; load "
          f"{os.getloadavg()[0]:.1f}\n\nnetwork                      threads       ours    PyTorch  its best way"
          "             ratio   aim", flush=True)
    machine, about = bench_training(options, folder, table, cores)
    bench_inference(options, folder, table)
    bench_side_by_side(options, folder, table, cores)
    if machine:
        machine_print(machine, table)
    print("".join(f"\nnote: {note}" for note in table.notes))
    print(f"measured on {about}; load {os.getloadavg()[0]:.1f}" if about else f"load {os.getloadavg()[0]:.1f}")
    print(f"aims met: {'; '.join(table.met) or 'none'}\nnot met: {'; '.join(table.missed) or 'none'}")


def python_find():
    """The Python that has PyTorch."""
    return subprocess.run([f"{HERE}/python.sh", "--which"], check=True, text=True, stdout=subprocess.PIPE).stdout.strip()


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--retort", default="build/retort")
    parser.add_argument("--only", default="", type=str.lower)
    parser.add_argument("--seconds", type=float, default=2)
    parser.add_argument("--repeats", type=int, default=3)
    options = parser.parse_args()
    try:
        options.python = python_find()
        with tempfile.TemporaryDirectory() as folder:
            benchmark(options, folder)
    except (Failure, OSError, subprocess.CalledProcessError) as error:
        print(f"throughput.py: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
