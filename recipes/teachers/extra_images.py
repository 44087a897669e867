#!/usr/bin/python3
"""extra_images.py FOLDER OUT: Fashion-MNIST's files in FOLDER as if 10,000 training images had a label: those with, the
50,000 others without, and the test files."""
import gzip
import os
import sys

LABELLED, ALL, IMAGES_HEAD, LABELS_HEAD, PIXELS = 10000, 60000, 16, 8, 28 * 28


def read(name):
    with gzip.open(f"{sys.argv[1]}/{name}.gz") as file:
        return file.read()


def write(name, raw):
    with open(f"{sys.argv[2]}/{name}", "wb") as file:
        file.write(raw)


def part(raw, head, bytes_each, first, last):
    """The IDX file of some of its samples: their number is the second word."""
    return raw[:4] + (last - first).to_bytes(4, "big") + raw[8:head] + raw[head + first * bytes_each:head + last * bytes_each]


def main():
    os.makedirs(sys.argv[2], exist_ok=True)
    images, labels = read("train-images-idx3-ubyte"), read("train-labels-idx1-ubyte")
    write("train-images", part(images, IMAGES_HEAD, PIXELS, 0, LABELLED))
    write("train-labels", part(labels, LABELS_HEAD, 1, 0, LABELLED))
    write("extra-images", part(images, IMAGES_HEAD, PIXELS, LABELLED, ALL))
    write("test-images", read("t10k-images-idx3-ubyte"))
    write("test-labels", read("t10k-labels-idx1-ubyte"))


main()
