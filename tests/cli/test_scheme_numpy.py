#!/usr/bin/python3
"""Who teaches at each step, in NumPy: a run of k steps saves what the networks were after k steps, so what `predict` says of the models of
all shorter runs gives each step's losses. A network of another moment, or another network, gives other ones: that is checked as well."""
import json
import os
import signal
import subprocess
import sys

import numpy as np

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import numpy_model  # noqa: E402
import scheme_case  # noqa: E402
import small_data  # noqa: E402
from retort import PROGRAM, expect, finish, run  # noqa: E402
from run_folder import models, weights  # noqa: E402
from scheme_case import cross_entropy, distil, kl, logits, metrics, recipe, side_by_side, write  # noqa: E402

CLOSE = 2e-6
NETWORK = "{name: mlp, widths: [12]}"  # without batch norm and dropout: it answers in training as it does afterwards
SAMPLES, CLASSES = 60, 10


def close(found, expected, what, factor=1):
    expect(abs(found - expected) < factor * CLOSE * max(1, abs(expected)), f"{what}: {found}, in NumPy {expected}")


def far(found, wrong, what, factor=1):
    expect(abs(found - wrong) > 10 * factor * CLOSE * max(1, abs(wrong)), f"{what}: {found} can hardly be told from {wrong}")


def made(name, scheme, options, steps, batch=SAMPLES, epochs=8):
    """Runs of 0, 1 … steps; with the whole split as a batch, every step is an epoch. The last one's folder."""
    train = f"epochs: {epochs}, batch: {batch}, shuffle: false, schedule: constant"
    path = write(f"{name}.yaml", recipe(scheme, options, network=NETWORK, train=train, data=DATA, teacher="{name: mlp, widths: [20]}",
                                       more="baseline: false\nseeds: [0]\n"))
    side_by_side(distil, *((path, f"{name}-{k}", f"student.train.steps={k}") for k in range(steps + 1)))
    return f"{name}-{steps}"


def after(name, k, model):
    return logits(f"{name}-{k}", model)


def check_peers():
    """Each peer learns from what the others are in the very step; the ensemble of KDCL is made in it."""
    steps = 3
    for name, scheme, options, peers in (("dml", "dml", "temperature: 2", 2), ("dml3", "dml", "peers: 3", 3),
                                         ("online", "online-teacher", "burn_in: 0, mutual: true, weight: 0.5", 2)):
        whole = made(name, scheme, options, steps)
        saved = ["distilled-0"] + (["teacher-0"] if scheme == "online-teacher" else [f"peer-{i}-0" for i in range(1, peers)])
        who = ["student"] + (["teacher"] if scheme == "online-teacher" else [f"peer{i}" for i in range(1, peers)])
        for t in range(steps):
            z = [after(name, t, model) for model in saved]
            total = 0
            for i in range(peers):
                for j in range(peers):
                    if i == j:
                        continue
                    term = ("" if i == 0 else f"{who[i]}.") + "kd" + (f".{who[j]}" if peers > 2 else "")
                    found = metrics(whole, "distilled-0", term)[t]
                    close(found, kl(z[j], z[i], 2 if name == "dml" else 1), f"{name}, step {t}: {term}")
                    far(found, kl(after(name, t + 1, saved[j]), z[i], 2 if name == "dml" else 1), f"{name}, step {t}: {term} of a step later")
                    total += found * (0.5 if scheme == "online-teacher" else 1 / (peers - 1))
                total += cross_entropy(HARD, z[i])
            close(metrics(whole, "distilled-0", "loss")[t], total, f"{name}, step {t}: the whole loss")
    whole = made("kdcl", "kdcl", "temperature: 2", steps)
    for t in range(steps):
        z = [after("kdcl", t, model) for model in ("distilled-0", "peer-1-0")]
        less = [one - one[np.arange(SAMPLES), LABELS][:, None] for one in z]
        close(metrics(whole, "distilled-0", "kd")[t], kl(np.minimum(*less), z[0], 2), f"kdcl, step {t}: the smallest of both")
        close(metrics(whole, "distilled-0", "peer1.kd")[t], kl(np.minimum(*less), z[1], 2), f"kdcl, step {t}: its peer")


def check_copies():
    """Codistillation: copies as old as the last exchange."""
    steps, every = 6, 2
    for name, peers in (("codistillation", 2), ("codistillation3", 3)):
        whole = made(name, "codistillation", f"exchange: {every}, burn_in: 3, peers: {peers}", steps)
        saved = ["distilled-0"] + [f"peer-{i}-0" for i in range(1, peers)]
        for t in range(steps):
            z, copies = ([after(name, at, model) for model in saved] for at in (t, t // every * every))
            total = 0
            for i in range(peers):
                others = [np.exp(scheme_case.log_softmax(copies[j])) for j in range(peers) if j != i]
                found = metrics(whole, "distilled-0", f"peer{i}.kd" if i else "kd")[t]
                close(found, kl(np.log(np.mean(others, 0)), z[i]), f"{name}, step {t}: peer {i}")
                total += cross_entropy(HARD, z[i]) + (found if t >= 3 else 0)
            close(metrics(whole, "distilled-0", "loss")[t], total, f"{name}, step {t}: burn-in of three epochs")


def check_past():
    """PS-KD: what was said of each sample when it came last, in batches of half the split."""
    steps, half, epochs = 6, SAMPLES // 2, 4
    whole = made("past", "ps-kd", "alpha: 0.6", steps, batch=half, epochs=epochs)
    losses = metrics(whole, "distilled-0", "loss")
    for t in range(steps):
        rows, epoch = slice(t % 2 * half, t % 2 * half + half), t // 2 + 1
        z, alpha = after("past", t, "distilled-0")[rows], 0.6 * epoch / epochs
        if epoch == 1:
            close(losses[t], cross_entropy(HARD[rows], z), f"ps-kd, step {t}: the labels")
            continue
        for at, is_it in ((t - 2, True), (t - 1, False)):
            past = np.exp(scheme_case.log_softmax(after("past", at, "distilled-0")[rows]))
            expected = cross_entropy((1 - alpha) * HARD[rows] + alpha * past, z)
            (close if is_it else far)(losses[t], expected, f"ps-kd, step {t}: with what was said before step {at}")
        swapped = np.exp(scheme_case.log_softmax(after("past", t - 2, "distilled-0")[rows]))[::-1]
        far(losses[t], cross_entropy((1 - alpha) * HARD[rows] + alpha * swapped, z), f"ps-kd, step {t}: of another sample")


def check_average():
    """The mean teacher: after each step, the mean of all steps until the decay is less; and what it teaches."""
    steps, decay, ramp = 6, 0.7, 4
    for loss in ("kl", "mse"):
        name = f"ema-{loss}"
        whole = made(name, "ema", f"decay: {decay}, ramp: {ramp}, weight: 2, loss: {loss}", steps)
        tensors = [numpy_model.tensors(f"{name}-{k}/models/distilled-0.safetensors") for k in range(steps + 1)]
        average = {key: value.astype(np.float32) for key, value in tensors[0].items()}
        expect(weights(f"{name}-0", "average-0") == weights(f"{name}-0", "distilled-0"), "it begins as the student")
        for t in range(steps):
            z, teacher = after(name, t, "distilled-0"), after(name, t, "average-0")
            term = metrics(whole, "distilled-0", "kd" if loss == "kl" else "logits-mse")[t]
            expected = kl(teacher, z) if loss == "kl" else ((np.exp(scheme_case.log_softmax(teacher)) - np.exp(scheme_case.log_softmax(z))) ** 2).mean()
            close(term, expected, f"ema, step {t}: from the average")
            weight = 2 * np.exp(-5 * (1 - min(t / ramp, 1)) ** 2) * (1 if loss == "kl" else 100)
            close(metrics(whole, "distilled-0", "loss")[t], cross_entropy(HARD, z) + weight * term, f"ema, step {t}: its weight grows")
            rate = min(1 - 1 / (t + 1), decay)
            found = numpy_model.tensors(f"{name}-{t + 1}/models/average-0.safetensors")
            for key in average:
                average[key] = (rate * average[key].astype(np.float64) + (1 - rate) * tensors[t + 1][key]).astype(np.float32)
                expect(np.abs(found[key] - average[key]).max() <= 4e-7 * np.abs(average[key]).max(), f"ema, after step {t}: {key}")


def check_generations():
    """Born again: the generation before teaches, as it was saved; what all say together is measured."""
    begun, steps = made("born", "born-again", "generations: 4, temperature: 3", 0), 5
    distil("born.yaml", "born-run", f"student.train.steps={steps}")
    names = ["generation1-0", "generation2-0", "generation3-0", "distilled-0"]
    for i in range(1, 4):
        first, start = metrics("born-run", names[i], "kd")[0], logits(begun, names[i])
        for j in range(4):
            teacher = logits("born-run", names[j])
            (close if j == i - 1 else far)(first, kl(teacher, start, 3), f"{names[i]} from {names[j]}")
        far(first, kl(logits(begun, names[i - 1]), start, 3), f"{names[i]} from an untrained one")
    with open("born-run/result.json", encoding="utf-8") as file:
        stages = {stage["name"]: stage for stage in json.load(file)["stages"]}
    together = np.mean([np.exp(scheme_case.log_softmax(logits("born-run", name, "test"))) for name in names], 0)
    right = np.mean(together.argmax(1) == np.fromfile("test-labels", np.uint8)[8:])
    expect(abs(stages["ensemble-0"]["test"]["accuracy"] - right) < 1e-12, "the mean of their probabilities is measured")


def check_itself():
    begun = made("itself", "tf-kd", "from: self", 0)
    distil("itself.yaml", "itself-run", "student.train.steps=4")
    first, start = metrics("itself-run", "distilled-0", "kd")[0], logits(begun, "distilled-0")
    close(first, kl(logits("itself-run", "self-0"), start, 20), "tf-kd: from the network trained alone", 20)  # T^2 is 400
    far(first, kl(logits(begun, "self-0"), start, 20), "tf-kd: not from an untrained one", 20)
    close(metrics("itself-run", "distilled-0", "loss")[0], 0.1 * cross_entropy(HARD, start) + 0.9 * first, "tf-kd: 0.1 of the labels")


def check_cycles():
    """Snapshot: the end of a cycle teaches in the next; so it does all through it, and after a break."""
    network, train = scheme_case.NETWORKS["cnn"], "epochs: 60, batch: 20"
    path = write("cycles.yaml", recipe("snapshot", "cycles: 3", network=network, train=train, data=DATA, more="baseline: false\nseeds: [0]\n"))
    distil(path, "cycles")
    plain = write("plain.yaml", recipe("snapshot", "cycles: 3", network=NETWORK, train="epochs: 6, batch: 60", data=DATA, more="baseline: false\nseeds: [0]\n"))
    distil(plain, "plain")
    for before, stage in (("cycle1-0", "cycle2-0"), ("cycle2-0", "distilled-0")):
        z = logits("plain", before)
        soft = cross_entropy(np.exp(scheme_case.log_softmax(z / 2)), z)
        close(metrics("plain", stage, "soft-ce")[0], soft, f"{stage}: the teacher is the network at its beginning")
        close(metrics("plain", stage, "loss")[0], soft + 1.5 * cross_entropy(HARD, z), f"{stage}: labels with 1 + 1/T")
    with subprocess.Popen([PROGRAM, "distill", path, "-o", "broken", "--json"], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as child:
        for line in child.stderr:
            if "cycle2-0" in line and "epoch" in line:
                child.send_signal(signal.SIGINT)
                break
        child.communicate()
    kept = "broken/checkpoints/cycle2-0.safetensors"
    if child.returncode == 130 and os.path.exists(kept):
        begun = numpy_model.tensors("broken/models/cycle1-0.safetensors")
        checkpoint = numpy_model.tensors(kept)
        for block, of in (("values", lambda name: "running" not in name), ("state", lambda name: "running" in name)):
            whole = np.sort(np.concatenate([value.ravel() for name, value in begun.items() if of(name)]))
            expect(np.array_equal(np.sort(checkpoint[f"learner.1.{block}"]), whole), f"the teacher's {block} are those that cycle 1 ended with")
            expect(not np.array_equal(np.sort(checkpoint[f"learner.0.{block}"]), whole), f"the student's {block} are not")
    else:
        expect(child.returncode in (0, 130), f"interrupted: {child.returncode}")
        print("the second cycle was over before the signal came; its checkpoint was not looked at")
    if not os.path.exists("broken/result.json"):
        done = run("distill", "--resume", "broken", "--quiet")
        expect(done.status == 0, "goes on", done)
    expect(models("broken") == models("cycles"), "and comes to the same")


def main():
    check_peers()
    check_copies()
    check_past()
    check_average()
    check_generations()
    check_itself()
    check_cycles()
    finish()


DATA = small_data.make(train=SAMPLES, test=50).replace(", validation: 100", "")
LABELS = np.fromfile("train-labels", np.uint8)[8:]
HARD = np.eye(CLASSES)[LABELS]
main()
