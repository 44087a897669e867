#!/usr/bin/python3
"""Transfer sets with few labels or none: what is not kept changes no bit, the choice is the documented one, a teacher may have all labels,
batches can hold both kinds, and extra images come without labels."""
import os
import sys

import numpy as np

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import small_data  # noqa: E402
from retort import expect, fails, finish, run  # noqa: E402

TRAIN, EXTRA, BATCH, EPOCHS = 500, 140, 32, 2
RECIPE = """data: {data}
teacher: {{network: {{name: cnn, widths: [6, 8], dropout: 0.2}}, train: {{epochs: 2, batch: 32}}}}
student: {{network: {{name: cnn, widths: [3, 4]}}, train: {{epochs: 2, batch: 32, optimiser: {{name: sgd, rate: 0.05}}}}}}
distill: {{losses: [{{method: labels, weight: 0.5}}, {{method: kd, temperature: 2, weight: 0.5}}]}}
"""
MODELS = ("teacher", "alone-0", "distilled-0")
MASK = 0xFFFFFFFF
done_runs = {}


# --- the choice, as documented: for each class a permutation that counted numbers (Philox 4x32-10) make ---

def philox(key, counter):
    k, c = list(key), list(counter)
    for _ in range(10):
        a, b = 0xD2511F53 * c[0], 0xCD9E8D57 * c[2]
        c = [(b >> 32) ^ c[1] ^ k[0], b & MASK, (a >> 32) ^ c[3] ^ k[1], a & MASK]
        k = [(k[0] + 0x9E3779B9) & MASK, (k[1] + 0xBB67AE85) & MASK]
    return c


def mix(x):
    whole = (1 << 64) - 1
    x = (x ^ (x >> 30)) * 0xBF58476D1CE4E5B9 & whole
    x = (x ^ (x >> 27)) * 0x94D049BB133111EB & whole
    return x ^ (x >> 31)


def permutation(seed, name, step, n):
    stream = 2166136261
    for letter in name.encode():
        stream = (stream ^ letter) * 16777619 & MASK
    key = mix(seed ^ mix(stream + 0x9E3779B97F4A7C15))
    order = list(range(n))
    for i in range(n - 1, 0, -1):
        words = philox((key & MASK, key >> 32), (i, 0, step, 0))
        j = int(((words[0] >> 5 << 26) | words[1] >> 6) / (1 << 53) * (i + 1))
        order[i], order[j] = order[j], order[i]
    return order


def chosen(labels, number, seed, classes=10):
    indices = []
    for k in range(classes):
        members = np.flatnonzero(labels == k)
        order = permutation(seed, "labelled", k, len(members))
        indices += [members[i] for i in order[:number // classes + (k < number % classes)]]
    return np.array(indices, np.int64)


# --- runs ---

def distill(folder, *sets, recipe="recipe.yaml"):
    words = [word for one in sets for word in ("--set", one)]
    done = run("distill", recipe, "-o", folder, "--json", "--quiet", *words)
    expect(done.status == 0, f"{folder}: the run", done)
    if done.status == 0:
        done_runs[folder] = {stage["name"]: stage for stage in done.document()["stages"]}


def model(folder, name):
    with open(f"{folder}/models/{name}.safetensors", "rb") as file:
        raw = file.read()
    return raw[8 + int.from_bytes(raw[:8], "little"):]  # the header's provenance may differ


def same(a, b, *names):
    for name in names:
        expect(model(a, name) == model(b, name), f"{a} and {b}: {name}: expected the same bits")


def differ(a, b, *names):
    for name in names:
        expect(model(a, name) != model(b, name), f"{a} and {b}: {name}: expected other bits")


def write_labels(labels, where):
    with open(where, "w", encoding="utf-8") as file:
        file.write(RECIPE.format(data=section.replace("train-labels", labels)))


def check_choice(labels):
    """40 of each: the same as a file of the same indices beside labels that are nonsense everywhere else."""
    indices = chosen(labels[:TRAIN], 43, 5)
    nonsense = np.random.default_rng(8).integers(0, 256, len(labels))
    nonsense[indices] = labels[indices]
    nonsense[TRAIN:] = labels[TRAIN:]
    small_data.write_idx("nonsense-labels", nonsense)
    os.makedirs("sub", exist_ok=True)
    np.save("sub/kept.npy", np.random.default_rng(9).permutation(indices))
    write_labels("nonsense-labels", "nonsense.yaml")
    distill("number", "data.labelled=43", "data.labelled_seed=5")
    distill("file", "data.labelled=sub/kept.npy", recipe="nonsense.yaml")
    same("number", "file", *MODELS)
    steps = EPOCHS * (TRAIN // BATCH)
    for name in MODELS:
        expect(done_runs["number"][name]["steps"] == steps, f"{name} takes the {steps} steps that all samples fill")
    distill("again", recipe="file/recipe.yaml")
    same("file", "again", *MODELS)
    distill("seed", "data.labelled=43", "data.labelled_seed=6")
    differ("number", "seed", *MODELS)
    distill("whole")
    np.save("every.npy", np.arange(TRAIN))
    distill("every", "data.labelled=every.npy")
    same("every", "whole", *MODELS)
    differ("number", "whole", *MODELS)
    done = run("train", "recipe.yaml", "-o", "train", "--set", "data.labelled=43", "--set", "data.labelled_seed=5")
    expect(done.status == 0, "the student alone", done)
    same("number", "train", "alone-0")


def check_teacher():
    distill("all", "data.labelled=43", "data.labelled_seed=5", "teacher.labels=all")
    same("all", "whole", "teacher")
    same("all", "number", "alone-0")
    differ("all", "number", "teacher", "distilled-0")
    with open("all/recipe.yaml", encoding="utf-8") as file:
        expect("labels: all" in file.read(), "the resolved recipe says it")
    distill("unlabelled", "data.labelled=0", "teacher.labels=all", "baseline=false", "distill.losses=[{method: kd}]")
    same("unlabelled", "whole", "teacher")
    fails(1, ["distill", "nonsense.yaml", "-o", "x", "--set", "data.labelled=sub/kept.npy", "--set", "teacher.labels=all"],
          "nonsense-labels: the label of sample", "expected 0 to 9")


def check_mixed():
    few = ("data.labelled=43", "data.labelled_seed=5")
    distill("half", *few, "distill.labelled_part=0.5")
    distill("half-live", *few, "distill.labelled_part=0.5", "distill.cache=false")
    same("half", "half-live", *MODELS)
    same("half", "number", "teacher", "alone-0")
    differ("half", "number", "distilled-0")
    distill("third", *few, "distill.labelled_part=0.33")
    differ("half", "third", "distilled-0")
    distill("mixup", *few, "data.augment={mixup: 0.4, flip: true}", "distill.labelled_part=0.2", "distill.losses=[{method: kd}]")
    expect(done_runs["mixup"]["alone-0"]["steps"] == EPOCHS * (TRAIN // BATCH), "few labels are mixed among themselves")
    fails(2, ["distill", "recipe.yaml", "-o", "x", "--set", "data.labelled=43", "--set", "data.augment={mixup: 0.4}"],
          "recipe.yaml:4:", "mixup needs the label of every training sample, found 43 of 500")


def check_extra():
    random = np.random.default_rng(4)
    small_data.write_idx("sub/extra.gz", random.integers(0, 256, (EXTRA, 12, 12)))
    small_data.write_idx("sub/extra-labels", random.integers(0, 256, EXTRA))
    distill("extra", "data.extra={idx: {train_images: sub/extra.gz}}")
    distill("extra-labels", "data.extra={name: idx, idx: {train_images: sub/extra.gz, train_labels: sub/extra-labels}}")
    same("extra", "extra-labels", *MODELS)
    expect(done_runs["extra"]["distilled-0"]["steps"] == EPOCHS * ((TRAIN + EXTRA) // BATCH), "extra samples make steps")
    expect(done_runs["extra"]["alone-0"]["steps"] == EPOCHS * ((TRAIN + EXTRA) // BATCH), "the student alone takes as many")
    distill("extra-again", recipe="extra/recipe.yaml")
    same("extra", "extra-again", *MODELS)
    distill("extra-half", "data.extra={idx: {train_images: sub/extra.gz}}", "distill.labelled_part=0.5")
    same("extra", "extra-half", "teacher", "alone-0")
    for split, rows in (("train", TRAIN + EXTRA), ("validation", 100)):
        done = run("predict", "extra/models/teacher.safetensors", "--data", "extra/recipe.yaml", "--split", split, "--out", "rows.npy")
        expect(done.status == 0 and np.load("rows.npy").shape == (rows, 10), f"{rows} rows of the {split} split", done)
    before = run("eval", "extra/models/teacher.safetensors", "--data", "recipe.yaml", "--split", "validation", "--json").document()
    after = run("eval", "extra/models/teacher.safetensors", "--data", "extra/recipe.yaml", "--split", "validation", "--json").document()
    expect(before["accuracy"] == after["accuracy"] and before["loss"] == after["loss"], "validation is what it was")


def check_wrong():
    def wrong(*parts, sets):
        fails(2, ["distill", "recipe.yaml", "-o", "x", *[word for one in sets for word in ("--set", one)]], *parts)

    np.save("beyond.npy", np.array([3, 500]))
    np.save("twice.npy", np.array([3, 4, 3]))
    np.save("real.npy", np.array([3.0, 4.0]))
    small_data.write_idx("wide.gz", np.zeros((5, 12, 13)))
    wrong("labelled", "an integer, at least 0", "found -3", sets=["data.labelled=-3"])
    wrong("labelled: 4000 samples of 10 classes are 400 of class 0, but the train split has", sets=["data.labelled=4000"])
    wrong("beyond.npy: row 1 is 500", "500 samples of the train split, 0 to 499", sets=["data.labelled=beyond.npy"])
    wrong("twice.npy: row 2 is 3", "earlier row", sets=["data.labelled=twice.npy"])
    wrong("real.npy", "expected indices, i64 [n], found f64 [2]", sets=["data.labelled=real.npy"])
    wrong("labelled_seed", "expected an integer", sets=["data.labelled_seed=x"])
    wrong("data.extra", "expected a map", sets=["data.extra=3"])
    wrong("extra: expected training images, found none", sets=["data.extra={idx: {test_images: test-images.gz}}"])
    wrong("distill", "labelled_part", "expected a number in [0, 1), found 1", sets=["distill.labelled_part=1"])
    wrong("labelled_part", "found all of 500 with one", "data.labelled or data.extra", sets=["distill.labelled_part=0.5"])
    wrong("labelled_part", "found none of 500 with one", sets=["distill.labelled_part=0.5", "data.labelled=0"])
    wrong("labelled_part", "student.train.batch 1", sets=["distill.labelled_part=0.5", "data.labelled=50", "student.train.batch=1"])
    wrong("teacher", "labels", "\"given\", \"all\"", "found \"none\"", sets=["teacher.labels=none"])
    wrong("student has no option \"labels\"", sets=["student.labels=all"])
    wrong("recipe.yaml:2:", "the teacher learns from labels, and no sample of the train split has one; say teacher.labels: all",
          sets=["data.labelled=0"])
    wrong("recipe.yaml:3:", "the student alone learns from labels, and no sample of the train split has one; say baseline: false",
          sets=["data.labelled=0", "teacher.labels=all"])
    wrong("recipe.yaml:4:", "method labels wants labels, and the data has none",
          sets=["data.labelled=0", "teacher.labels=all", "baseline=false"])
    wrong("class_names: the data has no labels", "found 2 names; add classes: 2",
          sets=["data={idx: {train_images: train-images.gz}, class_names: [a, b]}"])
    fails(2, ["train", "recipe.yaml", "-o", "x", "--set", "data.labelled=0"], "recipe.yaml:3:",
          "the student alone learns from labels, and no sample of the train split has one; give labels")
    fails(1, ["distill", "recipe.yaml", "-o", "x", "--set", "data.labelled=nowhere.npy"], "nowhere.npy", "No such file")
    fails(1, ["distill", "recipe.yaml", "-o", "x", "--set", "data.extra={idx: {train_images: wide.gz}}"],
          "train-images.gz has images of 12x12x1, but wide.gz has images of 12x13x1")
    expect(not os.path.exists("x"), "a run that never began leaves no folder")


def check_help():
    for words, keys in ((("data",), ("labelled:", "labelled_seed:", "extra:")), (("distill",), ("labelled_part:",)), (("teacher",), ("labels:",))):
        done = run("help", "section", *words)
        expect(done.status == 0 and all(f"\n    {key}" in done.out for key in keys), f"help section {words[0]} has {keys}", done)


section = small_data.make()
write_labels("train-labels", "recipe.yaml")
with open("train-labels", "rb") as labels_file:
    check_choice(np.frombuffer(labels_file.read()[8:], np.uint8).astype(np.int64))
check_teacher()
check_mixed()
check_extra()
check_wrong()
check_help()
finish()
