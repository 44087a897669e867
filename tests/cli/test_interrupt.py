#!/usr/bin/python3
"""Ctrl-C: however often it comes, the program saves, says how to go on, and ends with 130; --resume then gives the same
bits as a run that nobody interrupted."""
import os
import signal
import subprocess
import sys
import time

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import small_data  # noqa: E402
from retort import PROGRAM, expect, finish, run  # noqa: E402

RECIPE = """
teacher: {network: {name: mlp, widths: [32]}, train: {epochs: 30, batch: 32}}
student: {network: {name: cnn, widths: [4, 6], dropout: 0.1}, train: {epochs: 15, batch: 32, optimiser: {name: sgd, rate: 0.02}}}
seeds: [0, 1]
"""


# Whatever a training keeps beside its weights, and images that depend on others.
OPTIONS = ["--set", "student.train={optimiser: {name: adamw, rate: 0.01}, schedule: {name: step, every: 4}, average: {decay: 0.95}, "
           "early_stop: {patience: 9}, groups: [{layers: ['conv*'], rate: 0.5, decay: false}], epochs: 15, batch: 32}",
           "--set", "data.augment={mixup: 0.4, crop: 1, cutout: 3}"]


def interrupt(folder, words, numbers, lines):
    """Starts a run, waits for some lines of progress, sends the signals one after another. The exit status, the messages."""
    with subprocess.Popen([PROGRAM, *words], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as child:
        seen = [child.stderr.readline() for _ in range(lines)]
        for number in numbers:
            child.send_signal(number)
            time.sleep(0.01)
        out, err = child.communicate()
    message = ("".join(seen) + err).splitlines()[-1]
    if child.returncode == 0:
        print(f"{folder}: finished before the signal; nothing was interrupted")
        return 0
    expect(child.returncode == 130, f"expected status 130, found {child.returncode}: {message}")
    expect(out == "", "nothing on standard output")
    expect(message.startswith("retort: ") and f"--resume {folder}" in message, f"how to go on: {message}")
    return child.returncode


def models(folder):
    found = {}
    for name in sorted(os.listdir(f"{folder}/models")):
        with open(f"{folder}/models/{name}", "rb") as file:
            found[name] = file.read()
    return found


def main():
    with open("recipe.yaml", "w", encoding="utf-8") as file:
        file.write(f"data: {small_data.make()}{RECIPE}")
    for folder, sets in (("whole", []), ("options", OPTIONS)):
        done = run("distill", "recipe.yaml", "-o", folder, "--quiet", *sets)
        expect(done.status == 0, "the run", done)
    interrupted = 0
    cases = {"once": ([signal.SIGINT], 3, "whole", []), "thrice": ([signal.SIGINT] * 3, 10, "whole", []),
             "term": ([signal.SIGTERM], 40, "options", OPTIONS)}
    for folder, (numbers, lines, whole, sets) in cases.items():
        interrupted += interrupt(folder, ["distill", "recipe.yaml", "-o", folder, *sets], numbers, lines) == 130
        interrupted += interrupt(folder, ["distill", "--resume", folder], [signal.SIGINT], 2) == 130
        done = run("distill", "--resume", folder, "--quiet")
        expect(done.status == 0, "resumed", done)
        expect(models(folder) == models(whole), f"{folder}: the same bits as without an interruption", done)
    expect(interrupted > 0, "at least one signal came in time")
    finish()


main()
