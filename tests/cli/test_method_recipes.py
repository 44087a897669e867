#!/usr/bin/python3
"""recipes/methods: one recipe for each method, that differs from the others in its losses alone, and runs."""
import glob
import os
import shutil
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import small_data  # noqa: E402
from retort import expect, finish, run  # noqa: E402

FOLDER = os.path.join(os.environ["RETORT_SOURCE"], "recipes", "methods")
WITHOUT = {"labels"}  # what every student alone learns from
SMALL = ["baseline=false", "seeds=[0]", "teacher.train.batch=8", "teacher.train.steps=1", "student.train.batch=8", "student.train.steps=1"]


def sections(text):
    """{"data": its lines, …} of a recipe, comments at its head left out."""
    found, name = {}, None
    for line in text.splitlines():
        if line.startswith("#"):
            continue
        if line and not line.startswith(" "):
            name = line.split(":")[0]
            expect(name not in found, f"section {name} stands there once")
            found[name] = []
        if line:
            found[name].append(line)
    return found


def check_same(recipes):
    """What is compared is the methods: everything else is the same in all files, to the letter."""
    first, expected = next(iter(recipes.items()))
    expect({"data", "teacher", "student", "distill", "baseline", "seeds"} == set(expected), f"{first}: sections {sorted(expected)}")
    for name, found in recipes.items():
        expect(list(found) == list(expected), f"{name}: expected the sections of {first}, found {list(found)}")
        for section in expected:
            if section != "distill":
                expect(found.get(section) == expected[section], f"{name}: {section} is not that of {first}")
        terms = [line for line in found["distill"] if "method:" in line]
        expect(any(f"method: {name}," in line for line in terms), f"{name}: no term of that method in {terms}")


def check_runs(name, data):
    shutil.copy(os.path.join(FOLDER, f"{name}.yaml"), "recipe.yaml")  # paths of data are relative to it
    sets = [word for one in SMALL + [f"data={data}"] for word in ("--set", one)]
    done = run("distill", "recipe.yaml", "-o", "run", "--quiet", "--json", "--threads", "1", *sets)
    expect(done.status == 0, f"{name} runs", done)
    if done.status == 0:
        stages = done.document()["stages"]
        expect([stage["role"] for stage in stages] == ["teacher", "distilled"], f"{name}: stages {stages}", done)
        expect(all(stage["steps"] == 1 for stage in stages), f"{name}: steps", done)
    shutil.rmtree("run", ignore_errors=True)


def main():
    methods = {entry["name"] for entry in run("list", "methods", "--json").document()}
    recipes = {}
    for path in sorted(glob.glob(os.path.join(FOLDER, "*.yaml"))):
        with open(path, encoding="utf-8") as file:
            text = file.read()
        name = os.path.basename(path)[:-len(".yaml")]
        expect(text.startswith(f"# {name}: "), f"{name}: begins with what it is and where its weight comes from")
        recipes[name] = sections(text)
    for name in sorted(methods - WITHOUT - set(recipes)):
        expect(False, f"method {name}: no recipes/methods/{name}.yaml")
    for name in sorted(set(recipes) - methods):
        expect(False, f"recipes/methods/{name}.yaml: no method of that name")
    check_same(recipes)
    # As many samples as crd takes negatives, and more; the images that the networks are made for.
    data = small_data.make(train=600, test=16, size=28).replace("validation: 100", "validation: 16")
    for name in sorted(set(recipes) & methods):
        check_runs(name, data)
    finish()


main()
