"""Each op of ours in the words of PyTorch, for bench/parity.py --ops.

An entry of OPS: the layout of the op's C struct of attributes in the words of Python's struct module ("" for none),
and a function of the unpacked attributes and the inputs, which gives the output or a tuple of them. Inputs are
float64, int64 or uint8 tensors as they lie inside (maps [B,H,W,C]). LACKING: ops that PyTorch does not have, and
why."""
import struct

import torch
import torch.nn.functional as F

OPS = {}
LACKING = {
    "dropout": "draws numbers that are counted; which elements are kept is no function that PyTorch has",
    "other_samples": "draws samples by counted numbers",
    "random": "draws numbers that are counted",
    "store_read": "reads the per-sample store, which is no input",
    "store_valid": "reads the per-sample store, which is no input",
}
# Gradients (op, part of the example's name) that may be further apart than the bound, by how much, and why.
INEXACT = (
    ("hard_sigmoid", "", 1e-7, "PyTorch keeps the slope 1/6 in float32"),
    ("batch_norm", "one position", 1e-4, "rounding times 1/sqrt(epsilon): PyTorch's own float32 is as far away"),
    ("layer_norm", "one channel", 5e-3, "the same, of a gradient that is 0: relative to the floor"),
)


def attributes_read(layout, text):
    """The fields of a C struct in order."""
    data = bytes.fromhex(text)
    size = struct.calcsize(layout)
    if not size <= len(data) < size + 8:  # a struct may end in padding
        raise ValueError(f"attributes of {len(data)} bytes do not fit the layout '{layout}' of torch_ops.py ({size})")
    return struct.unpack(layout, data[:size])


def op(name, layout=""):
    def enter(function):
        OPS[name] = (layout, function)
        return function
    return enter


def plain(name, function):
    """An op without attributes."""
    OPS[name] = ("", lambda a, *inputs: function(*inputs))


def nchw(x):
    return x.movedim(-1, 1)


def nhwc(x):
    return x.movedim(1, -1)


def activate(x, activation):
    return {0: lambda y: y, 1: F.relu, 2: F.relu6}[activation](x)


for _name, _function in {
        "add": torch.add, "sub": torch.sub, "mul": torch.mul, "div": torch.div, "exp": torch.exp, "log": torch.log,
        "sqrt": torch.sqrt, "square": torch.square, "abs": torch.abs, "relu": F.relu, "relu6": F.relu6,
        "stop_gradient": torch.Tensor.detach, "sign": torch.sign, "power": torch.pow, "maximum": torch.maximum,
        "minimum": torch.minimum, "hard_sigmoid": F.hardsigmoid, "hard_swish": F.hardswish, "sigmoid": torch.sigmoid,
        "log_sigmoid": F.logsigmoid, "tanh": torch.tanh, "gelu": F.gelu, "silu": F.silu, "softplus": F.softplus,
        "where": lambda condition, a, b: torch.where(condition != 0, a, b),
        "softmax": lambda x: F.softmax(x, -1), "log_softmax": lambda x: F.log_softmax(x, -1),
        "argmax": lambda x: x.argmax(-1),
        "match": lambda a, b: torch.eq(a, b).double(), "has_label": lambda labels: torch.ge(labels, 0).double(),
        "cross_entropy_soft": lambda x, targets: F.cross_entropy(x, targets, reduction="none"),
        "global_average_pool": lambda x: F.adaptive_avg_pool2d(nchw(x), 1).flatten(1),
        "global_max_pool": lambda x: F.adaptive_max_pool2d(nchw(x), 1).flatten(1)}.items():
    plain(_name, _function)


def axes_of(mask, x):
    return [axis for axis in range(x.dim()) if mask >> axis & 1]


@op("sum", "I?")
def op_sum(a, x):
    axes = axes_of(a[0], x)
    return x.sum(axes, keepdim=a[1]) if axes else x.clone()


@op("mean", "I?")
def op_mean(a, x):
    axes = axes_of(a[0], x)
    return x.mean(axes, keepdim=a[1]) if axes else x.clone()


@op("mean_square", "I?")
def op_mean_square(a, x, y=None):
    return op_mean(a, (x if y is None else x - y).square())


@op("max", "I?")
def op_max(a, x):
    axes = axes_of(a[0], x)
    return x.amax(axes, keepdim=a[1]) if axes else x.clone()


@op("min", "I?")
def op_min(a, x):
    axes = axes_of(a[0], x)
    return x.amin(axes, keepdim=a[1]) if axes else x.clone()


@op("clip", "2d")
def op_clip(a, x):
    return torch.clamp(x, a[0], a[1])


@op("leaky_relu", "2d")
def op_leaky_relu(a, x):
    return F.leaky_relu(x, a[0])


@op("smooth_l1", "d")
def op_smooth_l1(a, x, y):
    return F.smooth_l1_loss(*torch.broadcast_tensors(x, y), reduction="none", beta=a[0])


@op("compare", "i")
def op_compare(a, x, y):
    return (torch.eq, torch.ne, torch.gt, torch.ge, torch.lt, torch.le)[a[0]](x, y).double()


@op("count", "i")
def op_count(a, x):
    return torch.tensor(float(x.size(a[0])), dtype=torch.float64)


@op("cross_entropy", "d")
def op_cross_entropy(a, x, labels):
    return F.cross_entropy(x, labels, ignore_index=-1, reduction="none", label_smoothing=a[0])


@op("swap_columns")
def op_swap_columns(_, x, a, b):
    order = torch.arange(x.size(1)).repeat(x.size(0), 1)
    for row in range(x.size(0)):
        i, j = int(a[row]), int(b[row])
        if i >= 0 and j >= 0:
            order[row, i], order[row, j] = j, i
    return x.gather(1, order)


@op("standardise_rows")
def op_standardise_rows(_, x):
    if x.size(-1) == 1:  # the unbiased deviation of one number: ours is 0 by definition
        return x * 0
    return (x - x.mean(-1, keepdim=True)) / (1e-7 + x.std(-1, keepdim=True))


@op("unit_rows")
def op_unit_rows(_, x):
    return F.normalize(x, dim=-1)


@op("corner_cosines")
def op_corner_cosines(_, q):
    ways = torch.where(q < 1e-24, 0, q.clamp(min=1e-24).rsqrt())
    return (q[:, :, None] + q[:, None, :] - q[None]) / 2 * ways[:, :, None] * ways[:, None, :]


@op("square_distances")
def op_square_distances(_, x):
    return (x.unsqueeze(1) - x.unsqueeze(0)).square().sum(-1)


@op("standardise", "i64d64d")
def op_standardise(a, x):
    channels = a[0]
    mean, deviation = (torch.tensor(a[begin:begin + channels], dtype=torch.float64) for begin in (1, 65))
    return ((x.double() / 255 if x.dtype == torch.uint8 else x) - mean) / deviation


@op("reshape", "i6q")
def op_reshape(a, x):
    return x.reshape([x.size(0) * -d if d < 0 else d for d in a[1:1 + a[0]]])


@op("concat", "i")
def op_concat(a, *inputs):
    return torch.cat(inputs, a[0])


@op("transpose", "i6i")
def op_transpose(a, x):
    return x.permute(a[1:1 + a[0]])


@op("slice", "i3q")
def op_slice(a, x):
    axis, start, stop, step = a  # a stop behind all that there is means the end, as in Python
    return x[(slice(None),) * (axis % x.dim()) + (slice(start, stop, step),)]


@op("pad", "i6q6qd")
def op_pad(a, x):
    rank, before, after = a[0], a[1:7], a[7:13]
    return F.pad(x, [n for axis in reversed(range(rank)) for n in (before[axis], after[axis])], value=a[13])


@op("gather", "i")
def op_gather(a, x, index):
    """A part that the index does not name is a zero, which PyTorch does not have: a row of zeros is put behind."""
    axis = a[0] % x.dim()
    size = x.size(axis)
    more = torch.cat([x, torch.zeros_like(x.narrow(axis, 0, 1))], axis)
    rows = torch.where((index >= 0) & (index < size), index, size).flatten()
    return more.index_select(axis, rows).unflatten(axis, list(index.shape)) if index.dim() else \
        more.index_select(axis, rows).squeeze(axis)


@op("one_hot", "q")
def op_one_hot(a, labels):
    known = (labels >= 0) & (labels < a[0])
    return F.one_hot(torch.where(known, labels, a[0]), a[0] + 1)[..., :-1].double()


@op("top_k", "q")
def op_top_k(a, x):
    return tuple(torch.topk(x, a[0], dim=-1))


@op("resize", "i2q")
def op_resize(a, x):
    mode = ({"mode": "nearest"}, {"mode": "bilinear", "align_corners": False})[a[0]]
    return nhwc(F.interpolate(nchw(x), size=a[1:3], **mode))


def upright(vectors):
    """[B,k,n]: 1 or -1 for each row, so that its element of largest magnitude becomes positive."""
    largest = vectors.detach().abs().argmax(-1, keepdim=True)
    return vectors.detach().gather(-1, largest).sign()


def leading(k, values, *vectors):
    k = k if k > 0 else values.size(1)
    sign = upright(vectors[0][:, :k])
    return (values[:, :k], *(rows[:, :k] * sign for rows in vectors))


@op("eigen", "i")
def op_eigen(a, x):
    values, vectors = torch.linalg.eigh((x + x.mT) / 2)
    return leading(a[0], values.flip(-1), vectors.mT.flip(-2))


@op("svd", "i")
def op_svd(a, x):
    left, values, right = torch.linalg.svd(x, full_matrices=False)
    return leading(a[0], values, right, left.mT)


# out, kernel 2, stride 2, padding 2, dilation 2, groups; has_bias, fold, epsilon, activation
@op("convolution", "10i??di")
def op_convolution(a, x, weight, *rest):
    bias = rest[0] if a[10] else None
    if x.dim() == 3:  # a row: height 1
        y = F.conv1d(nchw(x), weight, bias, a[4], a[6], a[8], a[9])
    else:
        y = F.conv2d(nchw(x), weight, bias, a[3:5], a[5:7], a[7:9], a[9])
    if a[11]:
        gamma, beta, mean, var = rest[-4:]
        y = F.batch_norm(y, mean, var, gamma, beta, False, 0, a[12])
    return nhwc(activate(y, a[13]))


# as a convolution's first ten, then output_padding 2
@op("convolution_transpose", "12i")
def op_convolution_transpose(a, x, weight, bias=None):
    return nhwc(F.conv_transpose2d(nchw(x), weight, bias, a[3:5], a[5:7], a[10:12], a[9], a[7:9]))


@op("linear", "?i")
def op_linear(a, x, weight, bias=None):
    return activate(F.linear(x, weight, bias), a[1])


@op("matmul", "??")
def op_matmul(a, x, y):
    return torch.matmul(x.mT if a[0] else x, y.mT if a[1] else y)


@op("gram", "?")
def op_gram(a, x):
    return x.mT @ x if a[0] else x @ x.mT


def batch_statistics(x, running):
    """What batch norm leaves in the running statistics, whose gradient F.batch_norm does not give."""
    axes = list(range(x.dim() - 1))
    mean, var = x.mean(axes), x.var(axes, unbiased=x[..., 0].numel() > 1)
    if running:
        return torch.lerp(running[0], mean, 0.1), torch.lerp(running[1], var, 0.1)
    return mean, var


@op("batch_norm", "di")
def op_batch_norm(a, x, gamma, beta, *running):
    y = (x - x.mean(0)) * gamma + beta if x[..., 0].numel() == 1 else nhwc(  # one position, which PyTorch refuses
        F.batch_norm(nchw(x), None, None, gamma, beta, True, 0.1, a[0]))
    return (activate(y, a[1]), *batch_statistics(x, running))


@op("batch_norm_pool", "di")
def op_batch_norm_pool(a, x, gamma, beta, *running):
    y, mean, var = op_batch_norm(a, x, gamma, beta, *running)
    return nhwc(F.max_pool2d(nchw(y), 2)), mean, var


# as a convolution's 14, as batch norm's 2, running
@op("batch_norm_convolution", "10i??didi4x?")
def op_batch_norm_convolution(a, x, gamma, beta, *rest):
    count = 2 if a[16] else 0
    y, mean, var = op_batch_norm(a[14:16], x, gamma, beta, *rest[:count])
    return op_convolution(a[:14], y, *rest[count:]), mean, var


@op("batch_norm_inference", "di")
def op_batch_norm_inference(a, x, gamma, beta, mean, var):
    shape = [1, -1] + [1] * (x.dim() - 2)  # F.batch_norm gives no gradient of the statistics
    y = F.batch_norm(nchw(x), torch.zeros_like(mean), torch.ones_like(var), None, None, False, 0, 0)
    y = (y - mean.reshape(shape)) * torch.rsqrt(var + a[0]).reshape(shape)
    return activate(nhwc(y * gamma.reshape(shape) + beta.reshape(shape)), a[1])


@op("max_pool", "6i")
def op_max_pool(a, x):
    return nhwc(F.max_pool2d(nchw(x), a[0:2], a[2:4], a[4:6]))


@op("average_pool", "6i")
def op_average_pool(a, x):
    return nhwc(F.avg_pool2d(nchw(x), a[0:2], a[2:4], a[4:6]))


@op("adaptive_average_pool", "2i")
def op_adaptive_average_pool(a, x):
    return nhwc(F.adaptive_avg_pool2d(nchw(x), a[0:2]))


@op("layer_norm", "di")
def op_layer_norm(a, x, gamma=None, beta=None):
    return F.layer_norm(x, x.shape[x.dim() - a[1]:], gamma, beta, a[0])
