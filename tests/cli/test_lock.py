#!/usr/bin/python3
"""Two processes in one folder: the second is refused with a message and changes nothing; the first goes on."""
import os
import signal
import subprocess
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import small_data  # noqa: E402
from retort import PROGRAM, expect, fails, finish, run  # noqa: E402

RECIPE = """
teacher: {network: {name: mlp, widths: [16]}, train: {epochs: 40, batch: 32}}
student: {network: {name: mlp, widths: [8]}, train: {epochs: 4, batch: 32}}
seeds: [0]
"""


def main():
    with open("recipe.yaml", "w", encoding="utf-8") as file:
        file.write(f"data: {small_data.make()}{RECIPE}")
    with subprocess.Popen([PROGRAM, "distill", "recipe.yaml", "-o", "run"], stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                          text=True) as first:
        first.stderr.readline()  # at work
        first.send_signal(signal.SIGSTOP)
        for words in (["--resume", "run"], ["recipe.yaml", "-o", "run", "--force"]):
            fails(1, ["distill", *words], "retort: run: another process is at work in this folder", "-o")
        first.send_signal(signal.SIGCONT)
        first.communicate()
        expect(first.returncode == 0, f"the first ends well: {first.returncode}")
    done = run("distill", "--resume", "run", "--quiet")
    expect(done.status == 0, "the folder is free again", done)
    finish()


main()
