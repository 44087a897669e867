#!/usr/bin/python3
"""Golden cases: `retort loss` gives the losses and gradients that independent implementations gave.

Reads every case folder of tests/golden, and of $RETORT_GOLDEN when that is set; runs those whose method
`retort list methods` knows, each as it is and once more with the teacher's arrays in the other precision. No case is
named here. Tolerances are those of the cases' README: the loss within 1e-4 relative (absolute below 1e-3), every gradient
element within 1e-4 of the largest magnitude in its array."""
import json
import os
import subprocess
import sys

import numpy as np

RETORT = os.environ["RETORT"]


def retort(*words):
    return subprocess.run([RETORT, *words], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, check=False)


def option_text(value):
    return json.dumps(value) if not isinstance(value, str) else value


def other_precision(path, number):
    """A file with the array in float32 in place of float64, or the other way round."""
    array = np.load(path)
    name = f"other-{number}.npy"
    np.save(name, array.astype(np.float64 if array.dtype == np.float32 else np.float32))
    return name


def command(folder, case, gradients, mixed):
    """The words of `retort loss` for a case; mixed: the two sides differ in precision."""
    def path(name):
        return os.path.join(folder, name)

    words = ["loss", case["method"], "--json", "--grad-dir", gradients]
    for side in ("student", "teacher"):
        if case[side]:
            paths = [path(name) for name in case[side]]
            if mixed and side == "teacher":
                paths = [other_precision(file, i) for i, file in enumerate(paths)]
            words += [f"--{side}", ",".join(paths)]
    if case.get("labels"):
        words += ["--labels", path(case["labels"])]
    for name, value in case["options"].items():
        words += ["--set", f"{name}={option_text(value)}"]
    for name, file in case.get("own", {}).items():
        words += ["--own", f"{name}={path(file)}"]
    return words


def compare(name, got, expected):
    if got.shape != expected.shape:
        return [f"{name}: got shape {got.shape}, expected {expected.shape}"]
    scale = np.abs(expected).max()
    far = np.argwhere(~(np.abs(got - expected) <= (1e-4 * scale if scale > 0 else 1e-6)))
    return [f"{name}{list(at)}: got {got[tuple(at)]:.9g}, expected {expected[tuple(at)]:.9g}" for at in far[:10]]


def run_case(folder, case, gradients, mixed):
    done = retort(*command(folder, case, gradients, mixed))
    if done.returncode != 0:
        return [f"exit status {done.returncode}: {done.stderr.strip()}"]
    loss, expected = json.loads(done.stdout)["loss"], case["loss"]
    if not abs(loss - expected) <= 1e-4 * max(abs(expected), 1e-3):
        return [f"got {loss:.9g}, expected {expected:.9g}"]
    wrong = []
    for i, file in enumerate(case["student_grad"]):
        wrong += compare(f"grad{i}", np.load(f"{gradients}/grad{i}.npy"), np.load(os.path.join(folder, file)))
    for name, file in case.get("own_grad", {}).items():
        wrong += compare(f"own.{name}", np.load(f"{gradients}/own.{name}.npy"), np.load(os.path.join(folder, file)))
    return wrong


def main():
    known = {entry["name"] for entry in json.loads(retort("list", "methods", "--json").stdout)}
    roots = [os.path.join(os.environ["RETORT_SOURCE"], "tests", "golden")]
    if os.environ.get("RETORT_GOLDEN"):
        roots.append(os.environ["RETORT_GOLDEN"])
    ran, failed, other = 0, 0, 0
    for root in roots:
        for name in sorted(os.listdir(root)):
            folder = os.path.join(root, name)
            if not os.path.exists(os.path.join(folder, "case.json")):
                continue
            with open(os.path.join(folder, "case.json"), encoding="utf-8") as file:
                case = json.load(file)
            if case["method"] not in known:
                other += 1
                continue
            wrong = run_case(folder, case, f"grad-{ran}", False)
            wrong += [f"mixed precision: {line}" for line in run_case(folder, case, f"mixed-{ran}", True)]
            ran += 1
            for line in wrong:
                print(f"FAIL {name} {case['method']}: {line}")
            failed += bool(wrong)
    print(f"{ran} cases ran, {failed} failed, {other} of other methods")
    if ran == 0:
        print("no case ran: a test that checks nothing is a failed test")
    return 1 if failed or ran == 0 else 0


sys.exit(main())
