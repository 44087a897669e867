#!/usr/bin/python3
"""kill -9 at random moments: --resume gives the bits of a run that nobody killed, models and record alike."""
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

KILLS = 12
STUDENT = """
student: {network: {name: cnn, widths: [4, 6], dropout: 0.1}, train: {epochs: 8, batch: 32, optimiser: {name: sgd, rate: 0.05}}}
"""
TEACHER = "{network: {name: cnn, widths: [8, 8], dropout: 0.2}, train: {epochs: %d, batch: 32}%s}"
LOSSES = "losses: [{method: labels, weight: 0.5}, {method: kd, temperature: 2, weight: 0.5}]"
RECIPES = {
    "one": STUDENT + f"teacher: {TEACHER % (8, '')}\ndistill: {{{LOSSES}}}\nseeds: [0, 1]\n",
    # An ensemble, whose record of many views takes a third of the time, and a chain of two assistants.
    "chain": STUDENT + f"""
teacher: {TEACHER % (3, ', members: 2')}
distill:
  {LOSSES}
  views: 120
  cache: true
  assistants:
    - {{network: {{name: cnn, widths: [6, 8]}}, train: {{epochs: 9, batch: 32}}}}
    - {{network: {{name: mlp, widths: [12]}}, train: {{epochs: 4, batch: 32}}}}
seeds: [0]
""",
}


def kill(name, moments):
    """Kills a run of the recipe again and again; each time it has come through it is compared with one that nobody killed."""
    recipe, whole, folder = f"{name}.yaml", f"{name}-whole", f"{name}-run"
    with open(recipe, "w", encoding="utf-8") as file:
        file.write(f"data: {small_data.make()}{RECIPES[name]}".replace("validation: 100}", "validation: 100, augment: {crop: 1, cutout: 3}}"
                                                                       if name == "chain" else "validation: 100}"))
    begin = time.monotonic()
    done = run("distill", recipe, "-o", whole, "--quiet", env={**os.environ, "XDG_CACHE_HOME": os.path.abspath(f"{whole}-cache")})
    seconds = time.monotonic() - begin
    expect(done.status == 0, "the run", done)
    killed = 0
    words = begun = ["distill", recipe, "-o", folder, "--quiet"]
    for _ in range(KILLS):
        if os.path.exists(f"{folder}/result.json"):  # it came through: begin again
            expect(models(folder) == models(whole), "a resumed run: the same bits")
            shutil.rmtree(folder)
            shutil.rmtree(os.environ["XDG_CACHE_HOME"], ignore_errors=True)
            words = begun
        with subprocess.Popen([PROGRAM, *words], stdout=subprocess.DEVNULL, stderr=subprocess.PIPE) as child:
            time.sleep(moments.uniform(0, 0.6 * seconds))
            child.send_signal(signal.SIGKILL)
            child.communicate()
            killed += child.returncode == -signal.SIGKILL
        if os.path.exists(f"{folder}/recipe.yaml"):
            words = ["distill", "--resume", folder, "--quiet"]
    done = run(*words)
    expect(done.status == 0, "resumed to the end", done)
    expect(killed > KILLS / 4, f"only {killed} kills came in time")
    expect(models(folder) == models(whole), "the same bits as a run that nobody killed")
    expect(losses(folder) == losses(whole), "the same record as a run that nobody killed")
    expect(details(whole) and details(folder) == details(whole), "the same arrays and layers, too")
    done = run("distill", "--resume", folder, "--quiet")
    expect(done.status == 0 and models(folder) == models(whole), "resuming a finished run changes nothing", done)
    print(f"{name}: {killed} of {KILLS} kills came in time, of a run of {seconds:.1f} s")


def main():
    seed = int(os.environ.get("RETORT_SEED", time.time_ns() % 1_000_000))
    print(f"RETORT_SEED={seed}")
    moments = random.Random(seed)
    for name in RECIPES:
        kill(name, moments)
    finish()


if __name__ == "__main__":
    main()
