#!/usr/bin/python3
"""recipes/teachers: one recipe for each kind of teacher and transfer set, and each runs, on small data and for a step or two."""
import glob
import os
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
    if "labelled: 2000" in text:
        sets.append("data.labelled=200")
    if name == "model":
        sets.append("teacher.model=teacher.safetensors")
    elif name == "recorded":
        sets.append("teacher.recorded=outputs.npz")
    elif "teacher:\n  - " in text:
        sets += [f"teacher.{i}.train={{batch: 8, steps: 2}}" for i in range(2)]
    else:
        sets.append("teacher.train={batch: 8, steps: 2}")
    if "assistants:" in text:
        sets.append("distill.assistants.0.train={batch: 8, steps: 2}")
    return [word for one in sets for word in ("--set", one)]


def main():
    small_data.make(size=28)
    names = sorted(os.path.basename(path)[:-5] for path in glob.glob(os.path.join(FOLDER, "*.yaml")))
    expect(len(names) >= 15 and {"regularised", "model", "recorded"} <= set(names), f"recipes: {names}")
    for name in sorted(names, key=lambda one: one != "regularised"):  # whose teacher others are given
        with open(os.path.join(FOLDER, f"{name}.yaml"), encoding="utf-8") as file:
            text = file.read()
        expect(text.startswith("# ") and len(text.splitlines()[0]) > 30, f"{name}: says what it is")
        if name in SKIPPED:
            continue
        shutil.copy(os.path.join(FOLDER, f"{name}.yaml"), "recipe.yaml")
        done = run("distill", "recipe.yaml", "-o", name, "--quiet", "--json", *sets_for(name, text))
        expect(done.status == 0, f"{name} runs", done)
        if done.status == 0:
            expect("distilled" in {stage["role"] for stage in done.document()["stages"]}, f"{name}: stages", done)
        if name == "regularised":
            shutil.copy("regularised/models/teacher.safetensors", "teacher.safetensors")
            done = run("record", "teacher.safetensors", "--data", "regularised/recipe.yaml", "--out", "outputs.npz")
            expect(done.status == 0, "record", done)
    finish()


if __name__ == "__main__":
    main()
