"""PyTorch's side of throughput.py: a process that trains or infers as it is told, in each way that PyTorch offers.

    peer.py JOB (JSON)

Answers each line of standard input ({"way": "channels_last compiled", "seconds": 2}) with a line: {"speed":
samples/s} or {"error": text}. A job with "peak" set trains a few steps in job["way"] and answers with its peak of
resident memory instead. The network is traced to straight-line code (torch.fx), ReLU works in place, SGD is fused,
each way is warmed up before it is timed, and inference runs in inference mode."""
import json
import logging
import os
import sys
import time

import numpy as np
import torch
import torch.fx
import torch.nn.functional as F

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import torch_net

WARM_UP = 10


class Shaped(torch.fx.Proxy):
    """A proxy that knows its value, so that a layer may ask for its shape while it is traced."""

    def dim(self):
        return self.value.dim()

    def size(self, *axis):
        return self.value.size(*axis)

    @property
    def shape(self):
        return self.value.shape


class Tracer(torch.fx.Tracer):
    """Runs the network on `sample` while it is traced."""

    def __init__(self, sample):
        super().__init__()
        self.sample = sample

    def proxy(self, node):
        return Shaped(node, self)

    def create_proxy(self, kind, target, args, kwargs, *more, **rest):
        proxy = super().create_proxy(kind, target, args, kwargs, *more, **rest)
        values, named = torch.fx.node.map_aggregate(
            (args, kwargs), lambda item: item.value if isinstance(item, Shaped) else item)
        if kind == "placeholder":
            proxy.value = self.sample
        elif kind == "get_attr":
            root = self.root.__dict__  # its attributes are proxies now
            proxy.value = {**root, **root["_parameters"], **root["_buffers"]}[target]
        elif kind == "call_function":
            proxy.value = target(*values, **named)
        elif kind == "call_method":
            proxy.value = getattr(values[0], target)(*values[1:], **named)
        return proxy


class Peer(torch_net.Net):
    """ReLU in place where nobody else reads its input."""

    def apply_layer(self, layer, inputs):
        if layer["type"] in ("relu", "relu6") and layer["alone"]:
            return {"relu": F.relu, "relu6": F.relu6}[layer["type"]](inputs[0], inplace=True)
        return super().apply_layer(layer, inputs)


def standardise_apart(description):
    """The description without its first layer that standardises, and that layer with the bytes' 1/255 as one
    multiplication and one subtraction, as one would write it in PyTorch."""
    first = description["layers"][0]
    if first["type"] != "standardise":
        return description, 1 / 255, 0.0
    if len(first["options"]["mean"]) != 1:
        raise ValueError("expected images of one channel")
    for layer in description["layers"]:
        layer["inputs"] = ["input" if name == first["name"] else name for name in layer["inputs"]]
    mean, deviation = first["options"]["mean"][0], first["options"]["deviation"][0]
    return {**description, "layers": description["layers"][1:]}, 1 / 255 / deviation, mean / deviation


def network_build(job, training, model):
    """The network of a model file, and how bytes become its input."""
    description, scale, shift = standardise_apart(torch_net.inspect(job["retort"], model))
    readers = [name for layer in description["layers"] for name in layer["inputs"]]
    for layer in description["layers"]:
        layer["alone"] = layer["inputs"][0] != "input" and readers.count(layer["inputs"][0]) == 1
    net = Peer(description, torch_net.read_safetensors(model), torch.float32).train(training)
    with torch.no_grad():
        graph = Tracer(torch.rand(2, *description["input"])).trace(net)
    return torch.fx.GraphModule(net, graph), scale, shift


def sgd(parameters, options):
    values = {"lr": options["rate"], "momentum": options.get("momentum", 0), "nesterov": options.get("nesterov", False),
              "weight_decay": options.get("weight_decay", 0)}
    try:
        return torch.optim.SGD(parameters, **values, fused=True)
    except (TypeError, RuntimeError):  # older ones
        return torch.optim.SGD(parameters, **values)


def layout_of(way):
    return torch.channels_last if way.startswith("channels_last") else torch.contiguous_format


def teaching(job, layout):
    """A function that computes kd's loss from bytes and the student's logits; temperature 1. The teacher runs in
    evaluation mode and without gradients, the same in every step."""
    net, scale, shift = network_build(job, False, job["teacher"])
    net = net.to(memory_format=layout).requires_grad_(False)

    def loss_of(x, logits):
        with torch.no_grad():
            target = F.log_softmax(net(x.to(torch.float32, memory_format=layout).mul_(scale).sub_(shift)), 1)
        return F.kl_div(F.log_softmax(logits, 1), target, reduction="batchmean", log_target=True)
    return loss_of


def trainer(job, data, way):
    """A function that trains for one step and returns the loss: of the labels, or half of that and half of kd's."""
    net, scale, shift = network_build(job, True, job["model"])
    layout, batch, (images, labels) = layout_of(way), job["batch"], data
    net = net.to(memory_format=layout)
    optimiser = sgd(net.parameters(), job["optimiser"])
    taught = teaching(job, layout) if "teacher" in job else None

    def loss_of(x, y):
        logits = net(x.to(torch.float32, memory_format=layout).mul_(scale).sub_(shift))
        loss = F.cross_entropy(logits, y)
        return 0.5 * loss + 0.5 * taught(x, logits) if taught else loss
    loss_of = torch.compile(loss_of) if way.endswith("compiled") else loss_of
    state = {"at": len(labels), "order": None}

    def step():
        if state["at"] + batch > len(labels):
            state["at"], state["order"] = 0, torch.randperm(len(labels))
        rows = state["order"][state["at"]:state["at"] + batch]
        state["at"] += batch
        loss = loss_of(images[rows], labels[rows])
        optimiser.zero_grad(set_to_none=True)
        loss.backward()
        optimiser.step()
        return loss
    return step


def inferrer(job, data, way):
    net, scale, shift = network_build(job, False, job["model"])
    layout, batch, images = layout_of(way), job["batch"], data[0]
    net = net.to(memory_format=layout)

    def logits_of(x):
        return net(x.to(torch.float32, memory_format=layout).mul_(scale).sub_(shift))
    logits_of = torch.compile(logits_of) if way.endswith("compiled") else logits_of
    state = {"at": 0}

    def step():
        state["at"] = (state["at"] + batch) % (len(images) - batch)
        with torch.inference_mode():
            return logits_of(images[state["at"]:state["at"] + batch]).sum()
    return step


def data_read(job, shape):
    images = torch.from_numpy(np.fromfile(job["images"], np.uint8, offset=16).reshape(-1, *shape))
    return images, torch.from_numpy(np.fromfile(job["labels"], np.uint8, offset=8).astype(np.int64))


def measure(step, batch, seconds):
    count, begin = 0, time.perf_counter()
    while count == 0 or time.perf_counter() - begin < seconds:
        last = step()
        count += 1
    speed = count * batch / (time.perf_counter() - begin)
    if not torch.isfinite(last):
        raise ValueError("PyTorch's numbers are not finite")
    return speed


def main():
    job = json.loads(sys.argv[1])
    torch.set_num_threads(job["threads"])
    logging.getLogger("torch.utils.cpp_extension").setLevel(logging.ERROR)  # there is no GPU, and none is wanted
    data = data_read(job, torch_net.inspect(job["retort"], job["model"])["input"])
    make = trainer if job["training"] else inferrer
    if job.get("peak"):
        measure(make(job, data, job["way"]), job["batch"], 1)
        with open("/proc/self/status") as status:
            peak = next(int(line.split()[1]) * 1024 for line in status if line.startswith("VmHWM:"))
        print(json.dumps({"peak": peak}))
        return
    print(json.dumps({"version": torch.__version__, "compiles": hasattr(torch, "compile")}), flush=True)
    steps = {}
    for line in sys.stdin:
        asked = json.loads(line)
        try:
            if asked["way"] not in steps:
                steps[asked["way"]] = make(job, data, asked["way"])
                for _ in range(WARM_UP):
                    steps[asked["way"]]()
            answer = {"speed": measure(steps[asked["way"]], job["batch"], asked["seconds"])}
        except Exception as error:  # a compiler that fails, in whatever words
            answer = {"error": f"{type(error).__name__}: {str(error).splitlines()[0] if str(error) else ''}"}
        print(json.dumps(answer), flush=True)


if __name__ == "__main__":
    main()
