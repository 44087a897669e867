#!/usr/bin/python3
"""retort sweep: a run for every combination, named after what varies; what runs have in common is trained once, and each
run's models are nevertheless those of the run alone; kills, interruptions and failures cost only what they hit."""
import json
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
from retort import PROGRAM, expect, fails, finish, run  # noqa: E402

RECIPE = """
teacher: {network: {name: mlp, widths: [24]}, train: {epochs: 8, batch: 32}}
student: {network: {name: mlp, widths: [4]}, train: {epochs: 4, batch: 32, optimiser: {name: sgd, rate: 0.05}}}
distill: {losses: [{method: labels, weight: 0.5}, {method: kd, temperature: 2, weight: 0.5}]}
seeds: [0, 1]
"""
TEMPERATURES = ["--set", "distill.losses.1.temperature=1,4"]
GRID = [*TEMPERATURES, "--set", "student.network.widths=[4],[3]"]
NAMES = [f"recipe_temperature-{t}_widths-{w}" for t in (1, 4) for w in (4, 3)]


def read(path):
    with open(path, "rb") as file:
        return file.read()


def document(folder, name="sweep.json"):
    return json.loads(read(f"{folder}/{name}"))


def models(folder, tensors_alone=False):
    """Every model of every run; tensors_alone: without the header, which says what recipe a model is from."""
    found = {}
    for name in sorted(os.listdir(folder)):
        for model in sorted(os.listdir(f"{folder}/{name}/models")):
            if not model.endswith(".safetensors"):
                continue
            data = read(f"{folder}/{name}/models/{model}")
            found[name, model] = data[8 + int.from_bytes(data[:8], "little"):] if tensors_alone else data
    return found


def metrics(folder):
    with sqlite3.connect(f"{folder}/record.sqlite") as record:
        return (record.execute("SELECT * FROM metrics ORDER BY stage, split, name, step").fetchall(),
                record.execute("SELECT stage, name, shape, data FROM arrays ORDER BY stage, name").fetchall(),
                record.execute("SELECT name, role, seed, parameters, steps FROM stages ORDER BY name").fetchall())


def stamps(folder):
    """When each file of the folder was written."""
    return {os.path.join(at, name): os.stat(os.path.join(at, name)).st_mtime_ns
            for at, _, names in os.walk(folder) for name in names}


def trained(done):
    """The stages that were trained, as the progress tells."""
    return sorted(line.split(":")[0].split("/")[1] for line in done.err.splitlines() if line.endswith(", done"))


def check_grid():
    done = run("sweep", "recipe.yaml", *GRID, "-o", "grid")
    expect(done.status == 0, "the sweep", done)
    sweep = document("grid")
    expect([r["name"] for r in sweep["runs"]] == NAMES, "names: the recipe's, and what varies", done)
    expect(sweep["runs"][1]["set"] == {"distill.losses.1.temperature": 1, "student.network.widths": [3]}, "values set")
    expect(sorted(os.listdir("grid/runs")) == sorted(NAMES) and all(name in done.out for name in NAMES), "a folder and a row each", done)
    # Trained once: the teacher of all, and the students alone of each width and seed.
    expect(trained(done) == sorted(["teacher"] + 2 * ["alone-0", "alone-1"] + 4 * ["distilled-0", "distilled-1"]), "shared", done)
    expect(len(os.listdir("grid/shared")) == 5, "a folder for each shared stage")
    for entry in sweep["runs"]:
        result = document(f"grid/{entry['folder']}", "result.json")
        stages = {stage["name"]: stage for stage in result["stages"]}
        expect(entry["state"] == "done" and entry["error"] is None, "done")
        expect(list(stages) == ["teacher", "alone-0", "distilled-0", "alone-1", "distilled-1"], "every stage is in every result")
        expect(stages["teacher"]["shared"] in entry["shared"] and "shared" not in stages["distilled-0"], "where it comes from")
        for side in ("alone", "distilled"):
            expect(entry[side] == {k: result["comparison"][side][k] for k in ("mean", "std")}, f"{side} of the run")
        expect(entry["gain"]["low"] == result["comparison"]["gain"]["low"], "its gain")
        expect(entry["parameters"] == stages["alone-0"]["parameters"] and entry["macs"] > 0 < entry["seconds"], "its cost")
        expect(os.path.exists(f"grid/{entry['folder']}/report.html"), "its own report")
    page = read("grid/report.html").decode()
    order = sorted(NAMES, key=lambda name: -next(r["gain"]["mean"] for r in sweep["runs"] if r["name"] == name))
    places = [page.index(f">{name}<small>") for name in order]
    expect(places == sorted(places), "the report: the largest gain first")
    expect('id="costs"' in page and "<script src" not in page and "<link" not in page, "a chart of costs; one file")
    places = [done.out.index(name) for name in order]
    expect(places == sorted(places), "the table: likewise", done)


def check_same_as_alone():
    """A run of a sweep is, to the bit, what `retort distill` makes of its recipe."""
    for name in NAMES[1:3]:
        done = run("distill", f"grid/recipes/{name}.yaml", "-o", f"single/{name}", "--quiet")
        expect(done.status == 0, "alone", done)
        expect(metrics(f"grid/runs/{name}") == metrics(f"single/{name}"), f"{name}: curves and details of the run alone")
        mine, own = document(f"grid/runs/{name}", "result.json"), document(f"single/{name}", "result.json")
        expect(mine["comparison"] == own["comparison"], f"{name}: the comparison of the run alone")
        for a, b in zip(mine["stages"], own["stages"]):
            expect(all(a[k] == b[k] for k in b if k not in ("seconds", "samples_per_second")), f"{name}: {a['name']}: its entry")
    both = models("single", True)
    expect(both and both == {key: model for key, model in models("grid/runs", True).items() if key in both}, "models of the run alone")


def check_jobs():
    done = run("sweep", "recipe.yaml", *GRID, "-o", "jobs", "--jobs", "2", "--json")
    expect(done.status == 0, "side by side", done)
    expect(models("jobs/runs") == models("grid/runs"), "side by side: the same bits")
    expect(trained(done).count("teacher") == 1 and trained(done).count("alone-0") == 2, "and shared all the same", done)
    told, written = done.document(), document("jobs")
    expect(told.pop("report") == "jobs/report.html" and told == written, "--json: sweep.json, and the report", done)
    figures = ("name", "set", "teacher", "alone", "distilled", "gain", "verdict", "parameters", "macs", "shared")
    for a, b in zip(written["runs"], document("grid")["runs"]):
        expect(all(a[k] == b[k] for k in figures), f"{a['name']}: the same figures")


def check_again():
    before = stamps("grid/runs"), stamps("grid/shared"), read("grid/sweep.json")
    for words in (["recipe.yaml", *GRID, "-o", "grid"], ["--resume", "grid"]):
        done = run("sweep", *words)
        expect(done.status == 0 and trained(done) == [] and NAMES[0] in done.out, "again: nothing is trained", done)
    expect(before == (stamps("grid/runs"), stamps("grid/shared"), read("grid/sweep.json")), "and no file is written")
    fails(2, ["sweep", "recipe.yaml", *TEMPERATURES, "-o", "grid"], "grid: there is another sweep in it", "--resume grid", "--force")
    done = run("sweep", "recipe.yaml", *GRID, "-o", "grid", "--force")
    expect(done.status == 0 and trained(done).count("teacher") == 1 and len(trained(done)) == 13, "--force: all of it", done)
    expect(models("grid/runs") == models("jobs/runs"), "--force: the same bits")
    done = run("sweep", "--resume", "grid")
    expect(done.status == 0 and trained(done) == [], "a forced sweep is resumed, not forced again", done)


def check_kills():
    """SIGKILL at random moments."""
    seed = int(os.environ.get("RETORT_SEED", time.time_ns() % 1_000_000))
    print(f"RETORT_SEED={seed}")
    moments, killed, teacher, finished = random.Random(seed), 0, {}, {}
    begin = time.monotonic()
    run("sweep", "recipe.yaml", *GRID, "-o", "timed", "--quiet")
    whole = time.monotonic() - begin
    for i in range(12):
        words = ["--resume", "killed"] if os.path.exists("killed/sweep.json") and i % 2 else ["recipe.yaml", *GRID, "-o", "killed"]
        with subprocess.Popen([PROGRAM, "sweep", *words, "--quiet", "--jobs", str(1 + i % 3 // 2)],
                              stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as child:
            time.sleep(moments.uniform(0.02, 0.15 * whole))
            child.send_signal(signal.SIGKILL)
            child.communicate()
            killed += child.returncode == -signal.SIGKILL
        now = {path: stamp for path, stamp in stamps("killed").items() if "partial" not in path} if os.path.exists("killed") else {}
        expect(all(now.get(path) == stamp for path, stamp in {**teacher, **finished}.items()), "nothing finished is done again")
        teacher = {path: stamp for path, stamp in now.items() if "shared/teacher" in path and path.endswith(".safetensors")
                   and "/models/" in path and os.path.exists(f"killed/runs/{NAMES[0]}/models/teacher.safetensors")}
        finished = {path: stamp for path, stamp in now.items() if path.endswith("result.json")}
    done = run("sweep", "--resume", "killed", "--quiet")
    expect(done.status == 0, "resumed to the end", done)
    expect(killed > 3, f"only {killed} kills came in time")
    expect(models("killed/runs") == models("timed/runs"), "the same bits as a sweep that nobody killed")
    for name in NAMES:
        expect(metrics(f"killed/runs/{name}") == metrics(f"timed/runs/{name}"), f"{name}: the same record")
    print(f"{killed} of 12 kills came in time")


def check_interrupt():
    words = [PROGRAM, "sweep", "recipe.yaml", *TEMPERATURES, "--set", "student.train.epochs=60", "-o", "stopped", "--jobs", "2"]
    with subprocess.Popen(words, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as child:
        for _ in range(20):
            child.stderr.readline()
        child.send_signal(signal.SIGSTOP)
        fails(1, ["sweep", "--resume", "stopped"], "retort: stopped: another process is at work in this folder")
        child.send_signal(signal.SIGINT)
        child.send_signal(signal.SIGCONT)
        out, err = child.communicate()
    expect(child.returncode == 130 and out == "", f"interrupted: status {child.returncode}, {err[-300:]}")
    expect("retort sweep --resume stopped" in err.splitlines()[-1], f"how to go on: {err[-300:]}")
    done = run("sweep", "--resume", "stopped")
    expect(done.status == 0 and document("stopped")["runs"][1]["state"] == "done", "resumed", done)


def check_failure():
    words = ["sweep", "recipe.yaml", "--set", "student.train.optimiser.rate=0.05,1e6,0.01", "-o", "failing"]
    done = run(*words)
    expect(done.status == 1, "a failing run: status 1 at the end", done)
    expect([r["state"] for r in document("failing")["runs"]] == ["done", "failed", "done"], "the others go on", done)
    expect("not finite" in document("failing")["runs"][1]["error"] and document("failing")["failed"] == 1, "why, in sweep.json")
    last = done.err.splitlines()[-1]
    expect(last.startswith("retort: 1 of 3 runs failed: recipe_rate-1e6: ") and "not finite" in last, "which, and why", done)
    expect("recipe_rate-0.01 " in done.out and "failed    recipe_rate-1e6: " in done.out, "the table has both", done)
    expect("recipe_rate-1e6: " in read("failing/report.html").decode(), "and so has the report")
    done = run("sweep", "--resume", "failing", "--quiet", "--json")
    expect(done.status == 1 and done.document()["runs"][1]["state"] == "failed", "tried again, failed again", done)
    expect(len(done.err.splitlines()) == 1, "one message", done)
    done = run("sweep", "recipe.yaml", "--set", "student.train.optimiser.rate=1e6", "--set", "seeds=[0]", "-o", "none", "--quiet", "--json")
    expect(done.status == 1 and done.document()["report"] is None, "no run that came to an end: no page", done)


def check_names():
    os.makedirs("other", exist_ok=True)
    shutil.copy("recipe.yaml", "other/recipe.yaml")
    for name in ("train-images.gz", "train-labels", "test-images.gz", "test-labels"):
        shutil.copy(name, f"other/{name}")
    done = run("sweep", "recipe.yaml", "other/recipe.yaml", "--set", "student.train.epochs=1,2", "--set", "teacher.train.epochs=1",
               "--set", "student.network={name: mlp, widths: [2]},{name: mlp, widths: [2, 2]}", "--set", "seeds=[0]", "-o", "names",
               "--quiet", "--csv")
    expect(done.status == 0, "two recipes of one name", done)
    names = [f"recipe_student.train.epochs-{e}_network-name-mlp-widt" for e in (1, 2)]
    found = sorted(os.listdir("names/runs"))
    expect(len(found) == 8 and len(done.out.splitlines()) == 9, "each has a folder, and a line of CSV", done)
    expect(all(len(name) <= 48 and not set(name) & set(" /{}[]:,'\"") for name in found), f"names for files: {found}")
    expect(all(sum(name.startswith(start[:40]) for name in found) == 4 for start in names), f"what varies is in the name: {found}")
    expect({r["recipe"] for r in document("names")["runs"]} == {"recipe.yaml", "other/recipe.yaml"}, "recipes as given")
    done = run("sweep", "recipe.yaml", "--set", "student.network.name='mlp'", "--set", "baseline=false", "--set", "student.train.epochs=1,2",
               "-o", "no-baseline")
    expect(done.status == 0 and document("no-baseline")["runs"][0]["gain"]["mean"] is None, "without baseline there is no gain", done)


def check_teachers():
    """Other teachers: the students alone are shared, and how far they agree is each teacher's."""
    # Teachers that err, so that agreement can differ.
    words = ["--set", "teacher.train.epochs=1", "--set", "teacher.network.widths=[3],[2]", "--set", "precision=f64"]
    done = run("sweep", "recipe.yaml", *words, "-o", "teachers")
    expect(done.status == 0 and trained(done).count("teacher") == 2 and trained(done).count("alone-1") == 1, "students alone are shared", done)
    fidelities = []
    for width in (3, 2):
        name = f"recipe_widths-{width}"
        run("distill", f"teachers/recipes/{name}.yaml", "-o", f"teachers-single/{name}", "--quiet")
        mine, own = (document(f"{folder}/{name}", "result.json")["stages"][1] for folder in ("teachers/runs", "teachers-single"))
        expect(mine["name"] == "alone-0" and mine["fidelity"] == own["fidelity"], f"{name}: fidelity to its own teacher")
        expect(mine["test"] == own["test"], f"{name}: figures of the student alone, in double")
        fidelities.append(mine["fidelity"])
    expect(fidelities[0] != fidelities[1], f"fidelities differ: {fidelities}")
    expect(models("teachers/runs", True) == models("teachers-single", True), "models of the runs alone")


def check_wrong_usage():
    small = ["-o", "wrong", "--quiet"]
    fails(2, ["sweep", "-o", "wrong"], "found no recipe", "retort sweep --help")
    fails(2, ["sweep", "recipe.yaml"], "expected -o DIR")
    fails(2, ["sweep", "recipe.yaml", "--resume", "grid"], "resumed with its own recipes", "found recipe.yaml")
    fails(2, ["sweep", "--resume", "grid", "--set", "a=1"], "found --set as well")
    fails(2, ["sweep", "recipe.yaml", "--jobs", "0", *small], "--jobs: expected an integer from 1")
    fails(2, ["sweep", "recipe.yaml", "--set", "student.train.epoch=1,2", *small], 'no option "epoch"; nearest: "epochs"')
    fails(2, ["sweep", "recipe.yaml", "--set", "student.train.epochs=", *small], "--set student.train.epochs: expected values", "empty")
    fails(2, ["sweep", "recipe.yaml", "--set", "student.train.epochs=1,,2", *small], "--set student.train.epochs: expected values")
    fails(2, ["sweep", "recipe.yaml", "--set", "student.train.epochs", *small], "--set: expected KEY=VALUE,VALUE")
    fails(2, ["sweep", "recipe.yaml", "--set", "student.train.epochs=1,1", *small], "1 stands twice")
    fails(2, ["sweep", "recipe.yaml", "--set", "seeds=[0]", "--set", "seeds=[1]", *small], "--set seeds stands twice")
    fails(2, ["sweep", "recipe.yaml", "--set", "student.train.epochs=3,03", *small], "are the same run")
    fails(2, ["sweep", "recipe.yaml", "recipe.yaml", *small], "recipe and recipe-2 are the same run")
    fails(2, ["sweep", "recipe.yaml", "--set", "student.network.widths=[4],[3", *small], "--set student.network.widths")
    fails(2, ["sweep", "recipe.yaml", "--set", "student.train.batch=32,5000", *small], "student.train.batch: expected at most")
    many = "student.train.epochs=" + ",".join(str(i) for i in range(1, 1002))
    fails(2, ["sweep", "recipe.yaml", "--set", many, *small], "at most 1000 runs")
    fails(1, ["sweep", "none.yaml", *small], "none.yaml")
    with open("broken.yaml", "w", encoding="utf-8") as file:
        file.write("data: [\n")
    fails(2, ["sweep", "recipe.yaml", "broken.yaml", *small], "broken.yaml:")
    expect(not os.path.exists("wrong"), "nothing was begun")
    fails(1, ["sweep", "--resume", "wrong"], "wrong: expected a sweep's folder with sweep.json", "retort sweep RECIPE -o wrong")
    fails(2, ["sweep", "recipe.yaml", "-o", f"single/{NAMES[1]}"], "there is a run in it")


def check_broken_folders():
    """What others did to the folder."""
    os.makedirs("foreign/runs")
    shutil.copytree(f"single/{NAMES[1]}", "foreign/runs/recipe")
    before = stamps("foreign/runs")
    done = run("sweep", "recipe.yaml", "-o", "foreign", "--quiet")
    expect(done.status == 1 and "foreign/runs/recipe: there is a run in it" in done.err, "a run of somebody else", done)
    expect(stamps("foreign/runs") == before, "is left as it was")
    shutil.copytree("grid", "changed")
    with open(f"changed/recipes/{NAMES[0]}.yaml", "a", encoding="utf-8") as file:
        file.write("\n")
    fails(1, ["sweep", "--resume", "changed"], f"changed/recipes/{NAMES[0]}.yaml", "found a changed one")
    for text, part in (("{}", "an id and runs"), ("{", "sweep.json"), ('{"id": "x", "runs": [{"name": "../x"}]}', "of each run")):
        with open("changed/sweep.json", "w", encoding="utf-8") as file:
            file.write(text)
        fails(1, ["sweep", "--resume", "changed"], "changed/sweep.json", part)


def main():
    with open("recipe.yaml", "w", encoding="utf-8") as file:
        file.write(f"data: {small_data.make()}{RECIPE}")
    check_grid()
    check_same_as_alone()
    check_jobs()
    check_again()
    check_kills()
    check_interrupt()
    check_failure()
    check_names()
    check_teachers()
    check_wrong_usage()
    check_broken_folders()
    finish()


main()
