#!/usr/bin/python3
"""`retort loss`: precision, what it writes, and what it says of arguments that do not fit (always status 2)."""
import os
import sys

import numpy as np

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from retort import expect, fails, finish, run  # noqa: E402


def kd(student, teacher, t):
    """The definition, in double, and its gradient."""
    def softmax(z):
        e = np.exp(z - z.max(1, keepdims=True))
        return e / e.sum(1, keepdims=True)

    p, q = softmax(teacher / t), softmax(student / t)
    return t * t * (p * np.log(p / q)).sum() / len(p), t * (q - p) / len(p)


def check_precision(random):
    student, teacher = random.normal(size=(2, 6, 5)) * 3
    for kind, tolerance in ((np.float64, 1e-12), (np.float32, 1e-5)):
        np.save("s.npy", student.astype(kind))
        np.save("t.npy", teacher.astype(kind))
        done = run("loss", "kd", "--student", "s.npy", "--teacher=t.npy", "--set", "temperature=2.5", "--grad-dir", "g", "--json")
        expect(done.status == 0 and done.err == "", "kd", done)
        document, (loss, gradient) = done.document(), kd(student.astype(kind).astype(float), teacher.astype(kind).astype(float), 2.5)
        expect(list(document) == ["method", "loss", "options", "own"], "keys", done)
        expect(document["options"]["temperature"] == 2.5 and document["options"]["divergence"] == "forward", "options", done)
        expect(abs(document["loss"] - loss) < tolerance * loss, f"{document['loss']} {loss}", done)
        got = np.load("g/grad0.npy")
        expect(got.dtype == kind and np.abs(got - gradient).max() < tolerance * np.abs(gradient).max(), "gradient", done)
        expect(os.listdir("g") == ["grad0.npy"], f"{os.listdir('g')}")
    np.save("t.npy", teacher.astype(np.float32))
    np.save("s.npy", student)
    run("loss", "kd", "--student", "s.npy", "--teacher", "t.npy", "--grad-dir", "g")
    expect(np.load("g/grad0.npy").dtype == np.float64, "one float64 array makes all float64")
    np.save("s.npy", np.asfortranarray(student))
    again = run("loss", "kd", "--student", "s.npy", "--teacher", "t.npy", "--set", "temperature=2.5", "--json")
    expect(abs(again.document()["loss"] - kd(student, teacher.astype(np.float32).astype(float), 2.5)[0]) < 1e-12, "Fortran order", again)


def check_refusals(random):
    np.save("s.npy", random.normal(size=(4, 3)))
    np.save("t.npy", random.normal(size=(4, 3)))
    np.save("wide.npy", random.normal(size=(4, 7)))
    np.save("long.npy", random.normal(size=(5, 3)))
    np.save("map.npy", random.normal(size=(4, 2, 3, 3)))
    np.save("whole.npy", np.arange(12).reshape(4, 3))
    np.save("y.npy", np.array([0, 1, 2, -1]))
    np.save("high.npy", np.array([0, 1, 3, 0]))
    np.save("low.npy", np.array([0, -2, 1, 0]))
    np.save("real.npy", np.array([0., 1., 2., 0.]))
    np.save("short.npy", np.array([0, 1]))
    np.save("none.npy", np.zeros((0, 3)))
    two = ["--student", "s.npy", "--teacher", "t.npy"]
    labels = ["loss", "labels", "--student", "s.npy", "--labels"]
    fails(2, ["loss"], "expected `retort loss METHOD`")
    fails(2, ["loss", "kdd", *two], "no method \"kdd\"", "nearest: \"kd\"")
    fails(2, ["loss", "kd", *two, "--set", "temprature=2"], "no option \"temprature\"", "nearest: \"temperature\"")
    fails(2, ["loss", "kd", *two, "--set", "temperature=-1"], "\"temperature\": expected a number in (0, 1000000]", "found -1")
    fails(2, ["loss", "kd", *two, "--set", "divergence=forwards"], "nearest: \"forward\"")
    fails(2, ["loss", "kd", *two, "--set", "seed=x"], "seed: expected an integer")
    fails(2, ["loss", "kd", "--student", "s.npy"], "expected 1 teacher array", "found 0")
    fails(2, ["loss", "kd", "--student", "s.npy,s.npy", "--teacher", "t.npy"], "expected 1 student array", "found 2")
    fails(2, ["loss", "kd", "--student", "missing.npy", "--teacher", "t.npy"], "missing.npy: expected an NPY file", "no such file")
    fails(2, ["loss", "kd", "--student", "s.npy", "--teacher", "wide.npy"], "expected", "[4,7]")
    fails(2, ["loss", "kd", "--student", "s.npy", "--teacher", "long.npy"], "long.npy: expected a batch of 4", "[5,3]")
    fails(2, ["loss", "kd", "--student", "map.npy", "--teacher", "map.npy"], "map.npy", "logits [B,K]", "[4,2,3,3]")
    fails(2, ["loss", "kd", "--student", "whole.npy", "--teacher", "t.npy"], "whole.npy: expected float32 or float64", "i64")
    fails(2, ["loss", "kd", "--student", "none.npy", "--teacher", "none.npy"], "none.npy", "[0,3]")
    fails(2, ["loss", "kd", *two, "--own", "mask=s.npy"], "no own array \"mask\"")
    fails(2, ["loss", "kd", *two, "--own", "mask"], "--own: expected NAME=FILE.npy")
    fails(2, ["loss", "labels", "--student", "s.npy"], "expected labels (--labels FILE.npy, int64 [B])")
    fails(2, ["loss", "kd", *two, "--set", "teacher_errors=swap"], "labels")
    fails(2, [*labels, "high.npy"], "high.npy: label 3 of sample 2", "to 2")
    fails(2, [*labels, "low.npy"], "low.npy: label -2 of sample 1")
    fails(2, [*labels, "real.npy"], "real.npy: labels: expected int64", "f64")
    fails(2, [*labels, "short.npy"], "short.npy: labels: expected [4]", "[2]")
    with open("broken.npy", "w", encoding="utf-8") as file:
        file.write("no array")
    fails(2, ["loss", "kd", "--student", "broken.npy", "--teacher", "t.npy"], "broken.npy")
    done = run(*labels, "y.npy", "--json")
    expect(done.status == 0 and done.document()["loss"] > 0, "labels with a missing one", done)
    np.save("s.npy", np.array([[0, np.nan, 1.], [0, 1, 2], [0, 1, 2], [0, 1, 2]]))
    done = fails(1, ["loss", "kd", *two], "not finite")
    fails(1, ["loss", "kd", "--student", "t.npy", "--teacher", "t.npy", "--grad-dir", "/proc/none"], "/proc/none")


def check_several_arrays(random):
    """Arrays after commas, also where the program starts again so that idle threads sleep."""
    for i in range(2):
        np.save(f"map{i}.npy", random.normal(size=(3, 2, 4, 4)))
    environment = {name: value for name, value in os.environ.items() if name not in ("OMP_WAIT_POLICY", "GOMP_SPINCOUNT")}
    done = run("loss", "fsp", "--student", "map0.npy,map1.npy", "--teacher", "map1.npy,map0.npy", "--json", env=environment)
    expect(done.status == 0 and done.document()["loss"] > 0, "two arrays a side", done)


def main():
    random = np.random.default_rng(3)
    check_precision(random)
    check_refusals(random)
    check_several_arrays(random)
    finish()


main()
