#!/usr/bin/python3
"""Early exit of networks with outputs called exit…: eval, predict, a run's entries and record, against NumPy."""
import json
import os
import sqlite3
import sys

import numpy as np

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import numpy_model  # noqa: E402
import small_data  # noqa: E402
from retort import expect, fails, finish, run  # noqa: E402

RECIPE = """
teacher: {network: {name: cnn, widths: [8, 8]}, train: {steps: 40, batch: 32}}
student:
  network:
    layers:
      - {conv: {out: 4, kernel: 3, padding: 1}, name: stem}
      - {relu: , name: a}
      - {max_pool: {kernel: 4}}
      - flatten
      - {linear: {out: 10}, name: first}
      - {conv: {out: 6, kernel: 3, padding: 1}, inputs: [a]}
      - {relu: , name: b}
      - {max_pool: {kernel: 3}}
      - flatten
      - {linear: {out: 10}, name: second}
      - {conv: {out: 8, kernel: 3, padding: 1}, inputs: [b]}
      - relu
      - flatten
      - {linear: {out: 10}, name: last}
    outputs: {exit2: second, logits: last, exit1: first, exit_map: b}
  train: {steps: 90, batch: 32, optimiser: {name: sgd, rate: 0.02, momentum: 0.9}}
distill:
  losses:
    - {method: labels, weight: 0.5}
    - {method: kd, weight: 0.1}
    - {method: labels, student: [first], weight: 0.5}
    - {method: labels, student: [second], weight: 0.5}
seeds: [3, 5]
"""
LAYERS = ["first", "second", "last"]
NAMES = ["exit1", "exit2", "logits"]
THRESHOLDS = [0.5, 0.55, 0.6, 0.65, 0.7, 0.75, 0.8, 0.85, 0.9, 0.95, 0.97, 0.98, 0.99, 0.995, 0.999, 1]
MODEL = "run/models/distilled-3.safetensors"
CONTRACT = ["model", "data", "split", "samples", "accuracy", "top5", "loss", "ece"]
# Of one sample: 3x3 convolutions on 12x12 positions, linear layers.
OWN_MACS = [144 * 9 * 4 + 36 * 10, 144 * 9 * 4 * 6 + 96 * 10, 144 * 9 * 6 * 8 + 1152 * 10]
EXIT_MACS = np.cumsum(OWN_MACS)
PLAIN_MACS = int(EXIT_MACS[2]) - 36 * 10 - 96 * 10


def near(found, expected, what, within=1e-9):
    expect(found is not None and abs(found - expected) <= within, f"{what}: found {found}, expected {expected}")


def softmax(z):
    powers = np.exp(z - z.max(axis=1, keepdims=True))
    return powers / powers.sum(axis=1, keepdims=True)


class Reference:
    """The test split's logits of every exit of a model, by NumPy."""

    def __init__(self, model):
        inspected = run("inspect", model, "--json").document()
        weights = numpy_model.tensors(model)
        images = small_data.read_idx("test-images.gz")[:, None] / 255
        self.labels = small_data.read_idx("test-labels").astype(int)
        self.logits = [numpy_model.logits({**inspected, "outputs": {"logits": layer}}, weights, images) for layer in LAYERS]

    def exit_of(self, threshold):
        """[N] the exit at which each sample leaves."""
        leaves = np.full(len(self.labels), 2)
        for exit in (1, 0):
            sure = softmax(self.logits[exit]).max(axis=1) >= threshold
            leaves = np.where(sure & (threshold < 1), exit, leaves)
        return leaves

    def undecided(self, threshold):
        """Is a sample so near to the threshold that float32 may say otherwise?"""
        return any(np.abs(softmax(logits).max(axis=1) - threshold).min() < 1e-5 for logits in self.logits[:2])

    def rows(self, threshold):
        return np.stack(self.logits)[self.exit_of(threshold), np.arange(len(self.labels))]

    def accuracy(self, rows):
        return np.mean(rows.argmax(axis=1) == self.labels)


def check_point(point, reference, threshold, what):
    if reference.undecided(threshold) and threshold < 1:
        return
    left = np.bincount(reference.exit_of(threshold), minlength=3) / len(reference.labels)
    near(point["threshold"], threshold, f"{what}: threshold")
    near(point["accuracy"], reference.accuracy(reference.rows(threshold)), f"{what}: accuracy")
    near(point["macs"], left @ EXIT_MACS, f"{what}: mean MACs", 1e-6)
    near(point["saved"], 1 - left @ EXIT_MACS / PLAIN_MACS, f"{what}: saved")
    expect(np.allclose(point["left"], left), f"{what}: left {point['left']}, expected {left}")


def check_eval(reference):
    done = run("eval", MODEL, "--data", "recipe.yaml", "--json")
    told = done.document()
    expect(list(told) == CONTRACT + ["plain_macs", "exits", "early_exit"], "the keys", done)
    expect(told["plain_macs"] == PLAIN_MACS, f"MACs without exits: {told['plain_macs']}, expected {PLAIN_MACS}")
    expect([exit["name"] for exit in told["exits"]] == NAMES, "a map is no exit; the cheapest comes first", done)
    for exit, logits, macs in zip(told["exits"], reference.logits, EXIT_MACS):
        near(exit["accuracy"], reference.accuracy(logits), exit["name"])
        near(exit["loss"], np.mean(-np.log(softmax(logits)[np.arange(200), reference.labels])), f"loss of {exit['name']}", 1e-4)
        expect(exit["macs"] == macs, f"{exit['name']}: {exit['macs']} MACs, expected {macs}")
    expect([point["threshold"] for point in told["early_exit"]] == THRESHOLDS, "thresholds", done)
    for point, threshold in zip(told["early_exit"], THRESHOLDS):
        check_point(point, reference, threshold, f"threshold {threshold}")
    near(told["accuracy"], told["exits"][2]["accuracy"], "without a threshold all is as ever")
    shares = told["early_exit"][THRESHOLDS.index(0.55)]["left"]
    expect(min(shares) > 0.03, f"the test sees samples leave at each exit: {shares}")
    expect(len({exit["accuracy"] for exit in told["exits"]}) == 3, "which are not equally right", done)
    words = run("eval", MODEL, "--data", "recipe.yaml").out
    for part in ("\nexit     ", "\nearly exit: ", "\nthreshold  accuracy ", "\n    0.995 ", f" {EXIT_MACS[2]:,} "):
        expect(part in words, f"the text has {part!r}:\n{words}")
    expect(run("eval", MODEL, "--data", "recipe.yaml", "--csv").out.count("\n") == 2, "CSV is a header and a line")


def check_threshold(reference):
    for threshold in (0, 0.55, 1):
        words = [MODEL, "--data", "recipe.yaml", "--threshold", str(threshold)]
        told = run("eval", *words, "--json").document()
        expect(list(told) == CONTRACT + ["threshold", "plain_macs", "exits", "early_exit"], f"keys at {threshold}: {list(told)}")
        near(told["accuracy"], reference.accuracy(reference.rows(threshold)), f"accuracy at {threshold}")
        expect(len(told["early_exit"]) == 1, "one threshold")
        check_point(told["early_exit"][0], reference, threshold, f"eval at {threshold}")
        done = run("predict", *words, "--out", "early.npy", "--json")
        expect(done.status == 0 and done.document()["threshold"] == threshold, "predict", done)
        expect(np.allclose(np.load("early.npy"), reference.rows(threshold), atol=1e-4), f"logits at {threshold}")
    run("predict", MODEL, "--data", "recipe.yaml", "--out", "whole.npy")
    expect(np.array_equal(np.load("early.npy").argmax(axis=1), np.load("whole.npy").argmax(axis=1)), "1: nobody leaves early")


def check_refusals():
    teacher, second = "run/models/teacher.safetensors", "run/models/distilled-5.safetensors"
    for command in (["eval"], ["predict", "-o", "none.npy"]):
        def refused(model, threshold, *parts):
            fails(2, [*command, model, "--data", "recipe.yaml", "--threshold", threshold], *parts)
        refused(teacher, "0.9", "retort: a threshold needs a model with exits", teacher)
        refused(f"{MODEL},{second}", "0.9", "retort: a threshold is for the exits of one model", "ensemble of 2")
        for wrong in ("1.5", "-0.1", "nan", "half", ""):
            refused(MODEL, wrong, "--threshold: expected a number from 0 to 1", f'found "{wrong}"')
    expect(not os.path.exists("none.npy"), "nothing is written")
    fails(2, ["record", MODEL, "--data", "recipe.yaml", "-o", "r.npz", "--threshold", "0.5"], "no option --threshold")
    for models in (teacher, f"{MODEL},{second}"):
        done = run("eval", models, "--data", "recipe.yaml", "--json")
        expect(list(done.document()) == CONTRACT, "without exits, and of ensembles, nothing is added", done)


def curve(folder, stage):
    with sqlite3.connect(f"{folder}/record.sqlite") as record:
        found = record.execute("SELECT shape, data FROM arrays WHERE stage = ? AND name = 'early_exit'", [stage]).fetchone()
    return np.frombuffer(found[1], np.float32).reshape([int(n) for n in found[0].split(",")]) if found else None


def stages(folder):
    with open(f"{folder}/result.json", encoding="utf-8") as file:
        return {stage["name"]: stage for stage in json.load(file)["stages"]}


def check_stage(name, stage):
    """The threshold is the validation split's, all figures are the test split's."""
    def told(split):
        return run("eval", f"run/models/{name}.safetensors", "--data", "recipe.yaml", "--split", split, "--json").document()
    test, validation = told("test"), told("validation")
    fine = [point for point in validation["early_exit"] if point["accuracy"] >= validation["exits"][-1]["accuracy"]]
    chosen = min(fine, key=lambda point: (point["macs"], -point["threshold"]))["threshold"]
    early = stage["early_exit"]
    expect(early["threshold"] == chosen, f"{name}: threshold {early['threshold']}, expected {chosen}")
    at = test["early_exit"][THRESHOLDS.index(chosen)]
    expect(list(early) == ["threshold", "accuracy", "macs", "saved", "plain_macs"], f"{name}: {list(early)}")
    expect(all(early[key] == at[key] for key in ("accuracy", "macs", "saved")), f"{name}: {early}, expected {at}")
    expect(early["plain_macs"] == PLAIN_MACS, f"{name}: plain MACs")
    expect(stage["exits"] == test["exits"], f"{name}: {stage['exits']}, expected {test['exits']}")
    found = curve("run", name)
    expect((found is None) == name.endswith("-5"), f"{name}: only the first seed's curve is recorded")
    if found is not None:
        expected = [[point["threshold"], point["accuracy"], point["macs"]] for point in test["early_exit"]]
        expect(np.allclose(found, expected, rtol=1e-6), f"{name}: its curve")


def check_run():
    found = stages("run")
    expect("exits" not in found["teacher"] and "early_exit" not in found["teacher"], "the teacher has no exits")
    for name in ("alone-3", "distilled-3", "alone-5", "distilled-5"):
        check_stage(name, found[name])
    with open("run/report.html", encoding="utf-8") as file:
        page = file.read()
    expect("<h2>Early exit</h2>" in page and 'id="exits-1"' in page and 'id="exits-2"' not in page, "a chart each")


def check_without_validation():
    done = run("train", "recipe.yaml", "-o", "blind", "--quiet", "--set", "data.validation=0", "--set", "seeds=[3]")
    expect(done.status == 0, "a run without validation", done)
    stage = stages("blind")["alone-3"]
    expect(stage["early_exit"] == {"threshold": None, "accuracy": None, "macs": None, "saved": None, "plain_macs": PLAIN_MACS},
           f"no threshold is chosen on the test split: {stage['early_exit']}")
    expect(len(stage["exits"]) == 3 and curve("blind", "alone-3") is not None, "the exits are measured all the same")


def check_sweep():
    """A stage that runs share is measured for each of them."""
    done = run("sweep", "recipe.yaml", "-o", "sweep", "--quiet", "--json", "--set", "seeds=[3]", "--set", "distill.losses.1.temperature=1,2")
    expect(done.status == 0, "sweep", done)
    entries = [(f"sweep/{entry['folder']}", stages(f"sweep/{entry['folder']}")["alone-3"]) for entry in done.document()["runs"]]
    expect(len(entries) == 2 and all("shared" in stage for _, stage in entries), "the student alone is shared")
    for folder, stage in entries:
        expect(stage["exits"] == stages("run")["alone-3"]["exits"] and curve(folder, "alone-3") is not None, f"{folder}: its exits")


def noise_add():
    """So that exits are right and sure to different degrees."""
    random = np.random.default_rng(2)
    for name in ("train-images.gz", "test-images.gz"):
        images = small_data.read_idx(name)
        small_data.write_idx(name, images // 4 + random.integers(0, 180, images.shape))


def main():
    with open("recipe.yaml", "w", encoding="utf-8") as file:
        file.write(f"data: {small_data.make()}{RECIPE}")
    noise_add()
    done = run("distill", "recipe.yaml", "-o", "run", "--quiet")
    expect(done.status == 0, "the run", done)
    reference = Reference(MODEL)
    check_eval(reference)
    check_threshold(reference)
    check_refusals()
    check_run()
    check_without_validation()
    check_sweep()
    finish()


if __name__ == "__main__":
    main()
