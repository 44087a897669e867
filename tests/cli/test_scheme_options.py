#!/usr/bin/python3
"""`retort help scheme NAME` of every scheme: what it draws, its options, an example that runs. Every option of every scheme changes
something that is learnt or saved."""
import os
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import small_data  # noqa: E402
from retort import expect, finish, run  # noqa: E402
from run_folder import losses, weights  # noqa: E402
from scheme_case import recipe, schemes, side_by_side, write  # noqa: E402

DATA = small_data.make(train=200, test=40)
# {(scheme or None, option): value}, where the next number would not do: names, or what only shows in longer runs.
OTHERS = {(None, "networks"): "[{name: mlp, widths: [9]}]", (None, "peer_seeds"): "[0, 7]", ("codistillation", "exchange"): "3",
          ("ema", "decay"): "0.5", ("one", "trunk"): "relu2", ("byot", "exits"): "[relu2]"}
BESIDE = {("byot", "width"): "lambda: 0"}  # what goes with an option, where it does not go with another's default


def words(text):
    return " ".join(text.split())


def check_help(scheme, options):
    done = run("help", "scheme", scheme)
    expect(done.status == 0 and done.err == "", f"help scheme {scheme}", done)
    lines = done.out.splitlines()
    expect(lines[0] == f"scheme {scheme}", f"{scheme}: the first line is its name", done)
    head, _, example = done.out.partition("\nexample: save as recipe.yaml")
    drawing = head.partition("\nmore\n")[2]
    expect("-->" in drawing, f"{scheme}: a drawing of who teaches whom", done)
    for name, option in options.items():
        expect(f"    {name}: {option['type']}" in head and words(option["help"]) in words(head), f"{scheme}: option {name}", done)
    path = write(f"{scheme}-example.yaml", example.partition("\n\n")[2])
    sets = [f"data={DATA}", "student.train.batch=20", "student.train.steps=8", "baseline=false"]
    if "\nteacher:" in example:
        sets += ["teacher.train.batch=20", "teacher.train.steps=2"]
    done = run("distill", path, "-o", f"{scheme}-example", "--quiet", *(word for one in sets for word in ("--set", one)))
    expect(done.status == 0, f"{scheme}: its example runs", done)


def others(scheme, name, option):
    """Values that are not the default."""
    for key in ((scheme, name), (None, name)):
        if key in OTHERS:
            return [OTHERS[key]]
    default, kind = option.get("default"), option["type"]
    if option.get("values"):
        return [value for value in option["values"] if value != default]
    if kind == "boolean":
        return ["false" if default else "true"]
    if kind == "integer":
        return [str(default + 1)]
    larger, most = 1.5 * default + 0.25, option.get("max", float("inf"))
    return [str(larger if larger < most else (default + most) / 2)]


def learnt(name, scheme, options):
    """Every loss and every tensor of a run."""
    path = write(f"{name}.yaml", recipe(scheme, options, train="epochs: 4, batch: 20", data=DATA, more="baseline: false\nseeds: [0]\n"))
    done = run("distill", path, "-o", name, "--quiet")
    expect(done.status == 0, f"{scheme} {options} runs", done)
    if done.status != 0:
        return None
    found = [file.removesuffix(".safetensors") for file in sorted(os.listdir(f"{name}/models"))]
    return losses(name), {model: weights(name, model) for model in found}


def check_options(scheme, options):
    usual = {"": learnt(f"{scheme}-usual", scheme, "")}
    for name, option in options.items():
        beside = BESIDE.get((scheme, name), "")
        if beside not in usual:
            usual[beside] = learnt(f"{scheme}-beside-{name}", scheme, beside)
        for i, value in enumerate(others(scheme, name, option)):
            changed = learnt(f"{scheme}-{name}-{i}", scheme, f"{name}: {value}{', ' if beside else ''}{beside}")
            expect(changed != usual[beside], f"{scheme}: {name}: {value} changes nothing")


def main():
    found = schemes()
    expect(len(found) >= 12, f"schemes: {list(found)}")
    side_by_side(check_help, *found.items())
    side_by_side(check_options, *found.items())
    finish()


main()
