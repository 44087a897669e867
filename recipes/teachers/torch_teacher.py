#!/usr/bin/python3
"""torch_teacher.py FOLDER OUT: trains the network of weights.yaml in PyTorch on Fashion-MNIST's training files in FOLDER,
all but the last 5,000 samples, and writes its weights as safetensors under PyTorch's names."""
import gzip
import json
import sys

import numpy as np
import torch
from torch import nn

TRAINED, EPOCHS, BATCH, RATE = 55000, 4, 128, 0.1


def read(name, skip):
    with gzip.open(f"{sys.argv[1]}/{name}.gz") as file:
        return np.frombuffer(file.read()[skip:], np.uint8)


def convolution(channels, out):
    return [nn.Conv2d(channels, out, 3, padding=1, bias=False), nn.BatchNorm2d(out), nn.ReLU()]


class Network(nn.Module):
    def __init__(self):
        super().__init__()
        self.maps = nn.Sequential(*convolution(1, 16), nn.MaxPool2d(2), *convolution(16, 16), *convolution(16, 32),
                                  nn.MaxPool2d(2), *convolution(32, 32), nn.Conv2d(32, 32, 7, groups=32, bias=False))
        self.classes = nn.Linear(32, 10)

    def forward(self, x):
        return self.classes(nn.functional.dropout(self.maps(x).flatten(1), 0.3, self.training))


def write(path, tensors):
    header, blob = {}, b""
    for name, tensor in tensors.items():
        raw = tensor.detach().numpy().astype("<f4").tobytes()
        header[name] = {"dtype": "F32", "shape": list(tensor.shape), "data_offsets": [len(blob), len(blob) + len(raw)]}
        blob += raw
    text = json.dumps(header).encode()
    with open(path, "wb") as file:
        file.write(len(text).to_bytes(8, "little") + text + blob)


def main():
    torch.manual_seed(0)
    pixels = read("train-images-idx3-ubyte", 16).reshape(60000, 1, 28, 28)[:TRAINED] / np.float32(255)
    images = torch.from_numpy((pixels - pixels.mean()) / pixels.std())
    labels = torch.from_numpy(read("train-labels-idx1-ubyte", 8)[:TRAINED].astype(np.int64))
    network, steps = Network(), EPOCHS * (TRAINED // BATCH)
    optimiser = torch.optim.SGD(network.parameters(), RATE, momentum=0.9, nesterov=True, weight_decay=5e-4)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimiser, RATE, total_steps=steps)
    for epoch in range(EPOCHS):
        order = torch.randperm(TRAINED)
        for at in range(0, TRAINED - BATCH + 1, BATCH):
            rows = order[at:at + BATCH]
            loss = nn.functional.cross_entropy(network(images[rows]), labels[rows])
            optimiser.zero_grad()
            loss.backward()
            optimiser.step()
            schedule.step()
        print(f"epoch {epoch + 1} of {EPOCHS}: loss {loss.item():.3f}", flush=True)
    write(sys.argv[2], {name: tensor for name, tensor in network.state_dict().items() if tensor.is_floating_point()})


main()
