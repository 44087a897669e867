#!/usr/bin/python3
"""`retort inspect` for people says what its JSON says: of a recipe's networks, of a model, of a training plan."""
import os
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import small_data  # noqa: E402
from retort import expect, finish, run  # noqa: E402

RECIPE = """
teacher: {network: {name: cnn, widths: [8]}}
student:
  network:
    layers:
      - {conv: {out: 6, kernel: 3, stride: 2}, name: stem}
      - {residual: {layers: [{conv: {out: 6, kernel: 3, padding: 1}, name: inner}]}, name: block}
      - global_average_pool
      - {linear: {out: 10}, name: scores}
  train: {epochs: 1, batch: 32}
baseline: true
seeds: [0]
"""


def grouped(number):
    return f"{number:,}"


def check_network(what, *words):
    text, done = run("inspect", *words), run("inspect", *words, "--json")
    expect(text.status == 0 and done.status == 0, f"{what}: it is inspected", text)
    document, lines = done.document(), text.out.splitlines()
    for label, value in (("parameters", document["parameters"]), ("macs", document["macs"]),
                         ("float32", document["bytes"]["float32"]), ("int8", document["bytes"]["int8"])):
        expect(any(line.split()[:2] == [label, grouped(value)] for line in lines), f"{what}: {label} {value}", text)
    expect(any(line.split() == ["logits", document["outputs"]["logits"]] for line in lines), f"{what}: the logits", text)
    rows = [line.split() for line in lines if line.strip()]
    for layer in document["layers"]:
        row = next((row for row in rows if row[:2] == [layer["name"], layer["type"]]), None)
        expect(row is not None, f"{what}: a row for {layer['name']}", text)
        if row is not None:
            rest = " ".join(row[2:])
            shape = f"[{', '.join(str(size) for size in layer['output'])}]"
            inputs = f"[{', '.join(layer['inputs'])}]"
            expect(rest.startswith(f"{inputs} {shape} {grouped(layer['parameters'])} {grouped(layer['macs'])} "),
                   f"{what}: {layer['name']} is {rest}")
    return document


def check_plan():
    text, done = run("inspect", "recipe.yaml", "--plan"), run("inspect", "recipe.yaml", "--plan", "--json")
    expect(text.status == 0 and done.status == 0, "the plan", text)
    for step in done.document()["steps"]:
        expect(any(step["phase"] in line and step["layer"] in line and step["kernel"] in line
                   for line in text.out.splitlines()), f"the plan has {step['phase']} of {step['layer']}", text)


def check_plan_of_teachers_without_network():
    """A program is not asked, a file is read; the step takes their rows instead of a network's."""
    with open("recipe.yaml", encoding="utf-8") as file:
        recipe = file.read()
    run("train", "recipe.yaml", "-o", "first", "--quiet")
    done = run("record", "first/models/alone-0.safetensors", "--data", "recipe.yaml", "--out", "outputs.npz", "--layers", "block")
    expect(done.status == 0, "recorded outputs", done)
    for teacher in ("{command: 'echo no; exit 1'}", "{recorded: outputs.npz}"):
        with open("outside.yaml", "w", encoding="utf-8") as file:
            file.write(recipe.replace("{network: {name: cnn, widths: [8]}}", teacher))
        done = run("inspect", "outside.yaml", "--plan", "--json")
        expect(done.status == 0, f"the plan with {teacher}", done)
        expect(any(step["op"] == "store_read" for step in done.document()["steps"]), f"it reads rows of {teacher}", done)
    with open("outside.yaml", "a", encoding="utf-8") as file:
        file.write("distill: {losses: [{method: kd}, {method: fitnet, student: [block], teacher: [block]}]}\n")
    before = run("cache", "list", "--json").document()
    done = run("inspect", "outside.yaml", "--plan", "--json")
    reads = [step["output"] for step in done.document()["steps"] if step["op"] == "store_read"]
    expect(len(reads) == 2, f"logits and a layer are read: {reads}", done)
    expect(run("cache", "list", "--json").document() == before, "and nothing was written into the cache")


def main():
    section = small_data.make()
    with open("recipe.yaml", "w", encoding="utf-8") as file:
        file.write(f"data: {section}{RECIPE}")
    student = check_network("the student", "recipe.yaml")
    check_network("the teacher", "recipe.yaml", "--network", "teacher")
    check_plan()
    check_plan_of_teachers_without_network()
    done = run("train", "recipe.yaml", "-o", "run", "--quiet")
    expect(done.status == 0, "the training", done)
    model = check_network("the model", "run/models/alone-0.safetensors")
    expect(model["layers"][-1] == student["layers"][-1], "the model's last layer is the recipe's")
    finish()


main()
