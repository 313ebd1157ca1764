"""Weights of a small SRCNN (9-1-5, two features), as they are and each spoilt in one way.

Run in this folder with PyTorch 2.x: python export.py
"""

import torch

torch.manual_seed(1)


def srcnn():
    layers = {"conv1": (2, 1, 9), "conv2": (2, 2, 1), "conv3": (1, 2, 5)}
    weights = {}
    for name, (filters, channels, kernel) in layers.items():
        weights[f"{name}.weight"] = torch.randn(filters, channels, kernel, kernel) / kernel**2
        weights[f"{name}.bias"] = torch.randn(filters) / 100
    return weights


def save(name, change=lambda weights: None):
    weights = srcnn()
    change(weights)
    torch.save(weights, name)


save("whole.pt")
save("missing.pt", lambda w: w.pop("conv3.bias"))
save("extra.pt", lambda w: w.update({"conv4.weight": torch.zeros(1, 1, 3, 3)}))
save("wrong-shape.pt", lambda w: w.update({"conv2.weight": torch.zeros(2, 3, 1, 1)}))
save("not-a-number.pt", lambda w: w["conv2.weight"].fill_(float("nan")))
