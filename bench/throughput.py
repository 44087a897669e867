#!/usr/bin/python3
"""Training speed and memory beside PyTorch, in one run: the student and the teacher of a recipe, learning from labels.

    bench/throughput.py [--retort build/retort] [--recipe recipes/fashion-mnist.yaml] [--seconds 5] [--repeats 3]

Speed is samples/s of whole training steps: batch gathered from bytes in memory in shuffled order, forward, backward,
SGD. Runs alternate, each in its own process; the best counts. PyTorch runs in both layouts with its allocator tuned
(without, it loses much of its time to page faults), ReLU in place, and its first steps left out; ours are counted.
Memory is the peak of resident memory of a process that trains, data included; PyTorch's is the lowest of all its runs,
also without the tuning."""
import argparse
import json
import os
import subprocess
import sys
import tempfile
import time

import yaml

# The measuring process stays small, because a child's peak starts at its parent's size: no numpy and no torch up here.
TUNED = {"MALLOC_MMAP_THRESHOLD_": "1073741824", "MALLOC_TRIM_THRESHOLD_": "17179869184", "MALLOC_TOP_PAD_": "67108864"}
LAYOUTS = ("contiguous", "channels_last")
WARM_UP = 10
MB = 1e6


class Failure(Exception):
    pass


def peer_train(job):
    """Runs in a process of its own: trains with PyTorch for job["seconds"] and prints speed and peak memory as JSON."""
    import numpy as np
    import torch
    import torch.nn.functional as F
    sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
    import torch_net

    class Peer(torch_net.Net):
        def apply_layer(self, layer, inputs):
            return F.relu(inputs[0], inplace=True) if layer["type"] == "relu" else super().apply_layer(layer, inputs)

    torch.set_num_threads(job["threads"])
    description, scale, shift = standardise_apart(torch_net.inspect(job["retort"], job["model"]))
    net = Peer(description, torch_net.read_safetensors(job["model"]), torch.float32).train()
    images = torch.from_numpy(np.fromfile(job["images"], np.uint8, offset=16).reshape(-1, *description["input"]))
    labels = torch.from_numpy(np.fromfile(job["labels"], np.uint8, offset=8).astype(np.int64))
    layout = torch.channels_last if job["layout"] == "channels_last" else torch.contiguous_format
    net = net.to(memory_format=layout)
    options = job["optimiser"]
    optimiser = torch.optim.SGD(net.parameters(), lr=options["rate"], momentum=options.get("momentum", 0),
                                nesterov=options.get("nesterov", False), weight_decay=options.get("weight_decay", 0))
    batch, step, begin = job["batch"], 0, 0.0
    per_epoch = len(labels) // batch
    while step <= WARM_UP or time.perf_counter() - begin < job["seconds"]:
        if step == WARM_UP:
            begin = time.perf_counter()
        if step % per_epoch == 0:
            order = torch.randperm(len(labels))
        rows = order[step % per_epoch * batch:][:batch]
        x = images[rows].to(torch.float32, memory_format=layout).mul_(scale).sub_(shift)
        loss = F.cross_entropy(net(x), labels[rows])
        optimiser.zero_grad(set_to_none=True)
        loss.backward()
        optimiser.step()
        step += 1
    speed = (step - WARM_UP) * batch / (time.perf_counter() - begin)
    if not torch.isfinite(loss):
        raise Failure("PyTorch's loss is not finite")
    with open("/proc/self/status") as status:
        peak = next(int(line.split()[1]) * 1024 for line in status if line.startswith("VmHWM:"))
    print(json.dumps({"speed": speed, "peak": peak, "version": torch.__version__}))


def standardise_apart(description):
    """The description without its first layer that standardises, and that layer with the bytes' 1/255 as one
    multiplication and one subtraction, as one would write it in PyTorch."""
    first = description["layers"][0]
    if first["type"] != "standardise":
        return description, 1 / 255, 0.0
    if len(first["options"]["mean"]) != 1:
        raise Failure("expected images of one channel")
    for layer in description["layers"]:
        layer["inputs"] = ["input" if name == first["name"] else name for name in layer["inputs"]]
    mean, deviation = first["options"]["mean"][0], first["options"]["deviation"][0]
    return {**description, "layers": description["layers"][1:]}, 1 / 255 / deviation, mean / deviation


def peer_run(job, layout, seconds, tuned=True):
    environment = {**os.environ, **(TUNED if tuned else {}), "OMP_NUM_THREADS": str(job["threads"])}
    peer = json.dumps({**job, "layout": layout, "seconds": seconds})
    command = [sys.executable, os.path.abspath(__file__), "--peer", peer]
    done = subprocess.run(command, env=environment, stdout=subprocess.PIPE, text=True)
    if done.returncode:
        raise Failure(f"PyTorch's run ended with status {done.returncode}")
    return json.loads(done.stdout)


def own_run(job, steps):
    """`retort train` for so many steps; speed from result.json, peak memory from the kernel."""
    out = f"{job['folder']}/run"
    command = [job["retort"], "train", job["recipe"], "--set", f"student.train.steps={steps}", "-o", out, "--force",
               "--quiet", "--threads", str(job["threads"]), "--jobs", "1"]
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL)
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise Failure(f"{' '.join(command)} ended with status {process.returncode}")
    with open(f"{out}/result.json") as file:
        result = json.load(file)
    stage, = result["stages"]
    if stage["steps"] != steps:
        raise Failure(f"expected {steps} steps in {out}/result.json, found {stage['steps']}")
    return {"speed": stage["samples_per_second"], "peak": usage.ru_maxrss * 1024, "model": f"{out}/{stage['model']}",
            "machine": result["machine"]}


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


def recipe_write(path, recipe, role):
    """The recipe's `role` as a student that is trained alone, on all training images as they are."""
    data = {**recipe["data"], "validation": 0}
    data.pop("augment", None)
    train = recipe[role]["train"]
    if train["optimiser"]["name"] != "sgd" or train.get("clip", 0) > 0:
        raise Failure(f"{role}.train: expected sgd without clipping, which is what both sides are measured with")
    alone = {"data": data, "student": recipe[role], "distill": {"losses": [{"method": "labels"}]}, "seeds": [0]}
    with open(path, "w") as file:
        json.dump(alone, file)  # JSON is YAML


def data_unpack(recipe, folder):
    """Plain IDX files for the peer, which holds them in memory as we do; only their headers are skipped."""
    directory = recipe["data"].get("fashion-mnist", {}).get("directory", "/usr/share/datasets/fashion-mnist")
    paths = {}
    for key, name in (("images", "train-images-idx3-ubyte"), ("labels", "train-labels-idx1-ubyte")):
        paths[key] = f"{folder}/{key}"
        with open(paths[key], "wb") as file:
            subprocess.run(["gzip", "-dc", f"{directory}/{name}.gz"], stdout=file, check=True)
    return paths


def measure(job, options):
    """One network at one number of threads: (ours, theirs, their layout, our peak, their peak, measured on what)."""
    batch = job["batch"]
    tried = own_run(job, 20)
    with open(tried["model"], "rb") as model, open(f"{job['folder']}/start.safetensors", "wb") as start:
        start.write(model.read())
    job = {**job, "model": f"{job['folder']}/start.safetensors"}
    steps = max(20, int(options.seconds * tried["speed"] / batch))
    ours, theirs = [], {layout: [] for layout in LAYOUTS}
    for _ in range(options.repeats):
        ours.append(own_run(job, steps))
        for layout in LAYOUTS:
            theirs[layout].append(peer_run(job, layout, options.seconds))
    speeds = {layout: max(run["speed"] for run in theirs[layout]) for layout in LAYOUTS}
    layout = max(LAYOUTS, key=speeds.get)
    peaks = [run["peak"] for runs in theirs.values() for run in runs]
    peaks += [peer_run(job, each, 0.1, tuned=False)["peak"] for each in LAYOUTS]
    about = "{cpu}, {cores} cores, level {isa}".format(**tried["machine"]) + f"; PyTorch {theirs[layout][0]['version']}"
    # Ours is the highest of its runs, theirs the lowest.
    speed, peak = max(run["speed"] for run in ours), max(run["peak"] for run in ours)
    return speed, speeds[layout], layout, peak, min(peaks), about


def benchmark(options, folder):
    with open(options.recipe) as file:
        recipe = numbers(yaml.safe_load(file))
    cores = len(os.sched_getaffinity(0))
    rows = [("student", 2.5, 1), ("teacher", 1.2, 1)] + ([("teacher", 1.2, cores)] if cores > 1 else [])
    paths = data_unpack(recipe, folder)
    verdicts = []
    print(f"training, labels only, {options.recipe}; best of {options.repeats} runs of {options.seconds:g} s\n"
          "speed in samples/s; memory in MB, peak, the 47 MB of training images included on both sides\n\n"
          "network  threads    ours  PyTorch  its layout     ratio  target  |  ours  PyTorch  ratio  target",
          flush=True)
    for role, target, threads in rows:
        train = recipe[role]["train"]
        job = {"retort": os.path.abspath(options.retort), "recipe": f"{folder}/{role}.yaml", "folder": folder,
               "threads": threads, "batch": train["batch"], "optimiser": train["optimiser"], **paths}
        recipe_write(job["recipe"], recipe, role)
        ours, theirs, layout, our_peak, their_peak, about = measure(job, options)
        speed, memory = ours / theirs, our_peak / their_peak
        print(f"{role:7}  {threads:7}  {ours:6.0f}  {theirs:7.0f}  {layout:13}  {speed:5.2f}x  {target:5.1f}x  |"
              f"  {our_peak / MB:4.0f}  {their_peak / MB:7.0f}  {memory:5.2f}    0.33", flush=True)
        name = f"{role}, {threads} thread{'s' if threads > 1 else ''}"
        verdicts += [(f"{name}: speed", speed >= target), (f"{name}: memory", memory <= 1 / 3)]
    met = "; ".join(name for name, good in verdicts if good) or "none"
    missed = "; ".join(name for name, good in verdicts if not good) or "none"
    print(f"\nmeasured on {about}\ntargets met: {met} | missed: {missed}")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--retort", default="build/retort")
    parser.add_argument("--recipe", default="recipes/fashion-mnist.yaml")
    parser.add_argument("--seconds", type=float, default=5)
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--peer", help=argparse.SUPPRESS)
    options = parser.parse_args()
    try:
        if options.peer:
            peer_train(json.loads(options.peer))
            return 0
        with tempfile.TemporaryDirectory() as folder:
            benchmark(options, folder)
    except (Failure, OSError, subprocess.CalledProcessError) as error:
        print(f"throughput.py: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
