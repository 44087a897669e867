#!/usr/bin/python3
"""recipes/schemes: one recipe for each scheme, with the same data, student and budget, and each runs on small data."""
import glob
import os
import shutil
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import small_data  # noqa: E402
from retort import expect, finish, run  # noqa: E402

FOLDER = os.path.join(os.environ["RETORT_SOURCE"], "recipes", "schemes")
SMALL = ["seeds=[0]", "student.train.batch=8", "student.train.steps=4"]


def sections(text):
    """{"data": its lines, …} of a recipe, comments at its head left out."""
    found, name = {}, None
    for line in text.splitlines():
        if line and not line.startswith((" ", "#")):
            name = line.split(":")[0]
            found[name] = []
        if line and not line.startswith("#"):
            found[name].append(line)
    return found


def check_same(recipes):
    """What is compared is the schemes: data, student, baseline and seeds are the same in all files, to the letter."""
    first = recipes["offline"]
    for name, found in recipes.items():
        for section in ("data", "student", "baseline", "seeds"):
            expect(found.get(section) == first[section], f"{name}: {section} is not that of offline")
        expect(f"  scheme: {name}" in found["distill"], f"{name}: distill {found['distill']}")
        expect(found.get("teacher") in (None, first["teacher"]), f"{name}: teacher")


def main():
    schemes = [entry["name"] for entry in run("list", "schemes", "--json").document()]
    data = small_data.make(size=28)
    recipes = {}
    for path in sorted(glob.glob(os.path.join(FOLDER, "*.yaml"))):
        name = os.path.basename(path)[:-len(".yaml")]
        with open(path, encoding="utf-8") as file:
            text = file.read()
        expect(text.startswith(f"# {name}: "), f"{name}: says what it is")
        recipes[name] = sections(text)
    expect(sorted(recipes) == sorted(schemes), f"recipes of {sorted(schemes)}, found {sorted(recipes)}")
    check_same(recipes)
    for name in sorted(recipes):
        shutil.copy(os.path.join(FOLDER, f"{name}.yaml"), "recipe.yaml")
        sets = SMALL + [f"data={data}"] + (["teacher.train.batch=8", "teacher.train.steps=2"] if "teacher" in recipes[name] else [])
        done = run("distill", "recipe.yaml", "-o", "run", "--quiet", "--json", *(word for one in sets for word in ("--set", one)))
        expect(done.status == 0, f"{name} runs", done)
        if done.status == 0:
            roles = [stage["role"] for stage in done.document()["stages"]]
            expect({"alone", "distilled"} <= set(roles), f"{name}: stages {roles}", done)
        shutil.rmtree("run", ignore_errors=True)
    finish()


if __name__ == "__main__":
    main()
