#!/usr/bin/env python3
"""Trains the two networks of the seeds in PyTorch, for 100 steps on batches that are kept: what the
losses of a training by Aviary from the same weights on the same batches are held against.

    python training.py FOLDER

Adam's rate is 5e-5: it divides gradients by their own size, so that early steps follow the signs of
numbers near zero, and at 1e-3 PyTorch's own losses in float32 differ from those in float64 by 3 % to
11 % after 100 steps. At 5e-5 they differ by 1e-4, which the script prints; so 1e-3 says something.

Leaves FOLDER/<network>.weights.safetensors (before the first step), <network>.batches.safetensors
(`input.<step>`, `target.<step>`) and <network>.losses.json, the loss of each step.
"""
import copy
import json
import pathlib
import sys

import safetensors.torch
import torch
import torch.nn as nn

from torch_networks import CAEResNet

STEPS = 100
RATE = 5e-5


class PlainCAE(nn.Module):
    """The first seed's network with PyTorch's borders."""

    def __init__(self):
        super().__init__()
        self.encoder = nn.Sequential(
            nn.Conv2d(1, 32, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2),
            nn.Conv2d(32, 64, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2),
            nn.Conv2d(64, 128, 3, padding=1), nn.ReLU())
        self.decoder = nn.Sequential(
            nn.ConvTranspose2d(128, 64, 3, stride=2, padding=1, output_padding=1), nn.ReLU(),
            nn.ConvTranspose2d(64, 32, 3, stride=2, padding=1, output_padding=1), nn.ReLU(),
            nn.ConvTranspose2d(32, 1, 3, padding=1), nn.Sigmoid())

    def forward(self, x):
        return self.decoder(self.encoder(x))


def batch(channels, side, count=4):
    """Smooth pictures to restore, and the same with noise."""
    rows, columns = torch.meshgrid(torch.arange(side), torch.arange(side), indexing="ij")
    waves = torch.rand(count, channels, 1, 1, 3) * 0.6 - 0.3
    phases = waves[..., 0] * rows + waves[..., 1] * columns + waves[..., 2] * 10
    target = 0.5 + 0.4 * torch.cos(phases)
    return target + 0.1 * torch.randn_like(target), target


def losses_of(model, batches):
    optimizer = torch.optim.Adam(model.parameters(), lr=RATE)
    kind, losses = next(model.parameters()).dtype, []
    for step in range(STEPS):
        optimizer.zero_grad()
        result = model(batches[f"input.{step}"].to(kind))
        loss = nn.functional.mse_loss(result, batches[f"target.{step}"].to(kind))
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    return losses


def train(name, model, channels, side, folder):
    safetensors.torch.save_file(
        {key: value.contiguous().clone() for key, value in model.state_dict().items()},
        folder / f"{name}.weights.safetensors")
    batches = {}
    for step in range(STEPS):
        x, y = batch(channels, side)
        batches[f"input.{step}"], batches[f"target.{step}"] = x.contiguous(), y.contiguous()
    exact = losses_of(copy.deepcopy(model).double(), batches)
    losses = losses_of(model, batches)
    safetensors.torch.save_file(batches, folder / f"{name}.batches.safetensors")
    (folder / f"{name}.losses.json").write_text(json.dumps(losses))
    difference = max(abs(a - b) / b for a, b in zip(losses, exact))
    print(f"{name}: {losses[0]:.6f} to {losses[-1]:.6f}, in float32 {difference:.1e} from float64")


folder = pathlib.Path(sys.argv[1])
folder.mkdir(parents=True, exist_ok=True)
torch.manual_seed(0)
train("residual-cae", CAEResNet(3, 3), 3, 24, folder)
train("plain-cae", PlainCAE(), 1, 32, folder)
