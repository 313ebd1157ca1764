#!/usr/bin/env python3
"""Makes the fixtures beside this script: single operations, in PyTorch.

    python export.py            needs torch

README.md says what the files hold and how to read them. Outputs are computed in float64 from
float32 inputs and weights, and rounded once.
"""
import json
import pathlib
import zlib

import torch
import torch.nn.functional as F

HERE = pathlib.Path(__file__).resolve().parent
LIMIT = 160_000  # bytes a file, all cases of one operation: fixtures are for ever in the repository
CASES = {}


def case(name, op, shapes, expression, parameters=None, inputs=None, **attributes):
    """`name`: <folder>.<case>. `shapes`: one of each input, NCHW. `expression`: from the inputs and {suffix: parameter} to the
    output, as text. `parameters`: {suffix: shape, or a function that gives a tensor}."""
    assert name not in CASES and name.count(".") == 1, name
    CASES[name] = (op, shapes, expression, parameters or {}, inputs, attributes)


def positive(*shape):
    return lambda: torch.rand(*shape) + 0.3


# -- Convolution. F.conv2d pads symmetrically, so that other borders are made with F.pad before it. --

def conv(name, shape, filters, kernel, stride=1, dilation=1, groups=1, border=0, bias=True, same=None):
    kernel = [kernel, kernel] if isinstance(kernel, int) else kernel
    edges = [border] * 4 if isinstance(border, int) else border
    if same:
        edges = same
    top, left, bottom, right = edges
    parameters = {"weight": [filters, shape[1] // groups, *kernel]}
    if bias:
        parameters["bias"] = [filters]
    b = "p['bias']" if bias else "None"
    attributes = {"filters": filters, "kernel": kernel, "stride": stride, "dilation": dilation,
                  "groups": groups, "border": "same" if same else edges, "bias": bias}
    case(f"convolution.{name}", "convolution", [shape],
         f"F.conv2d(F.pad(x, ({left}, {right}, {top}, {bottom})), p['weight'], {b}, stride={stride}, "
         f"dilation={dilation}, groups={groups})", parameters, **attributes)


conv("3x3", [2, 3, 11, 13], 5, 3, border=1)
conv("3x3-wide", [1, 16, 7, 9], 24, 3, border=1)
conv("3x3-beside-blocks", [1, 17, 6, 7], 9, 3, border=1)
conv("1x1", [1, 9, 7, 8], 12, 1)
conv("1x1-stride-2", [1, 8, 7, 9], 8, 1, stride=2)
conv("no-bias", [1, 4, 6, 7], 3, 3, border=1, bias=False)
conv("valid-5x3", [1, 3, 9, 8], 4, [5, 3])
conv("9x9", [1, 1, 12, 15], 6, 9, border=4)
conv("stride-2-odd", [1, 4, 11, 9], 6, 3, stride=2, border=1)
conv("stride-2-even", [1, 4, 10, 8], 6, 3, stride=2, border=1)
conv("stride-2-3", [1, 3, 13, 14], 4, 3, stride=[2, 3], border=1)
conv("dilation-2", [1, 4, 12, 11], 5, 3, dilation=2, border=2)
conv("dilation-1-3", [1, 3, 9, 15], 4, 3, dilation=[1, 3], border=[1, 3, 1, 3])
conv("groups-2", [1, 6, 8, 9], 8, 3, groups=2, border=1)
conv("groups-4-wide", [1, 32, 5, 6], 32, 3, groups=4, border=1)
conv("depthwise", [1, 12, 8, 9], 12, 3, groups=12, border=1)
conv("depthwise-multiplier", [1, 5, 8, 9], 10, 3, groups=5, border=1)
conv("border-asymmetric", [1, 3, 7, 9], 4, 3, border=[0, 1, 2, 3])
conv("border-beyond-kernel", [1, 2, 4, 5], 3, 3, border=[4, 4, 5, 3])
# TensorFlow's rule: total = max((ceil(n / s) - 1) s + reach - n, 0), the odd one at bottom and right.
conv("same-stride-1-even-kernel", [1, 3, 7, 8], 4, 4, same=[1, 1, 2, 2])
conv("same-stride-2-even", [1, 3, 8, 10], 4, 3, stride=2, same=[0, 0, 1, 1])
conv("same-stride-2-odd", [1, 3, 7, 9], 4, 3, stride=2, same=[1, 1, 1, 1])
conv("same-stride-2-mixed", [1, 3, 8, 9], 4, 3, stride=2, same=[0, 1, 1, 1])
conv("same-dilation-2", [1, 3, 8, 9], 4, 3, dilation=2, same=[2, 2, 2, 2])
conv("one-pixel", [1, 4, 1, 1], 3, 3, border=1)


# -- Transposed convolution: PyTorch's padding p and output padding o are crops (p, p, p - o, p - o). --

def transposed(name, shape, filters, kernel, stride, padding=0, output_padding=0, groups=1, bias=True,
               crops=None, dilation=None):
    pair = lambda v: v if isinstance(v, list) else [v, v]
    kernel, p, o = pair(kernel), pair(padding), pair(output_padding)
    parameters = {"weight": [shape[1], filters // groups, *kernel]}
    if bias:
        parameters["bias"] = [filters]
    b = "p['bias']" if bias else "None"
    more = {"dilation": dilation} if dilation else {}
    d = f", dilation={dilation}" if dilation else ""
    if crops:
        top, left, bottom, right = crops
        cut = lambda a, z: f"{a or ''}:{-z or ''}"
        expression = (f"F.conv_transpose2d(x, p['weight'], {b}, stride={stride}, groups={groups}{d})"
                      f"[:, :, {cut(top, bottom)}, {cut(left, right)}]")
    else:
        crops = [p[0], p[1], p[0] - o[0], p[1] - o[1]]
        expression = (f"F.conv_transpose2d(x, p['weight'], {b}, stride={stride}, padding={p}, "
                      f"output_padding={o}, groups={groups}{d})")
    case(f"transposedConvolution.{name}", "transposedConvolution", [shape], expression, parameters,
         filters=filters, kernel=kernel, stride=stride, groups=groups, crops=crops, bias=bias, **more)


transposed("k3-s2-p1-o1", [2, 4, 6, 7], 3, 3, 2, 1, 1)
transposed("k3-s2-p1", [1, 4, 6, 7], 3, 3, 2, 1)
transposed("k3-s1-p1", [1, 4, 6, 7], 3, 3, 1, 1)
transposed("k2-s2", [1, 16, 5, 6], 8, 2, 2)
transposed("k4-s2-p1", [1, 3, 5, 6], 4, 4, 2, 1)
transposed("k5-s3-p2-o1", [1, 3, 5, 4], 2, 5, 3, 2, 1)
transposed("k9-s2-p4-o1", [1, 4, 7, 6], 1, 9, 2, 4, 1)
transposed("k9-s3-p4-o2", [1, 4, 7, 6], 1, 9, 3, 4, 2)
transposed("k9-s4-p4-o3", [1, 4, 6, 5], 1, 9, 4, 4, 3)
# Rows and columns that no input reaches hold the bias: crops below zero.
transposed("k2-s3-o1", [1, 3, 4, 5], 2, 2, 3, 0, 1)
transposed("k1-s2-o1", [1, 3, 4, 5], 2, 1, 2, 0, 1)
transposed("no-bias", [1, 5, 6, 4], 4, 3, 2, 1, 1, bias=False)
transposed("groups-2", [1, 4, 5, 6], 6, 3, 2, 1, 1, groups=2)
transposed("rectangle", [1, 3, 5, 6], 4, [3, 4], [1, 2], [1, 1], [0, 0])
# Keras's 'same' cuts the odd one at bottom and right, where PyTorch cuts it at top and left.
transposed("keras-k3-s2", [1, 4, 6, 7], 3, 3, 2, crops=[0, 0, 1, 1])
transposed("keras-k9-s2", [1, 3, 6, 5], 1, 9, 2, crops=[3, 3, 4, 4])
transposed("wide", [1, 32, 5, 6], 17, 3, 2, 1, 1)
transposed("dilation-2", [1, 4, 5, 6], 3, 3, 1, 2, dilation=2)
transposed("dilation-2-s2", [2, 3, 4, 5], 4, 3, 2, 1, 1, dilation=2)
transposed("dilation-3-s2-groups", [1, 6, 4, 5], 4, [3, 2], 2, 2, 1, groups=2, dilation=3)
transposed("dilation-4-s6", [1, 3, 4, 3], 2, 4, 6, 3, dilation=4)
transposed("dilation-depthwise", [1, 16, 5, 4], 16, 3, 2, 2, 1, groups=16, dilation=[2, 3])
transposed("dilation-crops", [1, 3, 4, 5], 2, 3, 2, crops=[0, 1, 2, 3], dilation=2)

# -- Convolution whose kernel is a value --

for name, shape, kernel, s, d, g, p in (
    ("plain", [2, 3, 6, 5], [4, 3, 3, 3], 1, 1, 1, 1), ("stride", [2, 6, 7, 8], [4, 6, 3, 2], 2, 1, 1, 1),
    ("dilation", [1, 4, 9, 8], [4, 4, 3, 3], 1, 2, 1, 2), ("wide", [1, 32, 5, 6], [16, 32, 3, 3], 1, 1, 1, 1),
):
    case(f"dynamicConvolution.{name}", "dynamicConvolution", [shape, kernel],
         f"F.conv2d(x, y, None, {s}, {p}, {d}, {g})", stride=s, dilation=d, groups=g, border=p)

# -- Unfold and fold: PyTorch has the places in a row. --

for name, shape, k, s, d, (top, left, bottom, right) in (
    ("3x3", [2, 3, 5, 6], [3, 3], [1, 1], [1, 1], [1, 1, 1, 1]),
    ("stride-2", [1, 2, 7, 6], [2, 3], [2, 2], [1, 1], [0, 0, 0, 0]),
    ("dilation", [1, 3, 8, 9], [2, 3], [1, 2], [2, 3], [1, 0, 2, 3]),
    ("beyond", [1, 2, 7, 8], [2, 2], [3, 3], [1, 1], [0, 0, 0, 0]),
):
    padded = f"F.pad(x, ({left}, {right}, {top}, {bottom}))"
    places = [(shape[2 + i] + e - (k[i] - 1) * d[i] - 1) // s[i] + 1 for i, e in ((0, top + bottom), (1, left + right))]
    attributes = dict(kernel=k, stride=s, dilation=d)
    case(f"unfold.{name}", "unfold", [shape],
         f"F.unfold({padded}, {k}, {d}, 0, {s}).reshape({shape[0]}, {shape[1] * k[0] * k[1]}, {places[0]}, {places[1]})",
         border=[top, left, bottom, right], **attributes)
    # Cut to the image: what no window reaches makes the padding negative.
    whole = [(places[i] - 1) * s[i] + (k[i] - 1) * d[i] + 1 for i in (0, 1)]
    edges = [top, left, whole[0] - top - shape[2], whole[1] - left - shape[3]]
    case(f"fold.{name}", "fold", [[shape[0], shape[1] * k[0] * k[1], *places]],
         f"F.pad(F.fold(x.flatten(2), {whole}, {k}, {d}, 0, {s}), ({-edges[1]}, {-edges[3]}, {-edges[0]}, {-edges[2]}))",
         padding=edges, **attributes)

# -- Sampling, and elements by their order --

grids = lambda shape, grid, reach: lambda: [torch.randn(shape), (torch.rand(*grid, 2) * 2 - 1) * reach]
for mode in ("bilinear", "nearest"):
    for padding in ("zeros", "border", "reflection"):
        for corners in (False, True):
            case(f"gridSample.{mode}-{padding}-{'align-corners' if corners else 'half-pixel'}", "gridSample",
                 [[2, 3, 5, 6], [2, 4, 7, 2]],
                 f"F.grid_sample(x, y, mode='{mode}', padding_mode='{padding}', align_corners={corners})",
                 inputs=grids([2, 3, 5, 6], [2, 4, 7], 2.5 if padding == "reflection" else 1.4),
                 mode=mode, paddingMode=padding, alignCorners=corners)
case("gridSample.one-pixel", "gridSample", [[1, 2, 1, 1], [1, 3, 4, 2]],
     "F.grid_sample(x, y, padding_mode='reflection', align_corners=True)",
     inputs=grids([1, 2, 1, 1], [1, 3, 4], 1.4), paddingMode="reflection", alignCorners=True)
# DySample's: pixel (i, j) of r x r is sampled about ((j + 0.5) / r - 0.5, (i + 0.5) / r - 0.5).
for padding in ("zeros", "border"):
    case(f"gridSample.offsets-{padding}", "gridSample", [[2, 3, 4, 5], [2, 12, 15, 2]],
         "F.grid_sample(x, torch.stack(torch.meshgrid((torch.arange(15).double() + 0.5) / 3 - 0.5, "
         "(torch.arange(12).double() + 0.5) / 3 - 0.5, indexing='xy'), -1).add(y).add(0.5) "
         f"* torch.tensor([2 / 5, 2 / 4], dtype=torch.float64) - 1, padding_mode='{padding}', align_corners=False)",
         inputs=lambda: [torch.randn(2, 3, 4, 5), torch.randn(2, 12, 15, 2)], paddingMode=padding,
         coordinates="offsets")
for dimension, places in ((1, [2, 4, 4, 5]), (2, [2, 3, 7, 5]), (3, [2, 3, 4, 2])):
    case(f"gatherElements.dimension-{dimension}", "gatherElements", [[2, 3, 4, 5], places],
         f"x.gather({dimension}, y.long())",
         inputs=lambda d=dimension, p=places: [torch.randn(2, 3, 4, 5),
                                               torch.randint(0, [2, 3, 4, 5][d], p).float()], dimension=dimension)
few = lambda *shape: lambda: [torch.randint(-2, 3, shape).float()]
for name, inputs in (("plain", None), ("ties", few(2, 5, 4, 6))):
    for dimension in (1, 3):
        for kind in ("argmax", "argmin"):
            case(f"{kind}.{name}-{dimension}", kind, [[2, 5, 4, 6]], f"x.{kind}({dimension}, keepdim=True).double()",
                 inputs=inputs, dimension=dimension)
        for descending in (False, True):
            for part in ("values", "indices"):
                case(f"sort.{name}-{dimension}-{part}-{'descending' if descending else 'ascending'}", "sort",
                     [[2, 5, 4, 6]], f"x.sort(dim={dimension}, descending={descending}, stable=True).{part}.double()",
                     inputs=inputs, dimension=dimension, descending=descending, part=part)
case("argmax.no-dimension", "argmax", [[2, 5, 4, 6]], "x.argmax(2).double()", dimension=2, keepsDimensions=False)
for largest in (False, True):
    for part in ("values", "indices"):
        case(f"topK.{part}-{'largest' if largest else 'smallest'}", "topK", [[2, 3, 7, 5]],
             f"x.topk(3, 2, largest={largest}).{part}.double()", dimension=2, count=3, largest=largest, part=part)

# -- Fourier transforms: real parts of all channels, then imaginary ones --

for norm in ("backward", "ortho", "forward"):
    for h, w in ((4, 6), (5, 7), (1, 1), (37, 3), (6, 41)):
        case(f"rfft2.{norm}-{h}x{w}", "rfft2", [[1, 2, h, w]],
             f"(lambda s: torch.cat((s.real, s.imag), 1))(torch.fft.rfft2(x, norm='{norm}'))", norm=norm)
        case(f"irfft2.{norm}-{h}x{w}", "irfft2", [[1, 4, h, w // 2 + 1], [1, 1, h, w]],
             f"torch.fft.irfft2(torch.complex(*x.chunk(2, 1)), s={(h, w)}, norm='{norm}')", norm=norm)

# -- Pooling --

for name, k, s, b in (("k2-s2", 2, 2, 0), ("k3-s2-b1", 3, 2, 1), ("k3-s1-b1", 3, 1, 1), ("k7-s3", 7, 3, 0)):
    case(f"maxPool.{name}", "maxPool", [[1, 3, 11, 14]], f"F.max_pool2d(x, {k}, {s}, {b})",
         kernel=k, stride=s, border=b)
    for count in (True, False):
        case(f"averagePool.{name}-{'counting' if count else 'not-counting'}", "averagePool", [[1, 3, 11, 14]],
             f"F.avg_pool2d(x, {k}, {s}, {b}, count_include_pad={count})",
             kernel=k, stride=s, border=b, countsPadding=count)
case("maxPool.same", "maxPool", [[1, 3, 7, 8]],
     "F.max_pool2d(F.pad(x, (0, 0, 0, 1), value=float('-inf')), 2, 2)", kernel=2, stride=2, border="same")
case("maxPool.all-negative", "maxPool", [[1, 3, 6, 6]], "F.max_pool2d(x, 3, 2, 1)",
     inputs=lambda: [-1 - torch.rand(1, 3, 6, 6)], kernel=3, stride=2, border=1)
case("maxPool.rectangle", "maxPool", [[1, 3, 9, 8]], "F.max_pool2d(x, (3, 2), (1, 2))",
     kernel=[3, 2], stride=[1, 2])
# Keras excludes padding from the mean; here a divisor of ones does the same for one-sided padding.
case("averagePool.same-not-counting", "averagePool", [[1, 3, 7, 9]],
     "F.avg_pool2d(F.pad(x, (0, 1, 0, 1)), 2) / F.avg_pool2d(F.pad(torch.ones_like(x), (0, 1, 0, 1)), 2)",
     kernel=2, stride=2, border="same", countsPadding=False)
for name, shape, k, s, b in (("k3-s2", [1, 3, 8, 10], 3, 2, 0), ("k3-s2-b1", [1, 3, 8, 11], 3, 2, 1),
                             ("k2-s3-b1", [2, 3, 5, 6], 2, 3, 1), ("k2-s2", [1, 16, 7, 6], 2, 2, 0)):
    case(f"maxPool.ceil-{name}", "maxPool", [shape], f"F.max_pool2d(x, {k}, {s}, {b}, ceil_mode=True)",
         kernel=k, stride=s, border=b, roundsUp=True)
    for count in (True, False):
        case(f"averagePool.ceil-{name}-{'counting' if count else 'not-counting'}", "averagePool", [shape],
             f"F.avg_pool2d(x, {k}, {s}, {b}, ceil_mode=True, count_include_pad={count})",
             kernel=k, stride=s, border=b, countsPadding=count, roundsUp=True)
for op, call in (("adaptiveAveragePool", "F.adaptive_avg_pool2d"), ("adaptiveMaxPool", "F.adaptive_max_pool2d")):
    case(f"{op}.size", op, [[2, 3, 7, 9]], f"{call}(x, (3, 4))", size=[3, 4])
    case(f"{op}.larger", op, [[1, 3, 4, 7]], f"{call}(x, 7)", size=7)
    case(f"{op}.factor", op, [[1, 16, 11, 12]], f"{call}(x, (2, 3))", factor=[1, 4])
    case(f"{op}.even", op, [[1, 3, 8, 12]], f"{call}(x, (2, 3))", factor=[1, 4])
case("globalAveragePool.plain", "globalAveragePool", [[2, 5, 7, 9]], "F.adaptive_avg_pool2d(x, 1)")

# -- Activations: inputs from -6 to 6, so that tails are met --

tails = lambda: [torch.linspace(-6, 6, 2 * 3 * 8 * 9).reshape(2, 3, 8, 9)[:, torch.tensor([2, 0, 1])]]
for name, expression, op, attributes in (
    ("relu", "F.relu(x)", "relu", {}),
    ("leakyRelu", "F.leaky_relu(x, 0.05)", "leakyRelu", {"slope": 0.05}),
    ("leakyRelu-negative", "F.leaky_relu(x, -0.2)", "leakyRelu", {"slope": -0.2}),
    ("elu", "F.elu(x)", "elu", {}),
    ("elu-alpha", "F.elu(x, 0.7)", "elu", {"alpha": 0.7}),
    ("gelu", "F.gelu(x)", "gelu", {}),
    ("gelu-tanh", "F.gelu(x, approximate='tanh')", "gelu", {"approximate": True}),
    ("silu", "F.silu(x)", "silu", {}),
    ("sigmoid", "torch.sigmoid(x)", "sigmoid", {}),
    ("tanh", "torch.tanh(x)", "tanh", {}),
    ("clamp", "x.clamp(-0.5, 2)", "clamp", {"minimum": -0.5, "maximum": 2}),
    ("celu", "F.celu(x)", "celu", {}),
    ("celu-alpha", "F.celu(x, 0.7)", "celu", {"alpha": 0.7}),
    ("celu-negative", "F.celu(x, -1.5)", "celu", {"alpha": -1.5}),
    ("selu", "F.selu(x)", "selu", {}),
    ("mish", "F.mish(x)", "mish", {}),
    ("hardSigmoid", "F.hardsigmoid(x)", "hardSigmoid", {}),
    ("hardSwish", "F.hardswish(x)", "hardSwish", {}),
    ("softplus", "F.softplus(x)", "softplus", {}),
    ("softplus-steep", "F.softplus(x, 2.5, 8)", "softplus", {"beta": 2.5, "threshold": 8}),
    ("softsign", "F.softsign(x)", "softsign", {}),
    ("exp", "torch.exp(x)", "exp", {}),
    ("abs", "torch.abs(x)", "abs", {}),
    ("erf", "torch.erf(x)", "erf", {}),
    ("floor", "torch.floor(x)", "floor", {}),
    ("sign", "torch.sign(x)", "sign", {}),
):
    case(f"activation.{name}", op, [[2, 3, 8, 9]], expression, inputs=tails, **attributes)
above = lambda: [torch.exp(tails()[0] * 0.7)]
for name in ("log", "sqrt", "rsqrt", "reciprocal"):
    case(f"activation.{name}", name, [[2, 3, 8, 9]], f"torch.{name}(x)", inputs=above)
slopes = lambda n: lambda: torch.rand(n) * 1.4 - 0.4
case("prelu.channels", "prelu", [[2, 5, 6, 7]], "F.prelu(x, p['weight'])", {"weight": slopes(5)}, perChannel=True)
case("prelu.wide", "prelu", [[1, 20, 5, 6]], "F.prelu(x, p['weight'])", {"weight": slopes(20)}, perChannel=True)
case("prelu.one", "prelu", [[1, 5, 6, 7]], "F.prelu(x, p['weight'])", {"weight": slopes(1)}, perChannel=False)

# -- Normalisation and softmax --

statistics = {"running_mean": [6], "running_var": positive(6), "num_batches_tracked": lambda: torch.tensor(7)}
norm = "F.batch_norm(x, p['running_mean'], p['running_var'], {w}, {b}, eps={e})"
case("batchNormalization.plain", "batchNormalization", [[2, 6, 5, 4]], norm.format(w="p['weight']", b="p['bias']", e=1e-5),
     {"weight": [6], "bias": [6], **statistics})
case("batchNormalization.keras", "batchNormalization", [[1, 6, 5, 4]],
     norm.format(w="p['weight']", b="p['bias']", e=1e-3), {"weight": [6], "bias": [6], **statistics}, epsilon=1e-3)
case("batchNormalization.bare", "batchNormalization", [[1, 6, 5, 4]], norm.format(w="None", b="None", e=1e-4),
     statistics, epsilon=1e-4, scale=False, center=False)
case("layerNormalization.last", "layerNormalization", [[2, 3, 4, 10]],
     "F.layer_norm(x, (10,), p['weight'], p['bias'], 1e-5)", {"weight": [10], "bias": [10]}, dimensions=1)
case("layerNormalization.three", "layerNormalization", [[2, 3, 4, 5]],
     "F.layer_norm(x, (3, 4, 5), p['weight'], p['bias'], 1e-6)", {"weight": [3, 4, 5], "bias": [3, 4, 5]},
     dimensions=3, epsilon=1e-6)
# Over channels, and of the kinds that PyTorch has no function for.
case("layerNormalization.channels", "layerNormalization", [[2, 19, 5, 7]],
     "F.layer_norm(x.permute(0, 2, 3, 1), (19,), p['weight'], p['bias'], 1e-6).permute(0, 3, 1, 2)",
     {"weight": [19], "bias": [19]}, dimension=1, epsilon=1e-6)
case("layerNormalization.no-bias", "layerNormalization", [[1, 8, 3, 20]], "F.layer_norm(x, (20,), p['weight'], None, 1e-5)",
     {"weight": [20]}, center=False)
case("layerNormalization.bare", "layerNormalization", [[1, 3, 4, 5]], "F.layer_norm(x, (4, 5), None, None, 1e-5)",
     dimensions=2, scale=False, center=False)
case("layerNormalization.channels-and-rows", "layerNormalization", [[2, 3, 4, 5]],
     "F.layer_norm(x.permute(0, 3, 1, 2), (3, 4), p['weight'], p['bias'], 1e-5).permute(0, 2, 3, 1)",
     {"weight": [3, 4], "bias": [3, 4]}, dimension=1, dimensions=2)
channel = "p['weight'].view(1, -1, 1, 1)"
case("biasFreeNormalization.channels", "biasFreeNormalization", [[2, 12, 5, 4]],
     f"x / (x.var(1, unbiased=False, keepdim=True) + 1e-5).sqrt() * {channel}", {"weight": [12]}, dimension=1)
case("biasFreeNormalization.last", "biasFreeNormalization", [[1, 3, 4, 17]],
     "x / (x.var(-1, unbiased=False, keepdim=True) + 1e-3).sqrt()", epsilon=1e-3, scale=False)
case("rmsNormalization.last", "rmsNormalization", [[1, 3, 4, 18]], "F.rms_norm(x, (18,), p['weight'], 1e-6)",
     {"weight": [18]})
case("rmsNormalization.channels", "rmsNormalization", [[2, 7, 4, 6]],
     f"F.rms_norm(x.permute(0, 2, 3, 1), (7,), None, 1e-5).permute(0, 3, 1, 2) * {channel} + "
     "p['bias'].view(1, -1, 1, 1)", {"weight": [7], "bias": [7]}, dimension=1, epsilon=1e-5, center=True)
case("rmsNormalization.root-plus-epsilon", "rmsNormalization", [[1, 9, 5, 4]],
     f"x / (x.norm(2, 1, keepdim=True) * 9 ** -0.5 + 1e-2) * {channel}", {"weight": [9]}, dimension=1, epsilon=1e-2,
     addsEpsilonToRoot=True)
case("l2Normalization.channels", "l2Normalization", [[2, 6, 4, 5]], "F.normalize(x, dim=1)", dimension=1)
# Some rows are shorter than epsilon.
case("l2Normalization.floor", "l2Normalization", [[2, 5, 4, 3]], "F.normalize(x, dim=3, eps=1.5)", dimension=3, epsilon=1.5)
for name, shape, groups, weight, bias, epsilon in (
    ("two", [2, 6, 5, 7], 2, True, True, 1e-5),
    ("one-keras", [1, 8, 4, 3], 1, True, True, 1e-3),
    ("each-channel", [2, 5, 3, 4], 5, True, True, 1e-5),
    ("bare", [2, 4, 6, 5], 2, False, False, 1e-4),
    ("no-bias", [1, 6, 3, 3], 3, True, False, 1e-5),
    ("no-weight", [1, 6, 3, 3], 3, False, True, 1e-5),
):
    parameters = {**({"weight": [shape[1]]} if weight else {}), **({"bias": [shape[1]]} if bias else {})}
    case(f"groupNormalization.{name}", "groupNormalization", [shape],
         f"F.group_norm(x, {groups}, {'p[' + repr('weight') + ']' if weight else 'None'}, "
         f"{'p[' + repr('bias') + ']' if bias else 'None'}, {epsilon})", parameters,
         groups=groups, epsilon=epsilon, scale=weight, center=bias)
case("instanceNormalization.affine", "instanceNormalization", [[2, 5, 6, 7]],
     "F.instance_norm(x, weight=p['weight'], bias=p['bias'], eps=1e-5)", {"weight": [5], "bias": [5]})
case("instanceNormalization.bare", "instanceNormalization", [[2, 3, 4, 5]],
     "F.instance_norm(x, eps=1e-3)", epsilon=1e-3, affine=False)
for dimension in (1, 2, 3):
    case(f"softmax.dimension-{dimension}", "softmax", [[2, 5, 4, 7]], f"torch.softmax(x, {dimension})",
         dimension=dimension)
    case(f"logSoftmax.dimension-{dimension}", "logSoftmax", [[2, 5, 4, 7]], f"torch.log_softmax(x, {dimension})",
         dimension=dimension)
case("logSoftmax.large", "logSoftmax", [[1, 4, 3, 5]], "torch.log_softmax(x, 1)",
     inputs=lambda: [torch.randn(1, 4, 3, 5) * 80], dimension=1)
case("softmax.large", "softmax", [[1, 4, 3, 5]], "torch.softmax(x, 3)",
     inputs=lambda: [torch.randn(1, 4, 3, 5) * 80], dimension=3)

# -- Arithmetic --

for op, sign in (("add", "+"), ("subtract", "-"), ("multiply", "*")):
    for name, a, b in (("equal", [2, 5, 4, 6], [2, 5, 4, 6]), ("space", [2, 5, 4, 6], [2, 5, 1, 1]),
                       ("channels", [2, 5, 4, 6], [2, 1, 4, 6]), ("first-repeats", [1, 5, 1, 1], [2, 5, 4, 6])):
        case(f"{op}.{name}", op, [a, b], f"x {sign} y")
# Few different numbers, so that some are equal; for quotients and powers, numbers above 0.
levels = lambda *shapes: lambda: [torch.randint(-2, 3, shape).float() / 2 for shape in shapes]
for op, call in (("divide", "x / y"), ("power", "x ** y"), ("minimum", "torch.minimum(x, y)"),
                 ("maximum", "torch.maximum(x, y)"), ("equal", "(x == y).to(x.dtype)"), ("less", "(x < y).to(x.dtype)"),
                 ("lessOrEqual", "(x <= y).to(x.dtype)"), ("greater", "(x > y).to(x.dtype)"),
                 ("greaterOrEqual", "(x >= y).to(x.dtype)")):
    for name, a, b in (("equal", [2, 5, 4, 6], [2, 5, 4, 6]), ("space", [2, 5, 4, 6], [2, 5, 1, 1]),
                       ("first-repeats", [1, 5, 1, 1], [2, 5, 4, 6])):
        some = levels(a, b)
        if op in ("divide", "power"):
            some = lambda a=a, b=b: [torch.rand(a) * 2 + 0.25, torch.rand(b) * 2 + 0.5]
        case(f"{op}.{name}", op, [a, b], call, inputs=some)
case("power.zeros", "power", [[1, 3, 4, 5], [1, 3, 4, 5]], "x ** y",
     inputs=lambda: [torch.randint(0, 2, [1, 3, 4, 5]).float(), torch.randint(0, 3, [1, 3, 4, 5]).float()])
for name, c, a, b in (("equal", *[[2, 5, 4, 6]] * 3), ("repeat", [2, 1, 4, 6], [1, 5, 1, 1], [2, 5, 4, 1])):
    case(f"where.{name}", "where", [c, a, b], "torch.where(x != 0, y, z)", inputs=levels(c, a, b))
case("multiply.both-repeat", "multiply", [[1, 5, 1, 1], [2, 1, 4, 6]], "x * y")
# One number a channel, known by the graph, is scale or offset.
case("scale.one", "scale", [[1, 3, 4, 5]], "x * 255", values=255)
case("scale.channels", "scale", [[2, 3, 4, 5]], "x * torch.tensor([0.5, -2, 3]).view(1, 3, 1, 1)", values=[0.5, -2, 3])
case("offset.one", "offset", [[1, 3, 4, 5]], "x - 0.5", values=-0.5)
case("offset.channels", "offset", [[2, 3, 4, 5]], "x + torch.tensor([0.25, -1, 3]).view(1, 3, 1, 1)",
     values=[0.25, -1, 3])
case("linear.plain", "linear", [[2, 3, 4, 9]], "F.linear(x, p['weight'], p['bias'])", {"weight": [7, 9], "bias": [7]},
     features=7)
case("linear.no-bias", "linear", [[1, 2, 3, 9]], "F.linear(x, p['weight'])", {"weight": [7, 9]},
     features=7, bias=False)
case("matmul.plain", "matmul", [[2, 3, 4, 5], [2, 3, 5, 6]], "x @ y")
case("matmul.repeats", "matmul", [[2, 1, 4, 5], [1, 3, 5, 6]], "x @ y")
for kind, call in (("mean", "x.mean({d}, keepdim={k})"), ("sum", "x.sum({d}, keepdim={k})"),
                   ("maximum", "x.amax({d}, keepdim={k})")):
    case(f"reduce.{kind}-space", "reduce", [[2, 3, 5, 4]], call.format(d=(2, 3), k=True), kind=kind, dimensions=[2, 3])
    case(f"reduce.{kind}-channels", "reduce", [[2, 3, 5, 4]], call.format(d=1, k=False), kind=kind, dimensions=[1],
         keepsDimensions=False)
for kind, call in (("minimum", "x.amin({d}, keepdim={k})"), ("variance", "x.var({d}, unbiased=False, keepdim={k})"),
                   ("unbiasedVariance", "x.var({d}, unbiased=True, keepdim={k})"),
                   ("l1", "torch.linalg.vector_norm(x, 1, {d}, keepdim={k})"),
                   ("l2", "torch.linalg.vector_norm(x, 2, {d}, keepdim={k})"),
                   ("sumOfSquares", "x.square().sum({d}, keepdim={k})")):
    case(f"reduce.{kind}-space", "reduce", [[2, 3, 5, 4]], call.format(d=(2, 3), k=True), kind=kind, dimensions=[2, 3])
    case(f"reduce.{kind}-channels-and-columns", "reduce", [[2, 4, 3, 5]], call.format(d=(1, 3), k=False), kind=kind,
         dimensions=[1, 3], keepsDimensions=False)
case("reduce.product-channels", "reduce", [[2, 4, 3, 5]], "x.prod(1, keepdim=True)", kind="product", dimensions=[1])
case("reduce.product-space", "reduce", [[2, 3, 3, 2]], "x.prod(3).prod(2)", kind="product", dimensions=[2, 3],
     keepsDimensions=False)

# -- Moving things --

case("concatenate.plain", "concatenate", [[2, 3, 4, 5], [2, 1, 4, 5], [2, 17, 4, 5]], "torch.cat([x, y, z], 1)")
case("slice.plain", "slice", [[2, 12, 4, 5]], "x[:, 3:10]", start=3, count=7)
case("slice.wide", "slice", [[1, 40, 3, 4]], "x[:, 8:24]", start=8, count=16)
case("concatenate.rows", "concatenate", [[2, 3, 4, 5], [2, 3, 1, 5]], "torch.cat([x, y], 2)", dimension=2)
case("concatenate.columns", "concatenate", [[1, 16, 4, 5], [1, 16, 4, 3]], "torch.cat([x, y], 3)", dimension=3)
case("stridedSlice.flip", "stridedSlice", [[2, 3, 4, 5]], "x.flip(3)", dimension=3, step=-1)
case("stridedSlice.steps", "stridedSlice", [[2, 3, 7, 5]], "x[:, :, 1:-1:2]", dimension=2, start=1, end=-1, step=2)
case("stridedSlice.backwards", "stridedSlice", [[1, 9, 3, 4]], "x.flip(1)[:, 1:8:3]", dimension=1, start=-2, end=0,
     step=-3)
case("stridedSlice.wide", "stridedSlice", [[1, 32, 3, 4]], "x[:, 1::2]", dimension=1, start=1, step=2)
case("tile.plain", "tile", [[2, 3, 4, 5]], "x.repeat(1, 2, 1, 3)", repeats=[1, 2, 1, 3])
case("expand.space", "expand", [[2, 3, 1, 1]], "x.expand(-1, -1, 4, 5)", shape=[-1, -1, 4, 5])
case("expand.ranks", "expand", [[2, 1, 3, 4]], "x.expand(2, -1, 5, -1, -1)", shape=[2, -1, 5, -1, -1])
case("expand.like", "expand", [[2, 3, 1, 1], [2, 3, 4, 5]], "x.expand_as(y)")
for r in (2, 3):
    case(f"pixelShuffle.{r}", "pixelShuffle", [[2, 2 * r * r, 4, 5]], f"F.pixel_shuffle(x, {r})", factor=r)
    case(f"pixelUnshuffle.{r}", "pixelUnshuffle", [[2, 2, 4 * r, 5 * r]], f"F.pixel_unshuffle(x, {r})", factor=r)
    # TensorFlow's order is PyTorch's after the channels (i, j, c) have become (c, i, j).
    case(f"pixelShuffle.{r}-tensorflow", "pixelShuffle", [[2, 2 * r * r, 4, 5]],
         f"F.pixel_shuffle(x.reshape(2, {r * r}, 2, 4, 5).transpose(1, 2).reshape(2, {2 * r * r}, 4, 5), {r})",
         factor=r, order="tensorflow")
    case(f"pixelUnshuffle.{r}-tensorflow", "pixelUnshuffle", [[2, 2, 4 * r, 5 * r]],
         f"F.pixel_unshuffle(x, {r}).reshape(2, 2, {r * r}, 4, 5).transpose(1, 2).reshape(2, {2 * r * r}, 4, 5)",
         factor=r, order="tensorflow")
for mode, name in (("constant", "zero"), ("reflect", "reflect"), ("replicate", "edge")):
    case(f"pad.{name}", "pad", [[2, 3, 5, 6]], f"F.pad(x, (2, 0, 1, 3), mode='{mode}')",
         edges=[1, 2, 3, 0], mode=name)
case("pad.reflect-most", "pad", [[1, 2, 4, 5]], "F.pad(x, (4, 4, 3, 3), mode='reflect')",
     edges=[3, 4, 3, 4], mode="reflect")
case("pad.value", "pad", [[2, 3, 5, 6]], "F.pad(x, (2, 0, 1, 3), value=-0.5)", edges=[1, 2, 3, 0], value=-0.5)
case("pad.circular", "pad", [[2, 3, 5, 6]], "F.pad(x, (2, 6, 1, 3), mode='circular')", edges=[1, 2, 3, 6], mode="circular")
case("pad.symmetric", "pad", [[2, 3, 5, 6]],
     "torch.cat([x[:, :, :5].flip(2), x, x[:, :, -2:].flip(2)], 2)[..., [1, 0, 0, 1, 2, 3, 4, 5, 5]]",
     edges=[5, 2, 2, 1], mode="symmetric")
case("padDimension.channels", "padDimension", [[1, 3, 4, 5]], "F.pad(x, (0, 0, 0, 0, 2, 1), value=0.25)",
     dimension=1, before=2, after=1, value=0.25)
case("padDimension.reflect", "padDimension", [[2, 3, 4, 5]], "x[:, [2, 1, 0, 1, 2, 1]]",
     dimension=1, before=2, after=1, mode="reflect")
case("padDimension.edge", "padDimension", [[2, 3, 4, 5]], "F.pad(x, (3, 1, 0, 0), mode='replicate')",
     dimension=3, before=3, after=1, mode="edge")
for mode, name in (("constant", "zero"), ("reflect", "reflect"), ("replicate", "edge")):
    case(f"padToMultiple.{name}", "padToMultiple", [[2, 3, 5, 6]], f"F.pad(x, (0, 2, 0, 3), mode='{mode}')",
         multiple=[8, 4] if name == "reflect" else 8, mode=name)
case("cropToSize.plain", "cropToSize", [[1, 3, 8, 9], [1, 1, 5, 9]], "x[:, :, :y.shape[2], :y.shape[3]]")
case("cropToSize.scale", "cropToSize", [[1, 3, 8, 9], [1, 1, 3, 4]], "x[:, :, :2 * y.shape[2], :2 * y.shape[3]]", scale=2)
case("crop.plain", "crop", [[2, 3, 8, 9]], "x[:, :, 1:-3, 2:]", edges=[1, 2, 3, 0])
case("dropout.plain", "dropout", [[1, 3, 4, 5]], "F.dropout(x, 0.5, training=False)", rate=0.5)
case("reshape.tokens", "reshape", [[2, 6, 4, 5]], "x.reshape(2, 6, 20)", shape=[0, 0, -1])
case("reshape.heads", "reshape", [[2, 6, 4, 5]], "x.reshape(2, 3, 2, 4, 5)", shape=[0, 3, -1, 4, 5])
case("permute.nhwc", "permute", [[2, 3, 4, 5]], "x.permute(0, 2, 3, 1)", order=[0, 2, 3, 1])
case("permute.reverse", "permute", [[2, 3, 4, 5]], "x.permute(3, 2, 1, 0)", order=[3, 2, 1, 0])
case("roll.space", "roll", [[2, 3, 7, 8]], "torch.roll(x, (-2, 3), (2, 3))", shifts=[-2, 3], dimensions=[2, 3])
case("roll.beyond", "roll", [[1, 3, 4, 5]], "torch.roll(x, 11, 3)", shifts=[11], dimensions=[3])

# -- Resizing. PyTorch's nearest is asymmetric, its nearest-exact half-pixel; its cubic has a = -0.75. --

A = -0.75
for factor, label in ((2, "2"), (3, "3"), (4, "4"), ([3, 2], "3-2"), ([1, 2], "1-2"), ([2, 3], "2-3")):
    value = factor if isinstance(factor, int) else f"{factor[0]} / {factor[1]}"
    shape = [1, 2, 5, 7]
    f = f"F.interpolate(x, scale_factor={value}, mode="
    case(f"resize.nearest-asymmetric-{label}", "resize", [shape], f + "'nearest')", kernel="nearest",
         coordinates="asymmetric", factor=factor)
    case(f"resize.nearest-half-pixel-{label}", "resize", [shape], f + "'nearest-exact')", kernel="nearest",
         factor=factor)
    case(f"resize.linear-half-pixel-{label}", "resize", [shape], f + "'bilinear', align_corners=False)",
         kernel="linear", factor=factor)
    case(f"resize.linear-align-corners-{label}", "resize", [shape], f + "'bilinear', align_corners=True)",
         kernel="linear", coordinates="align-corners", factor=factor)
    case(f"resize.cubic-half-pixel-{label}", "resize", [shape], f + "'bicubic', align_corners=False)",
         kernel="cubic", a=A, factor=factor)
    case(f"resize.cubic-align-corners-{label}", "resize", [shape], f + "'bicubic', align_corners=True)",
         kernel="cubic", a=A, coordinates="align-corners", factor=factor)
for kernel, mode in (("linear", "bilinear"), ("cubic", "bicubic")):
    for size in ([11, 5], [14, 18]):
        for corners in (False, True):
            case(f"resize.{kernel}-to-{size[0]}x{size[1]}-{'align-corners' if corners else 'half-pixel'}", "resize",
                 [[1, 3, 7, 9], [1, 2, *size]],
                 f"F.interpolate(x, size=y.shape[2:], mode='{mode}', align_corners={corners})", kernel=kernel,
                 coordinates="align-corners" if corners else "half-pixel", **({"a": A} if kernel == "cubic" else {}))
case("resize.nearest-to-11x5", "resize", [[1, 3, 7, 9], [1, 2, 11, 5]],
     "F.interpolate(x, size=y.shape[2:], mode='nearest')", kernel="nearest", coordinates="asymmetric")
case("resize.linear-one-pixel", "resize", [[1, 2, 1, 1]],
     "F.interpolate(x, scale_factor=3, mode='bilinear', align_corners=False)", kernel="linear", factor=3)
case("resize.cubic-one-row", "resize", [[1, 2, 1, 6]],
     "F.interpolate(x, scale_factor=2, mode='bicubic', align_corners=False)", kernel="cubic", a=A, factor=2)


def run(name, seed):
    """The case's tensors by name, and what cases.json says of it."""
    op, shapes, expression, shapes_of_parameters, inputs, attributes = CASES[name]
    torch.manual_seed(seed)
    names = ["x", "y", "z"][:len(shapes)]
    values = dict(zip(names, inputs() if inputs else [torch.randn(shape) for shape in shapes]))
    parameters = {}
    for suffix, shape in shapes_of_parameters.items():
        if callable(shape):
            parameters[suffix] = shape()
        else:
            fan = max(1, torch.Size(shape[1:]).numel())
            parameters[suffix] = torch.randn(shape) * (0.3 if len(shape) == 1 else fan ** -0.5)
    wide = {suffix: v.double() if v.is_floating_point() else v for suffix, v in parameters.items()}
    scope = {"torch": torch, "F": F, "p": wide, **{n: v.double() for n, v in values.items()}}
    output = eval(expression, scope).float()
    graph = {
        "version": 1,
        # Parameters over the width (and height) are those of one size, and so are shapes.
        "inputs": [{"name": n, "channels": shape[1],
                    **({"size": shape[2:]} if op in ("linear", "layerNormalization", "rmsNormalization", "expand", "cropToSize",
                                                           "gridSample", "irfft2", "dynamicConvolution") else {})}
                   for n, shape in zip(names, shapes)],
        "nodes": [{"name": "node", "op": op, "inputs": names, **attributes}],
        "outputs": [{"name": "output", "value": "node"}],
    }
    tensors = {**values, **{f"node.{suffix}": v for suffix, v in parameters.items()}, "output": output}
    return tensors, {"name": name.split(".")[1], "pytorch": expression, "graph": graph}


def export(operation, names):
    tensors, cases = {}, []
    for name in names:
        of_case, description = run(name, SEEDS[name])
        tensors |= {f"{description['name']}.{n}": v.contiguous() for n, v in of_case.items()}
        cases.append(description)
    folder = HERE / operation
    folder.mkdir(exist_ok=True)
    lines = ",\n".join("  " + json.dumps(c) for c in cases)
    (folder / "cases.json").write_text(f"[\n{lines}\n]\n")
    torch.save(tensors, folder / "tensors.pt")
    for file in folder.iterdir():
        assert file.stat().st_size <= LIMIT, f"{file}: {file.stat().st_size} bytes"
    print(f"{operation:24} {len(cases):3} cases {(folder / 'tensors.pt').stat().st_size:7} bytes")


# A case keeps its tensors when others are added before it.
SEEDS = {name: zlib.crc32(name.encode()) for name in CASES}

if __name__ == "__main__":
    torch.set_num_threads(1)
    for operation in dict.fromkeys(name.split(".")[0] for name in CASES):
        export(operation, [name for name in CASES if name.split(".")[0] == operation])
