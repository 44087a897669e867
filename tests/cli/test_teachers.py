#!/usr/bin/python3
"""Every kind of teacher, and the cache: what they teach, what is computed when, and what is refused."""
import json
import os
import shutil
import signal
import subprocess
import sys

import numpy as np

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import small_data  # noqa: E402
from retort import PROGRAM, expect, fails, finish, run  # noqa: E402
from run_folder import models, weights  # noqa: E402

STUDENT = """
student: {network: {name: cnn, widths: [4, 6]}, train: {epochs: 6, batch: 32, optimiser: {name: sgd, rate: 0.05}}}
distill: {losses: [{method: labels, weight: 0.5}, {method: kd, temperature: 2, weight: 0.5}]}
baseline: false
"""
TEACHER = "{network: {name: mlp, widths: [24], dropout: 0.2}, train: {epochs: 2, batch: 32, optimiser: {name: sgd, rate: 0.05}}%s}"


def write(path, teacher, more=""):
    with open(path, "w", encoding="utf-8") as file:
        file.write(f"data: {small_data.make()}\nteacher: {teacher}{STUDENT}{more}")
    return path


def distil(recipe, folder, *sets):
    done = run("distill", recipe, "-o", folder, *(word for one in sets for word in ("--set", one)))
    expect(done.status == 0, f"{folder} runs", done)
    return done


def student(folder):
    return weights(folder, "distilled-0")


def stages(folder):
    with open(f"{folder}/result.json", encoding="utf-8") as file:
        return {stage["name"]: stage for stage in json.load(file)["stages"]}


def recorded(done):
    return sum(" samples, " in line and line.startswith("retort: recording ") for line in done.err.splitlines())


def predict(names, *words):
    done = run("predict", names, "--data", "one/recipe.yaml", "--out", "logits.npy", *words)
    expect(done.status == 0, "predict", done)
    return np.load("logits.npy").astype(np.float64)


def softmax(z):
    e = np.exp(z - z.max(1, keepdims=True))
    return e / e.sum(1, keepdims=True)


def check_cache():
    """The same bits recorded and live; recorded once; again where a byte of the images changed."""
    first = distil("one.yaml", "one", "distill.cache=true")
    expect(recorded(first) == 1, "recorded", first)
    again = distil("one.yaml", "again", "distill.cache=true")
    expect(recorded(again) == 0, "a second run computes no teacher forward", again)
    live = distil("one.yaml", "live", "distill.cache=false")
    expect(recorded(live) == 0, "live", live)
    expect(student("one") == student("again") == student("live"), "the same bits, recorded or live")
    os.makedirs("changed")
    for name in ("train-images.gz", "train-labels", "test-images.gz", "test-labels", "one.yaml"):
        shutil.copy(name, f"changed/{name}")
    import gzip
    with gzip.open("train-images.gz") as file:
        raw = bytearray(file.read())
    raw[100] ^= 1
    with gzip.open("changed/train-images.gz", "wb") as file:
        file.write(raw)
    teacher = os.path.abspath("one/models/teacher.safetensors")
    for folder, count in (("changed", 1), (".", 0)):
        done = distil(f"{folder}/one.yaml", f"{folder}/given", f"teacher={{model: '{teacher}'}}", "distill.cache=true")
        expect(recorded(done) == count, f"{folder}: recorded {count} times", done)
    expect(student("given") == student("one"), "a given teacher teaches what the trained one did")
    expect(stages("given")["teacher"]["test"] == stages("one")["teacher"]["test"], "and is as good")
    half = distil("one.yaml", "half", "distill.cache=true", "distill.cache_type=float16")
    expect(recorded(half) == 1 and student("half") != student("one"), "float16 is another record", half)


def check_views():
    """Any augmentation, mixup too, with K views of a sample: recorded and live alike; more views are other images."""
    for augment in ("{crop: 1, cutout: 3}", "{mixup: 0.4, flip: true}", "{flip: true}"):
        sets = [f"data.augment={augment}", "distill.views=3", "distill.losses=[{method: kd, temperature: 2}]"]
        done = distil("one.yaml", "viewed", *sets, "distill.cache=true")
        views = 2 if augment == "{flip: true}" else 3
        expect(f"500 samples, {views} views each" in done.err, augment, done)
        distil("one.yaml", "viewed-live", *sets, "distill.cache=false")
        expect(student("viewed") == student("viewed-live"), f"{augment}: the same bits")
        distil("one.yaml", "all-views", sets[0], sets[2], "distill.cache=false")
        expect((student("all-views") == student("viewed")) == (views == 2), f"{augment}: all views are more")
        for folder in ("viewed", "viewed-live", "all-views"):
            shutil.rmtree(folder)
    fails(2, ("distill", "one.yaml", "-o", "never", "--set", "data.augment={crop: 1, cutout: 3}", "--set", "distill.cache=true"),
          "too many different images", "views: 8")


def check_ensemble():
    done = distil("three.yaml", "three", "distill.cache=true")
    expect(recorded(done) == 3, "one pass a member", done)
    names = [f"three/models/teacher-{i}.safetensors" for i in range(3)]
    logits = [predict(name) for name in names]
    mean = np.log(np.mean([softmax(z) for z in logits], axis=0))
    expect(np.abs(predict(",".join(names)) - mean).max() < 1e-6, "predict: the mean of the probabilities")
    expect(np.abs(predict(",".join(names), "--combine", "mean-logit") - np.mean(logits, axis=0)).max() < 1e-6, "of the logits")
    found = stages("three")
    labels = np.fromfile("test-labels", np.uint8)[8:]
    right = np.mean(mean.argmax(1) == labels)
    expect(abs(found["ensemble"]["test"]["accuracy"] - right) < 1e-12, "the ensemble's accuracy")
    best = max(found[f"teacher-{i}"]["test"]["accuracy"] for i in range(3))
    expect(abs(found["ensemble"]["gain_over_best_member"] - (right - best)) < 1e-12, "its gain")
    expect([found[f"teacher-{i}"]["seed"] for i in range(3)] == [0, 1, 2], "members have seeds of their own")
    expect(len({models("three")[f"teacher-{i}.safetensors"] for i in range(3)}) == 3, "and are different")
    for how in ("mean-logit", "learnt"):
        distil("three.yaml", how, f"distill.combine={how}", "distill.cache=true")
        distil("three.yaml", f"{how}-live", f"distill.combine={how}", "distill.cache=false")
        expect(student(how) == student(f"{how}-live"), f"{how}: the same bits, recorded or live")
        expect(student(how) != student("three"), f"{how} is another teacher")
    shares = stages("learnt")["ensemble"]["weights"]
    expect(abs(sum(shares) - 1) < 1e-6 and min(shares) >= 0, f"weights on the simplex: {shares}")
    listed = "[" + ", ".join(f"{{model: {name}, weight: {w!r}}}" for name, w in zip(names, shares)) + "]"
    write("listed.yaml", listed)
    distil("listed.yaml", "listed", "distill.cache=true")
    expect(student("listed") == student("learnt"), "given models with the weights that were learnt are the same teacher")
    fails(2, ("distill", "three.yaml", "-o", "never", "--set", "distill.combine=mean"), "combine", "mean-probability")
    # Features of one of several.
    sets = "distill.losses=[{method: kd}, {method: fitnet, from: %d, student: [linear1], teacher: [linear1]}]"
    for i in (0, 2):
        distil("three.yaml", f"from{i}", sets % i)
    expect(student("from0") != student("from2"), "from: another teacher's layers")
    fails(2, ("distill", "three.yaml", "-o", "never", "--set", sets % 3), "from: expected the number of a teacher, 0 to 2, found 3")
    fails(2, ("distill", "three.yaml", "-o", "never", "--set", "distill.losses=[{method: labels, from: 0}]"), "reads no teacher")


def check_classes():
    """A teacher whose classes are in another order, are finer, or are only some of ours."""
    order = [3, 1, 4, 0, 5, 9, 2, 6, 8, 7]
    one = "one/models/teacher.safetensors"
    write("same.yaml", f"{{model: {one}, classes: {list(range(10))}}}")
    write("order.yaml", f"{{model: {one}, classes: {order}}}")
    for name in ("same", "order"):
        distil(f"{name}.yaml", name, "distill.cache=true")
        distil(f"{name}.yaml", f"{name}-live", "distill.cache=false")
        expect(student(name) == student(f"{name}-live"), f"{name}: the same bits")
    logits = predict(one)
    labels = np.fromfile("test-labels", np.uint8)[8:]
    right = np.mean(np.array(order)[logits.argmax(1)] == labels)
    expect(abs(stages("order")["teacher"]["test"]["accuracy"] - right) < 1e-12, "measured as our classes")
    expect(abs(stages("same")["teacher"]["test"]["accuracy"] - np.mean(logits.argmax(1) == labels)) < 1e-12, "the same order")
    # Two that know half of the classes each.
    halves = f"[{{model: {one}, classes: [0, 1, 2, 3, 4, -1, -1, -1, -1, -1]}}, {{model: {one}, classes: [-1, -1, -1, -1, -1, 5, 6, 7, 8, 9]}}]"
    write("halves.yaml", halves)
    distil("halves.yaml", "halves", "distill.cache=true")
    merged = np.log(softmax(logits))
    merged = np.concatenate([merged[:, :5] - merged[:, :5].mean(1, keepdims=True), merged[:, 5:] - merged[:, 5:].mean(1, keepdims=True)], 1)
    expect(abs(stages("halves")["ensemble"]["test"]["accuracy"] - np.mean(merged.argmax(1) == labels)) < 1e-12, "merged halves")
    write("missing.yaml", f"{{model: {one}, classes: [0, 1, 2, 3, 4, 5, 6, 7, 8, -1]}}")
    fails(2, ("distill", "missing.yaml", "-o", "never"), "missing.yaml:2:", "no teacher knows class 9")
    fails(2, ("distill", "same.yaml", "-o", "never", "--set", "teacher.classes=[0, 1]"), "one for each of the 10 outputs", "found 2")
    fails(2, ("distill", "same.yaml", "-o", "never", "--set", "teacher.classes=[0, 1, 2, 3, 4, 5, 6, 7, 8, 10]"), "from -1 to 9, found 10")


def check_weights():
    """The network of another framework's file, by its names for things."""
    with open("one/models/teacher.safetensors", "rb") as file:
        raw = file.read()
    length = int.from_bytes(raw[:8], "little")
    header = json.loads(raw[8:8 + length])
    header.pop("__metadata__")
    theirs = {name.replace("linear1.weight", "fc.kernel").replace("linear1", "fc").replace("linear2", "head"): entry
              for name, entry in header.items()}
    text = json.dumps(theirs).encode()
    with open("theirs.safetensors", "wb") as file:
        file.write(len(text).to_bytes(8, "little") + text + raw[8 + length:])
    network = "network: {name: mlp, widths: [24], dropout: 0.2}, weights: theirs.safetensors"
    write("theirs.yaml", f"{{{network}, names: {{linear1: fc, linear1.weight: fc.kernel, linear2: head}}}}")
    distil("theirs.yaml", "theirs")
    expect(student("theirs") == student("one"), "the same teacher under other names")
    fails(1, ("distill", "theirs.yaml", "-o", "never", "--set", "teacher.names.linear2=heads"), "heads.weight", "found none")
    fails(2, ("distill", "theirs.yaml", "-o", "never", "--set", "teacher.names.linear9=x"), "no layer or tensor \"linear9\"")
    fails(2, ("distill", "theirs.yaml", "-o", "never", "--set", "teacher.train={epochs: 1}"), "weights are given", "train")


def check_chain():
    write("chain.yaml", TEACHER % "", "")
    chain = ("distill.assistants=[{network: {name: mlp, widths: [16]}, train: {epochs: 3, batch: 32}}, "
             "{network: {name: mlp, widths: [8]}, train: {epochs: 3, batch: 32}, losses: [{method: kd}], seed: 4}]")
    done = distil("chain.yaml", "chain", chain, "distill.cache=true")
    expect(recorded(done) == 2, "the teacher is in the cache, the assistants are recorded", done)
    distil("chain.yaml", "chain-live", chain, "distill.cache=false")
    for name in ("assistant-0", "assistant-1", "distilled-0"):
        expect(weights("chain", name) == weights("chain-live", name), f"{name}: the same bits, recorded or live")
    found = stages("chain")
    expect([stage["role"] for stage in found.values()] == ["teacher", "assistant", "assistant", "distilled"], "its stages")
    expect(found["distilled-0"]["fidelity"] is not None and student("chain") != student("one"), "taught by the last")
    # The same by hand: the assistants' models as given teachers.
    write("last.yaml", "{model: chain/models/assistant-1.safetensors}")
    distil("last.yaml", "last")
    expect(student("last") == student("chain"), "the student learnt from the last assistant alone")
    fails(2, ("distill", "chain.yaml", "-o", "never", "--set", "distill.assistants=[]"), "expected a list")
    fails(2, ("distill", "chain.yaml", "-o", "never", "--set", "distill.assistants=[{train: {epochs: 1}}]"), "network")
    fails(2, ("distill", "chain.yaml", "-o", "never", "--set", chain, "--set",
              "distill.losses=[{method: fitnet, student: [linear1], teacher: [conv9]}]"), "conv9")


def check_interrupted_record():
    """Ctrl-C while a teacher is recorded: what was recorded is kept, and gone on with."""
    sets = ["data.augment={crop: 1, cutout: 3}", "distill.views=600", "distill.cache=true",
            "teacher={network: {name: cnn, widths: [16, 16]}, train: {epochs: 1, batch: 32}}"]
    words = [word for one in sets for word in ("--set", one)]
    cache = {**os.environ, "XDG_CACHE_HOME": os.path.abspath("cut-cache")}
    with subprocess.Popen([PROGRAM, "distill", "one.yaml", "-o", "cut", *words], stderr=subprocess.PIPE, text=True, env=cache) as child:
        for line in child.stderr:
            if line.startswith("retort: recording "):
                child.send_signal(signal.SIGINT)
                break
        child.communicate()
    expect(child.returncode == 130, f"interrupted while recording: {child.returncode}")
    left = sorted(os.listdir("cut-cache/retort"))
    halves = [name for name in left if name.endswith(".rows") and name.replace(".rows", ".json") not in left]
    expect(len(halves) <= 1 and len([name for name in left if name.endswith(".progress")]) == len(halves), f"nothing passes for whole: {left}")
    done = run("distill", "--resume", "cut", env=cache)
    expect(done.status == 0, "goes on", done)
    distil("one.yaml", "uncut", *sets)
    expect(weights("cut", "distilled-0") == weights("uncut", "distilled-0"), "the bits of a run that nobody interrupted")


def check_recorded():
    """Outputs in a file teach what the live teacher does; what does not go with the data is refused, by its row."""
    one = "one/models/teacher.safetensors"
    done = run("record", one, "--data", "one/recipe.yaml", "--out", "logits.npz")
    expect(done.status == 0, "record", done)
    with np.load("logits.npz") as file:
        logits, crc = file["logits"], file["crc32"]
    write("recorded.yaml", "{recorded: made.npz}")
    probabilities = softmax(logits.astype(np.float64)).astype(np.float32)
    order = np.argsort(-probabilities, 1)
    sorted_probabilities = np.take_along_axis(probabilities, order, 1)
    made = {"logits": {"logits": logits, "crc32": crc}, "probabilities": {"probabilities": probabilities, "crc32": crc},
            "top10": {"top_classes": order.astype(np.int64), "top_probabilities": sorted_probabilities, "crc32": crc},
            "top3": {"top_classes": order[:, :3].astype(np.int64), "top_probabilities": sorted_probabilities[:, :3], "crc32": crc}}
    for name, arrays in made.items():
        np.savez("made.npz", **arrays)
        distil("recorded.yaml", f"recorded-{name}")
    expect(student("recorded-logits") == student("one"), "logits: the live teacher's student, bit for bit")
    close = {name: np.abs(np.frombuffer(student(f"recorded-{name}"), "<f4") - np.frombuffer(student("one"), "<f4")).max()
             for name in made}
    expect(close["probabilities"] < 1e-4 and close["top10"] < 1e-4, f"probabilities, and all classes by size, too: {close}")
    expect(close["top3"] > close["top10"], "the rest as one tail is less")
    # Predictions by NumPy: no crc32, and a warning.
    np.savez_compressed("made.npz", logits=logits)
    done = distil("recorded.yaml", "recorded-unordered")
    expect(student("recorded-unordered") == student("one") and "crc32" in done.err, "without crc32 a warning", done)
    swapped = np.arange(len(logits))
    swapped[[7, 8]] = [8, 7]
    nan = logits.copy()
    nan[123, 4] = np.nan
    for arrays, *parts in (({"logits": logits[:-1], "crc32": crc[:-1]}, "599", "600"),
                           ({"logits": np.delete(logits, 40, 0), "crc32": np.delete(crc, 40)}, "row 40"),
                           ({"logits": logits[swapped], "crc32": crc[swapped]}, "row 7"),
                           ({"logits": nan, "crc32": crc}, "row 123"),
                           ({"logits": logits[:, :9], "crc32": crc}, "9", "10"),
                           ({"scores": logits}, "scores")):
        np.savez("made.npz", **arrays)
        fails(2, ("distill", "recorded.yaml", "-o", "never"), "recorded.yaml:2:", "made.npz", *parts)
    # Beside a live teacher, and with a class map.
    np.savez("made.npz", logits=logits, crc32=crc)
    write("both.yaml", f"[{{recorded: made.npz}}, {{model: {one}}}]")
    distil("both.yaml", "both")
    expect(np.abs(np.frombuffer(student("both"), "<f4") - np.frombuffer(student("one"), "<f4")).max() < 1e-4, "twice the same teacher")
    fails(2, ("distill", "recorded.yaml", "-o", "never", "--set", "distill.losses=[{method: at, student: [conv1]}]"), "is no network")


def check_features():
    """Layers in a file teach what those of the live teacher do."""
    write("layers.yaml", "{model: one-conv/models/teacher.safetensors}")
    write("conv.yaml", "{network: {name: cnn, widths: [6, 8]}, train: {epochs: 2, batch: 32, optimiser: {name: sgd, rate: 0.05}}}")
    distil("conv.yaml", "one-conv")
    done = run("record", "one-conv/models/teacher.safetensors", "--data", "one-conv/recipe.yaml", "--out", "made.npz", "--layers", "relu1,relu2")
    expect(done.status == 0, "record --layers", done)
    sets = "distill.losses=[{method: kd}, {method: at, student: [relu1], teacher: [relu1]}, {method: fitnet, student: [relu2], teacher: [relu2]}]"
    distil("layers.yaml", "layers-live", sets, "distill.cache=false")
    for cache in ("true", "false"):
        distil("recorded.yaml", f"layers-{cache}", sets, f"distill.cache={cache}")
        expect(student(f"layers-{cache}") == student("layers-live"), f"cache: {cache}: the live teacher's student, bit for bit")
    fails(2, ("distill", "recorded.yaml", "-o", "never", "--set", sets.replace("teacher: [relu1]", "teacher: [relu9]")), "relu9")


PROGRAM_TEACHER = """
import sys
from types import SimpleNamespace
import numpy as np
from numpy.lib import format
open("runs.log", "a").write("run\\n")
weight = np.random.default_rng(3).normal(size=(144, 10)).astype(np.float32)
images, logits = SimpleNamespace(read=sys.stdin.buffer.read), SimpleNamespace(write=sys.stdout.buffer.write)
while sys.stdin.buffer.peek(1):
    x = format.read_array(images)
    %s
    format.write_array(logits, x.reshape(len(x), -1) @ weight)
    sys.stdout.buffer.flush()
"""


def program_runs():
    with open("runs.log", encoding="utf-8") as file:
        return len(file.readlines())


def check_command():
    """A program teaches; it runs once, and again where it or the images changed; its failures are one message each."""
    with open("teach.py", "w", encoding="utf-8") as file:
        file.write(PROGRAM_TEACHER.replace("\\\\", "\\") % "assert x.shape[1:] == (1, 12, 12) and x.dtype == np.float32 and 0.5 < x.max() <= 1")
    command = f"{sys.executable} teach.py"
    write("program.yaml", f"{{command: '{command}', timeout: 20}}")
    distil("program.yaml", "program")
    again = distil("program.yaml", "program-again", "seeds=[5]")
    expect(program_runs() == 1, "it ran once", again)
    expect(stages("program")["teacher"]["test"]["accuracy"] is not None and stages("program")["distilled-0"]["fidelity"] is not None,
           "it is measured, too")
    # By hand: what it says of the training files, as a record.
    import gzip
    with gzip.open("train-images.gz") as file:
        images = np.frombuffer(file.read()[16:], np.uint8).reshape(600, -1).astype(np.float32) / np.float32(255)
    weight = np.random.default_rng(3).normal(size=(144, 10)).astype(np.float32)
    rows = np.concatenate([images[:500][i:i + 256] @ weight for i in range(0, 500, 256)] + [images[500:] @ weight])
    np.savez("made.npz", logits=rows)
    write("by-hand.yaml", "{recorded: made.npz}")
    distil("by-hand.yaml", "by-hand")
    expect(np.abs(np.frombuffer(student("by-hand"), "<f4") - np.frombuffer(student("program"), "<f4")).max() < 1e-4, "the same by hand")
    with open("teach.py", "a", encoding="utf-8") as file:
        file.write("# changed\n")
    distil("program.yaml", "program-changed")
    expect(program_runs() == 2, "another program is asked anew")
    distil("program.yaml", "program-live", "distill.cache=false")
    expect(program_runs() == 3 and student("program-live") == student("program"), "cache: false: asked in each run, kept for it")
    distil("program.yaml", "program-views", "data.augment={crop: 1, cutout: 3}", "distill.views=2")
    fails(2, ("distill", "program.yaml", "-o", "never", "--set", "data.augment={crop: 1, cutout: 3}"), "distill.views: 8")
    for name, line, *parts in (("dies", "sys.exit('no more memory')", "status 1", "no more memory"),
                               ("shape", "x = x[:-1]", "256", "255"),
                               ("garbage", "print('hello')", "NPY"),
                               ("nan", "weight[0] = np.nan", "finite"),
                               ("hangs", "import time; time.sleep(60)", "timeout")):
        with open(f"{name}.py", "w", encoding="utf-8") as file:
            file.write(PROGRAM_TEACHER.replace("\\\\", "\\") % line)
        done = run("distill", "program.yaml", "-o", f"failed-{name}", "--quiet", "--set", f"teacher.command={sys.executable} {name}.py",
                   "--set", "teacher.timeout=3")
        expect(done.status == 1 and len(done.err.splitlines()) == 1 and all(part in done.err for part in parts), name, done)
    left = [name for name in os.listdir(os.environ["XDG_CACHE_HOME"] + "/retort") if name.endswith(".json")]
    done = run("cache", "list", "--json")
    whole = [entry for entry in done.document()["entries"] if entry["whole"]]
    expect(len(whole) == len(left), "a teacher killed half-way leaves nothing that passes for whole", done)


def check_cache_command():
    before = run("cache", "list", "--json").document()
    expect(before["bytes"] > 0 and before["entries"][0]["used"] <= before["entries"][-1]["used"], "listed, the last used first")
    done = run("cache", "prune", "--unused", "0", "--json")
    expect(done.status == 0 and done.document()["removed"] == len(before["entries"]), "prune to nothing", done)
    expect(run("cache", "list", "--json").document()["entries"] == [], "nothing is left")
    fails(2, ("cache", "prun"), "nearest: \"prune\"")
    expect(recorded(distil("one.yaml", "after-prune", "distill.cache=true")) == 1, "what is gone is recorded again")


def check_inherited():
    """A student cut from its teacher, or with layers of it; alone it starts from scratch."""
    write("cut.yaml", "{network: {name: cnn, widths: [8, 12]}, train: {epochs: 2, batch: 32, optimiser: {name: sgd, rate: 0.05}}}")
    with open("cut.yaml", encoding="utf-8") as file:
        text = file.read()
    with open("cut.yaml", "w", encoding="utf-8") as file:
        file.write(text.replace("network: {name: cnn, widths: [4, 6]}", "cut: {width: 0.5}").replace("baseline: false", "baseline: true"))
    distil("cut.yaml", "cut0", "student.train.steps=0", "seeds=[0, 1]")
    distil("cut.yaml", "scratch0", "student.train.steps=0", "student.init=scratch")
    found = stages("cut0")
    expect(found["distilled-0"]["parameters"] == found["alone-0"]["parameters"] < found["teacher"]["parameters"] / 2, "half of it")
    expect(weights("cut0", "distilled-0") == weights("cut0", "distilled-1") != weights("cut0", "alone-0"), "the teacher's values")
    expect(weights("cut0", "alone-0") != weights("cut0", "alone-1"), "alone from scratch")
    expect(student("scratch0") == weights("cut0", "alone-0"), "init: scratch")
    distil("cut.yaml", "cut-run")
    done = run("inspect", "cut-run/recipe.yaml", "--json")
    expect(done.document()["parameters"] == found["distilled-0"]["parameters"], "the resolved recipe is the same", done)
    resumed = run("distill", "cut-run/recipe.yaml", "-o", "cut-again", "--quiet")
    expect(resumed.status == 0 and student("cut-again") == student("cut-run"), "and gives the same bits", resumed)
    layers = "student={network: {name: cnn, widths: [8, 12]}, train: {steps: 0, batch: 32}, init: {conv1: conv1, batch_norm1: batch_norm1}}"
    distil("cut.yaml", "layers", layers)
    theirs, ours = models("layers")["teacher.safetensors"], models("layers")["distilled-0.safetensors"]
    expect(tensor(ours, "conv1.weight") == tensor(theirs, "conv1.weight") != tensor(models("layers")["alone-0.safetensors"], "conv1.weight"),
           "a layer of the teacher")
    expect(tensor(ours, "conv2.weight") == tensor(models("layers")["alone-0.safetensors"], "conv2.weight"), "the others from scratch")
    for sets, *parts in (("student.cut.drop=[conv2]", "changes the shape"), ("student.cut.width=0", "width"),
                         ("student.init=teacher", "scratch or cut"), ("student.network={name: mlp}", "both"),
                         ("student={train: {epochs: 1}}", "neither"),
                         (layers.replace("conv1: conv1", "conv1: conv7"), "conv7", "nearest"),
                         (layers.replace("conv1: conv1", "conv2: conv1"), "conv1.weight", "[12,8,3,3]"),
                         ("distill.assistants=[{network: {name: mlp}}]", "learns from an assistant")):
        fails(2, ("distill", "cut.yaml", "-o", "never", "--set", sets), *parts)


def tensor(raw, name):
    length = int.from_bytes(raw[:8], "little")
    begin, end = json.loads(raw[8:8 + length])[name]["data_offsets"]
    return raw[8 + length + begin:8 + length + end]


def check_refused():
    """One clear message each, with its place."""
    for teacher, *parts in (("{train: {epochs: 1}}", "expected network, model, recorded or command"),
                            ("{model: a.safetensors, recorded: b.npz}", "found model and recorded"),
                            ("{model: a.safetensors, members: 2}", "members goes with network"),
                            ("{model: nowhere.safetensors}", "nowhere.safetensors"),
                            ("{netwrok: {name: mlp}}", "netwrok", "network"),
                            ("[]", "at least one"),
                            ("{network: {name: mlp, widths: [8]}, names: {a: b}}", "names goes with weights"),
                            ("7", "expected a map"),
                            ("[{model: a.safetensors}, 7]", "bad.yaml:2:", "expected a map, or a list of maps, found"),
                            ("{model: a.safetensors, names: {a: b}}", "names goes with network, and this is one of model"),
                            ("{recorded: a.npz, timeout: 5}", "timeout goes with command, and this is one of recorded"),
                            ("{command: a, seed: 5}", "seed goes with network, and this is one of command"),
                            ("{command: a, timeout: 0}", "timeout", "(0, 1000000]"),
                            ("{model: a.safetensors, weight: 0}", "weight", "(0, 1000000]"),
                            ("{model: a.safetensors, classes: [0, -2]}", "classes", "-2"),
                            ("{network: {name: mlp, widths: [8]}, members: 65}", "members", "64"),
                            ("[{network: {name: mlp, widths: [8]}, members: 40}, {network: {name: mlp, widths: [8]}, members: 25}]",
                             "bad.yaml:2:", "expected at most 64 of them"),
                            ("{network: {name: mlp, widths: [8]}, weights: a.safetensors, names: [a]}", "names: expected {our name: theirs}, found"),
                            ("{network: {name: mlp, widths: [8]}, weights: a.safetensors, names: {a: [b]}}", "names.a: expected a name, found"),
                            *((f"{{network: {{name: mlp, widths: [8]}}, weights: a.safetensors, {key}}}", f"so {key.split(':')[0]} does nothing")
                              for key in ("seed: 1", "members: 2", "labels: all"))):
        write("bad.yaml", teacher)
        fails(2 if "nowhere" not in teacher else 1, ("distill", "bad.yaml", "-o", "never"), *parts)
    # A teacher of other images, or of other classes.
    one = os.path.abspath("one/models/teacher.safetensors")
    for folder, made, *parts in (("larger", {"size": 13}, "reads images [1,12,12], but the data has [1,13,13]"),
                                 ("fewer", {"classes": 9}, "has 10 classes, but the data has 9", "classes: [0, …]")):
        os.makedirs(folder)
        with open(f"{folder}/bad.yaml", "w", encoding="utf-8") as file:
            file.write(f"data: {small_data.make(folder, **made)}\nteacher: {{model: {one}}}{STUDENT}")
        fails(2, ("distill", f"{folder}/bad.yaml", "-o", "never"), f"{folder}/bad.yaml:2:", "teacher.safetensors", *parts)
    # A place for the cache that is none: the run has its own.
    open("file", "w", encoding="utf-8").close()
    nowhere = {**os.environ, "XDG_CACHE_HOME": os.path.abspath("file")}
    done = run("distill", "one.yaml", "-o", "placeless", "--set", "distill.cache=true", env=nowhere)
    expect(done.status == 0 and "cannot make the folder" in done.err and recorded(done) == 1, "goes to the run's folder", done)
    expect(os.listdir("placeless/cache") and student("placeless") == student("one"), "and teaches the same")
    fails(1, ("cache", "list"), "cannot make the folder", "file/retort", env=nowhere)
    done = run("distill", "one.yaml", "-o", "limit", "--set", "distill.cache_limit=0", "--set", "teacher.seed=77")
    expect(done.status == 0 and "cache_limit" in done.err and recorded(done) == 0, "more than the limit: live", done)
    fails_run = run("distill", "one.yaml", "-o", "limited", "--set", "distill.cache_limit=0", "--set", "teacher.seed=77",
                    "--set", "distill.cache=true", "--quiet")
    expect(fails_run.status != 0 and "cache_limit" in fails_run.err, "with cache: true an error", fails_run)


def main():
    write("one.yaml", TEACHER % "")
    write("three.yaml", TEACHER % ", members: 3")
    check_cache()
    check_views()
    check_ensemble()
    check_classes()
    check_weights()
    check_chain()
    check_interrupted_record()
    check_inherited()
    check_recorded()
    check_features()
    check_command()
    check_refused()
    check_cache_command()
    finish()


if __name__ == "__main__":
    main()
