#!/usr/bin/python3
"""What changes the bits of a model, and what does not: seeds, --jobs, threads, the test labels, a term of weight 0, recorded or live teachers."""
import json
import os
import shutil
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import small_data  # noqa: E402
from retort import expect, finish, run  # noqa: E402

RECIPE = """
teacher: {network: {name: cnn, widths: [8, 8], dropout: 0.2}, train: {epochs: 2, batch: 32}}
student: {network: {name: cnn, widths: [4, 6], dropout: 0.1}, train: {epochs: 3, batch: 32, optimiser: {name: sgd, rate: 0.05}}}
distill: {losses: [{method: labels, weight: 0.5}, {method: kd, temperature: 2, weight: 0.5}]}
seeds: [0, 1]
"""


def distill(folder, *words, recipe="recipe.yaml"):
    done = run("distill", recipe, "-o", folder, "--quiet", *words)
    expect(done.status == 0, f"{folder}: the run", done)


def model(folder, name):
    with open(f"{folder}/models/{name}.safetensors", "rb") as file:
        return tensors(file.read())


def tensors(raw):
    """Everything but the header, whose provenance may differ."""
    return raw[8 + int.from_bytes(raw[:8], "little"):]


def same(a, b, name, other=None):
    expect(model(a, name) == model(b, other or name), f"{a} {name} and {b} {other or name}: the same bits")


WIDER = """
teacher: {model: first/models/teacher.safetensors}
student:
  network:
    layers:
      - {conv: {out: 12, kernel: 3, padding: 1, bias: false}}
      - batch_norm
      - relu
      - {conv: {out: 32, kernel: 5, padding: 2}, name: wide}
      - relu
      - {max_pool: {kernel: 2}}
      - {residual: {layers: [{conv: {out: 32, kernel: 3, padding: 1, groups: 32}}, batch_norm, relu, {conv: {out: 32, kernel: 1}}]}}
      - {conv: {out: 40, kernel: 3, padding: 1}, name: last}
      - flatten
      - {linear: {out: 64}}
      - relu
      - {linear: {out: 10}}
  train: {epochs: 3, batch: 100, optimiser: {name: sgd, rate: 0.05}}
distill: {losses: [{method: labels, weight: 0.5}, {method: kd, weight: 0.5}, {method: fitnet, weight: 0.1}]}
baseline: false
seeds: [0]
"""


EVALUATED = """
student:
  network: {layers: [{conv: {out: OUT, kernel: 3, padding: 1}}, relu, {max_pool: {kernel: 2}}, flatten, {linear: {out: 64}}, relu, {linear: {out: 10}}]}
  train: {epochs: 1, batch: 50, optimiser: {name: sgd, rate: 0.01}}
seeds: [0]
"""


def measured(folder, name):
    with open(f"{folder}/result.json", encoding="utf-8") as file:
        stage = next(stage for stage in json.load(file)["stages"] if stage["name"] == name)
    return stage["validation"], stage["test"]


def check_evaluation():
    """Batches of an evaluation may be sliced; which kernel multiplies does not depend on how many cores there are."""
    os.mkdir("evaluated")
    section = small_data.make("evaluated", train=900, test=500).replace("validation: 100", "validation: 500")
    for out in ("8", "16", "20"):
        with open("evaluated/recipe.yaml", "w", encoding="utf-8") as file:
            file.write(f"data: {section}{EVALUATED.replace('OUT', out)}")
        for threads in "12":
            done = run("train", "evaluated/recipe.yaml", "-o", f"out{out}-{threads}", "--quiet", "--threads", threads)
            expect(done.status == 0, "the training", done)
        one, two = measured(f"out{out}-1", "alone-0"), measured(f"out{out}-2", "alone-0")
        expect(one == two, f"{out} channels: the same figures with one thread and two: {one} {two}")


def check_threads(section):
    """A student alone on the machine has all cores for our kernels: the bits are those of one core, and of one with a neighbour."""
    with open("wider.yaml", "w", encoding="utf-8") as file:
        file.write(f"data: {section}{WIDER}")
    for threads in "123":
        distill(f"threads{threads}", "--threads", threads, recipe="wider.yaml")
    distill("neighbours", "--threads", "2", "--set", "seeds=[0,1]", recipe="wider.yaml")
    for other in ("threads2", "threads3", "neighbours"):
        same("threads1", other, "distilled-0")
        expect(measured("threads1", "distilled-0") == measured(other, "distilled-0"), f"threads1 and {other}: the same figures")


def main():
    section = small_data.make()
    with open("recipe.yaml", "w", encoding="utf-8") as file:
        file.write(f"data: {section}{RECIPE}")
    names = ["teacher", "alone-0", "alone-1", "distilled-0", "distilled-1"]
    distill("first")
    distill("again", "--jobs", "1")
    for name in names:
        same("first", "again", name)
    expect(model("first", "alone-0") != model("first", "alone-1"), "another seed gives another model")
    expect(model("first", "alone-0") != model("first", "distilled-0"), "the teacher changes the student")

    check_threads(section)
    check_evaluation()

    distill("one", "--set", "seeds=[1]")
    same("first", "one", "distilled-1")

    distill("zero", "--set", "distill.losses.0.weight=1", "--set", "distill.losses.1.weight=0")
    for seed in "01":
        same("zero", "zero", f"distilled-{seed}", f"alone-{seed}")

    for folder, augment in (("plain", "{}"), ("flips", "{flip: true}"), ("shifts", "{flip: true, shift: 1}")):
        words = ["--set", f"data.augment={augment}", "--set", "seeds=[0]", "--set", "baseline=false"]
        distill(folder, *words, "--set", "distill.cache=true")
        distill(f"{folder}-live", *words, "--set", "distill.cache=false")
        same(folder, f"{folder}-live", "distilled-0")
    expect(model("plain", "distilled-0") != model("flips", "distilled-0"), "flips change the student")

    os.mkdir("other")
    for name in ("train-images.gz", "train-labels", "test-images.gz"):
        shutil.copy(name, f"other/{name}")
    with open("test-labels", "rb") as file:
        raw = file.read()
    with open("other/test-labels", "wb") as file:
        file.write(raw[:8] + raw[8:][::-1])
    shutil.copy("recipe.yaml", "other/recipe.yaml")
    distill("permuted", recipe="other/recipe.yaml")
    for name in names:
        same("first", "permuted", name)
    with open("first/result.json", "rb") as one, open("permuted/result.json", "rb") as two:
        expect(one.read() != two.read(), "the figures on the test split do change")
    finish()


if __name__ == "__main__":
    main()
