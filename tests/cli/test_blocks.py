#!/usr/bin/python3
"""distill.blocks: blocks of the student learn side by side on the teacher's activations, and are then put together and tuned.

However they are scheduled, recorded, killed or resumed, the bits are the same; each leaves all but its own layers as they were."""
import gzip
import json
import os
import shutil
import signal
import subprocess
import sys
import time

import numpy as np

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import numpy_model  # noqa: E402
import small_data  # noqa: E402
from retort import PROGRAM, expect, fails, finish, run  # noqa: E402
from run_folder import losses, models, weights  # noqa: E402

STUDENT = """
student:
  network:
    layers:
      - {conv: {out: 6, kernel: 3, padding: 1, bias: false}, name: conv1}
      - batch_norm
      - {relu: , name: end1}
      - {max_pool: {kernel: 2}}
      - {conv: {out: 6, kernel: 3, padding: 1, groups: 6, bias: false}, name: depth}
      - {conv: {out: 8, kernel: 1, bias: false}, name: point}
      - batch_norm
      - {relu: , name: end2}
      - {max_pool: {kernel: 2}}
      - {conv: {out: 5, kernel: 3, padding: 1}, name: conv3}
      - relu
      - global_average_pool
      - {linear: {out: 10}}
  train: {epochs: 4, batch: 32, optimiser: {name: sgd, rate: 0.1, weight_decay: 0.01}}
"""
TEACHER = "network: {name: cnn, widths: [6, 8, 12], pools: [1, 2], dropout: 0.2}, train: {epochs: 2, batch: 32, optimiser: {name: sgd, rate: 0.1}}"
BLOCKS = "{student: [end1, end2], teacher: [relu1, relu2]}"
OWN = {"block1": ("conv1", "batch_norm1"), "block2": ("depth", "point", "batch_norm2"), "block3": ("conv3", "linear1")}


def write(name, blocks, teacher=f"{{{TEACHER}}}", student=STUDENT, more=""):
    with open(name, "w", encoding="utf-8") as file:
        file.write(f"data: {small_data.make()}\nteacher: {teacher}{student}distill:\n  blocks: {blocks}\nseeds: [0, 1]\n{more}")


def words(sets):
    return [word for one in sets for word in ("--set", one)]


def distil(recipe, folder, *sets, jobs="0"):
    done = run("distill", recipe, "-o", folder, "--json", "--jobs", jobs, *words(sets))
    expect(done.status == 0, f"{folder} runs", done)
    return {stage["name"]: stage for stage in done.document()["stages"]} if done.status == 0 else {}


def tensors(folder, name):
    return numpy_model.tensors(f"{folder}/models/{name}.safetensors")


def same_models(a, b, what):
    first, second = models(a), models(b)
    expect(list(first) == list(second) and len(first) > 5, f"{what}: the same models")
    for name in first:
        if name != "student.safetensors":
            expect(weights(a, name[:-12]) == weights(b, name[:-12]), f"{what}: the same bits of {name}")


def check_stages():
    found = distil("named.yaml", "named")
    expected = ["teacher"] + [f"{role}-{seed}" for seed in (0, 1) for role in ("alone", "block1", "block2", "block3", "distilled")]
    expect(list(found) == expected, f"stages in order: {list(found)}")
    for name, stage in found.items():
        block = name.startswith("block")
        expect(stage["role"] == name.partition("-")[0], f"{name}: role {stage['role']}")
        expect(stage["epochs"] == (4 if name.startswith("alone") else 2), f"{name}: blocks and tuning share the epochs")
        expect((stage["test"]["accuracy"] is None) == block and (stage["validation"]["loss"] is None) == block,
               f"{name}: half a student is not measured")
    expect(found["block1-0"]["block"] == {"from": None, "to": "end1"} and found["block3-1"]["block"] == {"from": "end2", "to": None} and
           "block" not in found["distilled-0"], "an entry says which layers it is about")
    told = run("distill", "named.yaml", "-o", "told", "--quiet", "--set", "seeds=[0]")
    expect("distilled" in told.out and "block1" not in told.out, "the table has what can be compared", told)
    with open("named/result.json", encoding="utf-8") as file:
        expect(json.load(file)["comparison"]["gain"]["mean"] is not None, "the whole is compared")
    rows = losses("named")
    for block in OWN:
        course = [value for stage, _, _, split, name, value in rows if (stage, split, name) == (f"{block}-0", "train", "loss")]
        expect(len(course) == 30 and np.mean(course[-5:]) < 0.8 * np.mean(course[:5]), f"{block} learns: {course[:3]} {course[-3:]}")
    expect(not any(stage.startswith("block") and split == "validation" for stage, _, _, split, _, _ in rows), "no validation")
    expect(run("report", "named").status == 0, "report")


def check_blocks_keep_to_themselves():
    distil("named.yaml", "initial", "student.train.steps=0")
    start = tensors("initial", "distilled-1")
    expect(weights("initial", "block2-1") == weights("initial", "alone-1") == weights("initial", "distilled-1"), "no steps: the initial values")
    for block, layers in OWN.items():
        moved = {name for name, value in tensors("named", f"{block}-1").items() if not np.array_equal(value, start[name])}
        expect(moved == {name for name in start if name.partition(".")[0] in layers}, f"{block} moves its own alone: {moved}")


def check_assembled():
    """Tuning that moves nothing shows what the student starts with: the layers of each block."""
    still = ("distill.losses=[{method: labels, weight: 0}]", "student.train.optimiser.weight_decay=0", "student.train.shuffle=false",
             "student.train.steps=30", "distill.blocks.epochs=3")
    plain = STUDENT.replace("      - batch_norm\n", "")
    write("plain.yaml", BLOCKS, student=plain)
    distil("plain.yaml", "plain", *still)
    whole = tensors("plain", "distilled-0")
    for block, layers in OWN.items():
        part = tensors("plain", f"{block}-0")
        expect(all(np.array_equal(part[name], whole[name]) for name in whole if name.partition(".")[0] in layers), f"{block} is in the whole")
    expect(not np.array_equal(whole["conv1.weight"], tensors("plain", "block2-0")["conv1.weight"]), "which are different")
    # Running statistics: one step of tuning moves them by a tenth towards those of the first batch.
    distil("named.yaml", "norms", *still[:3], "student.train.steps=4", "distill.blocks.epochs=3")
    begun, ended = tensors("norms", "block1-0"), tensors("norms", "distilled-0")
    expect(np.array_equal(begun["conv1.weight"], ended["conv1.weight"]), "the weights stay")
    with gzip.open("train-images.gz") as file:
        images = np.frombuffer(file.read()[16:], np.uint8).reshape(-1, 12, 12)[:32] / 255
    options = run("inspect", "norms/models/distilled-0.safetensors", "--json").document()["layers"][0]["options"]
    images = np.pad((images - options["mean"]) / options["deviation"], ((0, 0), (1, 1), (1, 1)))
    conv = sum(images[:, None, y:y + 12, x:x + 12] * begun["conv1.weight"][None, :, 0, y, x, None, None] for y in range(3) for x in range(3))
    expected = 0.9 * begun["batch_norm1.running_var"] + 0.1 * conv.var((0, 2, 3), ddof=1)
    expect(np.abs(begun["batch_norm1.running_var"] - 1).max() > 0.05, "the block had moved them")
    expect(np.abs(ended["batch_norm1.running_var"] - expected).max() < 1e-5, "running statistics are the block's, too")


def check_bits():
    distil("named.yaml", "serial", jobs="1")
    same_models("named", "serial", "--jobs 1")
    distil("named.yaml", "pair", jobs="2")
    same_models("named", "pair", "--jobs 2")
    for cache in ("true", "false"):
        distil("named.yaml", f"cache-{cache}", f"distill.cache={cache}")
        same_models("named", f"cache-{cache}", f"cache: {cache}")
    distil("named.yaml", "one-seed", "seeds=[1]")
    expect(weights("one-seed", "distilled-1") == weights("named", "distilled-1"), "a seed depends on no other")
    distil("true.yaml", "true")
    same_models("named", "true", "blocks: true chooses these layers")
    distil("true/recipe.yaml", "resolved")
    same_models("true", "resolved", "the resolved recipe")
    with open("true/recipe.yaml", encoding="utf-8") as file:
        expect("student: [end1, end2]" in file.read(), "which names them")
    live = distil("named.yaml", "seen", "distill.cache=false", "data.augment={crop: 1, cutout: 3}", "distill.views=3")
    distil("named.yaml", "seen-recorded", "distill.cache=true", "data.augment={crop: 1, cutout: 3}", "distill.views=3")
    expect(live and weights("seen", "distilled-0") == weights("seen-recorded", "distilled-0"), "views, recorded and live")


def check_kill():
    """Killed as soon as a block has left its model, again in the last one, and in tuning."""
    for after in ("block1-0", "block3-1", "distilled-0"):
        begun = ["--resume", "killed"] if os.path.exists("killed/recipe.yaml") else ["named.yaml", "-o", "killed"]
        with subprocess.Popen([PROGRAM, "distill", *begun, "--quiet"]) as process:
            while process.poll() is None and not os.path.exists(f"killed/models/{after}.safetensors"):
                time.sleep(0.002)
            process.send_signal(signal.SIGKILL)
    done = run("distill", "--resume", "killed", "--json")
    expect(done.status == 0, "resumes", done)
    same_models("named", "killed", "killed and resumed")
    expect(losses("named") == losses("killed"), "the same record")


def check_with_others():
    """Blocks beside what else a recipe can say."""
    distil("named.yaml", "kept", "student.train.early_stop={patience: 1}", "student.train.average={decay: 0.9}", "seeds=[0]")
    expect(weights("kept", "block1-0") == weights("named", "block1-0"), "blocks are neither averaged nor stopped")
    expect(weights("kept", "distilled-0") != weights("named", "distilled-0"), "the whole is")
    beside = "distill.losses=[{method: kd}, {method: at, student: [end1], teacher: [relu1]}]"
    distil("named.yaml", "maps", beside, "seeds=[0]")
    alone = distil("named.yaml", "logits", "distill.losses=[{method: kd}]", "seeds=[0]")
    expect(weights("maps", "block3-0") == weights("logits", "block3-0"), "the last block learns from what reads logits")
    expect(alone and weights("maps", "distilled-0") != weights("logits", "distilled-0"), "the whole from all")
    one = "named/models/teacher.safetensors"
    write("two.yaml", BLOCKS, teacher=f"[{{model: {one}}}, {{{TEACHER}, seed: 3}}]")
    distil("two.yaml", "two", "seeds=[0]")
    expect(weights("two", "block1-0") == weights("named", "block1-0"), "of several teachers the first gives the activations")
    expect(weights("two", "block3-0") != weights("named", "block3-0"), "and all the logits")
    chain = f"distill.assistants=[{{{TEACHER.replace('12', '10')}}}]"
    distil("named.yaml", "chain", chain, "seeds=[0]")
    expect(weights("chain", "block1-0") != weights("named", "block1-0"), "the assistant gives them")
    cut = "\nstudent: {cut: {width: 1, drop: [dropout*]}, train: {epochs: 2, batch: 32, steps: 0}}\n"
    write("cut.yaml", "true", student=cut)
    distil("cut.yaml", "cut", "seeds=[0]")
    expect(weights("cut", "block2-0") == weights("cut", "teacher") != weights("cut", "alone-0"), "blocks begin with what the student inherits")
    done = run("sweep", "named.yaml", "--set", "distill.blocks=true,false", "--set", "seeds=[0]", "-o", "sweep", "--json")
    expect(done.status == 0, "a sweep", done)
    found = {tuple(sorted(os.listdir(f"sweep/runs/{name}/models"))) for name in os.listdir("sweep/runs")}
    expect({"block1-0.safetensors" in one for one in found} == {True, False}, f"with and without: {found}")
    done = run("train", "named.yaml", "-o", "trained", "--json")
    expect(done.status == 0 and {stage["role"] for stage in done.document()["stages"]} == {"alone"}, "the student alone knows no blocks", done)
    expect(weights("trained", "alone-0") == weights("named", "alone-0"), "and is the same")


RESIDUAL = """
student:
  network:
    layers:
      - {conv: {out: 6, kernel: 3, padding: 1}, name: front}
      - {relu: , name: end1}
      - {conv: {out: 6, kernel: 3, padding: 1}, name: inner}
      - {add: , inputs: [end1, inner], name: sum}
      - global_average_pool
      - {linear: {out: 10}}
  train: {epochs: 4, batch: 32}
"""


def check_refused():
    write("residual.yaml", "{student: inner, teacher: relu1}", student=RESIDUAL)
    write("file.yaml", "true", teacher="{recorded: outputs.npz}")
    done = run("record", "named/models/teacher.safetensors", "--data", "named/recipe.yaml", "--out", "outputs.npz")
    expect(done.status == 0, "record", done)
    fails(2, ("distill", "residual.yaml", "-o", "never"), "residual.yaml:14:21:", "sum reads end1", "behind inner")
    fails(2, ("distill", "file.yaml", "-o", "never"), "file.yaml:21:11:", "expected a teacher that is a network")
    no_kd = "distill.losses=[{method: at, student: [end1], teacher: [relu1]}]"
    for sets, *parts in (("distill.blocks={student: [end1], teacher: [relu2]}", "blocks: expected layers of equal shapes", "end1 [6,12,12] of the student", "relu2 [8,6,6] of the teacher"),
                         ("distill.blocks={student: [end1, end2], teacher: [relu1]}", "found 1 and 2"),
                         ("distill.blocks={student: [end1]}", "found 0 and 1", "name both, or neither"),
                         ("distill.blocks={student: [end9], teacher: [relu1]}", "end9", "nearest"),
                         ("distill.blocks={student: [end1], teacher: [rellu1]}", "rellu1", "nearest: \"relu1\""),
                         ("distill.blocks={student: [end2, end1], teacher: [relu2, relu1]}", "in their order"),
                         ("distill.blocks={student: [end1, end1], teacher: [conv1, relu1]}", "behind end1"),
                         ("distill.blocks={student: [linear1], teacher: [linear1]}", "behind linear1"),
                         ("distill.blocks={student: [end1, max_pool1], teacher: [relu1, max_pool1]}", "something to learn", "behind end1"),
                         ("distill.blocks.epochs=4", "at most 3 of the 4 of student.train.epochs, found 4"),
                         ("student.train.epochs=1", "at least 2 of student.train.epochs"),
                         ("distill.blocks.epoch=1", "epoch", "nearest: \"epochs\""),
                         ("distill.blocks=7", "expected true, false or", "found 7"),
                         (no_kd, "reads the student's logits"),
                         ("distill.stages=[{losses: [{method: kd}]}]", "stages", "leave one of the two out"),
                         ("teacher.network.widths=[7, 9, 12]", "equal shapes")):
        fails(2, ("distill", "named.yaml", "-o", "never", "--set", sets), *parts)
    fails(2, ("distill", "true.yaml", "-o", "never", "--set", "teacher.network.widths=[7, 9, 12]"), "true.yaml:21:11:",
          "found end1 [6,12,12] beside relu1 [7,12,12], end2 [8,6,6] beside relu2 [9,6,6]", "blocks: {student: [LAYER]")
    fails(2, ("distill", "true.yaml", "-o", "never", "--set", "student.network={name: mlp, widths: [8]}"), "blocks: method fitnet", "found 0")
    expect(not os.path.exists("never"), "nothing was begun")


def main():
    write("named.yaml", BLOCKS)
    write("true.yaml", "true")
    check_stages()
    check_blocks_keep_to_themselves()
    check_assembled()
    check_bits()
    check_kill()
    check_with_others()
    check_refused()
    for name in os.listdir("."):
        if os.path.isdir(name):
            shutil.rmtree(name, ignore_errors=True)
    finish()


if __name__ == "__main__":
    main()
