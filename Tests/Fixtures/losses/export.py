#!/usr/bin/env python3
"""Makes losses.pt beside this script: losses and their gradients, by PyTorch's automatic differentiation.

    python export.py            needs torch

`pixels.<name>.value` (float64) and `.gradient` are of `result` and `target`, 2x3x13x14, float32, calculated
in float64. `scores.<kind>.generator` and `.discriminator` are of the logits `scores.results` and
`scores.targets`, with gradients by both. `perceptual.*` is a small network of two levels (torchvision's
names and order) whose features of a picture are compared, after ImageNet's mean and deviation.
"""
import collections
import pathlib

import torch
import torch.nn.functional as F

torch.manual_seed(4)
torch.set_num_threads(1)
out = collections.OrderedDict()


def keep(name, value):
    out[name] = value.detach().contiguous().clone()


# Smooth pictures with noise; some pixels equal, which have no direction.
grid = torch.stack(torch.meshgrid(torch.linspace(0, 3, 13), torch.linspace(0, 2, 14), indexing="ij"))
wave = 0.5 + 0.3 * torch.sin(grid[0] * 2 + grid[1] * 3)
target = (wave + 0.1 * torch.randn(2, 3, 13, 14)).float()
result = (target + 0.1 * torch.randn(2, 3, 13, 14)).float()
result[0, 0, 0, :5] = target[0, 0, 0, :5]
result[1, 1, 2, 3] = result[1, 1, 2, 4]
keep("result", result)
keep("target", target)


def ssim(x, y):
    """Wang et al.'s, window by window: no library's code, so that it is the definition that counts."""
    axis = torch.arange(11, dtype=torch.float64) - 5
    line = torch.exp(-axis**2 / (2 * 1.5**2))
    window = (line[:, None] * line[None, :])
    window = (window / window.sum()).reshape(-1)
    a = F.unfold(x.reshape(-1, 1, *x.shape[2:]), 11)   # planes x 121 x windows
    b = F.unfold(y.reshape(-1, 1, *y.shape[2:]), 11)
    w = window[None, :, None]
    ma, mb = (a * w).sum(1), (b * w).sum(1)
    va = (w * (a - ma[:, None]) ** 2).sum(1)
    vb = (w * (b - mb[:, None]) ** 2).sum(1)
    cov = (w * (a - ma[:, None]) * (b - mb[:, None])).sum(1)
    c1, c2 = 0.01**2, 0.03**2
    return ((2 * ma * mb + c1) * (2 * cov + c2) / ((ma**2 + mb**2 + c1) * (va + vb + c2))).mean()


def variation(x, _):
    vertical, horizontal = (x[..., 1:, :] - x[..., :-1, :]).abs(), (x[..., 1:] - x[..., :-1]).abs()
    return (vertical.sum() + horizontal.sum()) / (vertical.numel() + horizontal.numel())


PIXELS = {
    "l1": F.l1_loss,
    "l2": F.mse_loss,
    "charbonnier": lambda x, y: ((x - y) ** 2 + 1e-3**2).sqrt().mean(),
    "ssim": lambda x, y: 1 - ssim(x, y),
    "total-variation": variation,
}
for name, loss in PIXELS.items():
    x = result.double().requires_grad_()
    value = loss(x, target.double())
    value.backward()
    keep(f"pixels.{name}.value", value)
    keep(f"pixels.{name}.gradient", x.grad.float())

# Logits, some so large that careless forms overflow.
results = torch.tensor([-0.7, 0.2, 1.4, -2.5, 0.9, -110.0, 95.0, 0.01])
targets = torch.tensor([0.6, -0.4, 2.2, 0.8, -1.3, 120.0, -90.0, 1.5])
keep("scores.results", results)
keep("scores.targets", targets)
BCE = F.binary_cross_entropy_with_logits
ONE = lambda x: torch.ones_like(x)
ZERO = lambda x: torch.zeros_like(x)
KINDS = {
    "standard": (lambda f, r: BCE(f, ONE(f)), lambda f, r: BCE(r, ONE(r)) + BCE(f, ZERO(f))),
    "relativistic": (
        lambda f, r: BCE(r - f.mean(), ZERO(r)) + BCE(f - r.mean(), ONE(f)),
        lambda f, r: BCE(r - f.mean(), ONE(r)) + BCE(f - r.mean(), ZERO(f))),
    "hinge": (lambda f, r: -f.mean(), lambda f, r: F.relu(1 - r).mean() + F.relu(1 + f).mean()),
}
for kind, losses in KINDS.items():
    for who, loss in zip(("generator", "discriminator"), losses):
        f, r = results.double().requires_grad_(), targets.double().requires_grad_()
        value = loss(f, r)
        value.backward()
        keep(f"scores.{kind}.{who}.value", value)
        keep(f"scores.{kind}.{who}.results", f.grad.float())
        if who == "discriminator":
            keep(f"scores.{kind}.{who}.targets", r.grad.float())

# Features of a tiny VGG: relu1_2 (node 3) and conv2_1 (node 5) are compared.
layers = torch.nn.Sequential(
    torch.nn.Conv2d(3, 4, 3, padding=1), torch.nn.ReLU(), torch.nn.Conv2d(4, 4, 3, padding=1), torch.nn.ReLU(),
    torch.nn.MaxPool2d(2), torch.nn.Conv2d(4, 6, 3, padding=1))
for name, value in layers.state_dict().items():
    keep(f"perceptual.weights.features.{name}", value)
mean = torch.tensor([0.485, 0.456, 0.406], dtype=torch.float64).reshape(1, 3, 1, 1)
deviation = torch.tensor([0.229, 0.224, 0.225], dtype=torch.float64).reshape(1, 3, 1, 1)
layers.double()


def features(x):
    x = (x - mean) / deviation
    return layers[:4](x), layers(x)


def perceptual(x, y, distance):
    (a, b), (c, d) = features(x), features(y)
    return 0.5 * distance(a, c) + 2 * distance(b, d)


for name, expand in {"rgb": lambda x: x, "gray": lambda x: x[:, :1].expand(-1, 3, -1, -1)}.items():
    for distance in (F.mse_loss, F.l1_loss):
        x = result.double().requires_grad_()
        value = perceptual(expand(x), expand(target.double()), distance)
        value.backward()
        label = f"perceptual.{name}.{'squared' if distance is F.mse_loss else 'absolute'}"
        keep(f"{label}.value", value)
        keep(f"{label}.gradient", (x.grad if name == "rgb" else x.grad[:, :1]).float())

torch.save(out, pathlib.Path(__file__).resolve().parent / "losses.pt")
