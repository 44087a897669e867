#!/usr/bin/python3
"""recipes/teachers: one recipe for each kind of teacher and transfer set, and each runs, on small data and for a step or two; so does
recipes/few-labels.yaml."""
import glob
import json
import os
import re
import shutil
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import small_data  # noqa: E402
from retort import expect, finish, run  # noqa: E402

FOLDER = os.path.join(os.environ["RETORT_SOURCE"], "recipes", "teachers")
SKIPPED = {"command"}  # its program fits itself to the whole of Fashion-MNIST; test_teachers.py has programs
SMALL = ["data.name=idx", "data.idx={train_images: train-images.gz, train_labels: train-labels, test_images: test-images.gz, "
         "test_labels: test-labels}", "data.validation=100", "seeds=[0]", "student.train.batch=8", "student.train.steps=2"]


def sets_for(name, text):
    sets = list(SMALL)
    if name == "extra":
        sets.append("data.extra={idx: {train_images: test-images.gz}}")
    if "labelled: 2000" in text:
        sets.append("data.labelled=200")
    if name == "model":
        sets.append("teacher.model=teacher.safetensors")
    elif name == "recorded":
        sets.append("teacher.recorded=outputs.npz")
    elif name == "weights":
        sets.append("teacher.weights=torch.safetensors")
    elif "teacher:\n  - " in text:
        sets += [f"teacher.{i}.train={{batch: 8, steps: 2}}" for i in range(2)]
    else:
        sets.append("teacher.train={batch: 8, steps: 2}")
    if "assistants:" in text:
        sets.append("distill.assistants.0.train={batch: 8, steps: 2}")
    return [word for one in sets for word in ("--set", one)]


def torch_weights():
    """The weights of weights.yaml from the model of regularised.yaml, whose network is the same, under PyTorch's names."""
    with open(os.path.join(FOLDER, "weights.yaml"), encoding="utf-8") as file:
        names = dict(re.findall(r"^    (\w+): ([\w.]+)$", file.read(), re.MULTILINE))
    with open("teacher.safetensors", "rb") as file:
        raw = file.read()
    length = int.from_bytes(raw[:8], "little")
    header = json.loads(raw[8:8 + length])
    header.pop("__metadata__")
    theirs = {}
    for name, entry in header.items():
        layer, tensor = name.split(".")
        theirs[f"{names[layer]}.{tensor}"] = entry
    text = json.dumps(theirs).encode()
    with open("torch.safetensors", "wb") as file:
        file.write(len(text).to_bytes(8, "little") + text + raw[8 + length:])


def main():
    small_data.make(size=28)
    paths = {os.path.basename(path)[:-5]: path for path in glob.glob(os.path.join(FOLDER, "*.yaml"))}
    paths["few-labels"] = os.path.join(FOLDER, "..", "few-labels.yaml")
    names = sorted(paths)
    expect(len(names) >= 17 and {"regularised", "model", "recorded"} <= set(names), f"recipes: {names}")
    for name in sorted(names, key=lambda one: one != "regularised"):  # whose teacher others are given
        with open(paths[name], encoding="utf-8") as file:
            text = file.read()
        expect(text.startswith("# ") and len(text.splitlines()[0]) > 30, f"{name}: says what it is")
        if name in SKIPPED:
            continue
        shutil.copy(paths[name], "recipe.yaml")
        done = run("distill", "recipe.yaml", "-o", name, "--quiet", "--json", *sets_for(name, text))
        expect(done.status == 0, f"{name} runs", done)
        if done.status == 0:
            expect("distilled" in {stage["role"] for stage in done.document()["stages"]}, f"{name}: stages", done)
        if name == "regularised":
            shutil.copy("regularised/models/teacher.safetensors", "teacher.safetensors")
            done = run("record", "teacher.safetensors", "--data", "regularised/recipe.yaml", "--out", "outputs.npz")
            expect(done.status == 0, "record", done)
            torch_weights()
    finish()


if __name__ == "__main__":
    main()
