#!/usr/bin/env python3
"""Makes the files beside this script: the plugin's network in PyTorch, with random weights.

    python export.py            needs torch

weights.pt is a state dict under the names of the published source "third-party/tiny-sr";
example.pt is {"input": tensor, "output": tensor}. The output is computed in float64.
"""
import collections
import pathlib

import torch
import torch.nn.functional as F

HERE = pathlib.Path(__file__).resolve().parent
CHANNELS, FEATURES, SCALE, BLOCKS = 3, 8, 2, 2


def network(x, w):
    x0 = x
    x = F.conv2d(x, w["first.weight"], w["first.bias"], padding=1)
    for i in range(1, BLOCKS + 1):
        x = F.conv2d(x, w[f"depth{i}.weight"], padding=1, groups=FEATURES)
        x = F.silu(F.conv2d(x, w[f"point{i}.weight"], w[f"point{i}.bias"]))
    x = F.conv2d(x, w["tail.weight"], w["tail.bias"], padding=1)
    return F.pixel_shuffle(x, SCALE) + F.interpolate(x0, scale_factor=SCALE, mode="nearest")


if __name__ == "__main__":
    torch.manual_seed(0)
    shapes = {"first": (FEATURES, CHANNELS, 3, 3)}
    for i in range(1, BLOCKS + 1):
        shapes |= {f"depth{i}": (FEATURES, 1, 3, 3), f"point{i}": (FEATURES, FEATURES, 1, 1)}
    shapes["tail"] = (CHANNELS * SCALE * SCALE, FEATURES, 3, 3)
    weights = collections.OrderedDict()
    for name, shape in shapes.items():
        weights[f"{name}.weight"] = torch.randn(shape) * (1.5 / torch.Size(shape[1:]).numel()) ** 0.5
        if not name.startswith("depth"):
            weights[f"{name}.bias"] = torch.randn(shape[0]) * 0.1
    x = torch.rand(1, CHANNELS, 9, 11)
    y = network(x.double(), {name: value.double() for name, value in weights.items()}).float()
    torch.save(weights, HERE / "weights.pt")
    torch.save({"input": x, "output": y}, HERE / "example.pt")
    print(list(y.shape), float(y.abs().max()))
