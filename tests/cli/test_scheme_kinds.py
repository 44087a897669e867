#!/usr/bin/python3
"""Every scheme with every kind of network, with and without validation samples: it runs to the end, or is refused with a reason. What makes
no sense is refused before anything is trained."""
import json
import os
import shutil
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import scheme_case  # noqa: E402
import small_data  # noqa: E402
from retort import expect, fails, finish, run  # noqa: E402
from scheme_case import NETWORKS, recipe, schemes, side_by_side, write  # noqa: E402

DATA = small_data.make(train=180, test=40)
SPLITS = {"validation": DATA, "none": DATA.replace(", validation: 100", "")}
# {(scheme, network or None, split or None, options): what the message holds}; None: any of them.
REFUSED = {
    ("kdcl", None, "none", "ensemble: linear"): "validation",
}
# What is tried beside the defaults.
MORE = {
    "online-teacher": ["mutual: true"],
    "dml": ["peers: 3", "networks: [{name: cnn, widths: [4, 12]}]"],
    "kdcl": ["ensemble: linear", "peers: 3", "networks: [{name: mlp, widths: [12]}]"],
    "codistillation": ["peers: 3, exchange: 2", "networks: [{name: mlp, widths: [12]}]"],
    "ema": ["loss: mse"],
    "tf-kd": ["from: self"],
    "snapshot": ["cycles: 3"],
}
# Losses that read layers: {scheme: what the message holds}; other schemes take them.
LAYERS = "losses: [{method: labels}, {method: kd}, {method: %s}]"
NO_LAYERS = {"one": "its own teacher", "byot": "its own teacher", "kdcl": "ensemble is no network", "ps-kd": "an epoch ago is no network",
             "dlb": "a step ago is no network"}


def reason(scheme, network, split, options):
    for key, part in REFUSED.items():
        if all(a is None or a == b for a, b in zip(key, (scheme, network, split, options))):
            return part
    return None


def check_result(folder, what):
    """result.json is whole: models are there, and figures of who learns."""
    with open(f"{folder}/result.json", encoding="utf-8") as file:
        stages = json.load(file)["stages"]
    names = [stage["name"] for stage in stages]
    expect(len(set(names)) == len(names) and "distilled-0" in names and "alone-0" in names, f"{what}: stages {names}")
    for stage in stages:
        expect(stage["model"] is None or os.path.getsize(f"{folder}/{stage['model']}") > 0, f"{what}: the model of {stage['name']}")
        accuracy = stage["test"]["accuracy"]
        expect(accuracy is not None and 0 <= accuracy <= 1, f"{what}: {stage['name']} is measured, found {stage['test']}")
    saved = sorted(name for name in os.listdir(f"{folder}/models") if name != "student.safetensors")
    listed = sorted(os.path.basename(stage["model"]) for stage in stages if stage["model"])
    expect(saved == listed, f"{what}: models {saved}, in result.json {listed}")
    expect(not os.path.exists(f"{folder}/checkpoints") or not os.listdir(f"{folder}/checkpoints"), f"{what}: no checkpoint is left")


def check_one(scheme, network, split, options):
    what = f"{scheme} {network} {split} {options}"
    name = "".join(c if c.isalnum() else "-" for c in what)
    path = write(f"{name}.yaml", recipe(scheme, options, network=NETWORKS[network], train="epochs: 3, batch: 20, steps: 12", data=SPLITS[split]))
    part = reason(scheme, network, split, options)
    if part:
        fails(2, ("distill", path, "-o", name, "--quiet"), part, f"{path}:")
        expect(not os.path.exists(f"{name}/models"), f"{what}: refused before anything is trained")
        return
    done = run("distill", path, "-o", name, "--quiet", "--json")
    expect(done.status == 0, f"{what} runs", done)
    if done.status == 0:
        expect(done.document()["stages"], f"{what}: result.json", done)
        check_result(name, what)
    shutil.rmtree(name, ignore_errors=True)


UNLIKE = "networks: [{name: cnn, widths: [4, 12]}], losses: [{method: labels}, {method: kd}, {method: %s}]"


def check_unlike(scheme, method):
    """Peers of other sizes, and losses that read their layers: both ways, with parts of their own between them."""
    name = "".join(c if c.isalnum() else "-" for c in f"{scheme} {method}")
    path = write(f"{name}.yaml", recipe(scheme, UNLIKE % method, train="epochs: 2, batch: 20, steps: 4", data=DATA))
    done = run("distill", path, "-o", name, "--quiet")
    expect(done.status == 0, f"{scheme} between unlike peers: {method}", done)
    check_result(name, f"{scheme} {method}")


def check_layers(scheme):
    """Losses that read layers, with parts of their own; taught, or said what they lack."""
    for method in ("fitnet", "at, student: [relu1], teacher: [relu1]"):
        folder = f"{scheme}-layers"
        path = write(f"{folder}.yaml", recipe(scheme, LAYERS % method, train="epochs: 2, batch: 20, steps: 4", data=DATA))
        if scheme in NO_LAYERS:
            fails(2, ("distill", path, "-o", "never", "--quiet"), NO_LAYERS[scheme], f"{path}:3:")
            continue
        done = run("distill", path, "-o", folder, "--quiet")
        expect(done.status == 0, f"{scheme} with {method}", done)
        shutil.rmtree(folder, ignore_errors=True)


def refused(scheme, options, *parts, train="epochs: 3, batch: 20", data=DATA, more=""):
    write("nonsense.yaml", recipe(scheme, options, train=train, data=data, more=more))
    done = fails(2, ("distill", "nonsense.yaml", "-o", "never", "--quiet"), *parts)
    expect(not os.path.exists("never/models") or not os.listdir("never/models"), f"refused before anything is trained: {scheme} {options} {train}", done)
    shutil.rmtree("never", ignore_errors=True)


def check_nonsense():
    teacher = "teacher: {network: {name: mlp}}\n"
    for scheme in schemes():
        if scheme in scheme_case.TEACHERS:
            write("nonsense.yaml", "\n".join(line for line in recipe(scheme, data=DATA).splitlines() if not line.startswith("teacher:")))
            fails(2, ("distill", "nonsense.yaml", "-o", "never", "--quiet"), f"scheme {scheme} needs a teacher")
        else:
            refused(scheme, "", f"scheme {scheme} has no teacher", "leave teacher: out", more=teacher)
        refused(scheme, "temperatur: 3", "temperatur", "nonsense.yaml:4" if scheme in scheme_case.TEACHERS else "nonsense.yaml:3")
        if scheme == "offline":
            continue
        for options, part in (("stages: [{losses: [{method: labels}], epochs: 1}]", "stages"), ("blocks: true", "blocks"),
                              ("assistants: [{network: {name: mlp}}]", "assistants"), ("cache: true", "cache")):
            refused(scheme, options, part, f"scheme {scheme}")
    for options in ("networks: [{name: mlp}, {name: mlp}]", "networks: []", "networks: {name: mlp}"):
        refused("dml", options, "networks", "expected a list of the 1 networks")
    refused("dml", "networks: [{name: mpl}]", "mpl", "nearest: \"mlp\"")
    for scheme in ("dml", "kdcl", "codistillation"):
        refused(scheme, "peer_seeds: [0, 1, 2]", "peer_seeds", "2 peers", "found 3")
        refused(scheme, "peers: 3, peer_seeds: [0]", "peer_seeds", "3 peers", "found 1")
        refused(scheme, "peers: 1", "peers")
        refused(scheme, "peer_seeds: [0, -1]", "peer_seeds")
    for scheme, option in (("dml", "temperature"), ("kdcl", "temperature"), ("ps-kd", "alpha"), ("ema", "loss"), ("tf-kd", "temperature"),
                           ("online-teacher", "temperature"), ("born-again", "temperature"), ("cs-kd", "temperature"), ("dlb", "temperature"),
                           ("snapshot", "temperature"), ("codistillation", "temperature")):
        value = "kl" if option == "loss" else "0.5"
        refused(scheme, f"{option}: {value}, losses: [{{method: labels}}, {{method: kd}}]", option, "losses are given")
    for scheme in ("dlb", "cs-kd"):
        refused(scheme, "", "nonsense.yaml:", "batch", "21", train="epochs: 3, batch: 21")
    for scheme in ("ps-kd", "dlb", "cs-kd", "kdcl", "snapshot"):
        write("nonsense.yaml", recipe(scheme, "labelled_part: 0.5", train="steps: 2, batch: 20", data=DATA[:-1] + ", labelled: 20}"))
        done = run("distill", "nonsense.yaml", "-o", "warned", "--force")
        expect(done.status == 0 and done.err.count(f"labelled_part has no effect: scheme {scheme}") == 1 and "nonsense.yaml:" in done.err, scheme, done)
    for scheme in ("ps-kd", "dlb", "cs-kd", "kdcl"):
        refused(scheme, "", "mixup", data=DATA[:-1] + ", augment: {mixup: 0.4}}")
    for scheme in ("dml", "kdcl", "codistillation", "ema", "online-teacher"):
        refused(scheme, "", "nonsense.yaml:", "early_stop", train="epochs: 3, batch: 20, early_stop: {patience: 2}")
        refused(scheme, "", "nonsense.yaml:", "average", train="epochs: 3, batch: 20, average: {decay: 0.9}")
    for scheme in schemes():
        if scheme != "offline":
            refused(scheme, "losses: [{method: labels}, {method: simkd}]", "nonsense.yaml:", "simkd", f"scheme {scheme}")
    refused("snapshot", "cycles: 4", "cycles", "found")
    refused("tf-kd", "losses: [{method: kd}]", "from: self")
    write("nonsense.yaml", recipe("online-teacher", data=DATA).replace(scheme_case.TEACHER_NETWORK, "{name: mlp}") + "")
    done = run("distill", "nonsense.yaml", "-o", "made", "--quiet", "--set", "student.train.steps=1")
    expect(done.status == 0, "a teacher that learns", done)
    steps = ("--set", "student.train.steps=1")
    for key, value, said in (("epochs", "7", "epochs: 7"), ("average", "{decay: 0.9}", "decay: 0.9"), ("early_stop", "{patience: 3}", "patience: 3"),
                             ("clip", "2.5", "clip: 2.5")):
        done = run("distill", "nonsense.yaml", "-o", "warned", "--force", *steps, "--set", f"teacher.train.{key}={value}")
        expect(done.status == 0 and done.err.count("no effect") == 1 and f"teacher.train.{key}" in done.err, "what the student's says instead", done)
        with open("warned/recipe.yaml", encoding="utf-8") as file:
            teacher = file.read().split("student:", maxsplit=1)[0]
        expect(said not in teacher, f"{key}: what was resolved is what holds, found {said}")
    done = run("distill", "nonsense.yaml", "-o", "never", "--quiet", "--set", "teacher.train.early_stop=null", "--set", "student.train.early_stop={patience: 2}")
    expect(done.status == 2 and len(done.err.splitlines()) == 1 and "early_stop" in done.err, "null says nothing", done)
    done = run("distill", "nonsense.yaml", "-o", "once", *steps, "--set", "teacher.train.early_stop=null")
    expect(done.status == 0 and "no effect" not in done.err, "nothing said", done)
    done = run("distill", "made/recipe.yaml", "-o", "again")
    expect(done.status == 0 and "no effect" not in done.err, "what was resolved says the same of both", done)
    for given in ("{model: made/models/teacher-0.safetensors}", "{recorded: made.npz}", "[{network: {name: mlp}}, {network: {name: mlp}}]",
                  "{network: {name: mlp}, members: 2}"):
        done = run("distill", "nonsense.yaml", "-o", "never", "--quiet", "--set", f"teacher={given}")
        expect(done.status == 2 and len(done.err.splitlines()) == 1 and "online-teacher" in done.err, f"teacher: {given}", done)


def main():
    found = schemes()
    kinds = [(scheme, network, split, "") for scheme in found for network in NETWORKS for split in SPLITS]
    more = [(scheme, "cnn", split, options) for scheme in found for options in MORE.get(scheme, []) for split in SPLITS]
    side_by_side(check_one, *kinds, *more)
    side_by_side(check_layers, *((scheme,) for scheme in found))
    side_by_side(check_unlike, *((scheme, method) for scheme in ("dml", "codistillation") for method in (
        "fitnet", "fsp, student: [relu1, relu2], teacher: [relu1, relu2]", "at, student: [relu1], teacher: [relu2]", "crd")))
    check_nonsense()
    finish()


main()
