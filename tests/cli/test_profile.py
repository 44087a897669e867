#!/usr/bin/python3
"""--profile says where each stage's time went, changes no bit of what comes out, and is not there unless asked for."""
import os
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import small_data  # noqa: E402
from retort import expect, finish, run  # noqa: E402

BATCH, CONV, HIDDEN, CLASSES, SIDE = 50, 6, 9, 10, 12
NETWORK = (f"{{layers: [{{conv: {{out: {CONV}, kernel: 3, padding: 1}}, name: conv}}, batch_norm, relu, {{conv: {{out: {CONV}, kernel: 3, "
           f"padding: 1}}, name: second}}, global_average_pool, {{linear: {{out: {HIDDEN}}}, name: hidden}}, relu, "
           f"{{linear: {{out: {CLASSES}}}, name: logits}}]}}")
TRAIN = f"{{steps: 7, batch: {BATCH}, optimiser: {{name: sgd, rate: 0.05}}}}"


def close(a, b, relative=1e-6):
    return abs(a - b) <= relative * max(abs(a), abs(b))


def node(profile, phase, layer):
    found = [n for n in profile["nodes"] if n["phase"] == phase and n["layer"].endswith(f".{layer}") and n["flops_per_second"]]
    expect(len(found) == 1, f"expected one node {phase} {layer} with operations to count, found {found}")
    return found[0]


def flops_check(profile, stage):
    convolution = 2 * BATCH * SIDE * SIDE * CONV * 9
    expected = {("forward", "conv"): convolution, ("backward", "conv"): convolution,  # the first layer has no data gradient
                ("forward", "second"): convolution * CONV, ("backward", "second"): 2 * convolution * CONV,
                ("forward", "hidden"): 2 * BATCH * CONV * HIDDEN, ("backward", "hidden"): 4 * BATCH * CONV * HIDDEN,
                ("forward", "logits"): 2 * BATCH * HIDDEN * CLASSES, ("backward", "logits"): 4 * BATCH * HIDDEN * CLASSES}
    total = 0
    for (phase, layer), flops in expected.items():
        at = node(profile, phase, layer)
        total += flops
        expect(close(at["flops_per_second"] * at["seconds"], flops), f"{stage}: {phase} of {layer} is {flops} operations, found {at}")
        expect(close(at["of_peak_flops"] * profile["peak"]["flops_per_second"], at["flops_per_second"]), f"{stage}: {at} against the peak")
    expect(close(profile["flops_per_second"] * profile["seconds"], total), f"{stage}: all together {total}, found {profile}")


def bytes_check(profile, stage):
    """Of a ReLU between two linear layers: x read and y written, forward."""
    relu = [n for n in profile["nodes"] if n["phase"] == "forward" and n["op"] == "relu"]
    sizes = [n["bytes_per_second"] * n["seconds"] for n in relu]
    expect(any(close(size, 2 * 4 * BATCH * HIDDEN) for size in sizes), f"{stage}: a relu moves {8 * BATCH * HIDDEN} bytes, found {sizes}")


def profile_check(stage):
    profile, name = stage["profile"], stage["name"]
    expect(profile["steps"] == 7 and profile["threads"] == 1, f"{name}: 7 steps with one thread, found {profile['steps']}")
    for key in ("flops_per_second", "bytes_per_second", "cached_bytes_per_second"):
        expect(profile["peak"][key] > 1e7, f"{name}: a peak of {profile['peak']}")
    nodes, parts = profile["nodes"], {part["part"]: part for part in profile["parts"]}
    expect([*parts] == ["batch", "program", "optimiser", "record"], f"{name}: parts {[*parts]}")
    expect(close(sum(part["share"] for part in parts.values()), 1), f"{name}: the parts are the whole, found {parts}")
    expect(close(sum(part["seconds"] for part in parts.values()), profile["seconds"]), f"{name}: {parts} of {profile['seconds']}")
    inside = sum(n["seconds"] for n in nodes)
    expect(0 < inside <= parts["program"]["seconds"], f"{name}: nodes of {inside} s in a program of {parts['program']['seconds']} s")
    times = [n["seconds"] for n in nodes]
    expect(times == sorted(times, reverse=True), f"{name}: longest first, found {times}")
    expect({"forward", "backward"} <= {n["phase"] for n in nodes}, f"{name}: both passes")
    if stage["role"] == "alone":
        flops_check(profile, name)
        bytes_check(profile, name)


def models(folder):
    out = {}
    for name in sorted(os.listdir(f"{folder}/models")):
        with open(f"{folder}/models/{name}", "rb") as file:
            out[name] = file.read()
    return out


def main():
    with open("recipe.yaml", "w", encoding="utf-8") as file:
        file.write(f"data: {small_data.make()}\nteacher: {{network: {{name: mlp, widths: [16]}}, train: {TRAIN}}}\n"
                   f"student: {{network: {NETWORK}, train: {TRAIN}}}\n"
                   "distill: {scheme: offline, losses: [{method: labels, weight: 0.5}, {method: kd, weight: 0.5}]}\nseeds: [0]\n")
    plain = run("distill", "recipe.yaml", "-o", "plain", "--json", "--quiet", "--threads", "1")
    expect(plain.status == 0 and not any("profile" in stage for stage in plain.document()["stages"]), "none unless asked for", plain)
    timed = run("distill", "recipe.yaml", "-o", "timed", "--profile", "--json", "--quiet", "--threads", "1")
    expect(timed.status == 0, "--profile --json", timed)
    stages = timed.document()["stages"]
    expect([stage["name"] for stage in stages] == ["teacher", "alone-0", "distilled-0"], f"stages {stages}")
    for stage in stages:
        expect("profile" in stage, f"{stage['name']} has a profile")
        profile_check(stage)
    expect(models("plain") == models("timed"), "the models are the same, bit for bit, with and without --profile")

    text = run("train", "recipe.yaml", "-o", "text", "--profile", "--quiet", "--threads", "1")
    for part in ("profile of alone-0: 7 steps", "peaks:", "us a step", "GFLOP/s", "of peak", "between nodes", "optimiser", "student.second"):
        expect(part in text.out, f"expected '{part}' in the text", text)
    double = run("train", "recipe.yaml", "-o", "double", "--profile", "--json", "--quiet", "--threads", "1", "--set", "precision=f64")
    expect(double.status == 0 and "profile" in double.document()["stages"][0], "in double precision", double)
    wide = run("train", "recipe.yaml", "-o", "wide", "--profile", "--json", "--quiet", "--threads", "2", "--set", "student.train.steps=0")
    expect(wide.status == 0, "a stage without a step has a profile without figures", wide)
    expect(wide.document()["stages"][0]["profile"]["steps"] == 0, "no step", wide)
    finish()


if __name__ == "__main__":
    main()
