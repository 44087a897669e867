"""A network that `retort inspect --json` describes, as a PyTorch module with the model file's weights."""
import functools
import json
import operator
import subprocess

import numpy as np
import torch
import torch.nn.functional as F

TYPES = {"F32": np.float32, "F64": np.float64, "I32": np.int32, "I64": np.int64, "U8": np.uint8}


def read_header(file):
    return json.loads(file.read(int.from_bytes(file.read(8), "little")))


def read_safetensors(path):
    with open(path, "rb") as file:
        header = read_header(file)
        body = file.read()
    header.pop("__metadata__", None)
    out = {}
    for name, entry in header.items():
        begin, end = entry["data_offsets"]
        out[name] = np.frombuffer(body[begin:end], TYPES[entry["dtype"]]).reshape(entry["shape"]).copy()
    return out


def read_metadata(path):
    with open(path, "rb") as file:
        return read_header(file).get("__metadata__", {})


def inspect(retort, model):
    return json.loads(subprocess.run([retort, "inspect", model, "--json"], check=True, stdout=subprocess.PIPE).stdout)


ACTIVATIONS = {"hard_swish": F.hardswish, "hard_sigmoid": F.hardsigmoid, "sigmoid": torch.sigmoid, "tanh": torch.tanh,
               "gelu": F.gelu, "silu": F.silu, "softplus": F.softplus}


def pair(value):
    return tuple(value) if isinstance(value, list) else (value, value)


def beside(inputs):
    """Vectors [N,C] among maps [N,C,H,W] or tokens [N,T,C] meet every position."""
    first = inputs[0].dim()
    return [x[:, :, None, None] if x.dim() == 2 and first == 4 else x[:, None] if x.dim() == 2 and first == 3 else x
            for x in inputs]


class Net(torch.nn.Module):
    """Evaluates the layers one by one; parameters are named as the model file's tensors ('.' as '/')."""

    def __init__(self, description, tensors, dtype):
        super().__init__()
        self.layers = description["layers"]
        self.logits = description["outputs"]["logits"]
        for name, value in tensors.items():
            value = torch.tensor(value, dtype=dtype)
            if name.endswith(("running_mean", "running_var")):
                self.register_buffer(name.replace(".", "/"), value)
            else:
                self.register_parameter(name.replace(".", "/"), torch.nn.Parameter(value))

    def tensor(self, layer, key):
        name = layer["tensors"].get(key)
        return getattr(self, name.replace(".", "/")) if name else None

    def forward(self, x):
        values = {"input": x}
        for layer in self.layers:
            inputs = [values[name] for name in layer["inputs"]]
            values[layer["name"]] = self.apply_layer(layer, inputs)
        return values[self.logits]

    def apply_layer(self, layer, inputs):
        o, x, kind = layer["options"], inputs[0], layer["type"]
        if kind == "conv":
            return F.conv2d(x, self.tensor(layer, "weight"), self.tensor(layer, "bias"), pair(o["stride"]),
                            pair(o["padding"]), pair(o["dilation"]), o["groups"])
        if kind == "conv_transpose":
            return F.conv_transpose2d(x, self.tensor(layer, "weight"), self.tensor(layer, "bias"), pair(o["stride"]),
                                      pair(o["padding"]), pair(o["output_padding"]), o["groups"], pair(o["dilation"]))
        if kind == "linear":
            return F.linear(x, self.tensor(layer, "weight"), self.tensor(layer, "bias"))
        if kind == "batch_norm":
            tokens = x.dim() == 3  # [N,T,C]; PyTorch has channels second
            y = F.batch_norm(x.transpose(1, 2) if tokens else x, self.tensor(layer, "running_mean"),
                             self.tensor(layer, "running_var"), self.tensor(layer, "weight"),
                             self.tensor(layer, "bias"), self.training, 0.1, o["epsilon"])
            return y.transpose(1, 2) if tokens else y
        if kind == "relu":
            return F.relu(x)
        if kind == "relu6":
            return F.relu6(x)
        if kind == "leaky_relu":
            return F.leaky_relu(x, o["slope"])
        if kind in ACTIVATIONS:
            return ACTIVATIONS[kind](x)
        if kind == "max_pool":
            return F.max_pool2d(x, pair(o["kernel"]), pair(o["stride"]), pair(o["padding"]))
        if kind == "average_pool":
            return F.avg_pool2d(x, pair(o["kernel"]), pair(o["stride"]), pair(o["padding"]))
        if kind == "adaptive_average_pool":
            return F.adaptive_avg_pool2d(x, pair(o["size"]))
        if kind == "layer_norm":
            rows = x.movedim(1, -1) if x.dim() == 4 else x
            y = F.layer_norm(rows, rows.shape[-1:], self.tensor(layer, "weight"), self.tensor(layer, "bias"),
                             o["epsilon"])
            return y.movedim(-1, 1) if x.dim() == 4 else y
        if kind == "global_average_pool":
            return x.mean((2, 3) if x.dim() == 4 else 1)
        if kind == "global_max_pool":
            return x.amax((2, 3))
        if kind == "flatten":
            return x.flatten(1)
        if kind == "tokens":
            return x.flatten(2).transpose(1, 2)
        if kind == "transpose":
            return x.transpose(1, 2)
        if kind == "pad":
            return F.pad(x, (o["left"], o["right"], o["top"], o["bottom"], o["front"], o["back"]))
        if kind == "resize":
            return F.interpolate(x, pair(o["size"]), mode=o["mode"])
        if kind == "mixture":
            return torch.einsum("nm,mnk->nk", F.softmax(x, 1), torch.stack(inputs[1:]))
        if kind == "concat":
            return torch.cat(inputs, 2 if x.dim() == 3 else 1)
        if kind == "dropout":
            return F.dropout(x, o["rate"], self.training)
        if kind == "spatial_dropout":
            return F.dropout2d(x, o["rate"], self.training)
        if kind == "stochastic_depth":
            shape = (x.shape[0],) + (1,) * (x.dim() - 1)
            return x * F.dropout(torch.ones(shape, dtype=x.dtype, device=x.device), o["rate"], self.training)
        if kind in ("add", "mul"):
            return functools.reduce(operator.add if kind == "add" else operator.mul, beside(inputs))
        if kind == "standardise":
            shape = (1, -1, 1, 1) if x.dim() == 4 else (1, -1)
            mean = torch.tensor(o["mean"], dtype=x.dtype).reshape(shape)
            return (x - mean) / torch.tensor(o["deviation"], dtype=x.dtype).reshape(shape)
        raise SystemExit(f"torch_net.py: no layer type {kind}")


def load(retort, model, dtype):
    return Net(inspect(retort, model), read_safetensors(model), dtype)
