#!/usr/bin/python3
"""Parity with PyTorch: 20 training steps of labels + kd, SGD with momentum and weight decay, no shuffle, no augmentation, on
noisy images, from the same initial weights.

    bench/parity.py [--retort build/retort] [--steps 20]

Prints for each network and precision the largest relative distance of the losses and of the final weights, and exits with 1 when one
is over its bound: 1e-7 in float64; losses 1e-4 (demo's student) and 1e-3 (140k CNN) in float32."""
import argparse
import json
import os
import sqlite3
import struct
import subprocess
import sys
import tempfile

import numpy as np
import torch
import torch.nn.functional as F

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import torch_net

BATCH, TEMPERATURE, LABELS, KD = 32, 4.0, 0.3, 0.7
OPTIMISER = {"name": "sgd", "rate": 0.05, "momentum": 0.9, "weight_decay": 5e-4}
CNN = {"name": "cnn", "widths": [32, 32, 64, 64, 128]}
TEACHER = {"name": "cnn", "widths": [8, 8, 16, 16, 16]}


def student_of_demo():
    """The student's layers as the demo's recipe has them."""
    norm = ["batch_norm", "relu"]
    conv = {"conv": {"out": 12, "kernel": 3, "padding": 1, "bias": False}}
    pool = [{"max_pool": {"kernel": 2}}]
    weighting = [{"conv": {"out": 12, "kernel": 7, "groups": 12, "bias": False}}, "flatten", {"linear": {"out": 10}}]
    return {"layers": [conv, *norm, *pool, conv, *norm, *pool, conv, *norm, conv, *norm, *weighting]}


def write_idx(folder, n):
    """Images whose background is noise: flat ones give ties that rounding breaks."""
    rng = np.random.default_rng(7)
    labels = rng.integers(0, 10, n).astype(np.uint8)
    images = rng.integers(0, 256, (n, 28, 28)).astype(np.uint8)
    for i, label in enumerate(labels):
        images[i, 2 * label:2 * label + 6, 4:20] //= 3
    for name, array in (("images", images), ("labels", labels)):
        with open(f"{folder}/{name}", "wb") as file:
            file.write(struct.pack(">BBBB", 0, 0, 8, array.ndim) + struct.pack(f">{array.ndim}I", *array.shape) + array.tobytes())
    return images, labels


def recipe(folder, network, precision, teacher_steps, steps):
    idx = {f"{split}_{kind}": f"{folder}/{kind}" for split in ("train", "test") for kind in ("images", "labels")}
    train = {"batch": BATCH, "shuffle": False, "optimiser": OPTIMISER, "schedule": {"name": "constant"}}
    return {
        "data": {"idx": idx, "classes": 10},
        "teacher": {"network": TEACHER, "train": {**train, "steps": teacher_steps}},
        "student": {"network": network, "train": {**train, "steps": steps}},
        "distill": {"losses": [{"method": "labels", "weight": LABELS}, {"method": "kd", "temperature": TEMPERATURE, "weight": KD}]},
        "precision": precision,
        "seeds": [3],
        "baseline": False,
    }


def run(retort, folder, name, *args):
    path = f"{folder}/{name}.yaml"
    with open(path, "w") as file:
        json.dump(recipe(folder, *args), file)
    subprocess.run([retort, "distill", path, "-o", f"{folder}/{name}", "--quiet"], check=True, stdout=subprocess.DEVNULL)
    return f"{folder}/{name}"


def torch_run(retort, start, images, labels, dtype, steps):
    student = torch_net.load(retort, f"{start}/models/distilled-3.safetensors", dtype)
    teacher = torch_net.load(retort, f"{start}/models/teacher.safetensors", dtype).eval()
    optimiser = torch.optim.SGD(student.parameters(), lr=OPTIMISER["rate"], momentum=OPTIMISER["momentum"],
                                weight_decay=OPTIMISER["weight_decay"])
    x = torch.tensor(images[:, None] / 255.0, dtype=dtype)
    y = torch.tensor(labels.astype(np.int64))
    losses = []
    for step in range(steps):
        rows = slice(step * BATCH, (step + 1) * BATCH)
        with torch.no_grad():
            zt = teacher(x[rows]) / TEMPERATURE
        zs = student.train()(x[rows])
        kd = F.kl_div(F.log_softmax(zs / TEMPERATURE, 1), F.log_softmax(zt, 1), reduction="batchmean", log_target=True) * TEMPERATURE ** 2
        loss = LABELS * F.cross_entropy(zs, y[rows]) + KD * kd
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
        losses.append(loss.item())
    return np.array(losses), student


def losses_of(folder):
    rows = sqlite3.connect(f"{folder}/record.sqlite").execute(
        "SELECT value FROM metrics WHERE stage LIKE 'distilled-%' AND split = 'train' AND name = 'loss' ORDER BY step")
    return np.array([value for value, in rows])


def compare(retort, folder, name, network, precision, bound, images, labels, steps):
    dtype = torch.float64 if precision == "f64" else torch.float32
    start = run(retort, folder, f"{name}-{precision}-start", network, precision, 0, 0)
    end = run(retort, folder, f"{name}-{precision}-end", network, precision, 0, steps)
    theirs, student = torch_run(retort, start, images, labels, dtype, steps)
    ours = losses_of(end)
    loss = np.max(np.abs(ours - theirs) / np.abs(theirs))
    weights = max(np.max(np.abs(value - getattr(student, key.replace(".", "/")).detach().numpy())) / max(np.max(np.abs(value)), 1e-12)
                  for key, value in torch_net.read_safetensors(f"{end}/models/distilled-3.safetensors").items())
    good = loss <= bound and (precision == "f32" or weights <= bound)
    print(f"{'ok  ' if good else 'FAIL'} {name:16} {precision}: losses {loss:.2e}, weights {weights:.2e} (bound {bound:.0e}"
          f"{', losses' if precision == 'f32' else ''}); {steps} steps, loss {theirs[0]:.4f} -> {theirs[-1]:.4f}", flush=True)
    return good


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--retort", default="build/retort")
    parser.add_argument("--steps", type=int, default=20)
    options = parser.parse_args()
    torch.set_num_threads(1)
    good = True
    with tempfile.TemporaryDirectory() as folder:
        images, labels = write_idx(folder, BATCH * options.steps)
        for name, network, bound in (("student of demo", student_of_demo(), 1e-4), ("140k CNN", CNN, 1e-3)):
            for precision in ("f64", "f32"):
                good &= compare(options.retort, folder, name, network, precision, 1e-7 if precision == "f64" else bound, images, labels,
                                options.steps)
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main())
