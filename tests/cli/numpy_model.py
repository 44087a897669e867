"""numpy_model.py: the logits of a model, in NumPy, from the model file and `retort inspect --json` alone.

    logits = numpy_model.logits(inspected, numpy_model.tensors(path), images)    images [N,C,H,W] in [0,1]"""
import json
import struct

import numpy as np


def tensors(path):
    """{name: array} of a safetensors file."""
    with open(path, "rb") as file:
        raw = file.read()
    length = struct.unpack("<Q", raw[:8])[0]
    header, data = json.loads(raw[8:8 + length]), raw[8 + length:]
    return {name: np.frombuffer(data[slice(*entry["data_offsets"])], "<f4").reshape(entry["shape"]).astype(np.float64)
            for name, entry in header.items() if name != "__metadata__"}


def pair(value):
    return tuple(value) if isinstance(value, list) else (value, value)


def windows(x, o, fill=0.0):
    """[N,C,H',W',kh,kw]: what each window of a convolution or pool sees."""
    (kh, kw), (sh, sw), (ph, pw), (dh, dw) = (pair(o.get(k, d)) for k, d in
                                              (("kernel", 1), ("stride", 1), ("padding", 0), ("dilation", 1)))
    x = np.pad(x, ((0, 0), (0, 0), (ph, ph), (pw, pw)), constant_values=fill)
    view = np.lib.stride_tricks.sliding_window_view(x, ((kh - 1) * dh + 1, (kw - 1) * dw + 1), axis=(2, 3))
    return view[:, :, ::sh, ::sw, ::dh, ::dw]


def conv(x, o, t):
    seen, groups = windows(x, o), o["groups"]
    parts = [np.einsum("nchwij,ocij->nohw", s, w, optimize=True) for s, w in
             zip(np.split(seen, groups, axis=1), np.split(t["weight"], groups, axis=0))]
    y = np.concatenate(parts, axis=1)
    return y + t["bias"][:, None, None] if "bias" in t else y


def channels(values, x):
    """One number, or one a channel, beside x."""
    return np.reshape(values, (-1,) + (1,) * (x.ndim - 2))


def batch_norm(x, o, t):
    scale = t["weight"] / np.sqrt(t["running_var"] + o["epsilon"])
    return (x - channels(t["running_mean"], x)) * channels(scale, x) + channels(t["bias"], x)


LAYERS = {
    "standardise": lambda x, o, t: (x - channels(o["mean"], x)) / channels(o["deviation"], x),
    "conv": conv,
    "batch_norm": batch_norm,
    "linear": lambda x, o, t: x @ t["weight"].T + t.get("bias", 0),
    "relu": lambda x, o, t: np.maximum(x, 0),
    "relu6": lambda x, o, t: np.clip(x, 0, 6),
    "max_pool": lambda x, o, t: windows(x, o, -np.inf).max(axis=(4, 5)),
    "average_pool": lambda x, o, t: windows(x, o).mean(axis=(4, 5)),
    "global_average_pool": lambda x, o, t: x.mean(axis=(2, 3)),
    "global_max_pool": lambda x, o, t: x.max(axis=(2, 3)),
    "flatten": lambda x, o, t: x.reshape(len(x), -1),
    "dropout": lambda x, o, t: x,
}
JOINS = {"add": sum, "mul": lambda xs: np.prod(xs, axis=0), "concat": lambda xs: np.concatenate(xs, axis=1)}


def logits(inspected, weights, images):
    values = {"input": images}
    for layer in inspected["layers"]:
        inputs = [values[name] for name in layer["inputs"]]
        own = {short: weights[name] for short, name in layer["tensors"].items()}
        kind = layer["type"]
        values[layer["name"]] = JOINS[kind](inputs) if kind in JOINS else LAYERS[kind](inputs[0], layer["options"], own)
    return values[inspected["outputs"]["logits"]]
