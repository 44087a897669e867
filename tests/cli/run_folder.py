"""run_folder.py: what a run has left in its folder."""
import os
import sqlite3


def models(folder):
    """{file name: bytes} of the models."""
    found = {}
    for name in sorted(os.listdir(f"{folder}/models")):
        if name.endswith(".safetensors"):
            with open(f"{folder}/models/{name}", "rb") as file:
                found[name] = file.read()
    return found


def weights(folder, name):
    """The tensors of a model as bytes: without the metadata, which names the recipe."""
    with open(f"{folder}/models/{name}.safetensors", "rb") as file:
        raw = file.read()
    return raw[8 + int.from_bytes(raw[:8], "little"):]


def losses(folder):
    with sqlite3.connect(f"{folder}/record.sqlite") as record:
        return record.execute("SELECT stage, epoch, step, split, name, value FROM metrics ORDER BY stage, split, name, step").fetchall()


def details(folder):
    with sqlite3.connect(f"{folder}/record.sqlite") as record:
        return (record.execute("SELECT stage, name, element, shape, data FROM arrays ORDER BY stage, name").fetchall() +
                record.execute("SELECT * FROM layers ORDER BY stage, place").fetchall())
