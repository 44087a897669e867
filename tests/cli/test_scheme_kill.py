#!/usr/bin/python3
"""kill -9 at random moments, with every scheme: --resume gives the models, figures and record of a run that nobody killed."""
import json
import os
import random
import shutil
import signal
import subprocess
import sys
import time

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import small_data  # noqa: E402
from retort import PROGRAM, expect, finish, run  # noqa: E402
from run_folder import details, losses, models  # noqa: E402
from scheme_case import recipe, schemes, side_by_side, write  # noqa: E402

KILLS = 2
# What else is tried, beside the defaults: what a stage keeps of its own, or several stages.
MORE = {"kdcl": ["ensemble: linear, peers: 3"], "codistillation": ["exchange: 7, peers: 3, burn_in: 0.5"], "tf-kd": ["from: self"],
        "ema": ["loss: mse, decay: 0.9"], "snapshot": ["cycles: 3"], "online-teacher": ["mutual: true"],
        "dml": ["losses: [{method: labels}, {method: kd}, {method: fitnet, weight: auto, share: 0.1}]"]}


def figures(folder):
    """What result.json says of the models; not how long it took."""
    with open(f"{folder}/result.json", encoding="utf-8") as file:
        found = json.load(file)
    timed = {"seconds", "samples_per_second"}
    return [{key: value for key, value in stage.items() if key not in timed} for stage in found["stages"]]


def kill(name, path, seed):
    moments, whole, folder = random.Random(seed), f"{name}-whole", f"{name}-run"
    homes = [{**os.environ, "XDG_CACHE_HOME": os.path.abspath(f"{each}-cache")} for each in (whole, folder)]
    begin = time.monotonic()
    done = run("distill", path, "-o", whole, "--quiet", env=homes[0])
    seconds = time.monotonic() - begin
    expect(done.status == 0, f"{name}: the run", done)
    killed, words = 0, ["distill", path, "-o", folder, "--quiet"]
    for tries in range(6 * KILLS):
        if killed == KILLS:
            break
        with subprocess.Popen([PROGRAM, *words], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, env=homes[1]) as child:
            time.sleep(moments.uniform(0.1, 0.8) * seconds / (1 + tries // 3))
            child.send_signal(signal.SIGKILL)
            child.communicate()
        if os.path.exists(f"{folder}/result.json"):  # it came through: begin again
            expect(models(folder) == models(whole), f"{name}: resumed: the same bits")
            shutil.rmtree(folder)
            words = ["distill", path, "-o", folder, "--quiet"]
        elif os.path.exists(f"{folder}/recipe.yaml"):
            killed += 1
            words = ["distill", "--resume", folder, "--quiet"]
    done = run(*words, env=homes[1])
    expect(done.status == 0, f"{name}: resumed to the end", done)
    expect(models(folder) == models(whole), f"{name}: the same bits as a run that nobody killed")
    expect(figures(folder) == figures(whole), f"{name}: the same figures")
    expect(losses(whole) and losses(folder) == losses(whole), f"{name}: the same record")
    expect(details(folder) == details(whole), f"{name}: the same arrays and layers")
    for each in (whole, folder):
        shutil.rmtree(each)
    return killed


def main():
    seed = int(os.environ.get("RETORT_SEED", time.time_ns() % 1_000_000))
    print(f"RETORT_SEED={seed}")
    data = small_data.make(train=400, test=40)
    cases = []
    for scheme in schemes():
        for number, options in enumerate(["", *MORE.get(scheme, [])]):
            name = f"{scheme}-{number}"
            text = recipe(scheme, options, train="epochs: 12, batch: 20", data=data, more="seeds: [0]\n")
            cases.append((name, write(f"{name}.yaml", text), seed + len(cases)))
    killed = side_by_side(kill, *cases)
    print(f"{sum(killed)} of {KILLS * len(cases)} kills came in time")
    expect(sum(killed) > KILLS * len(cases) / 4, f"only {sum(killed)} kills came in time")
    finish()


main()
