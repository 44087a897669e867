"""small_data.py: small IDX files that can be learnt from, how they are read, and a recipe's data: section for them."""
import gzip
import struct

import numpy as np


def write_idx(path, array):
    """uint8 array as IDX; packed when the name ends in .gz."""
    head = struct.pack(">HBB", 0, 8, array.ndim) + struct.pack(f">{array.ndim}I", *array.shape)
    with (gzip.open if str(path).endswith(".gz") else open)(path, "wb") as file:
        file.write(head + array.astype(np.uint8).tobytes())


def read_idx(path):
    with (gzip.open if str(path).endswith(".gz") else open)(path, "rb") as file:
        raw = file.read()
    shape = np.frombuffer(raw[4:4 + 4 * raw[3]], ">u4").astype(int)
    return np.frombuffer(raw[4 + 4 * raw[3]:], np.uint8).reshape(shape)


def make(folder=".", train=600, test=200, size=12, classes=10, channels=0, seed=1):
    """Images of a bright spot whose place is the class, with noise. Returns the section as YAML's flow form."""
    random = np.random.default_rng(seed)
    for name, count in (("train", train), ("test", test)):
        labels = np.arange(count) % classes
        random.shuffle(labels)
        images = random.integers(0, 90, (count, size, size) + ((channels,) if channels else ()))
        for i, label in enumerate(labels):
            row, column = divmod(int(label), 4)
            images[i, 1 + 3 * row:4 + 3 * row, 3 * column:3 + 3 * column] += 130
        write_idx(f"{folder}/{name}-images.gz", images)
        write_idx(f"{folder}/{name}-labels", labels)
    return ("{idx: {train_images: train-images.gz, train_labels: train-labels, test_images: test-images.gz, "
            "test_labels: test-labels}, validation: 100}")
