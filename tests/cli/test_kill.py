#!/usr/bin/python3
"""kill -9 at random moments: --resume gives the bits of a run that nobody killed, models and record alike."""
import os
import random
import shutil
import signal
import sqlite3
import subprocess
import sys
import time

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import small_data  # noqa: E402
from retort import PROGRAM, expect, finish, run  # noqa: E402

KILLS = 20
RECIPE = """
teacher: {network: {name: cnn, widths: [8, 8], dropout: 0.2}, train: {epochs: 8, batch: 32}}
student: {network: {name: cnn, widths: [4, 6], dropout: 0.1}, train: {epochs: 8, batch: 32, optimiser: {name: sgd, rate: 0.05}}}
distill: {losses: [{method: labels, weight: 0.5}, {method: kd, temperature: 2, weight: 0.5}]}
seeds: [0, 1]
"""


def models(folder):
    found = {}
    for name in sorted(os.listdir(f"{folder}/models")):
        if name.endswith(".safetensors"):
            with open(f"{folder}/models/{name}", "rb") as file:
                found[name] = file.read()
    return found


def losses(folder):
    with sqlite3.connect(f"{folder}/record.sqlite") as record:
        return record.execute("SELECT stage, epoch, step, split, name, value FROM metrics ORDER BY stage, split, name, step").fetchall()


def details(folder):
    with sqlite3.connect(f"{folder}/record.sqlite") as record:
        return (record.execute("SELECT stage, name, element, shape, data FROM arrays ORDER BY stage, name").fetchall() +
                record.execute("SELECT * FROM layers ORDER BY stage, place").fetchall())


def main():
    seed = int(os.environ.get("RETORT_SEED", time.time_ns() % 1_000_000))
    print(f"RETORT_SEED={seed}")
    moments = random.Random(seed)
    with open("recipe.yaml", "w", encoding="utf-8") as file:
        file.write(f"data: {small_data.make()}{RECIPE}")
    begin = time.monotonic()
    done = run("distill", "recipe.yaml", "-o", "whole", "--quiet")
    whole = time.monotonic() - begin
    expect(done.status == 0, "the run", done)
    killed = 0
    words = ["distill", "recipe.yaml", "-o", "run", "--quiet"]
    for _ in range(KILLS):
        if os.path.exists("run/result.json"):  # it came through: begin again
            expect(models("run") == models("whole"), "a resumed run: the same bits")
            shutil.rmtree("run")
            words = ["distill", "recipe.yaml", "-o", "run", "--quiet"]
        with subprocess.Popen([PROGRAM, *words], stdout=subprocess.DEVNULL, stderr=subprocess.PIPE) as child:
            time.sleep(moments.uniform(0, 0.6 * whole))
            child.send_signal(signal.SIGKILL)
            child.communicate()
            killed += child.returncode == -signal.SIGKILL
        if os.path.exists("run/recipe.yaml"):
            words = ["distill", "--resume", "run", "--quiet"]
    done = run(*words)
    expect(done.status == 0, "resumed to the end", done)
    expect(killed > KILLS / 4, f"only {killed} kills came in time")
    expect(models("run") == models("whole"), "the same bits as a run that nobody killed")
    expect(losses("run") == losses("whole"), "the same record as a run that nobody killed")
    expect(details("whole") and details("run") == details("whole"), "the same arrays and layers, too")
    done = run("distill", "--resume", "run", "--quiet")
    expect(done.status == 0 and models("run") == models("whole"), "resuming a finished run changes nothing", done)
    print(f"{killed} of {KILLS} kills came in time")
    finish()


if __name__ == "__main__":
    main()
