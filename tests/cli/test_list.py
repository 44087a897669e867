#!/usr/bin/python3
"""Every entry of every table: `retort list` shows it, `retort help` explains it, and the recipe of its help runs."""
import os
import shutil
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import small_data  # noqa: E402
from retort import expect, fail, finish, run  # noqa: E402

TYPES = {"number", "integer", "boolean", "choice", "text"}


def check_option(option, done):
    expect({"name", "type", "default", "help"} <= set(option), f"keys of {option}", done)
    expect(option["type"] in TYPES, f"type of {option}", done)
    expect(len(option["help"]) > 5, f"help of {option}", done)
    if option["type"] == "choice":
        expect(option.get("required") or option["default"] in option["values"], f"default of {option}", done)
    bounds = [option[key] for key in ("min", "max") if key in option]
    if isinstance(option["default"], (int, float)) and not isinstance(option["default"], bool):
        expect(all(isinstance(bound, (int, float)) for bound in bounds), f"bounds of {option}", done)
        expect(option["default"] >= option.get("min", option["default"]), f"default of {option}", done)
        expect(option["default"] <= option.get("max", option["default"]), f"default of {option}", done)


def check_entry(kind, entry, done):
    expect(entry["name"] and len(entry["summary"]) > 5 and isinstance(entry["options"], list), f"{entry}", done)
    for option in entry["options"]:
        check_option(option, done)
    if kind["name"] == "methods":
        expect(entry["family"] in ("response", "feature", "relation"), "family", done)
        expect(entry["inputs"] and "paper" in entry or entry["name"] == "labels" or "paper" not in entry, "inputs", done)
    told = run("help", kind["singular"], entry["name"], "--json")
    text = run("help", kind["singular"], entry["name"])
    expect(told.status == 0 and text.status == 0, "help", told)
    document = told.document()
    for part in [entry["name"], "options", "example"] + [option["name"] for option in entry["options"]]:
        expect(part in text.out, f"help shows {part}", text)
    if kind["name"] == "methods":
        expect("formula" in text.out and "when to use it" in text.out, "a method's help", text)
    expect(document["example"] in text.out, "the example is part of the text", text)
    expect(entry["name"] in document["example"] or kind["name"] in ("teachers", "sections"), "the example uses the entry", text)
    return document["example"]


TEACHER = """
import sys
from types import SimpleNamespace
import numpy as np
from numpy.lib import format
while sys.stdin.buffer.peek(1):
    x = format.read_array(SimpleNamespace(read=sys.stdin.buffer.read))
    format.write_array(SimpleNamespace(write=sys.stdout.buffer.write), x.reshape(len(x), -1)[:, :10])
"""


def teacher_files():
    """What the examples of teachers that exist already name: made from the run of the one that is trained."""
    shutil.copy("run/models/teacher.safetensors", "teacher.safetensors")
    shutil.copy("run/models/teacher.safetensors", "weights.safetensors")
    done = run("record", "teacher.safetensors", "--data", "run/recipe.yaml", "--out", "teacher.npz")
    expect(done.status == 0, "record", done)
    with open("teacher.py", "w", encoding="utf-8") as file:
        file.write(TEACHER)


def check_example(name, example):
    with open("recipe.yaml", "w", encoding="utf-8") as file:
        file.write(example)
    sets = ["baseline=false", "data.validation=8", "student.train.steps=2", "teacher.train.steps=2", "student.train.batch=8", "teacher.train.batch=8"]
    if name.startswith("teacher ") and not any(kind in name for kind in ("network", "ensemble", "chain")):
        sets = [one for one in sets if not one.startswith("teacher.")]
    if "\nteacher:" not in example:
        sets = [one for one in sets if not one.startswith("teacher.")]
    if "assistants" in example:
        sets.append("distill.assistants.0.train={steps: 2, batch: 8}")
    if "fashion-mnist" in example:
        sets.append("data.fashion-mnist={directory: .}")
    done = run("distill", "recipe.yaml", "-o", "run", "--quiet", "--json", *(word for one in sets for word in ("--set", one)),
               env={**os.environ, "PATH": "/usr/bin:" + os.environ["PATH"]})  # of which the python3 has NumPy
    if done.status != 0:
        fail(f"the example of {name} does not run", done)
        print(example)
    else:
        expect({stage["role"] for stage in done.document()["stages"]} >= {"distilled"}, name, done)
        if name == "teacher network":
            teacher_files()
    shutil.rmtree("run", ignore_errors=True)


def main():
    small_data.make(train=48, test=16, size=28)
    for old, new in (("train-images.gz", "train-images-idx3-ubyte.gz"), ("test-images.gz", "t10k-images-idx3-ubyte.gz"),
                     ("train-labels", "train-labels-idx1-ubyte.gz"), ("test-labels", "t10k-labels-idx1-ubyte.gz")):
        shutil.copy(old, new)
        shutil.copy(old, old.replace("-", "_").replace(".gz", "") + ".gz")
    kinds = run("list", "--json").document()
    expect([kind["name"] for kind in kinds] ==
           ["methods", "schemes", "teachers", "layers", "networks", "optimisers", "schedules", "data",
            "augments", "sections"], "the kinds")
    for kind in kinds:
        done = run("list", kind["name"], "--json")
        entries = done.document()
        expect(done.status == 0 and len(entries) > 0, "list", done)
        text = run("list", kind["name"]).out
        expect(run("list", kind["singular"]).out == text, "singular and plural", done)
        rows = run("list", kind["name"], "--csv").out.splitlines()
        expect(len(rows) == len(entries) + 1 and rows[0].startswith("name,summary"), f"CSV: {rows[:1]}", done)
        names = [entry["name"] for entry in entries]
        expect(len(set(names)) == len(names), "no name twice", done)
        for entry in entries:
            expect(f"\n{entry['name']}" in text, entry["name"], done)
            check_example(f"{kind['singular']} {entry['name']}", check_entry(kind, entry, done))
    finish()


main()
