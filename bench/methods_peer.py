"""PyTorch's side of methods.py: a process that computes one method's loss and gradients as it is told.

    methods_peer.py JOB (JSON)

Answers as peer.py does: a line {"way": "channels_last compiled", "seconds": 2} with {"speed": times a second, "loss",
"gradient"}; gradient: the length of all gradients together. The formulas are written as one would write them well in
PyTorch: products as matrix products, distances by products, the teacher's side without gradients. One thread, its CPU
time."""
import json
import logging
import sys
import time

import numpy as np
import torch
import torch.nn.functional as F

WARM_UP = 3


def flow(first, second):
    height, width = (min(a, b) for a, b in zip(first.shape[2:], second.shape[2:]))
    first, second = (x if x.shape[2:] == (height, width) else F.adaptive_avg_pool2d(x, (height, width))
                     for x in (first, second))
    return torch.bmm(first.flatten(2), second.flatten(2).transpose(1, 2)) / (height * width)


def fsp(student, teacher):
    with torch.no_grad():
        target = [flow(a, b) for a, b in zip(teacher, teacher[1:])]
    return sum(F.mse_loss(flow(a, b), t) for a, b, t in zip(student, student[1:], target))


def similarities(x):
    rows = x.flatten(1)
    return F.normalize(rows @ rows.t(), dim=1)


def sp(student, teacher):
    with torch.no_grad():
        target = similarities(teacher[0])
    return F.mse_loss(similarities(student[0]), target)


def attention(x):
    return F.normalize(x.square().mean(1).flatten(1), dim=1)


def at(student, teacher):
    with torch.no_grad():
        target = attention(teacher[0])
    return F.mse_loss(attention(student[0]), target)


def relative(x):
    """By products, which is faster than torch.cdist forward and backward; its diagonal is 0."""
    squares = x.square().sum(1)
    squares = (squares[:, None] + squares[None, :] - 2 * x @ x.t()).clamp(min=1e-12)
    off = 1 - torch.eye(len(x))
    distances = squares.sqrt() * off
    return distances / (distances.sum() / (len(x) * (len(x) - 1)))


def rkd_distance(student, teacher):
    with torch.no_grad():
        target = relative(teacher[0])
    return F.smooth_l1_loss(relative(student[0]), target)


def cosines(x):
    ways = F.normalize(x[None, :, :] - x[:, None, :], dim=2)
    return torch.bmm(ways, ways.transpose(1, 2))


def rkd_angle(student, teacher):
    with torch.no_grad():
        target = cosines(teacher[0])
    return F.smooth_l1_loss(cosines(student[0]), target)


METHODS = {"fsp": fsp, "sp": sp, "at": at, "rkd-distance": rkd_distance, "rkd-angle": rkd_angle}


def arrays_read(paths, way):
    layout = torch.channels_last if way.startswith("channels_last") else torch.contiguous_format
    tensors = [torch.from_numpy(np.load(path)) for path in paths]
    return [x.to(memory_format=layout) if x.dim() == 4 else x for x in tensors]


def evaluator(job, way):
    """A function that computes loss and gradients and returns both."""
    student = [x.requires_grad_() for x in arrays_read(job["student"], way)]
    teacher = arrays_read(job["teacher"], way)
    method = METHODS[job["method"]]
    method = torch.compile(method) if way.endswith("compiled") else method

    def evaluate():
        loss = method(student, teacher)
        return loss, torch.autograd.grad(loss, student)
    return evaluate


def measure(evaluate, seconds):
    count, begin = 0, time.process_time()
    while count == 0 or time.process_time() - begin < seconds:
        loss, gradients = evaluate()
        count += 1
    speed = count / (time.process_time() - begin)
    length = torch.stack([x.double().square().sum() for x in gradients]).sum().sqrt()
    return {"speed": speed, "loss": loss.item(), "gradient": length.item()}


def main():
    job = json.loads(sys.argv[1])
    torch.set_num_threads(1)
    logging.getLogger("torch.utils.cpp_extension").setLevel(logging.ERROR)  # there is no GPU, and none is wanted
    print(json.dumps({"version": torch.__version__, "compiles": hasattr(torch, "compile")}), flush=True)
    evaluators = {}
    for line in sys.stdin:
        asked = json.loads(line)
        try:
            if asked["way"] not in evaluators:
                evaluators[asked["way"]] = evaluator(job, asked["way"])
                for _ in range(WARM_UP):
                    evaluators[asked["way"]]()
            answer = measure(evaluators[asked["way"]], asked["seconds"])
        except Exception as error:  # a compiler that fails, in whatever words
            answer = {"error": f"{type(error).__name__}: {str(error).splitlines()[0] if str(error) else ''}"}
        print(json.dumps(answer), flush=True)


if __name__ == "__main__":
    main()
