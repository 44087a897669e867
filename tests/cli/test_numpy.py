#!/usr/bin/python3
"""A model file and `inspect --json` are enough to compute the logits elsewhere; and predict, eval and result.json agree.

For plain, residual and depthwise networks, of initial and of trained weights: the logits that NumPy computes are within
1e-4 of predict's; the accuracy of their argmax is eval's and result.json's."""
import gzip
import json
import os
import subprocess
import sys

import numpy as np

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import numpy_model  # noqa: E402
import small_data  # noqa: E402

NETWORKS = {
    "plain": "{name: cnn, widths: [8, 12], dropout: 0.2}",
    "mlp": "{name: mlp, widths: [20]}",
    "depthwise": "{name: ds-cnn, widths: [8, 12]}",
    "residual": """{layers: [
        {conv: {out: 8, kernel: 3, padding: 1, stride: 2, bias: false}, name: stem}, batch_norm, {relu6: {}, name: a},
        {conv: {out: 8, kernel: [3, 1], padding: [1, 0], groups: 2}, name: b}, {batch_norm: {}, name: c},
        {add: {}, inputs: [a, c], name: sum}, {max_pool: {kernel: 3, stride: 2, padding: 1}, name: d},
        {average_pool: {kernel: 3, stride: 2, padding: 1}, inputs: [sum], name: e},
        {concat: {}, inputs: [d, e]}, {conv: {out: 6, kernel: 2, dilation: 2}}, relu, flatten, {linear: {out: 10}}]}""",
    "blocks": "{layers: [{conv: {out: 6, kernel: 3, padding: 1}}, relu, {residual: {layers: [{conv: {out: 8, kernel: 3, padding: 1, stride: 2}}, "
              "batch_norm]}}, {depthwise_separable: {out: 10}}, global_average_pool, {linear: {out: 10}}]}",
}


def retort(*words):
    done = subprocess.run([os.environ["RETORT"], *words], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
                          check=False)
    if done.returncode != 0:
        raise SystemExit(f"retort {' '.join(words)}: exit status {done.returncode}\n{done.stderr}")
    return done.stdout


def read_idx(path, ndim):
    with (gzip.open if path.endswith(".gz") else open)(path, "rb") as file:
        raw = file.read()
    shape = np.frombuffer(raw[4:4 + 4 * ndim], ">u4").astype(int)
    return np.frombuffer(raw[4 + 4 * ndim:], np.uint8).reshape(shape)


def check(name, network, section, steps):
    with open("recipe.yaml", "w", encoding="utf-8") as file:
        file.write(f"data: {section}\nstudent:\n  network: {network}\n"
                   f"  train: {{steps: {steps}, batch: 32, optimiser: {{name: sgd, rate: 0.05}}}}\n")
    folder = f"run-{name}-{steps}"
    result = json.loads(retort("train", "recipe.yaml", "-o", folder, "--json", "--quiet"))
    stage = result["stages"][0]
    model = f"{folder}/models/{stage['name']}.safetensors"
    retort("predict", model, "--data", "recipe.yaml", "--out", "logits.npy")
    told = json.loads(retort("eval", model, "--data", "recipe.yaml", "--json"))
    predicted, labels = np.load("logits.npy"), read_idx("test-labels", 1)
    images = read_idx("test-images.gz", 3)[:, None] / 255.0
    computed = numpy_model.logits(json.loads(retort("inspect", model, "--json")), numpy_model.tensors(model), images)
    far = np.abs(computed - predicted).max()
    accuracy = float((predicted.argmax(1) == labels).mean())
    print(f"{name}, {steps} steps: largest difference {far:.2e}, accuracy {accuracy:.4f}")
    assert predicted.dtype == np.float32 and predicted.shape == (200, 10), (predicted.dtype, predicted.shape)
    assert np.ptp(predicted, axis=0).max() > 1e-3, "the logits do not depend on the image"
    assert far < 1e-4, f"{name}, {steps} steps: logits differ by {far:.3e}"
    assert told["accuracy"] == accuracy, f"eval says {told['accuracy']}, predict {accuracy}"
    assert stage["test"]["accuracy"] == accuracy, f"result.json says {stage['test']['accuracy']}, predict {accuracy}"
    assert told["samples"] == 200 and told["split"] == "test" and told["model"] == model, told
    assert abs(told["loss"] - stage["test"]["loss"]) < 1e-6


def main():
    section = small_data.make()
    for name, network in NETWORKS.items():
        for steps in (0, 20):
            check(name, network, section, steps)


main()
