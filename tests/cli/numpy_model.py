"""numpy_model.py: the logits of a model, in NumPy, from the model file and `retort inspect --json` alone.

    logits = numpy_model.logits(inspected, numpy_model.tensors(path), images)    images [N,C,H,W] in [0,1]"""
import json
import math
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


def conv_transpose(x, o, t):
    (kh, kw), (sh, sw), (ph, pw), (dh, dw), (eh, ew) = (pair(o[k]) for k in
                                                        ("kernel", "stride", "padding", "dilation", "output_padding"))
    (n, c, h, w), weight = x.shape, t["weight"]
    y = np.zeros((n, o["out"], (h - 1) * sh + dh * (kh - 1) + eh + 1, (w - 1) * sw + dw * (kw - 1) + ew + 1))
    for i in range(kh):
        for j in range(kw):
            parts = [np.einsum("nchw,co->nohw", s, v) for s, v in zip(np.split(x, o["groups"], axis=1),
                                                                      np.split(weight[:, :, i, j], o["groups"]))]
            y[:, :, i * dh:i * dh + (h - 1) * sh + 1:sh, j * dw:j * dw + (w - 1) * sw + 1:sw] += np.concatenate(parts, 1)
    y = y[:, :, ph:y.shape[2] - ph, pw:y.shape[3] - pw]
    return y + t["bias"][:, None, None] if "bias" in t else y


def adaptive_average_pool(x, o, t):
    def bins(size, count):
        return [slice(i * size // count, -(-(i + 1) * size // count)) for i in range(count)]
    height, width = pair(o["size"])
    return np.stack([np.stack([x[:, :, rows, columns].mean(axis=(2, 3)) for columns in bins(x.shape[3], width)], axis=2)
                     for rows in bins(x.shape[2], height)], axis=2)


def layer_norm(x, o, t):
    axis = 1 if x.ndim == 4 else -1
    z = (x - x.mean(axis, keepdims=True)) / np.sqrt(x.var(axis, keepdims=True) + o["epsilon"])
    return z * channels(t["weight"], x) + channels(t["bias"], x) if axis == 1 else z * t["weight"] + t["bias"]


def channels(values, x):
    """One number, or one a channel, beside x: maps [N,C,H,W], vectors [N,C], tokens [N,T,C]."""
    return np.reshape(values, (-1, 1, 1) if x.ndim == 4 else -1)


def batch_norm(x, o, t):
    scale = t["weight"] / np.sqrt(t["running_var"] + o["epsilon"])
    return (x - channels(t["running_mean"], x)) * channels(scale, x) + channels(t["bias"], x)


def pad(x, o, t):
    return np.pad(x, ((0, 0), (o["front"], o["back"]), (o["top"], o["bottom"]), (o["left"], o["right"])))


def resize(x, o, t):
    for axis, out in zip((2, 3), pair(o["size"])):
        size = x.shape[axis]
        if o["mode"] == "nearest":
            at = np.floor(np.arange(out, dtype=np.float32) * (np.float32(size) / np.float32(out))).astype(int)
            x = np.take(x, np.minimum(at, size - 1), axis)
        else:
            at = np.clip((np.arange(out) + 0.5) * size / out - 0.5, 0, size - 1)
            low = at.astype(int)
            share = (at - low).reshape((-1, 1) if axis == 2 else -1)
            x = np.take(x, low, axis) * (1 - share) + np.take(x, np.minimum(low + 1, size - 1), axis) * share
    return x


LAYERS = {
    "standardise": lambda x, o, t: (x - channels(o["mean"], x)) / channels(o["deviation"], x),
    "conv": conv,
    "conv_transpose": conv_transpose,
    "batch_norm": batch_norm,
    "layer_norm": layer_norm,
    "linear": lambda x, o, t: x @ t["weight"].T + t.get("bias", 0),
    "relu": lambda x, o, t: np.maximum(x, 0),
    "relu6": lambda x, o, t: np.clip(x, 0, 6),
    "leaky_relu": lambda x, o, t: np.where(x < 0, o["slope"] * x, x),
    "hard_swish": lambda x, o, t: x * np.clip(x + 3, 0, 6) / 6,
    "hard_sigmoid": lambda x, o, t: np.clip(x + 3, 0, 6) / 6,
    "sigmoid": lambda x, o, t: 1 / (1 + np.exp(-x)),
    "tanh": lambda x, o, t: np.tanh(x),
    "gelu": lambda x, o, t: x * (1 + np.vectorize(math.erf)(x / math.sqrt(2))) / 2,
    "silu": lambda x, o, t: x / (1 + np.exp(-x)),
    "softplus": lambda x, o, t: np.logaddexp(x, 0),
    "max_pool": lambda x, o, t: windows(x, o, -np.inf).max(axis=(4, 5)),
    "average_pool": lambda x, o, t: windows(x, o).mean(axis=(4, 5)),
    "adaptive_average_pool": adaptive_average_pool,
    "global_average_pool": lambda x, o, t: x.mean(axis=(2, 3) if x.ndim == 4 else 1),
    "global_max_pool": lambda x, o, t: x.max(axis=(2, 3)),
    "flatten": lambda x, o, t: x.reshape(len(x), -1),
    "tokens": lambda x, o, t: x.reshape(*x.shape[:2], -1).swapaxes(1, 2),
    "transpose": lambda x, o, t: x.swapaxes(1, 2),
    "pad": pad,
    "resize": resize,
    "dropout": lambda x, o, t: x,
    "spatial_dropout": lambda x, o, t: x,
    "stochastic_depth": lambda x, o, t: x,
}
def beside(xs):
    """Vectors [N,C] among maps meet every position."""
    return [xs[0]] + [x[:, :, None, None] if x.ndim == 2 and xs[0].ndim == 4 else
                      x[:, None, :] if x.ndim == 2 and xs[0].ndim == 3 else x for x in xs[1:]]


def mixture(xs):
    """The vectors behind the gate, weighted by its softmax."""
    gate = np.exp(xs[0] - xs[0].max(1, keepdims=True))
    return np.einsum("nm,mnk->nk", gate / gate.sum(1, keepdims=True), np.stack(xs[1:]))


JOINS = {"mixture": mixture, "add": lambda xs: sum(beside(xs)), "mul": lambda xs: math.prod(beside(xs)), "concat": lambda xs: np.concatenate(xs, axis=2 if xs[0].ndim == 3 else 1)}


def logits(inspected, weights, images):
    values = {"input": images}
    for layer in inspected["layers"]:
        inputs = [values[name] for name in layer["inputs"]]
        own = {short: weights[name] for short, name in layer["tensors"].items()}
        kind = layer["type"]
        values[layer["name"]] = JOINS[kind](inputs) if kind in JOINS else LAYERS[kind](inputs[0], layer["options"], own)
    return values[inspected["outputs"]["logits"]]
