"""scheme_case.py: recipes for every scheme of `retort list schemes`, and what tests of schemes read of a run."""
import functools
import sqlite3
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import small_data
from retort import expect, run

# Who needs a teacher: in the recipe, beside what `teacher:` says of its network.
TEACHERS = {"offline": "train: {epochs: 1, batch: 32}", "online-teacher": "train: {optimiser: {name: sgd, rate: 0.05}}"}
TEACHER_NETWORK = "{name: cnn, widths: [8, 8], dropout: 0.1}"
NETWORKS = {"mlp": "{name: mlp, widths: [12, 10]}", "cnn": "{name: cnn, widths: [4, 6], dropout: 0.1}",
            "residual": "{name: resnet, depth: 8, width: 4}"}
SGD = "optimiser: {name: sgd, rate: 0.05}"


def schemes():
    """{name: {option: its entry}}"""
    return {scheme["name"]: {option["name"]: option for option in scheme["options"]}
            for scheme in run("list", "schemes", "--json").document()}


@functools.lru_cache(maxsize=1)
def usual_data():
    return small_data.make()


def side_by_side(work, *items):
    """work(*item) of each item, some at once: a small run mostly waits for the disk."""
    with ThreadPoolExecutor(4) as pool:
        return list(pool.map(lambda item: work(*item), items))


def recipe(scheme, options="", network=NETWORKS["cnn"], train="epochs: 3, batch: 32", data=None, more="", teacher=TEACHER_NETWORK):
    """The text: `options` is what its section says beside the scheme."""
    taught = f"teacher: {{network: {teacher}, {TEACHERS[scheme]}}}\n" if scheme in TEACHERS else ""
    return (f"data: {data or usual_data()}\n{taught}student: {{network: {network}, train: {{{SGD}, {train}}}}}\n"
            f"distill: {{scheme: {scheme}{', ' if options else ''}{options}}}\n{more}")


def write(path, text):
    with open(path, "w", encoding="utf-8") as file:
        file.write(text)
    return path


def distil(path, folder, *sets):
    done = run("distill", path, "-o", folder, "--quiet", *(word for one in sets for word in ("--set", one)))
    expect(done.status == 0, f"{folder} runs", done)
    return done


def metrics(folder, stage, name, split="train"):
    """[value at each step, in order]"""
    with sqlite3.connect(f"{folder}/record.sqlite") as record:
        rows = record.execute("SELECT value FROM metrics WHERE stage = ? AND name = ? AND split = ? ORDER BY step",
                              (stage, name, split)).fetchall()
    return [row[0] for row in rows]


def logits(folder, name, split="train"):
    """What a model of the run says, of every sample in the data's order."""
    done = run("predict", f"{folder}/models/{name}.safetensors", "--data", f"{folder}/recipe.yaml", "--split", split, "--out", "said.npy", "--quiet")
    expect(done.status == 0, "predict", done)
    return np.load("said.npy").astype(np.float64)


def log_softmax(z):
    z = z - z.max(1, keepdims=True)
    return z - np.log(np.exp(z).sum(1, keepdims=True))


def kl(teacher, student, temperature=1.0):
    """Method kd: T^2 times the mean over samples of KL(teacher -> student)."""
    p, q = log_softmax(teacher / temperature), log_softmax(student / temperature)
    return temperature ** 2 * (np.exp(p) * (p - q)).sum(1).mean()


def cross_entropy(targets, z):
    return -(targets * log_softmax(z)).sum(1).mean()
