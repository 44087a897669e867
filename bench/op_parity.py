"""Every op beside PyTorch, value and gradient (parity.py --ops): bench/op_values.c computes the op table's examples on
seeded inputs, torch_ops.py says them in PyTorch's words, which are evaluated in float64."""
import json
import os
import subprocess

import torch

import torch_net
import torch_ops

BOUNDS = {"f32": 1e-5, "f64": 1e-10}  # of the largest magnitude of an array, or of FLOOR where that is smaller:
FLOOR = 1e-2  # sums of numbers around 1 that come to nearly 0 are rounded like them


def distance(ours, theirs):
    """The largest difference, relative to the largest magnitude."""
    if ours.shape != theirs.shape:
        return float("inf")
    if ours.numel() == 0 or torch.equal(ours, theirs):
        return 0.0
    worst = ((ours - theirs).abs().max() / theirs.abs().max().clamp(min=FLOOR)).item()
    return worst if worst == worst else float("inf")


def wide(array):
    tensor = torch.from_numpy(array)
    return tensor.double() if tensor.is_floating_point() else tensor if tensor.dtype == torch.uint8 else tensor.long()


def compare_case(case, arrays):
    """{"out0": distance, "d_in0": distance …} of one example."""
    layout, function = torch_ops.OPS[case["op"]]
    inputs = [wide(arrays[f"{case['key']}/in{i}"]) for i in range(case["inputs"])]
    for i, x in enumerate(inputs):
        x.requires_grad_(f"{case['key']}/d_in{i}" in arrays)
    outputs = function(torch_ops.attributes_read(layout, case["attributes"]), *inputs)
    outputs = outputs if isinstance(outputs, tuple) else (outputs,)
    if len(outputs) != case["outputs"]:
        raise ValueError(f"{case['outputs']} outputs here, {len(outputs)} in torch_ops.py")
    found = {f"out{o}": distance(wide(arrays[f"{case['key']}/out{o}"]).double(), y.detach().double())
             for o, y in enumerate(outputs)}
    wanted = [i for i, x in enumerate(inputs) if x.requires_grad]
    if wanted:
        reached = [(y, wide(arrays[f"{case['key']}/d_out{o}"])) for o, y in enumerate(outputs) if y.requires_grad]
        gradients = torch.autograd.grad([y for y, _ in reached], [inputs[i] for i in wanted], [d for _, d in reached],
                                        allow_unused=True)
        for i, gradient in zip(wanted, gradients):
            gradient = torch.zeros_like(inputs[i]) if gradient is None else gradient
            found[f"d_in{i}"] = distance(wide(arrays[f"{case['key']}/d_in{i}"]), gradient)
    return found


def allowed(case):
    """The distance of a gradient that has a reason: it is bounded on purpose near ties, and how near one a random
    matrix is depends on the seed; or torch_ops.py names it."""
    return max([10 * case["bounded"]] + [most for op, example, most, _ in torch_ops.INEXACT
                                         if op == case["op"] and example in case["example"]])


def compare(program, folder, precision, seed):
    """Prints a line for each op; returns how many are wrong."""
    path = f"{folder}/ops-{precision}.safetensors"
    subprocess.run([program, path, precision, str(seed)], check=True)
    arrays = torch_net.read_safetensors(path)
    cases = json.loads(torch_net.read_metadata(path)["cases"])
    worst, wrong, names = {}, 0, {case["op"] for case in cases}
    for case in cases:
        if case["op"] not in torch_ops.OPS:
            continue
        entry = worst.setdefault(case["op"], {"value": (0.0, ""), "gradient": (0.0, "")})
        try:
            for what, value in compare_case(case, arrays).items():
                kind = "gradient" if what.startswith("d_") else "value"
                if kind == "gradient" and value <= allowed(case):
                    value = min(value, BOUNDS[precision])
                entry[kind] = max(entry[kind], (value, f"{case['example']}: {what}"))
        except (RuntimeError, ValueError, TypeError, IndexError) as error:
            entry["value"] = (float("inf"), f"{case['example']}: {error}")
    for name, entry in worst.items():
        good = all(value <= BOUNDS[precision] for value, _ in entry.values())
        wrong += not good
        blame = "" if good else "  at " + max(entry.values())[1]
        print(f"{'ok  ' if good else 'FAIL'} {precision} {name:24} value {entry['value'][0]:.1e}  "
              f"gradient {entry['gradient'][0]:.1e}{blame}")
    unknown = sorted(names - set(torch_ops.OPS) - set(torch_ops.LACKING))
    stale = sorted((set(torch_ops.OPS) | set(torch_ops.LACKING)) - names)
    if unknown or stale:
        print(f"FAIL {precision} neither in OPS nor in LACKING of torch_ops.py: {', '.join(unknown) or 'none'}; "
              f"no op of ours: {', '.join(stale) or 'none'}")
        wrong += 1
    print(f"{precision}: {len(worst) - wrong} of {len(worst)} ops agree to {BOUNDS[precision]:.0e}; PyTorch has no "
          f"{', '.join(sorted(torch_ops.LACKING))}; torch {torch.__version__}\n", flush=True)
    return wrong


def run(retort, folder, seed):
    program = os.path.join(os.path.dirname(os.path.abspath(retort)), "bench", "op_values")
    return sum(compare(program, folder, precision, seed) for precision in BOUNDS) == 0
