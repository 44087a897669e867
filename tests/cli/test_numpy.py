#!/usr/bin/python3
"""A model file and `inspect --json` are enough to compute the logits elsewhere; and predict, eval and result.json agree.

For plain, residual and depthwise networks, of initial and of trained weights: the logits that NumPy computes are within
1e-4 of predict's (or of their largest, where that is above 1); the accuracy of their argmax is eval's and result.json's."""
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
    "resnet": "{name: resnet, depth: 8, width: 4, stochastic_depth: 0.2}",
    "wrn": "{name: wrn, depth: 10, width: 1, dropout: 0.2}",
    "vgg": "{name: vgg, width: 4, hidden: [20], dropout: 0.2}",
    "mobilenet-v1": "{name: mobilenet-v1, width: 0.125}",
    "mobilenet-v2": "{name: mobilenet-v2, width: 0.125, squeeze: 8}",
    "mlp-mixer": "{name: mlp-mixer, width: 12, depth: 2, token_hidden: 8, channel_hidden: 24}",
    "gates": """{layers: [{conv: {out: 8, kernel: 3, padding: 1, stride: 2}, name: a}, {spatial_dropout: {rate: 0.2}},
        {squeeze_excite: {ratio: 2, gate: hard_sigmoid}, name: b}, {global_average_pool: {}, name: c},
        {add: {}, inputs: [b, c]}, {mul: {}, inputs: [a, add1, c]}, {global_max_pool: {}}, {linear: {out: 10}}]}""",
    "plain": "{name: cnn, widths: [8, 12], dropout: 0.2}",
    "mlp": "{name: mlp, widths: [20]}",
    "depthwise": "{name: ds-cnn, widths: [8, 12]}",
    "residual": """{layers: [
        {conv: {out: 8, kernel: 3, padding: 1, stride: 2, bias: false}, name: stem}, batch_norm, {relu6: {}, name: a},
        {conv: {out: 8, kernel: [3, 1], padding: [1, 0], groups: 2}, name: b}, {batch_norm: {}, name: c},
        {add: {}, inputs: [a, c], name: sum}, {max_pool: {kernel: 3, stride: 2, padding: 1}, name: d},
        {average_pool: {kernel: 3, stride: 2, padding: 1}, inputs: [sum], name: e},
        {concat: {}, inputs: [d, e]}, {conv: {out: 6, kernel: 2, dilation: 2}}, relu, flatten, {linear: {out: 10}}]}""",
    "transposed": """{layers: [
        {conv: {out: 6, kernel: 3, stride: 2, padding: 1}}, {layer_norm: {epsilon: 0.01}}, relu,
        {conv_transpose: {out: 4, kernel: [3, 2], stride: 2, padding: [1, 0], output_padding: [1, 0], groups: 2}}, relu,
        {conv_transpose: {out: 3, kernel: 2, dilation: 2, bias: false}}, {adaptive_average_pool: {size: [3, 4]}},
        flatten, layer_norm, {linear: {out: 10}}]}""",
    "activations": """{layers: [
        {conv: {out: 6, kernel: 3, stride: 2}}, {leaky_relu: {slope: 0.2}}, {conv: {out: 6, kernel: 3, padding: 1}}, hard_swish,
        {conv: {out: 6, kernel: 1}}, hard_sigmoid, {conv: {out: 6, kernel: 1}}, gelu, {conv: {out: 6, kernel: 2}}, tanh, flatten,
        {linear: {out: 12}, name: a}, sigmoid, {silu: {}, inputs: [a]}, {softplus: {}, inputs: [a]},
        {concat: {}, inputs: [sigmoid1, silu1, softplus1]}, {linear: {out: 12}}, leaky_relu, {linear: {out: 10}}]}""",
    "activations of blocks": """{layers: [{conv: {out: 6, kernel: 3, padding: 1, stride: 2}}, silu,
        {residual: {layers: [{conv: {out: 6, kernel: 3, padding: 1}}, batch_norm], activation: hard_swish}},
        {residual: {layers: [{conv: {out: 8, kernel: 3, padding: 1}}], activation: leaky_relu}}, global_average_pool,
        {linear: {out: 10}}]}""",
    "blocks": "{layers: [{conv: {out: 6, kernel: 3, padding: 1}}, relu, {residual: {layers: [{conv: {out: 8, kernel: 3, padding: 1, stride: 2}}, "
              "batch_norm]}}, {depthwise_separable: {out: 10}}, global_average_pool, {linear: {out: 10}}]}",
    "tokens": """{layers: [{conv: {out: 8, kernel: 7, stride: 7}}, {tokens: {}, name: a}, transpose, {linear: {out: 12}}, relu,
        {linear: {out: 16}}, {transpose: {}, name: b}, {add: {}, inputs: [a, b], name: sum}, {linear: {out: 6}},
        {concat: {}, inputs: [linear3, sum]}, {linear: {out: 9}}, {batch_norm: {}, name: norm}, relu,
        {global_average_pool: {}, name: mean}, {flatten: {}, inputs: [norm]}, {concat: {}, inputs: [mean, flatten1]},
        {linear: {out: 10}}]}""",
    "mixture": """{layers: [flatten, {linear: {out: 12}}, {relu: {}, name: a}, {linear: {out: 3}, name: gate},
        {linear: {out: 10}, inputs: [a], name: b}, {linear: {out: 10}, inputs: [a], name: c},
        {linear: {out: 10}, inputs: [a], name: d}, {mixture: {}, inputs: [gate, b, c, d]}]}""",
    "resized": """{layers: [{resize: {size: [17, 40], mode: bilinear}}, {conv: {out: 4, kernel: 3, stride: 2}}, batch_norm, relu,
        {resize: {size: [11, 8]}}, {pad: {top: 1, left: 2, right: 1, front: 1, back: 2}}, {resize: {size: 9, mode: bilinear}},
        {conv: {out: 6, kernel: 3}}, {resize: {size: 7}}, flatten, {linear: {out: 10}}]}""",
}

# Before training hardly anything of the image arrives at their logits.
DEEP = {"mobilenet-v1", "mobilenet-v2"}


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
    assert far < 1e-4 * max(1, np.abs(predicted).max()), f"{name}, {steps} steps: logits differ by {far:.3e}"
    assert told["accuracy"] == accuracy, f"eval says {told['accuracy']}, predict {accuracy}"
    assert stage["test"]["accuracy"] == accuracy, f"result.json says {stage['test']['accuracy']}, predict {accuracy}"
    assert told["samples"] == 200 and told["split"] == "test" and told["model"] == model, told
    assert abs(told["loss"] - stage["test"]["loss"]) < 1e-6


def main():
    section = small_data.make()
    for name, network in NETWORKS.items():
        for steps in (20,) if name in DEEP else (0, 20):
            check(name, network, section, steps)


main()
