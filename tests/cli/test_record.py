#!/usr/bin/python3
"""`retort record`: NumPy reads what it wrote, which is what predict gives; a layer's outputs are those of the layer; and
nothing half-written is left where it fails."""
import gzip
import os
import resource
import signal
import sys
import zlib

import numpy as np

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import numpy_model  # noqa: E402
import small_data  # noqa: E402
from retort import expect, fails, finish, run  # noqa: E402

MODEL = "run/models/alone-0.safetensors"
OTHER = "run/models/alone-1.safetensors"
NETWORK = """{layers: [{conv: {out: 6, kernel: 3, stride: 2}, name: stem}, batch_norm, relu, {conv: {out: 4, kernel: 3}},
    {relu: {}, name: inner}, {flatten: {}, name: flat}, {linear: {out: 10}, name: head}]}"""


def write(path, text):
    with open(path, "w", encoding="utf-8") as file:
        file.write(text)


def images(path, shape):
    with gzip.open(path) as file:
        return np.frombuffer(file.read()[4 + 4 * len(shape):], np.uint8).reshape(shape)


def softmax(z):
    z = np.exp(z.astype(np.float64) - z.max(1, keepdims=True))
    return z / z.sum(1, keepdims=True)


def predictions(model, *words):
    """Of the train split and then of validation: the training files' order."""
    parts = []
    for split in ("train", "validation"):
        done = run("predict", model, "--data", "recipe.yaml", "--split", split, "--out", "part.npy", *words)
        expect(done.status == 0, f"predict {split}", done)
        parts.append(np.load("part.npy"))
    return np.concatenate(parts)


def recorded(model, *words):
    done = run("record", model, "--data", "recipe.yaml", "--out", "out.npz", "--json", *words)
    expect(done.status == 0 and done.err == "", f"record {words}", done)
    document = done.document()
    expect(list(document) == ["model", "data", "samples", "classes", "arrays", "out"], "keys", done)
    with np.load("out.npz") as file:
        arrays = {name: file[name] for name in file.files}
    told = [{"name": name, "dtype": array.dtype.name, "shape": list(array.shape)} for name, array in arrays.items()]
    expect(document["arrays"] == told, f"the document says what the file has: {told}", done)
    expect((document["samples"], document["classes"], document["out"]) == (600, 10, "out.npz"), "figures", done)
    return arrays


def check_logits():
    expected = predictions(MODEL)
    arrays = recorded(MODEL)
    expect(list(arrays) == ["logits", "crc32"], f"arrays {list(arrays)}")
    expect(arrays["logits"].dtype == np.float32 and np.array_equal(arrays["logits"], expected), "the bits of predict")
    pictures = images("train-images.gz", (600, 12, 12))
    crcs = np.array([zlib.crc32(picture.tobytes()) for picture in pictures], np.uint32)
    expect(arrays["crc32"].dtype == np.uint32 and np.array_equal(arrays["crc32"], crcs), "crc32 of the samples' bytes")
    with open("out.npz", "rb") as file:
        before = file.read()
    recorded(MODEL)
    with open("out.npz", "rb") as file:
        expect(file.read() == before, "the same file again")
    done = run("record", MODEL, "--data", "recipe.yaml", "--out", "out.npz")
    expect(done.status == 0 and "logits" in done.out and "[600, 10]" in done.out, "as text", done)
    done = run("record", MODEL, "--data", "recipe.yaml", "--out", "out.npz", "--csv")
    expect(done.status == 0 and done.out.startswith("model,data,samples,classes,arrays,out\n"), "as CSV", done)


def check_forms():
    logits = predictions(MODEL)
    dense = recorded(MODEL, "--probabilities")
    expect(list(dense) == ["probabilities", "crc32"], f"arrays {list(dense)}")
    expect(np.abs(dense["probabilities"] - softmax(logits)).max() < 1e-6, "probabilities")
    top = recorded(MODEL, "--top", "3")
    expect(list(top) == ["top_classes", "top_probabilities", "crc32"], f"arrays {list(top)}")
    order = np.argsort(-logits, 1, kind="stable")[:, :3]
    expect(top["top_classes"].dtype == np.int64 and np.array_equal(top["top_classes"], order), "the likeliest classes")
    expect(np.array_equal(top["top_probabilities"], np.take_along_axis(dense["probabilities"], order, 1)), "their probabilities")
    whole = recorded(MODEL, "--top", "10")
    expect(whole["top_classes"].shape == (600, 10) and np.abs(whole["top_probabilities"].sum(1) - 1).max() < 1e-5, "all classes")


def check_ensemble():
    for words in ((), ("--combine", "mean-logit")):
        expected = predictions(f"{MODEL},{OTHER}", *words)
        arrays = recorded(f"{MODEL},{OTHER}", *words)
        expect(np.array_equal(arrays["logits"], expected), f"an ensemble {words}")


def check_layers():
    arrays = recorded(MODEL, "--layers", "stem,inner,flat", "--layers", "head")
    expect(list(arrays) == ["logits", "crc32", "stem", "inner", "flat", "head"], f"arrays {list(arrays)}")
    shapes = {name: arrays[name].shape for name in ("stem", "inner", "flat", "head")}
    expect(shapes == {"stem": (600, 6, 5, 5), "inner": (600, 4, 3, 3), "flat": (600, 36), "head": (600, 10)}, f"{shapes}")
    expect(np.abs(arrays["head"] - arrays["logits"]).max() < 1e-5, "the last layer gives the logits")
    expect(np.array_equal(arrays["flat"], arrays["inner"].reshape(600, 36)), "channels first")
    # the first convolution, standardised as the model says, in NumPy
    tensors = numpy_model.tensors(MODEL)
    layers = {layer["name"]: layer for layer in run("inspect", MODEL, "--json").document()["layers"]}
    standard = [layer for layer in layers.values() if layer["type"] == "standardise"][0]["options"]
    x = (images("train-images.gz", (600, 12, 12))[:, None] / 255.0 - standard["mean"]) / standard["deviation"]
    weights = {part: tensors[name] for part, name in layers["stem"]["tensors"].items()}
    stem = numpy_model.conv(x, layers["stem"]["options"], weights)
    expect(np.abs(arrays["stem"] - stem).max() < 1e-4, "the first layer's outputs, sample by sample")


def at_most(size):
    """No file larger than this: as on a full disk, the write fails."""
    def limit():
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        resource.setrlimit(resource.RLIMIT_FSIZE, (size, size))
    return limit


def check_refusals():
    words = ["record", MODEL, "--data", "recipe.yaml", "--out", "x.npz"]
    fails(2, ["record", MODEL, "--data", "recipe.yaml"], "expected --out FILE.npz")
    fails(2, [*words, "--split", "test"], "no option --split")
    fails(2, [*words, "--top", "0"], "--top: expected an integer from 1")
    fails(2, [*words, "--top", "11"], "top: expected at most the model's 10 classes, found 11")
    fails(2, [*words, "--top", "3", "--probabilities"], "either all probabilities or the top classes", "found both")
    fails(2, [*words, "--layers", "stam"], "has no layer \"stam\"", "nearest: \"stem\"")
    fails(2, [*words, "--layers", "stem,stem"], "layer stem is to be recorded twice")
    fails(2, [*words, "--layers", "logits"], "a layer called logits cannot be recorded")
    fails(2, ["record", f"{MODEL},{OTHER}", *words[2:], "--layers", "stem"], "layers are those of one model, found 2 models")
    fails(2, ["record", MODEL, "--data", "fashion-mnits", "--out", "x.npz"], "nearest: \"fashion-mnist\"")
    fails(1, ["record", "none.safetensors", *words[2:]], "none.safetensors")
    write("test.yaml", "data: {idx: {test_images: test-images.gz, test_labels: test-labels}}\n")
    fails(2, ["record", MODEL, "--data", "test.yaml", "--out", "x.npz"], "has no train split", "give training images")
    # its outputs overflow, though each of its values is finite
    huge = numpy_model.tensors(MODEL)
    with open(MODEL, "rb") as file:
        raw = file.read()
    weight = huge["head.weight"].astype("<f4").tobytes()
    with open("huge.safetensors", "wb") as file:
        file.write(raw.replace(weight, np.full(huge["head.weight"].shape, 3e38, "<f4").tobytes()))
    fails(1, ["record", "huge.safetensors", *words[2:]], "huge.safetensors: logits of sample 0 is not finite")
    expect(not os.path.exists("x.npz"), "nothing is written")
    expect(run(*words).status == 0, "record")
    with open("x.npz", "rb") as file:
        before = file.read()
    for size in (0, 1000, len(before) - 1):
        fails(1, words, "cannot write x.npz", preexec_fn=at_most(size))
        with open("x.npz", "rb") as file:
            expect(file.read() == before, "the older file is as it was")
    expect([name for name in os.listdir(".") if "partial" in name] == [], "no partial file is left")
    fails(1, [*words[:-1], "/dev/full"], "cannot write /dev/full", "No space")
    fails(1, [*words[:-1], "no/such/x.npz"], "cannot write no/such/x.npz")


def check_documented():
    """The example of docs/recorded-outputs.md makes what record would."""
    with open(os.path.join(os.environ["RETORT_SOURCE"], "docs/recorded-outputs.md"), encoding="utf-8") as file:
        code = file.read().split("```python\n")[1].split("```")[0]
    arrays = recorded(MODEL)
    exec(code, {"my_teacher": lambda pictures: arrays["logits"].astype(np.float64)})  # pylint: disable=exec-used
    with np.load("teacher.npz") as file:
        expect(sorted(file.files) == ["crc32", "logits"], f"arrays {file.files}")
        for name in file.files:
            expect(file[name].dtype == arrays[name].dtype and np.array_equal(file[name], arrays[name]), f"the example's {name}")


def main():
    section = small_data.make()
    write("recipe.yaml", f"data: {section}\nseeds: [0, 1]\nstudent: {{network: {NETWORK}, train: {{steps: 20, batch: 32}}}}\n")
    done = run("train", "recipe.yaml", "-o", "run", "--quiet")
    expect(done.status == 0, "train", done)
    check_logits()
    check_forms()
    check_ensemble()
    check_layers()
    check_documented()
    check_refusals()
    finish()


main()
