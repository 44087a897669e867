#!/usr/bin/python3
"""No step of a training plan runs a reference kernel, with what this CPU has and held down to AVX2."""
import json
import os
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import small_data  # noqa: E402
from retort import expect, finish, run  # noqa: E402

NETWORKS = {
    "the demo's teacher": {"name": "cnn", "widths": [32, 32, 64, 64, 128], "dropout": 0.3},
    "depthwise separable": {"name": "ds-cnn", "widths": [16, 32]},
    "mlp": {"name": "mlp", "widths": [64]},
    "resnet": {"name": "resnet", "depth": 8},
    "mobilenet-v2": {"name": "mobilenet-v2", "width": 0.25},
    "wide residual": {"name": "wrn", "depth": 10, "width": 1},
    "mlp-mixer": {"name": "mlp-mixer", "patch": 4, "width": 16, "depth": 1},
    "a strided residual": {"layers": [{"conv": {"out": 17, "kernel": 3, "stride": 2, "padding": 1}}, "relu",
                                      {"residual": {"layers": [{"conv": {"out": 17, "kernel": 3, "padding": 1}}, "batch_norm"]}},
                                      {"conv": {"out": 34, "kernel": 3, "groups": 17}}, "global_average_pool", {"linear": {"out": 10}}]},
}


def check(name, done):
    expect(done.status == 0, name, done)
    steps = done.document()["steps"] if done.status == 0 else []
    phases = {step["phase"] for step in steps}
    expect({"forward", "backward"} <= phases, f"{name}: a training plan has both passes, found {phases}")
    for step in steps:
        kernel = step["kernel"]
        expect("ref" not in kernel, f"{name}: {step['phase']} of {step['layer']} runs {kernel}")


def main():
    section = small_data.make()
    source = os.environ["RETORT_SOURCE"]
    for isa in (None, "AVX2"):
        env = {**os.environ, **({"DNNL_MAX_CPU_ISA": isa} if isa else {})}
        for name, network in NETWORKS.items():
            with open("recipe.yaml", "w", encoding="utf-8") as file:
                file.write(f"data: {section}\nteacher: {{network: {{name: mlp, widths: [8]}}}}\nstudent: {{network: {json.dumps(network)}}}\n")
            check(f"{name} (ISA {isa})", run("inspect", "recipe.yaml", "--plan", "--json", env=env))
    with open(f"{source}/recipes/fashion-mnist.yaml", encoding="utf-8") as file:
        demo = file.read().replace("name: fashion-mnist", section[1:-len(", validation: 100}")])
    with open("demo.yaml", "w", encoding="utf-8") as file:
        file.write(demo.replace("validation: 5000", "validation: 100").replace("kernel: 7", "kernel: 3"))
    check("the demo", run("inspect", "demo.yaml", "--plan", "--json"))
    finish()


if __name__ == "__main__":
    main()
