#!/usr/bin/python3
"""What a run records for its report is what its models answer: confusions, outcomes, samples and layers."""
import gzip
import json
import os
import sqlite3
import sys

import numpy as np

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import small_data  # noqa: E402
from retort import expect, finish, run  # noqa: E402

RECIPE = """
teacher: {network: {name: cnn, widths: [8, 8]}, train: {epochs: 2, batch: 32}}
student: {network: {name: cnn, widths: [4, 4]}, train: {epochs: 2, batch: 32, optimiser: {name: sgd, rate: 0.02}}}
distill: {losses: [{method: labels, weight: 0.5}, {method: kd, temperature: 2, weight: 0.5}]}
seeds: [3, 5]
"""
TYPES = {"u8": np.uint8, "i32": np.int32, "f32": np.float32}
FIRST = ["class_labels", "class_logits"]
DIFFERING = ["differing_images", "differing_labels", "differing_logits", "differing_samples", "differing_teacher_logits"]


def arrays(folder):
    """{stage: {name: array}} of the record."""
    found = {}
    with sqlite3.connect(f"{folder}/record.sqlite") as record:
        for stage, name, element, shape, data in record.execute("SELECT stage, name, element, shape, data FROM arrays"):
            array = np.frombuffer(data, TYPES[element]).reshape([int(n) for n in shape.split(",")])
            found.setdefault(stage, {})[name] = array
    return found


def layers(folder, stage):
    with sqlite3.connect(f"{folder}/record.sqlite") as record:
        return record.execute("SELECT name, type, output, parameters, macs FROM layers WHERE stage = ? ORDER BY place",
                              [stage]).fetchall()


def logits(folder, stage):
    done = run("predict", f"{folder}/models/{stage}.safetensors", "--data", f"{folder}/recipe.yaml", "--out", "out.npy")
    expect(done.status == 0, f"{stage}: predict", done)
    return np.load("out.npy").astype(np.float64)


def softmax(z):
    powers = np.exp(z - z.max(axis=1, keepdims=True))
    return powers / powers.sum(axis=1, keepdims=True)


def divergence(a, b):
    """Jensen and Shannon's, row by row."""
    p, q = softmax(a), softmax(b)
    middle = (p + q) / 2
    return (np.sum(p * np.log(p / middle), axis=1) + np.sum(q * np.log(q / middle), axis=1)) / 2


def images(name, channels):
    with gzip.open(name) as file:
        raw = np.frombuffer(file.read(), np.uint8)
    return raw[8 + 4 * (2 if not channels else 3):]


def check_stage(stage, found, own, teacher, labels, pixels):
    answers, k = own.argmax(axis=1), own.shape[1]
    confusion = np.zeros((k, k), int)
    np.add.at(confusion, (labels, answers), 1)
    expect(np.array_equal(found["confusion"], confusion), f"{stage}: the confusion is that of the model's answers")
    if stage == "teacher":
        expect("outcomes" not in found, "the teacher does not meet itself")
    else:
        t, s = teacher.argmax(axis=1) == labels, answers == labels
        same = teacher.argmax(axis=1) == answers
        outcomes = [np.sum(t & s), np.sum(t & ~s), np.sum(~t & s), np.sum(~t & same), np.sum(~t & ~s & ~same)]
        expect(found["outcomes"].tolist() == outcomes, f"{stage}: outcomes {found['outcomes']}, expected {outcomes}")
    if stage.endswith("-5"):
        expect(sorted(found) == ["confusion", "outcomes"], f"{stage}: only the first seed is shown closely: {sorted(found)}")
        return
    rows = np.concatenate([np.flatnonzero(labels == c)[:40] for c in range(k)])
    expect(np.array_equal(found["class_labels"], labels[rows]), f"{stage}: class by class")
    expect(np.allclose(found["class_logits"], own[rows], atol=1e-4), f"{stage}: the logits of those samples")
    if stage == "teacher":
        return
    differ = np.flatnonzero(teacher.argmax(axis=1) != answers)
    apart = divergence(own, teacher)
    chosen = found["differing_samples"]
    expect(0 < len(chosen) == min(12, len(differ)) and set(chosen) <= set(differ.tolist()),
           f"{stage}: {len(chosen)} of the {len(differ)} samples that differ")
    expect(np.allclose(apart[chosen], np.sort(apart[differ])[::-1][:len(chosen)], atol=1e-5), f"{stage}: the most different first")
    expect(np.array_equal(found["differing_labels"], labels[chosen]), f"{stage}: their labels")
    expect(np.allclose(found["differing_logits"], own[chosen], atol=1e-4), f"{stage}: the student's logits")
    expect(np.allclose(found["differing_teacher_logits"], teacher[chosen], atol=1e-4), f"{stage}: the teacher's logits")
    expect(np.array_equal(found["differing_images"], pixels[chosen]), f"{stage}: their images")


def check_layers(folder, stage):
    done = run("inspect", f"{folder}/models/{stage}.safetensors", "--json")
    expected = [(layer["name"], layer["type"], "[" + ",".join(str(n) for n in layer["output"]) + "]", layer["parameters"],
                 layer["macs"]) for layer in done.document()["layers"]]
    expect(layers(folder, stage) == expected, f"{stage}: the layers are those of inspect", done)


def check_run(folder, shape):
    labels = np.frombuffer(open(f"{folder}/test-labels", "rb").read(), np.uint8)[8:].astype(int)
    pixels = images(f"{folder}/test-images.gz", shape[2] if len(shape) > 2 else 0).reshape([len(labels)] + list(shape))
    with open(f"{folder}/recipe.yaml", "w", encoding="utf-8") as file:
        file.write(f"data: {sections[folder]}{RECIPE}")
    done = run("distill", f"{folder}/recipe.yaml", "-o", f"{folder}/run", "--quiet")
    expect(done.status == 0, f"{folder}: the run", done)
    found = arrays(f"{folder}/run")
    with open(f"{folder}/run/result.json", encoding="utf-8") as file:
        result = json.load(file)
    expect(sorted(found) == sorted(stage["name"] for stage in result["stages"]), f"{folder}: arrays of every stage")
    teacher = logits(f"{folder}/run", "teacher")
    for stage in result["stages"]:
        name = stage["name"]
        own = logits(f"{folder}/run", name)
        check_stage(name, found[name], own, teacher, labels, pixels.reshape(len(labels), shape[0], shape[1], -1))
        confusion = found[name]["confusion"]
        expect(abs(np.trace(confusion) / confusion.sum() - stage["test"]["accuracy"]) < 1e-12, f"{name}: its diagonal is the accuracy")
    for name in ("teacher", "alone-3", "distilled-3"):
        check_layers(f"{folder}/run", name)
    expect(layers(f"{folder}/run", "alone-5") == [], "the other seeds' networks are the same")
    with open(f"{folder}/run/report.html", encoding="utf-8") as file:
        page = file.read()
    expect("What classes resemble" in page and "data:image/png" in page, f"{folder}: the page shows them")
    expect(os.path.getsize(f"{folder}/run/report.html") < 2_000_000, f"{folder}: the page is small")


sections = {}


def main():
    os.mkdir("grey")
    os.mkdir("colour")
    sections["grey"] = small_data.make("grey")
    sections["colour"] = small_data.make("colour", channels=3)
    check_run("grey", (12, 12))
    check_run("colour", (12, 12, 3))
    finish()


if __name__ == "__main__":
    main()
