#!/usr/bin/env python3
"""Makes the fixtures beside this script: learned constants, gathers, windows and attention in PyTorch.

    python export.py            needs torch

README.md says what the files hold. Everything is written from the formulas of the papers, window by
window and pixel by pixel, so that nothing is shared with what is tested; it is computed in float64
from float32 numbers, and rounded once.
"""
import json
import math
import pathlib
import zlib

import torch
import torch.nn.functional as F

HERE = pathlib.Path(__file__).resolve().parent
LIMIT = 600_000  # bytes of all together: fixtures are for ever in the repository


def cotangent(shape):
    """The derivative of the loss by the output, which a test makes again by the same formula."""
    i = torch.arange(torch.Size(shape).numel(), dtype=torch.int64)
    return (((i * 2654435761 + 12345) % 2**32) >> 8).double().mul(2.0**-23).sub(1).reshape(shape)


def pixels(window):
    return [(y, x) for y in range(window[0]) for x in range(window[1])]


def relative(window):
    """Swin Transformer's index, pair by pair."""
    h, w = window
    return torch.tensor([[(ya - yb + h - 1) * (2 * w - 1) + xa - xb + w - 1 for yb, xb in pixels(window)]
                         for ya, xa in pixels(window)])


def overlapping(window, keys):
    """HAT's index of its overlapping cross-attention, pair by pair; PyTorch wraps the negative ones."""
    (h, w), (kh, kw) = window, keys
    return torch.tensor([[(yk - yq + h - kh + 1) * (w + kw - 1) + xk - xq + w - kw + 1
                          for yk, xk in pixels(keys)] for yq, xq in pixels(window)])


def stretch(position, length, window, shift):
    """The number of the stretch of an axis in which a pixel of the rolled image lies."""
    if shift == 0:
        return 0
    return 0 if position < length - window else 1 if position < length - shift else 2


def members(size, window, grid, margin=(0, 0)):
    """The pixels of every window, by row and column of windows; those outside of the image too."""
    (height, width), (h, w), (my, mx) = size, window, margin
    rows, columns = height // h, width // w
    for a in range(rows):
        for b in range(columns):
            if grid:
                yield a, b, [(i * rows + a, j * columns + b) for i, j in pixels(window)]
            else:
                yield a, b, [(a * h + i - my, b * w + j - mx) for i, j in pixels((h + 2 * my, w + 2 * mx))]


def partition(x, window, grid=False, margin=(0, 0)):
    n, c, height, width = x.shape
    rows, columns = height // window[0], width // window[1]
    out = [[None] * columns for _ in range(rows)]
    zero = torch.zeros(n, c, dtype=x.dtype)
    for a, b, places in members((height, width), window, grid, margin):
        out[a][b] = torch.stack([x[:, :, y, u] if 0 <= y < height and 0 <= u < width else zero
                                 for y, u in places], 1)
    return torch.stack([torch.stack(row, 1) for row in out], 1)


def reverse(x, window, grid=False):
    n, rows, columns, _, c = x.shape
    size = rows * window[0], columns * window[1]
    out = {}
    for a, b, places in members(size, window, grid):
        for t, place in enumerate(places):
            out[place] = x[:, a, b, t]
    return torch.stack([torch.stack([out[y, u] for u in range(size[1])], 2) for y in range(size[0])], 2)


def shift_mask(scores, window, shift, value):
    """Scores [n, rows, columns, ..., pixels, pixels] of the windows of a rolled image."""
    rows, columns = scores.shape[1:3]
    size = rows * window[0], columns * window[1]
    apart = torch.zeros(rows, columns, scores.shape[-1], scores.shape[-1], dtype=torch.bool)
    for a, b, places in members(size, window, False):
        labels = torch.tensor([3 * stretch(y, size[0], window[0], shift[0])
                               + stretch(u, size[1], window[1], shift[1]) for y, u in places])
        apart[a, b] = labels[:, None] != labels[None]
    while apart.dim() < scores.dim() - 1:
        apart = apart.unsqueeze(2)
    mask = torch.zeros(apart.shape, dtype=scores.dtype).masked_fill(apart, value)
    return scores + mask


def attention(q, k, v, heads, window, shift=(0, 0), grid=False, margin=(0, 0), scale=None, table=None,
              mask=-100.0):
    """Images of queries, keys and values to an image."""
    size = q.shape[2:]
    q, k, v = (torch.roll(t, (-shift[0], -shift[1]), (2, 3)) for t in (q, k, v))
    d = q.shape[1] // heads
    if table is not None:
        keys = window[0] + 2 * margin[0], window[1] + 2 * margin[1]
        index = relative(window) if margin == (0, 0) else overlapping(window, keys)
        bias = table[index]  # pixels, key pixels, heads
    heads_of = lambda t, m: partition(t, window, grid, m).unflatten(-1, (heads, -1))
    q, k, v = heads_of(q, (0, 0)), heads_of(k, margin), heads_of(v, margin)
    scores = torch.einsum("nrcqhd,nrckhd->nrchqk", q, k) * (scale or d ** -0.5)
    if table is not None:
        scores = scores + bias.permute(2, 0, 1)
    if shift != (0, 0):
        scores = shift_mask(scores, window, shift, mask)
    out = torch.einsum("nrchqk,nrckhd->nrcqhd", scores.softmax(-1), v).flatten(-2)
    return torch.roll(reverse(out, window, grid), shift, (2, 3))


def node(name, op, *inputs, **attributes):
    return {"name": name, "op": op, "inputs": list(inputs), **attributes}


def swin_block(mask):
    """A whole block of Swin Transformer, shifted, with relative biases, on an image."""
    c, heads, window, shift = 12, 3, (4, 4), (2, 2)
    shapes = {"norm1.weight": [c], "norm1.bias": [c], "attn.qkv.weight": [3 * c, c], "attn.qkv.bias": [3 * c],
              "attn.relative_position_bias_table": [49, heads], "attn.proj.weight": [c, c],
              "attn.proj.bias": [c], "norm2.weight": [c], "norm2.bias": [c], "mlp.fc1.weight": [2 * c, c],
              "mlp.fc1.bias": [2 * c], "mlp.fc2.weight": [c, 2 * c], "mlp.fc2.bias": [c]}
    nodes = [
        node("tokens", "permute", "x", order=[0, 2, 3, 1]), node("norm1", "layerNormalization", "tokens"),
        node("attn.qkv", "linear", "norm1", outFeatures=3 * c),
        node("image", "permute", "attn.qkv", order=[0, 3, 1, 2]),
        node("attn", "windowAttention", "image", heads=heads, window=4, shift=2, maskValue=mask),
        node("mixed", "permute", "attn", order=[0, 2, 3, 1]),
        node("attn.proj", "linear", "mixed", outFeatures=c), node("sum1", "add", "attn.proj", "tokens"),
        node("norm2", "layerNormalization", "sum1"), node("mlp.fc1", "linear", "norm2", outFeatures=2 * c),
        node("gelu", "gelu", "mlp.fc1"), node("mlp.fc2", "linear", "gelu", outFeatures=c),
        node("sum2", "add", "mlp.fc2", "sum1"), node("node", "permute", "sum2", order=[0, 3, 1, 2]),
    ]

    def run(x, p):
        t = x.permute(0, 2, 3, 1)
        n = F.layer_norm(t, (c,), p["norm1.weight"], p["norm1.bias"], 1e-5)
        q, k, v = F.linear(n, p["attn.qkv.weight"], p["attn.qkv.bias"]).permute(0, 3, 1, 2).chunk(3, 1)
        a = attention(q, k, v, heads, window, shift, table=p["attn.relative_position_bias_table"],
                      mask=float(mask.replace("infinity", "inf")) if isinstance(mask, str) else mask)
        t = t + F.linear(a.permute(0, 2, 3, 1), p["attn.proj.weight"], p["attn.proj.bias"])
        n = F.layer_norm(t, (c,), p["norm2.weight"], p["norm2.bias"], 1e-5)
        h = F.gelu(F.linear(n, p["mlp.fc1.weight"], p["mlp.fc1.bias"]))
        return (t + F.linear(h, p["mlp.fc2.weight"], p["mlp.fc2.bias"])).permute(0, 3, 1, 2)

    return {"x": [1, c, 8, 12]}, shapes, nodes, run


def cases():
    """(name, {input: shape}, {parameter: shape}, nodes, function of inputs and parameters)."""
    yield ("constants", {"x": [2, 5, 4, 6]}, {"gamma": [1, 5, 1, 1], "beta": [1, 1, 4, 6]}, [
        node("gamma", "learnedConstant", shape=[1, 5, 1, 1], start=1, parameters=["gamma"]),
        node("beta", "learnedConstant", shape=[1, 1, 4, 6], parameters=["beta"]),
        node("scaled", "multiply", "x", "gamma"), node("node", "add", "scaled", "beta")],
        lambda x, p: x * p["gamma"] + p["beta"])
    for name, index, attributes, rows in (
            ("gather-relative", relative((4, 4)), dict(index="relativePosition", window=4), 49),
            ("gather-relative-rectangle", relative((2, 5)), dict(index="relativePosition", window=[2, 5]), 27),
            ("gather-overlapping", overlapping((4, 4), (6, 6)),
             dict(index="overlappingPosition", window=4, keyWindow=6), 81),
            ("gather-list", torch.tensor([[3, -1, 0], [-7, 3, 3]]),
             dict(index=[3, -1, 0, -7, 3, 3], shape=[2, 3]), 7)):
        yield (name, {"x": [1, 1, 2, 2]}, {"table": [rows, 3]}, [
            node("table", "learnedConstant", shape=[rows, 3], parameters=["table"]),
            node("node", "constantGather", "table", **attributes)],
            lambda x, p, index=index: p["table"][index])
    yield ("gather-channels", {"x": [2, 4, 3, 5]}, {},
           [node("node", "constantGather", "x", index=[2, -1, 2], dimension=1)],
           lambda x, p: x[:, torch.tensor([2, -1, 2])])
    for name, window, grid, margin in (
            ("square", (2, 2), False, (0, 0)), ("rectangle", (2, 3), False, (0, 0)),
            ("grid", (2, 3), True, (0, 0)), ("margin", (2, 3), False, (1, 2)), ("wide-margin", (2, 2), False, (3, 1))):
        attributes = dict(window=list(window), arrangement="grid" if grid else "block")
        yield (f"windows-{name}", {"x": [2, 5, 4, 6]}, {},
               [node("node", "windowPartition", "x", margin=list(margin), **attributes)],
               lambda x, p, a=(window, grid, margin): partition(x, *a))
        if margin == (0, 0):
            yield (f"image-{name}", {"x": [2, 5, 4, 6]}, {},
                   [node("cut", "windowPartition", "x", window=2),
                    node("again", "reshape", "cut", shape=[0, 4 // window[0], 6 // window[1], window[0] * window[1], 5]),
                    node("node", "windowReverse", "again", **attributes)],
                   lambda x, p, a=(window, grid): reverse(
                       partition(x, (2, 2)).reshape(2, 4 // a[0][0], 6 // a[0][1], a[0][0] * a[0][1], 5), *a))
    for name, window, shift, value in (("both", (2, 2), (1, 1), -100.0), ("rows", (4, 2), (3, 0), -5.0),
                                       ("columns", (2, 3), (0, 1), -100.0)):
        area, rows, columns = window[0] * window[1], 8 // window[0], 6 // window[1]
        yield (f"mask-{name}", {"x": [1, rows * columns * area * area, 1, 1]}, {},
               [node("scores", "reshape", "x", shape=[0, rows, columns, 1, area, area]),
                node("node", "shiftMask", "scores", window=list(window), shift=list(shift), value=value)],
               lambda x, p, a=(window, shift, value), s=(1, rows, columns, 1, area, area):
               shift_mask(x.reshape(s), *a))
    one = {"x": [2, 12, 4, 6]}
    split = lambda x: x.chunk(3, 1)
    yield ("attention-plain", one, {"node.relative_position_bias_table": [15, 2]},
           [node("node", "windowAttention", "x", heads=2, window=[2, 3])],
           lambda x, p: attention(*split(x), 2, (2, 3), table=p["node.relative_position_bias_table"]))
    yield ("attention-shifted", one, {"node.relative_position_bias_table": [15, 2]},
           [node("node", "windowAttention", "x", heads=2, window=[2, 3], shift=[1, 2], scale=0.75)],
           lambda x, p: attention(*split(x), 2, (2, 3), (1, 2), scale=0.75,
                                  table=p["node.relative_position_bias_table"]))
    yield ("attention-one-axis", one, {},
           [node("node", "windowAttention", "x", heads=1, window=2, shift=[0, 1], positionBias="none",
                 maskValue="-infinity")],
           lambda x, p: attention(*split(x), 1, (2, 2), (0, 1), mask=-math.inf))
    yield ("attention-grid", one, {"node.relative_position_bias_table": [9, 4]},
           [node("node", "windowAttention", "x", heads=4, window=2, arrangement="grid")],
           lambda x, p: attention(*split(x), 4, (2, 2), grid=True, table=p["node.relative_position_bias_table"]))
    yield ("attention-overlapping", {"x": [1, 4, 8, 8], "y": [1, 4, 8, 8], "z": [1, 4, 8, 8]},
           {"node.relative_position_bias_table": [81, 2]},
           [node("node", "windowAttention", "x", "y", "z", heads=2, window=4, keyMargin=1)],
           lambda x, y, z, p: attention(x, y, z, 2, (4, 4), margin=(1, 1),
                                        table=p["node.relative_position_bias_table"]))
    yield ("attention-computed-bias", {"x": [1, 12, 4, 4]}, {"coordinates": [9, 2], "w": [2, 2]},
           [node("coordinates", "learnedConstant", shape=[9, 2], parameters=["coordinates"]),
            node("table", "linear", "coordinates", outFeatures=2, bias=False, parameters=["w"]),
            node("node", "windowAttention", "x", "table", heads=2, window=2, shift=1, positionBias="input")],
           lambda x, p: attention(*split(x), 2, (2, 2), (1, 1), table=F.linear(p["coordinates"], p["w"])))
    # Swin Transformer V2: of queries and keys the angles alone count, times a learned factor of each head.
    heads_apart = lambda n, source: [
        node(f"{n}1", "slice", source, start="qkv".index(n) * 4, count=4),
        node(f"{n}2", "reshape", f"{n}1", shape=[0, 2, 2, 4, 6]),
        node(f"{n}3", "l2Normalization", f"{n}2", dimension=2)]
    cosine = lambda t: F.normalize(t.unflatten(1, (2, 2)), dim=2)
    yield ("attention-cosine", one,
           {"logit": [1, 2, 1, 1, 1], "node.relative_position_bias_table": [15, 2]},
           [*heads_apart("q", "x"), *heads_apart("k", "x"),
            node("logit", "learnedConstant", shape=[1, 2, 1, 1, 1], parameters=["logit"]),
            node("bounded", "clamp", "logit", minimum=-100, maximum=math.log(100)), node("factor", "exp", "bounded"),
            node("scaled", "multiply", "q3", "factor"),
            node("q", "reshape", "scaled", shape=[0, 4, 4, 6]), node("k", "reshape", "k3", shape=[0, 4, 4, 6]),
            node("v", "slice", "x", start=8, count=4),
            node("node", "windowAttention", "q", "k", "v", heads=2, window=[2, 3], shift=[1, 2], scale=1)],
           lambda x, p: attention(
               (cosine(x[:, :4]) * p["logit"].clamp(max=math.log(100)).exp()).flatten(1, 2),
               cosine(x[:, 4:8]).flatten(1, 2), x[:, 8:], 2, (2, 3), (1, 2), scale=1,
               table=p["node.relative_position_bias_table"]))
    for name, mask in (("100", -100.0), ("infinity", "-infinity")):
        inputs, shapes, nodes, run = swin_block(mask)
        yield (f"swin-block-{name}", inputs, shapes, nodes, run)


def export():
    torch.set_num_threads(1)
    tensors, list_ = {}, []
    for name, inputs, shapes, nodes, run in cases():
        torch.manual_seed(zlib.crc32(name.encode()))
        values = {n: torch.randn(shape) for n, shape in inputs.items()}
        parameters = {n: torch.randn(shape) * (0.3 if len(shape) == 1 else shape[-1] ** -0.5)
                      for n, shape in shapes.items()}
        wide = {n: v.double().requires_grad_() for n, v in {**values, **parameters}.items()}
        output = run(*(wide[n] for n in values), {n: wide[n] for n in parameters})
        (output * cotangent(output.shape)).sum().backward()
        graph = {"version": 2,
                 "inputs": [{"name": n, "channels": s[1], "size": s[2:]} for n, s in inputs.items()],
                 "nodes": nodes, "outputs": [{"name": "output", "value": "node"}]}
        for n, v in {**values, **parameters}.items():
            tensors[f"{name}/{n}"] = v
            if wide[n].grad is not None:
                tensors[f"{name}/gradient.{n}"] = wide[n].grad.float()
        tensors[f"{name}/output"] = output.detach().float().contiguous()
        list_.append({"name": name, "graph": graph})
    (HERE / "cases.json").write_text("[\n" + ",\n".join("  " + json.dumps(c) for c in list_) + "\n]\n")
    torch.save(tensors, HERE / "tensors.pt")
    total = sum(file.stat().st_size for file in HERE.iterdir())
    assert total <= LIMIT, total
    print(f"{len(list_)} cases, {total} bytes")


if __name__ == "__main__":
    export()
