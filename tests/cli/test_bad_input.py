#!/usr/bin/python3
"""Bad input as a user brings it: each case ends with a status, one message that says where and what, and no signal."""
import gzip
import json
import os
import resource
import shutil
import signal
import struct
import sys

import numpy as np

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import small_data  # noqa: E402
from retort import expect, fails, finish, run  # noqa: E402

TRAIN = "train: {steps: 2, batch: 16}"
STUDENT = f"student: {{network: {{name: mlp, widths: [4]}}, {TRAIN}}}\n"
TEACHER = f"teacher: {{network: {{name: mlp, widths: [8]}}, {TRAIN}}}\n"


def write(path, text):
    with open(path, "w", encoding="utf-8") as file:
        file.write(text)


def read(path):
    with open(path, "rb") as file:
        return file.read()


def packed(path, raw):
    with gzip.open(path, "wb") as file:
        file.write(raw)


def idx(*dims, data=b"", magic=(0, 0, 8)):
    return bytes(magic) + bytes([len(dims)]) + struct.pack(f">{len(dims)}I", *dims) + data


def check_data():
    """Broken IDX files, by their names in the message."""
    images, labels = np.zeros((40, 6, 6)), np.arange(40) % 3
    small_data.write_idx("images", images)
    small_data.write_idx("labels", labels)
    whole = read("images")

    def wrong(status, parts, train="images", target="labels", more=""):
        write("data.yaml", f"data: {{idx: {{train_images: {train}, train_labels: {target}}}{more}}}\n{STUDENT}")
        done = fails(status, ["train", "data.yaml", "-o", "bad"], *parts)
        expect(not os.path.exists("bad"), "a run that never began leaves no folder", done)

    for name, raw, parts in (
            ("empty", b"", ["empty"]),
            ("head", whole[:6], ["head"]),
            ("short", whole[:-7], ["short", "cut short", "1440", "found 1433"]),
            ("long", whole + b"x", ["long", "1440", "found 1441"]),
            ("magic", b"\x89PNG" + whole[4:], ["magic", "expected"]),
            ("type", idx(40, 6, 6, data=whole[16:], magic=(0, 0, 9)), ["type", "expected"]),
            ("none", idx(0, 6, 6), ["none"]),
            ("zero", idx(40, 0, 6), ["zero"]),
            ("huge", idx(4294967295, 65535, 65535), ["huge"]),
            ("rank", idx(40, data=labels.astype(np.uint8).tobytes()), ["rank", "expected", "found"])):
        with open(name, "wb") as file:
            file.write(raw)
        wrong(1, parts, train=name)
        packed(name + ".gz", raw)
        wrong(1, [name + ".gz", *parts[1:]], train=name + ".gz")
    gz = read("short.gz")
    with open("cut.gz", "wb") as file:
        file.write(gz[:len(gz) // 2])
    wrong(1, ["cut.gz"], train="cut.gz")
    wrong(1, ["nowhere"], train="nowhere")
    small_data.write_idx("fewer", labels[:39])
    wrong(1, ["fewer", "40", "39"], target="fewer")
    wrong(1, ["labels", "2"], more=", classes: 2")
    wrong(2, ["validation", "40"], more=", validation: 40")
    write("data.yaml", f"data: {{fashion-mnist: {{directory: nowhere}}}}\n{STUDENT}")
    fails(1, ["train", "data.yaml"], "nowhere", "dataset-fashion-mnist", "apt-get install")


def check_recipes(section):
    """Each wrong recipe: its position and what would have been right."""
    def wrong(position, parts, student=STUDENT, teacher=TEACHER, rest="", data=section, status=2):
        write("wrong.yaml", f"data: {data}\n{student}{teacher}{rest}\n")
        done = fails(status, ["distill", "wrong.yaml", "-o", "bad"], *parts)
        expect(done.err.startswith(f"wrong.yaml:{position}"), f"expected wrong.yaml:{position}", done)
        expect(not os.path.exists("bad"), "a run that never began leaves no folder", done)

    def student(network="{name: mlp, widths: [4]}", train="{steps: 2, batch: 16}"):
        return f"student: {{network: {network}, train: {train}}}\n"

    wrong("2:1: ", ["no option \"studnet\"", "nearest: \"student\""], student=STUDENT.replace("student", "studnet"))
    wrong("4:11: ", ["no option \"loses\"", "nearest: \"losses\""], rest="distill: {loses: []}")
    wrong("4:29: ", ["no method \"kdd\"", "nearest: \"kd\""], rest="distill: {losses: [{method: kdd}]}")
    wrong("4:33: ", ["no option \"temprature\"", "nearest: \"temperature\""],
          rest="distill: {losses: [{method: kd, temprature: 2}]}")
    wrong("4:33: ", ["no option \"wieght\"", "nearest: \"weight\""], rest="distill: {losses: [{method: kd, wieght: 2}]}")
    wrong("4:40: ", ["share: goes with weight: auto"], rest="distill: {losses: [{method: kd, share: 0.2}]}")
    wrong("4:19: ", ["shares of weight: auto are 1.2 together", "expected at most 1"],
          rest="distill: {losses: [{method: labels, weight: auto, share: 0.6}, {method: kd, weight: auto, share: 0.6}]}")
    wrong("4:39: ", ["taps: expected auto, found \"all\""], rest="distill: {losses: [{method: at, taps: all}]}")
    wrong("4:39: ", ["taps: auto chooses the layers", "leave one out"],
          rest="distill: {losses: [{method: at, taps: auto, student: [relu1]}]}")
    wrong("4:55: ", ["losses and stages are given"],
          rest="distill: {stages: [{losses: [{method: kd}]}], losses: [{method: kd}]}")
    wrong("4:19: ", ["stages: expected a list", "found an empty one"], rest="distill: {stages: []}")
    wrong("4:20: ", ["stages: expected losses: in each stage"], rest="distill: {stages: [{epochs: 1}]}")
    wrong("4:20: ", ["expected epochs: N of at least 1 in every stage but the last"],
          rest="distill: {stages: [{losses: [{method: kd}]}, {losses: [{method: kd}]}]}")
    wrong("4:19: ", ["they take 99 epochs together", "of student.train.epochs"],
          rest="distill: {stages: [{losses: [{method: kd}], epochs: 99}, {losses: [{method: kd}]}]}")
    wrong("4:27: ", ["letters, digits", "found \"a/b\""],
          rest="distill: {stages: [{name: a/b, losses: [{method: kd}], epochs: 1}, {losses: [{method: kd}]}]}")
    for side, other in (("student", "teacher"), ("teacher", "student")):
        wrong("4:20: ", ["term simkd: expected a layer of the student and one of the teacher", f"none of the {other}", "name both"],
              rest=f"distill: {{losses: [{{method: simkd, {side}: [linear1]}}]}}")
    wrong("4:33: ", ["no option \"zzz\"", "retort help method kd"], rest="distill: {losses: [{method: kd, zzz: 2}]}")
    wrong("4:46: ", ["\"temperature\"", "expected", "found 0"], rest="distill: {losses: [{method: kd, temperature: 0}]}")
    wrong("4:19: ", ["no scheme \"ofline\"", "nearest: \"offline\""], rest="distill: {scheme: ofline}")
    wrong("4:18: ", ["expected one of", "found \"maybe\""], rest="distill: {cache: maybe}")
    wrong("4:8: ", ["seeds", "twice"], rest="seeds: [1, 1]")
    wrong("2:31: ", ["no layer type \"convv\"", "nearest: \"conv\""],
          student=student("{layers: [{convv: {out: 3}}]}"))
    wrong("2:", ["no option \"otu\"", "nearest: \"out\""], student=student("{layers: [{conv: {otu: 3}}]}"))
    wrong("2:", ["mpl", "nearest: \"mlp\""], student=student("{name: mpl}"))
    wrong("2:", ["no optimiser \"sgg\"", "nearest: \"sgd\""],
          student=student(train="{steps: 2, optimiser: {name: sgg}}"))
    wrong("2:", ["no option \"momentun\"", "nearest: \"momentum\""], student=student(train="{steps: 2, optimiser: {name: sgd, momentun: 1}}"))
    wrong("2:", ["no schedule \"cosin\"", "nearest: \"cosine\""],
          student=student(train="{steps: 2, schedule: {name: cosin}}"))
    wrong("1:", ["fashion-mnits", "nearest: \"fashion-mnist\""], data="{name: fashion-mnits}")
    # taps
    wrong("4:43: ", ["student has no layer \"linear3\"", "nearest: \"linear"],
          rest="distill: {losses: [{method: kd, student: [linear3]}]}")
    wrong("4:43: ", ["teacher has no layer \"nope\"", "retort inspect"],
          rest="distill: {losses: [{method: kd, teacher: [nope]}]}")
    # shapes
    wrong("4:20: ", ["kd", "linear1", "[B,K]", "[B,4]"], rest="distill: {losses: [{method: kd, student: [linear1], teacher: [linear1]}]}")
    wrong("2:", ["kernel", "15x15", "[B,12,12,1]"],
          student=student("{layers: [{conv: {out: 3, kernel: 15}}, {global_average_pool: {}}, {linear: {out: 10}}]}"))
    wrong("2:", ["widths", "expected", "found 0"], student=student("{name: mlp, widths: [0]}"))
    wrong("2:", ["2^31"], student=student("{name: mlp, widths: [100000, 100000]}"))
    wrong("2:", ["2^31"], student=student("{name: mlp, widths: [2147483647]}"))
    wrong("2:", ["student.train.batch", "500 samples", "found 501"], student=student(train="{steps: 2, batch: 501}"))
    wrong("3:", ["teacher.train.batch", "500 samples", "found 501"], teacher=TEACHER.replace("16", "501"))
    memory = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    # Each block alone is within 2^31 elements; together they are more than there is.
    width = 2 ** 30 // (500 * 144)
    convs = ", ".join(f"{{conv: {{out: {width}, kernel: 3, padding: 1, groups: {1 if i == 0 else width}}}}}, {{relu: {{}}}}"
                      for i in range(memory // 2 ** 32 + 2))
    big = student(f"{{layers: [{convs}, {{global_average_pool: {{}}}}, {{linear: {{out: 10}}}}]}}", "{steps: 2, batch: 500}")
    write("wrong.yaml", f"data: {section}\n{big}{TEACHER}\n")
    done = fails(1, ["distill", "wrong.yaml", "-o", "bad"], "batch of 500", "GiB", "smaller")
    expect(not os.path.exists("bad"), "refused before anything is trained", done)
    huge = student("{layers: [{conv: {out: 40000, kernel: 3, padding: 1}}, {global_average_pool: {}}, {linear: {out: 10}}]}", "{steps: 2, batch: 500}")
    write("wrong.yaml", f"data: {section}\n{huge}{TEACHER}\n")
    fails(2, ["distill", "wrong.yaml", "-o", "bad"], "2^31", "smaller batch")


def check_models(section):
    write("good.yaml", f"data: {section}\n{STUDENT}{TEACHER}")
    done = run("distill", "good.yaml", "-o", "run", "--quiet")
    expect(done.status == 0, "the run", done)
    model = "run/models/student.safetensors"
    raw = read(model)
    small_data.write_idx("images", np.zeros((40, 6, 6)))
    small_data.write_idx("labels", np.arange(40) % 3)
    write("other.yaml", "data: {idx: {train_images: images, train_labels: labels, test_images: images, test_labels: labels}}\n")
    fails(1, ["eval", model, "--data", "other.yaml"], model, "[1,12,12]", "[1,6,6]")
    fails(2, ["eval", "good.yaml", "--data", "good.yaml"], "good.yaml")
    length = struct.unpack("<Q", raw[:8])[0]
    head = json.loads(raw[8:8 + length])
    for name, broken in (("nothing", b""), ("seven", raw[:7]), ("inhead", raw[:40]), ("cut", raw[:-5]), ("more", raw + b"1234"),
                         ("garbage", bytes(range(256)) * 9), ("json", raw[:8] + b"[" + raw[9:]),
                         ("length", struct.pack("<Q", 1 << 60) + raw[8:]),
                         ("nan", raw[:-4] + struct.pack("<f", float("nan"))), ("inf", raw[:-4] + struct.pack("<f", float("inf")))):
        with open(f"{name}.safetensors", "wb") as file:
            file.write(broken)
        for words in (["inspect"], ["eval", "--data", "good.yaml"], ["predict", "--data", "good.yaml", "--out", "p.npy"]):
            fails(1, [words[0], f"{name}.safetensors", *words[1:]], f"{name}.safetensors")
    expect(not os.path.exists("p.npy"), "no predictions of a broken model")
    first = [key for key in head if key != "__metadata__"][0]
    head["other"] = head.pop(first)
    text = json.dumps(head).encode()
    with open("renamed.safetensors", "wb") as file:
        file.write(struct.pack("<Q", len(text)) + text + raw[8 + length:])
    fails(1, ["eval", "renamed.safetensors", "--data", "good.yaml"], "renamed.safetensors", first, "another network")


def interrupted(folder):
    """A run of which only the teacher is done: its student's loss is not finite. Its recipe is valid all the same."""
    done = run("distill", "stops.yaml", "-o", folder, "--quiet")
    expect(done.status == 1 and os.path.exists(f"{folder}/models/teacher.safetensors"), "the run stops at its student", done)


def check_resume(section):
    wild = "student: {network: {name: mlp, widths: [4]}, train: {steps: 400, batch: 16, optimiser: {name: sgd, rate: 1000000}}}\n"
    write("stops.yaml", f"data: {section}\n{wild}{TEACHER}")
    interrupted("part")
    done = fails(1, ["distill", "stops.yaml", "-o", "part", "--force", "--quiet"], "alone-0", "step ", "student.", "not finite", "rate")
    again = fails(1, ["distill", "--resume", "part", "--quiet"], "not finite")
    expect(done.err == again.err, "the same step, the same place", again)
    model = "part/models/teacher.safetensors"
    good = read(model)
    for broken, status, parts in ((good[:-5], 1, []), (read("run/models/student.safetensors"), 1, ["another network"])):
        with open(model, "wb") as file:
            file.write(broken)
        fails(status, ["distill", "--resume", "part", "--quiet"], model, *parts)
    with open(model, "wb") as file:
        file.write(good)
    recipe = read("part/recipe.yaml").decode()
    expect("1000000" in recipe, "the resolved recipe")
    write("part/recipe.yaml", recipe.replace("1000000.0", "0.1"))
    fails(2, ["distill", "--resume", "part", "--quiet"], "part/recipe.yaml", "changed", "-o DIR")
    write("part/recipe.yaml", "data: [")
    fails(2, ["distill", "--resume", "part", "--quiet"], "part/recipe.yaml:")
    write("part/recipe.yaml", recipe)
    with open("part/record.new.sqlite", "wb") as file:
        file.write(b"not a record" * 100)
    fails(1, ["distill", "--resume", "part", "--quiet"], "part/record.new.sqlite")
    # The loss of the last step is finite, the weights that it leaves are not.
    decay = "{steps: 5, batch: 16, optimiser: {name: sgd, rate: 1000000, weight_decay: 1000}}"
    write("decay.yaml", f"data: {section}\nstudent: {{network: {{layers: [{{flatten: {{}}}}, {{linear: {{out: 10}}}}]}}, train: {decay}}}\n")
    fails(1, ["train", "decay.yaml", "-o", "decay", "--quiet"], "alone-0, step 5: student.linear1.weight is not finite", "rate")
    expect(not os.path.exists("decay/models/alone-0.safetensors"), "no model of weights that are not finite")
    os.makedirs("bare", exist_ok=True)
    fails(1, ["distill", "--resume", "bare"], "bare", "expected a run's folder")


def at_most(size):
    """No file larger than this: as on a full disk, the write fails."""
    def limit():
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        resource.setrlimit(resource.RLIMIT_FSIZE, (size, size))
    return limit


def tree(folder):
    return {os.path.join(at, name): read(os.path.join(at, name)) for at, _, names in os.walk(folder) for name in names}


def check_full_disk():
    shutil.copytree("run", "keep")
    before = tree("keep")
    for size in (0, 100, 5000):
        done = fails(1, ["distill", "good.yaml", "-o", "keep", "--force", "--quiet"], "keep/", preexec_fn=at_most(size))
        after = tree("keep")
        expect(all(after.get(name) == before[name] for name in before if name.startswith("keep/re")),
               "recipe, record, report and result are as they were", done)
        expect(after == before, f"nothing half-written is left: {sorted(set(after) ^ set(before))}", done)
    expect(run("distill", "--resume", "keep", "--quiet").status == 0, "the old run is whole")
    write("wide.yaml", read("good.yaml").decode().replace("[4]", "[4000]"))
    size = 65536  # the record fits, a model does not
    fails(1, ["distill", "wide.yaml", "-o", "wide", "--quiet"], "wide/", preexec_fn=at_most(size))
    expect(not [name for name in tree("wide") if name.endswith(".safetensors") and "alone" in name], "no half model")
    done = run("distill", "--resume", "wide", "--quiet")
    expect(done.status == 0 and os.path.exists("wide/models/student.safetensors"), "space made, the run goes on", done)
    model = "run/models/student.safetensors"
    expect(run("predict", model, "--data", "good.yaml", "--out", "p.npy").status == 0, "predict")
    before = read("p.npy")
    for size in (0, 1000):
        fails(1, ["predict", model, "--data", "good.yaml", "--out", "p.npy"], "cannot write p.npy", preexec_fn=at_most(size))
        expect(read("p.npy") == before, "the older predictions are as they were")
    expect([name for name in os.listdir(".") if "partial" in name] == [], "no partial file is left")
    fails(1, ["predict", model, "--data", "good.yaml", "--out", "/dev/full"], "cannot write /dev/full")
    fails(1, ["predict", model, "--data", "good.yaml", "--out", "run"], "cannot write run")


def check_read_only():
    model = "run/models/student.safetensors"
    for place in ("/proc/retort", "good.yaml/inside"):  # where even root cannot write
        fails(1, ["distill", "good.yaml", "-o", place, "--quiet"], place)
        fails(1, ["predict", model, "--data", "good.yaml", "--out", f"{place}/p.npy"], f"cannot write {place}/p.npy")
    if os.geteuid() == 0:
        return
    os.makedirs("closed")
    os.chmod("closed", 0o500)
    fails(1, ["distill", "good.yaml", "-o", "closed/run", "--quiet"], "closed/run")
    fails(1, ["predict", model, "--data", "good.yaml", "--out", "closed/p.npy"], "cannot write closed/p.npy")


def main():
    section = small_data.make()
    check_data()
    small = small_data.make()
    check_recipes(small)
    check_models(section)
    check_resume(section)
    check_full_disk()
    check_read_only()
    finish()


main()
