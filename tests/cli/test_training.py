#!/usr/bin/python3
"""The options of a training, through recipes: what is kept, who learns how, what is done to the images; and what is refused."""
import json
import os
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import small_data  # noqa: E402
from retort import expect, fails, finish, run  # noqa: E402

RECIPE = """
teacher: {network: {name: cnn, widths: [8, 8]}, train: {epochs: 2, batch: 32, average: {decay: 0.9}}}
student:
  network: {name: cnn, widths: [4, 6]}
  train:
    epochs: 12
    batch: 32
    optimiser: {name: adamw, rate: 0.02}
    schedule: {name: multi-step, milestones: [8], factor: 0.3}
    average: {decay: 0.9, ramp: false}
    early_stop: {patience: 2}
    groups: [{layers: ["conv1*"], rate: 0.5}, {layers: ["linear*"], decay: 0.25}]
    decay_norm_bias: false
distill: {losses: [{method: labels, weight: 0.5}, {method: kd, temperature: 2, weight: 0.5}]}
seeds: [0]
"""


def write(path, text):
    with open(path, "w", encoding="utf-8") as file:
        file.write(text)


def read(path):
    with open(path, "rb") as file:
        return file.read()


def tensors(folder):
    """The student's values: without the header, whose provenance always differs."""
    raw = read(f"{folder}/models/student.safetensors")
    return raw[8 + int.from_bytes(raw[:8], "little"):]


def stages(folder):
    return {stage["name"]: stage for stage in json.loads(read(f"{folder}/result.json"))["stages"]}


def distill(folder, *sets, recipe="recipe.yaml", words=()):
    done = run("distill", recipe, "-o", folder, "--quiet", *words, *(word for one in sets for word in ("--set", one)))
    expect(done.status == 0, f"{folder}: the run", done)
    return done


def check_everything():
    """All of them at once; the resolved recipe says all of it again."""
    distill("first")
    for name in ("alone-0", "distilled-0"):
        stage = stages("first")[name]
        expect(1 <= stage["best_epoch"] <= stage["epochs"] <= 12, f"{name}: the best epoch of {stage}")
        expect(stage["epochs"] == 12 or stage["epochs"] == stage["best_epoch"] + 2, f"{name}: patience 2, {stage}")
        expect(stage["steps"] == stage["epochs"] * 15, f"{name}: the steps that were carried out")
        expect(f'\\"epoch\\":{stage["best_epoch"]}'.encode() in read(f"first/models/{name}.safetensors"), f"{name}: provenance")
        accuracy = run("eval", f"first/models/{name}.safetensors", "--data", "data.yaml", "--split", "validation", "--json").document()
        expect(abs(accuracy["accuracy"] - stage["validation"]["accuracy"]) < 1e-9, f"{name}: the saved weights are the best epoch's")
    expect("best_epoch" not in stages("first")["teacher"], "the teacher had no early stop")
    resolved = read("first/recipe.yaml").decode()
    for part in ("adamw", "beta2", "multi-step", "milestones", "ramp: false", "patience: 2", "conv1*", "decay: 0.25",
                 "decay_norm_bias: false", "cutout: 0", "mixup: 0"):
        expect(part in resolved, f"the resolved recipe has {part}\n{resolved}")
    distill("second", recipe="first/recipe.yaml")
    for name in os.listdir("first/models"):
        expect(read(f"first/models/{name}") == read(f"second/models/{name}"), f"{name}: the resolved recipe is the recipe")
    expect(read("second/recipe.yaml") == read("first/recipe.yaml"), "and resolves to itself")


def check_each():
    """Each option changes what is learnt, and switches off again."""
    off = ["student.train.average=null", "student.train.early_stop=null", "student.train.groups=null", "teacher.train.average=null",
           "student.train.decay_norm_bias=true", "student.train.epochs=2", "baseline=false"]
    distill("plain", *off)
    kept = tensors("plain")
    for name, *sets in (("average", "student.train.average={}"), ("teacher-average", "teacher.train.average={}"),
                        ("groups", "student.train.groups=[{layers: linear*, rate: 0}]"),
                        ("spare", "student.train.decay_norm_bias=false"),
                        *((augment.split(":")[0], f"data.augment={{{augment}}}")
                          for augment in ("crop: 1", "cutout: 3", "erase: 0.5", "jitter: 0.3", "mixup: 0.5", "shift: 1"))):
        distill(name, *off, *sets)
        expect(tensors(name) != kept, f"{name} changes the student")
    small_data.make(folder="colour", channels=3)
    write("colour/recipe.yaml", f"data: {section}{RECIPE}")
    distill("colours", *off, "data.augment={jitter: [0.4, 0.3, 0.2], mixup: 1, flip: true}", recipe="colour/recipe.yaml")
    distill("f64", *off, "data.augment={mixup: 1}", "precision=f64", "student.train.steps=3", "teacher.train.steps=3")


def check_recording():
    """A teacher is recorded where that is no more work than running it in every step; the bits are the same."""
    small = ["data.augment={flip: true, shift: 1}", "student.train.early_stop=null", "baseline=false", "teacher.train.epochs=1"]
    for folder, recorded, *sets in (("few", False, "student.train.epochs=3"),
                                    ("forced", True, "student.train.epochs=3", "distill.cache=true"),
                                    ("many", True, "student.train.epochs=20"),
                                    ("seeds", True, "student.train.epochs=10", "seeds=[0, 1]"),
                                    ("never", False, "student.train.epochs=20", "distill.cache=false")):
        done = run("distill", "recipe.yaml", "-o", folder, *(word for one in small + sets for word in ("--set", one)),
                   env={**os.environ, "XDG_CACHE_HOME": os.path.abspath(f"{folder}-cache")})
        expect(done.status == 0, folder, done)
        expect(("500 samples, 18 views each" in done.err) == recorded, f"{folder}: recorded or not", done)
    expect(tensors("few") == tensors("forced"), "recorded or live: the same bits")
    expect(tensors("many") == tensors("never"), "recorded or live: the same bits")


def check_refusals():
    def wrong(assignment, *parts, more=()):
        words = [word for one in (assignment, *more) for word in ("--set", one)]
        done = fails(2, ["distill", "recipe.yaml", "-o", "bad", *words], *parts)
        expect(not os.path.exists("bad"), "a run that never began leaves no folder", done)

    wrong("data.validation=0", "student.train.early_stop", "no labelled validation samples", "validation: 5000")
    wrong("student.train.early_stop={patience: 0}", "patience", "[1,", "found 0")
    wrong("student.train.early_stop={}", "early_stop", "needs the option", "patience")
    wrong("student.train.average={decay: 1}", "average", "decay", "found 1")
    wrong("student.train.average={deca: 0.9}", "average has no option", 'nearest: "decay"')
    wrong("student.train.averge={decay: 0.9}", "train has no option", 'nearest: "average"')
    wrong("student.train.groups=[{layers: [conw1]}]", "groups", "student", "conw1", 'nearest: "conv1"')
    wrong("student.train.groups={layers: conv1}", "groups", "expected a list", "found a map")
    wrong("student.train.groups=[{rate: 2}]", "group needs the option", "layers")
    wrong("student.train.groups=[{layers: conv1, decay: maybe}]", "decay", "expected true, false or a number", "maybe")
    wrong("student.train.groups=[{layers: []}]", "group", "at least one layer")
    wrong("student.train.schedule={name: step}", "schedule step needs the option", "every")
    wrong("student.train.optimiser={name: adam}", "no optimiser", 'nearest: "adamw"')
    wrong("data.augment={jitter: [1, 2]}", "jitter", "[brightness, contrast, saturation]", "found 2 numbers")
    wrong("data.augment={mixup: -1}", "mixup", "found -1")
    wrong("data.augment={cutuot: 2}", "augment has no option", 'nearest: "cutout"')
    wrong("data.augment={mixup: 1}", "teacher_errors swap", "mixup", more=["distill.losses.1.teacher_errors=swap"])
    wrong("data.augment={mixup: 1}", "cache", "too many different images", more=["distill.cache=true"])


section = small_data.make()
os.mkdir("colour")
write("data.yaml", f"data: {section}\n")
write("recipe.yaml", f"data: {section}{RECIPE}")
check_everything()
check_each()
check_recording()
check_refusals()
finish()
