#!/usr/bin/python3
"""Parity with PyTorch.

    bench/parity.py [--retort build/retort] [--steps 50] [--only NAME]
    bench/parity.py --ops [--seed 1]

Runs itself again with the Python that bench/python.sh finds, unless RETORT_BENCH_PYTHON is set.

Whole runs from the same initial weights, without shuffle and augmentation, on noisy images (flat ones give ties that
rounding breaks). In float64 the losses of all steps must agree to 1e-6, relatively, and the final weights to 1e-6 of
a tensor's largest (model files are float32). In float32 rounding grows from step to step, so it prints how far our
losses are from the float64 run, and how far PyTorch is from it and from itself: in both layouts, with and without
oneDNN. "ok": ours are not further than the furthest of these; "near": not further than twice that, as one run beside
five is by chance; "FAIL": further.

--ops: every op of ours that PyTorch has, value and gradient (op_parity.py); build the target bench_programs first.
--only: cases whose name contains NAME, in small letters."""
import argparse
import itertools
import json
import os
import sqlite3
import struct
import subprocess
import sys
import tempfile
import warnings
from typing import NamedTuple

if "RETORT_BENCH_PYTHON" not in os.environ:  # the newest PyTorch, where python.sh finds or can install it
    again = os.path.join(os.path.dirname(os.path.abspath(__file__)), "python.sh")
    os.execv(again, [again, *sys.argv])

import numpy as np
import torch
import torch.nn.functional as F

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import op_parity
import torch_net

BATCH, TEMPERATURE, BOUND = 32, 4.0, 1e-6
SGD = {"name": "sgd", "rate": 0.05, "momentum": 0.9, "weight_decay": 5e-4}
ADAMW = {"name": "adamw", "rate": 0.002, "weight_decay": 0.05}
TEACHER = {"name": "cnn", "widths": [8, 8, 16, 16, 16]}
LAYOUTS = {"contiguous": torch.contiguous_format, "channels-last": torch.channels_last}


class Case(NamedTuple):
    name: str
    network: dict
    optimiser: dict = SGD
    schedule: str = "constant"
    clip: float = 0
    smoothing: float = 0
    kd: float = 0  # the weight of kd; of the labels: 1 - kd


def conv(out, **options):
    return [{"conv": {"out": out, "kernel": 3, "padding": 1, "bias": False, **options}}, "batch_norm", "relu"]


def student_of_demo():
    """The student's layers as the demo's recipe has them."""
    pool = [{"max_pool": {"kernel": 2}}]
    weighting = [{"conv": {"out": 12, "kernel": 7, "groups": 12, "bias": False}}, "flatten", {"linear": {"out": 10}}]
    return {"layers": [*conv(12), *pool, *conv(12), *pool, *conv(12), *conv(12), *weighting]}


def squeezed():
    squeeze = [{"squeeze_excite": {"ratio": 4}}]
    return {"layers": [*conv(16), *squeeze, *conv(32, stride=2), *squeeze, *conv(32), *squeeze, "global_average_pool",
                       {"linear": {"out": 10}}]}


CASES = (
    Case("demo's student, SGD, kd", student_of_demo(), kd=0.7),
    Case("140k CNN, SGD, kd", {"name": "cnn", "widths": [32, 32, 64, 64, 128]}, kd=0.7),
    Case("CNN, AdamW, cosine, smoothing, clip", {"name": "cnn", "widths": [16, 16, 32]}, ADAMW, "cosine", clip=0.5,
         smoothing=0.1),
    # Rates at which rounding stays small: with 0.05, mobilenet-v2 in float64 is 7e-2 from itself after 14 steps when
    # PyTorch changes the layout.
    Case("resnet20", {"name": "resnet", "depth": 20}, {**SGD, "rate": 0.01}),
    Case("mobilenet-v2", {"name": "mobilenet-v2", "width": 0.25, "dropout": 0}, {**SGD, "rate": 0.0005}),
    Case("squeeze-and-excite", squeezed()),
)


def write_idx(folder, n):
    """Images whose background is noise."""
    rng = np.random.default_rng(7)
    labels = rng.integers(0, 10, n).astype(np.uint8)
    images = rng.integers(0, 256, (n, 28, 28)).astype(np.uint8)
    for i, label in enumerate(labels):
        images[i, 2 * label:2 * label + 6, 4:20] //= 3
    for name, array in (("images", images), ("labels", labels)):
        with open(f"{folder}/{name}", "wb") as file:
            file.write(struct.pack(">BBBB", 0, 0, 8, array.ndim))
            file.write(struct.pack(f">{array.ndim}I", *array.shape) + array.tobytes())
    return images, labels


def recipe(folder, case, precision, steps):
    idx = {f"{split}_{kind}": f"{folder}/{kind}" for split in ("train", "test") for kind in ("images", "labels")}
    train = {"batch": BATCH, "shuffle": False, "optimiser": case.optimiser, "schedule": {"name": case.schedule},
             "clip": case.clip, "steps": steps}
    losses = [{"method": "labels", "weight": 1 - case.kd, "smoothing": case.smoothing}]
    if case.kd:
        losses.append({"method": "kd", "temperature": TEMPERATURE, "weight": case.kd})
    teacher = {"network": TEACHER, "train": {"batch": BATCH, "steps": 0}}
    return {"data": {"idx": idx, "classes": 10}, "teacher": teacher,
            "student": {"network": case.network, "train": train}, "distill": {"losses": losses},
            "precision": precision, "seeds": [3], "baseline": False}


def own_run(retort, folder, name, case, precision, steps):
    path = f"{folder}/{name}-{precision}"
    with open(f"{path}.yaml", "w") as file:
        json.dump(recipe(folder, case, precision, steps), file)  # JSON is YAML
    subprocess.run([retort, "distill", f"{path}.yaml", "-o", path, "--quiet"], check=True, stdout=subprocess.DEVNULL)
    return path


def losses_of(folder):
    rows = sqlite3.connect(f"{folder}/record.sqlite").execute(
        "SELECT value FROM metrics WHERE stage LIKE 'distilled-%' AND split = 'train' AND name = 'loss' ORDER BY step")
    return np.array([value for value, in rows])


def optimiser_of(case, parameters):
    o = case.optimiser
    if o["name"] == "adamw":
        return torch.optim.AdamW(parameters, lr=o["rate"], weight_decay=o["weight_decay"])
    return torch.optim.SGD(parameters, lr=o["rate"], momentum=o["momentum"], weight_decay=o["weight_decay"])


def loss_of(case, zs, zt, labels):
    loss = (1 - case.kd) * F.cross_entropy(zs, labels, label_smoothing=case.smoothing)
    if case.kd:
        loss = loss + case.kd * TEMPERATURE ** 2 * F.kl_div(
            F.log_softmax(zs / TEMPERATURE, 1), F.log_softmax(zt / TEMPERATURE, 1), reduction="batchmean",
            log_target=True)
    return loss


def torch_run(retort, start, case, data, dtype, layout):
    """The losses of all steps, and the student."""
    models = f"{start}/models"
    student = torch_net.load(retort, f"{models}/distilled-3.safetensors", dtype).to(memory_format=layout).train()
    teacher = torch_net.load(retort, f"{models}/teacher.safetensors", dtype).to(memory_format=layout).eval()
    optimiser = optimiser_of(case, student.parameters())
    x = torch.tensor(data[0][:, None] / 255.0, dtype=dtype).to(memory_format=layout)
    y = torch.tensor(data[1].astype(np.int64))
    steps = len(y) // BATCH
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimiser, steps) if case.schedule == "cosine" else None
    losses = []
    for step in range(steps):
        rows = slice(step * BATCH, (step + 1) * BATCH)
        with torch.no_grad():
            zt = teacher(x[rows])
        loss = loss_of(case, student(x[rows]), zt, y[rows])
        optimiser.zero_grad()
        loss.backward()
        if case.clip:
            torch.nn.utils.clip_grad_norm_(student.parameters(), case.clip)
        optimiser.step()
        if schedule:
            schedule.step()
        losses.append(loss.item())
    return np.array(losses), student


def distance(a, b):
    if a.shape != b.shape:
        raise SystemExit(f"parity.py: {len(a)} losses beside {len(b)}")
    return float(np.max(np.abs(a - b) / np.abs(b)))


def weights_distance(model, student):
    def relative(name, value):
        return np.max(np.abs(value - getattr(student, name.replace(".", "/")).detach().numpy())) / max(
            np.max(np.abs(value)), 1e-6)  # some are 0 but for rounding: what a batch norm behind takes away
    return max(relative(name, value) for name, value in torch_net.read_safetensors(model).items())


def compare_f64(retort, folder, case, data):
    """Whether it agrees; the losses, PyTorch's."""
    start = own_run(retort, folder, "start", case, "f64", 0)
    end = own_run(retort, folder, "end", case, "f64", len(data[1]) // BATCH)
    theirs, student = torch_run(retort, start, case, data, torch.float64, torch.contiguous_format)
    losses = distance(losses_of(end), theirs)
    weights = weights_distance(f"{end}/models/distilled-3.safetensors", student)
    good = losses <= BOUND and weights <= BOUND
    print(f"{'ok  ' if good else 'FAIL'} {case.name:35} f64: losses {losses:.1e}, weights {weights:.1e} (bound "
          f"{BOUND:.0e}); {len(theirs)} steps, loss {theirs[0]:.4f} -> {theirs[-1]:.4f}", flush=True)
    return good, theirs


def compare_f32(retort, folder, case, data, exact):
    start = own_run(retort, folder, "start", case, "f32", 0)
    ours = losses_of(own_run(retort, folder, "end", case, "f32", len(data[1]) // BATCH))
    runs = {}
    for name, layout in LAYOUTS.items():
        runs[name] = torch_run(retort, start, case, data, torch.float32, layout)[0]
        with torch.backends.mkldnn.flags(enabled=False):
            runs[f"{name} without oneDNN"] = torch_run(retort, start, case, data, torch.float32, layout)[0]
    found, theirs = distance(ours, exact), {name: distance(run, exact) for name, run in runs.items()}
    apart = max(distance(a, b) for a, b in itertools.combinations(runs.values(), 2))
    furthest = max(apart, *theirs.values())
    verdict = "ok  " if found <= furthest else "near" if found <= 2 * furthest else "FAIL"
    print(f"{verdict} {case.name:35} f32: ours from f64 {found:.1e}; PyTorch's from each other {apart:.1e}, from f64: "
          + ", ".join(f"{name} {value:.1e}" for name, value in theirs.items()), flush=True)
    return verdict != "FAIL"


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--retort", default="build/retort")
    parser.add_argument("--steps", type=int, default=50)
    parser.add_argument("--only", default="", type=str.lower)
    parser.add_argument("--ops", action="store_true")
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    torch.set_num_threads(1)
    warnings.filterwarnings("ignore", message="TF32")  # of GPUs, when oneDNN is switched off
    good = True
    with tempfile.TemporaryDirectory() as folder:
        if options.ops:
            return 0 if op_parity.run(options.retort, folder, options.seed) else 1
        data = write_idx(folder, BATCH * options.steps)
        for i, case in enumerate(case for case in CASES if options.only in case.name.lower()):
            place = f"{folder}/{i}"
            os.mkdir(place)
            for kind in ("images", "labels"):
                os.symlink(f"{folder}/{kind}", f"{place}/{kind}")
            same, exact = compare_f64(options.retort, place, case, data)
            good = compare_f32(options.retort, place, case, data, exact) and same and good
    print(f"torch {torch.__version__}")
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main())
