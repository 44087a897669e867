"""A network that `retort inspect --json` describes, as a PyTorch module with the model file's weights."""
import json
import subprocess

import numpy as np
import torch
import torch.nn.functional as F

TYPES = {"F32": np.float32, "F64": np.float64}


def read_safetensors(path):
    with open(path, "rb") as file:
        header = json.loads(file.read(int.from_bytes(file.read(8), "little")))
        body = file.read()
    header.pop("__metadata__", None)
    out = {}
    for name, entry in header.items():
        begin, end = entry["data_offsets"]
        out[name] = np.frombuffer(body[begin:end], TYPES[entry["dtype"]]).reshape(entry["shape"]).copy()
    return out


def inspect(retort, model):
    return json.loads(subprocess.run([retort, "inspect", model, "--json"], check=True, stdout=subprocess.PIPE).stdout)


def pair(value):
    return tuple(value) if isinstance(value, list) else (value, value)


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
            return F.conv2d(x, self.tensor(layer, "weight"), self.tensor(layer, "bias"), pair(o["stride"]), pair(o["padding"]),
                            pair(o["dilation"]), o["groups"])
        if kind == "linear":
            return F.linear(x, self.tensor(layer, "weight"), self.tensor(layer, "bias"))
        if kind == "batch_norm":
            return F.batch_norm(x, self.tensor(layer, "running_mean"), self.tensor(layer, "running_var"), self.tensor(layer, "weight"),
                                self.tensor(layer, "bias"), self.training, 0.1, o["epsilon"])
        if kind == "relu":
            return F.relu(x)
        if kind == "relu6":
            return F.relu6(x)
        if kind == "max_pool":
            return F.max_pool2d(x, pair(o["kernel"]), pair(o["stride"]), pair(o["padding"]))
        if kind == "average_pool":
            return F.avg_pool2d(x, pair(o["kernel"]), pair(o["stride"]), pair(o["padding"]))
        if kind == "global_average_pool":
            return x.mean((2, 3))
        if kind == "global_max_pool":
            return x.amax((2, 3))
        if kind == "flatten":
            return x.flatten(1)
        if kind == "dropout":
            return F.dropout(x, o["rate"], self.training)
        if kind == "add":
            return sum(inputs[1:], x)
        if kind == "standardise":
            shape = (1, -1, 1, 1) if x.dim() == 4 else (1, -1)
            mean = torch.tensor(o["mean"], dtype=x.dtype).reshape(shape)
            return (x - mean) / torch.tensor(o["deviation"], dtype=x.dtype).reshape(shape)
        raise SystemExit(f"torch_net.py: no layer type {kind}")


def load(retort, model, dtype):
    return Net(inspect(retort, model), read_safetensors(model), dtype)
