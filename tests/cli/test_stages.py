#!/usr/bin/python3
"""Stages, and what they leave: layers that are chosen, stages one after another, a student that a method extends.

What is exported is the student alone, by name and shape; `simkd` adds its projector and the teacher's own classifier, and what NumPy
computes from that file is what predict gives. A run that is resumed in the middle of its stages ends as one that was not."""
import gzip
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
from retort import PROGRAM, expect, finish, run  # noqa: E402

RECIPE = """data: {data}
teacher: {{network: {{name: cnn, widths: [6, 8, 12], dropout: 0.2}}, train: {{epochs: 2, batch: 32, optimiser: {{name: sgd, rate: 0.1}}}}}}
student: {{network: {{name: cnn, widths: [3, 4, 5]}}, train: {{epochs: {epochs}, batch: 32, optimiser: {{name: sgd, rate: 0.1}}}}}}
distill: {distill}
baseline: {baseline}
"""
STAGED = """
  stages:
    - {name: paraphraser, epochs: 1, losses: [{method: ft, stage: paraphraser, own_rate: 0.1}]}
    - {name: hints, epochs: 1, losses: [{method: fitnet, student: [relu2], teacher: [relu2]}]}
    - losses: [{method: labels}, {method: ft, weight: auto, share: 0.5}, {method: kd, weight: auto, share: 0.2}]"""


def write(name, data, distill, epochs=2, baseline="false"):
    with open(name, "w", encoding="utf-8") as file:
        file.write(RECIPE.format(data=data, distill=distill, epochs=epochs, baseline=baseline))


def check_extended_student(data):
    write("simkd.yaml", data, "{losses: [{method: simkd}]}")
    done = run("distill", "simkd.yaml", "-o", "simkd", "--json")
    expect(done.status == 0, "simkd runs without labels", done)
    expect("part of the student" in done.err, "the block says that the projector stays", done)
    student, teacher = numpy_model.tensors("simkd/models/distilled-0.safetensors"), numpy_model.tensors("simkd/models/teacher.safetensors")
    expect(np.array_equal(student["head_linear1.weight"], teacher["linear1.weight"]), "the classifier is the teacher's")
    expect(student["projector1.weight"].shape == (6, 6, 3, 3), "the projector is there, Ct/2 wide")
    expect("linear1.weight" not in student, "the student's own classifier is not")
    expect(not np.array_equal(student["projector2_bn.running_mean"], np.zeros(12)), "its norms have seen data")
    done = run("predict", "simkd/models/distilled-0.safetensors", "--data", "simkd/recipe.yaml", "--out", "logits.npy")
    expect(done.status == 0, "predict", done)
    with gzip.open("test-images.gz") as file:
        images = np.frombuffer(file.read()[16:], np.uint8).reshape(-1, 1, 12, 12) / 255
    inspected = run("inspect", "simkd/models/distilled-0.safetensors", "--json").document()
    expected = numpy_model.logits(inspected, student, images)
    expect(np.abs(np.load("logits.npy") - expected).max() < 1e-4 * max(1, np.abs(expected).max()), "NumPy agrees")
    entry = run("distill", "--resume", "simkd", "--json").document()["stages"][-1]
    expect(entry["parameters"] == sum(v.size for k, v in student.items() if "running" not in k), "its parameters are counted")


def check_stages(data):
    write("staged.yaml", data, STAGED, epochs=4, baseline="true")
    done = run("distill", "staged.yaml", "-o", "staged", "--json")
    expect(done.status == 0, "stages run", done)
    names = [stage["name"] for stage in done.document()["stages"]]
    expect(names == ["teacher", "alone-0", "paraphraser-0", "hints-0", "distilled-0"], f"stages in order, found {names}")
    epochs = [stage["epochs"] for stage in done.document()["stages"]]
    expect(epochs == [2, 4, 1, 1, 2], f"the last stage has the epochs that are left, found {epochs}")
    expect("paraphraser-0 learns from" in done.err and "student receives no gradient" in done.err, "who learns", done)
    expect("ft: weight" in done.err and "is 50% of the gradients' norms" in done.err, "weights are found by shares", done)
    alone, distilled = numpy_model.tensors("staged/models/alone-0.safetensors"), numpy_model.tensors("staged/models/distilled-0.safetensors")
    expect({k: v.shape for k, v in alone.items()} == {k: v.shape for k, v in distilled.items()},
           "what methods learn for themselves is not exported")
    initial, hinted = numpy_model.tensors("staged/models/paraphraser-0.safetensors"), numpy_model.tensors("staged/models/hints-0.safetensors")
    moved = [k for k in initial if not np.array_equal(initial[k], hinted[k])]
    expect("conv1.weight" in moved and "conv3.weight" not in moved and "linear1.weight" not in moved,
           f"hints move the layers in front of them alone, found {moved}")
    with open("staged/recipe.yaml", encoding="utf-8") as file:
        text = file.read()
    expect("student: [relu2]" in text and "taps" not in text, "the resolved recipe names the layers")
    with open("staged/report.html", encoding="utf-8") as file:
        taught = file.read().partition("What taught the student")[2].partition("</section>")[0]
    expect("Stage distilled-0." in taught and all(f'<th scope="row">{name}</th>' in taught for name in ("labels", "ft", "kd")) and
           "50.00%" in taught and "hints-0" not in taught, "the report shows each loss of a stage that has several")
    again = run("distill", "staged/recipe.yaml", "-o", "again", "--json")
    expect(again.status == 0 and np.array_equal(numpy_model.tensors("again/models/distilled-0.safetensors")["conv1.weight"],
                                                distilled["conv1.weight"]), "the resolved recipe gives the same", again)
    return distilled


def check_kill(data, expected):
    """Killed as soon as a stage has left its model, and again in the last one."""
    write("killed.yaml", data, STAGED, epochs=4, baseline="true")
    for after in ("paraphraser-0", "hints-0"):
        words = ["--resume", "killed"] if os.path.exists("killed/recipe.yaml") else ["killed.yaml", "-o", "killed"]
        process = subprocess.Popen([PROGRAM, "distill", *words, "--quiet"])
        while process.poll() is None and not os.path.exists(f"killed/models/{after}.safetensors"):
            time.sleep(0.002)
        process.send_signal(signal.SIGKILL)
        process.wait()
    done = run("distill", "--resume", "killed", "--json")
    expect(done.status == 0, "resumes", done)
    found = numpy_model.tensors("killed/models/distilled-0.safetensors")
    expect(all(np.array_equal(found[k], expected[k]) for k in expected), "a killed run ends in the same bits", done)


def main():
    data = small_data.make()
    check_extended_student(data)
    check_kill(data, check_stages(data))
    for folder in ("simkd", "staged", "again", "killed"):
        shutil.rmtree(folder, ignore_errors=True)
    finish()


main()
