#!/usr/bin/python3
"""The program as a user meets it: help, wrong usage, wrong recipes, broken files, what goes to which stream."""
import os
import subprocess
import sys
import time

import numpy as np

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import small_data  # noqa: E402
from retort import PROGRAM, expect, fails, finish, run  # noqa: E402

COMMANDS = ["distill", "train", "sweep", "eval", "predict", "record", "inspect", "loss", "list", "help", "report"]
STUDENT = "student: {network: {name: mlp, widths: [4]}, train: {steps: 2, batch: 16}}\n"


def write(path, text):
    with open(path, "w", encoding="utf-8") as file:
        file.write(text)


def check_help():
    for words in (["--help"], ["-h"], ["help"]):
        done = run(*words)
        expect(done.status == 0 and done.err == "", "help is no error", done)
        for command in COMMANDS:
            expect(f"\n  {command} " in done.out, f"help names {command}", done)
    done = run("--version")
    expect(done.status == 0 and done.out.startswith("retort ") and done.out.count("\n") == 1, "version", done)
    for command in COMMANDS:
        done = run(command, "--help")
        expect(done.status == 0 and done.out.startswith(f"usage: retort {command}"), "help of a command", done)
        for option in ("--threads N", "--quiet", "--no-color", "--help", "default 0"):
            expect(option in done.out, f"{command} --help shows {option}", done)
        expect(run("help", command).out == done.out, f"help {command} is {command} --help", done)
    expect("default test" in run("eval", "--help").out, "a default is shown")
    expect("must be given" in run("predict", "--help").out, "a required option is shown")


def check_speed():
    """`--help` is at most 40 ms slower than /bin/true: nothing is set up for it."""
    def best(words):
        times = []
        for _ in range(15):
            begin = time.perf_counter()
            subprocess.run(words, stdout=subprocess.DEVNULL, check=True)
            times.append(time.perf_counter() - begin)
        return min(times)
    with open(PROGRAM, "rb") as file:
        if b"__asan_init" in file.read():
            print("--help: not timed in a sanitised build")
            return
    slower = best([PROGRAM, "--help"]) - best(["/bin/true"])
    print(f"--help: {1000 * slower:.1f} ms slower than /bin/true")
    expect(slower < 0.04, f"--help is {1000 * slower:.1f} ms slower than /bin/true")


def check_usage():
    fails(2, [], "retort: expected a command")
    fails(2, ["distil"], "retort: no command \"distil\"", "nearest: \"distill\"")
    fails(2, ["zzzzzz"], "retort: no command \"zzzzzz\"")
    fails(2, ["--threds", "1", "list"], "retort: no option --threds", "nearest: --threads")
    fails(2, ["distill"], "retort: expected `retort distill RECIPE`")
    fails(2, ["distill", "a.yaml", "b.yaml"], "retort: expected", "found \"b.yaml\" as well")
    fails(2, ["distill", "a.yaml", "--forse"], "no option --forse", "nearest: --force")
    fails(2, ["distill", "a.yaml", "--force=yes"], "--force takes no value")
    fails(2, ["distill", "a.yaml", "-z"], "no option -z")
    fails(2, ["distill", "a.yaml", "-o"], "--output: expected DIR, found nothing")
    fails(2, ["distill", "a.yaml", "-o", "x", "-o", "y"], "--output is given twice")
    fails(2, ["distill", "a.yaml", "--resume", "x"], "expected --resume DIR alone")
    fails(2, ["distill", "--resume", "x", "--set", "a=1"], "expected --resume DIR alone")
    fails(2, ["distill", "a.yaml", "--jobs", "many"], "--jobs: expected an integer", "found \"many\"")
    fails(2, ["list", "--threads", "-1"], "--threads: expected an integer from 0", "found \"-1\"")
    fails(2, ["list", "--threads", "99999999999999999999"], "--threads: expected an integer")
    fails(2, ["list", "metods"], "no kind \"metods\"", "nearest: \"methods\"")
    fails(2, ["help", "method", "kdd"], "no method \"kdd\"", "nearest: \"kd\"")
    fails(2, ["help", "methud", "kd"], "no kind \"methud\"", "nearest: \"method\"")
    fails(2, ["eval", "m.safetensors"], "expected --data DATA")
    fails(2, ["eval", "m", "--data", "fashion-mnist", "--split", "tests"], "--split: expected train, validation or test", "nearest: \"test\"")
    fails(2, ["eval", "m", "--data", "fashion-mnits"], "no data \"fashion-mnits\"", "nearest: \"fashion-mnist\"")
    fails(2, ["eval", "a,,b", "--data", "fashion-mnist"], "between commas is empty")
    fails(2, ["predict", "m", "--data", "fashion-mnist"], "expected --out FILE.npy")
    fails(2, ["report"], "expected `retort report DIR…`")


def check_recipes(section):
    write("good.yaml", f"data: {section}\n{STUDENT}")
    fails(1, ["train", "missing.yaml"], "retort: ", "missing.yaml")
    write("bad.yaml", f"data: {section}\nstudent:\n  netwrok: {{name: mlp}}\n")
    done = fails(2, ["train", "bad.yaml"], "no option \"netwrok\"", "nearest: \"network\"")
    expect(done.err.startswith("bad.yaml:3:3: "), "FILE:LINE:COLUMN: and no retort:", done)
    write("unknown.yaml", f"data: {section}\nstudent: {{network: {{name: mpl}}, train: {{steps: 1}}}}\n")
    done = fails(2, ["inspect", "unknown.yaml"], "mpl", "nearest: \"mlp\"")
    expect(done.err.startswith("unknown.yaml:2:"), "position", done)
    write("yaml.yaml", "data: [1, 2\n")
    expect(fails(2, ["train", "yaml.yaml"]).err.startswith("yaml.yaml:"), "position of broken YAML")
    fails(2, ["train", "good.yaml", "--set", "student.train.stepz=1"], "--set student.train.stepz", "nearest: \"steps\"")
    fails(2, ["train", "good.yaml", "--set", "student"], "retort: ", "--set")
    fails(2, ["inspect", "good.yaml", "--network", "teacher"], "teacher")
    write("other.yaml", "data: {idx: {train_images: none.gz, train_labels: none}}\n" + STUDENT)
    fails(1, ["train", "other.yaml"], "retort: ", "none.gz")
    write("short.gz", "short")
    write("short.yaml", "data: {idx: {train_images: short.gz}, classes: 3}\n" + STUDENT)
    fails(1, ["train", "short.yaml"], "short.gz")
    expect(not os.path.exists("runs"), "a run that never began leaves no folder")


def check_run(section):
    write("good.yaml", f"data: {section}\n{STUDENT}")
    done = run("train", "good.yaml", "-o", "run")
    expect(done.status == 0, "train", done)
    for part in ("test accuracy", "alone", "run/report.html", "run/models/alone-0.safetensors", "retort inspect", "retort eval"):
        expect(part in done.out, f"the end says {part}", done)
    expect("alone-0: " in done.err and "\033" not in done.err + done.out, "plain lines on standard error", done)
    expect(os.path.exists("run/report.html"), "a report is there")
    fails(2, ["train", "good.yaml", "-o", "run", "--quiet"], "run", "--resume", "--force")
    done = run("train", "good.yaml", "-o", "run", "--force", "--json", "--quiet")
    expect(done.status == 0 and done.err == "", "--quiet says nothing", done)
    with open("run/result.json", encoding="utf-8") as file:
        expect(done.document() == __import__("json").load(file), "--json is result.json", done)
    expect(done.document()["stages"][0]["name"] == "alone-0", "stage", done)
    before = {name: os.stat(f"run/{name}").st_mtime_ns for name in ("result.json", "record.sqlite", "models/alone-0.safetensors")}
    done = run("train", "--resume", "run")
    expect(done.status == 0, "resuming a finished run", done)
    expect(before == {name: os.stat(f"run/{name}").st_mtime_ns for name in before}, "it changes nothing", done)
    done = run("--threads", "1", "inspect", "run/models/alone-0.safetensors", "--json")
    expect(done.status == 0 and done.document()["input"] == [1, 12, 12], "inspect", done)
    expect(done.document()["outputs"]["logits"] == done.document()["layers"][-1]["name"], "logits", done)
    told = run("inspect", "good.yaml", "--json").document()
    expect(told["parameters"] == done.document()["parameters"], "a recipe is inspected like its model")
    plan = run("inspect", "good.yaml", "--plan", "--json")
    expect({s["phase"] for s in plan.document()["steps"]} >= {"forward", "backward"}, "plan", plan)
    expect("reference" not in {s["kernel"] for s in plan.document()["steps"]}, "no reference kernel in a step", plan)
    rows = run("inspect", "good.yaml", "--csv").out.splitlines()
    expect(rows[0].startswith("name,type,") and len(rows) == 1 + len(told["layers"]), "CSV: a line a layer")


def check_models(section):
    write("good.yaml", f"data: {section}\n{STUDENT}")
    model = "run/models/alone-0.safetensors"
    fails(1, ["eval", "none.safetensors", "--data", "good.yaml"], "retort: ", "none.safetensors")
    with open(model, "rb") as file:
        raw = file.read()
    with open("cut.safetensors", "wb") as file:
        file.write(raw[:-5])
    fails(1, ["eval", "cut.safetensors", "--data", "good.yaml"], "cut.safetensors")
    fails(1, ["inspect", "cut.safetensors"], "cut.safetensors")
    with open("nan.safetensors", "wb") as file:
        file.write(raw[:-4] + np.array([np.nan], "<f4").tobytes())
    fails(1, ["eval", "nan.safetensors", "--data", "good.yaml"], "nan.safetensors", "NaN")
    fails(2, ["inspect", model, "--set", "a=1"], "--set is for recipes")
    fails(2, ["predict", model, "--data", "good.yaml", "--split", "tests", "--out", "x.npy"], "--split")
    write("whole.yaml", f"data: {section.replace('validation: 100', 'validation: 0')}\n")
    fails(2, ["eval", model, "--data", "whole.yaml", "--split", "validation"], "validation")
    fails(1, ["predict", model, "--data", "good.yaml", "--out", "no/such/folder/x.npy"], "no/such/folder/x.npy")
    for split, samples in (("train", 500), ("validation", 100), ("test", 200)):
        done = run("eval", model, "--data", "good.yaml", "--split", split, "--json")
        expect(done.status == 0 and done.document()["samples"] == samples, split, done)
        expect(list(done.document()) == ["model", "data", "split", "samples", "accuracy", "top5", "loss", "ece"], "keys", done)
    check_ensemble(model)


def check_ensemble(model):
    for combine, expected in (("mean-logit", lambda z: z.mean(0)),
                              ("mean-probability", lambda z: np.log(np.mean(np.exp(z - np.log(np.exp(z).sum(-1, keepdims=True))), 0)))):
        expect(run("train", "good.yaml", "-o", "two", "--force", "--quiet", "--set", "seeds=[1]").status == 0, "a second model")
        other = "two/models/alone-1.safetensors"
        members = []
        for i, one in enumerate((model, other)):
            run("predict", one, "--data", "good.yaml", "--out", f"m{i}.npy")
            members.append(np.load(f"m{i}.npy").astype(np.float64))
        done = run("predict", f"{model},{other}", "--data", "good.yaml", "--out", "both.npy", "--combine", combine)
        both = np.load("both.npy")
        expect(done.status == 0 and np.abs(both - expected(np.stack(members))).max() < 1e-5, combine, done)
        expect(np.abs(members[0] - members[1]).max() > 1e-3, "the members differ")


def check_streams():
    full = os.open("/dev/full", os.O_WRONLY)
    for words in (["list", "methods"], ["--help"], ["list", "--help"], ["--version"], ["help", "method", "kd", "--json"]):
        done = subprocess.run([PROGRAM, *words], stdout=full, stderr=subprocess.PIPE, text=True, check=False)
        expect(done.returncode == 1, f"{words}: a full disk is a failure, found status {done.returncode}")
        expect(done.stderr.startswith("retort: cannot write standard output") and done.stderr.count("\n") == 1, done.stderr)
    os.close(full)
    read, write_end = os.pipe()
    os.close(read)
    done = subprocess.run([PROGRAM, "list", "methods"], stdout=write_end, stderr=subprocess.PIPE, text=True, check=False)
    os.close(write_end)
    expect(done.returncode == 1, f"a closed pipe is a failure, never a signal: {done.returncode}")


def main():
    section = small_data.make()
    check_help()
    check_speed()
    check_usage()
    check_recipes(section)
    check_run(section)
    check_models(section)
    check_streams()
    finish()


main()
