"""Writes scripted.pt and traced.pt, TorchScript archives, and adds to expected.json what their state
dicts are. Run after export.py: python script.py."""

import json
import os

import torch

folder = os.path.dirname(os.path.abspath(__file__))


class Block(torch.nn.Module):
    def __init__(self):
        super().__init__()
        self.conv = torch.nn.Conv2d(2, 3, 3, bias=True)
        self.norm = torch.nn.BatchNorm2d(3)

    def forward(self, x):
        return self.norm(self.conv(x))


class Net(torch.nn.Module):
    def __init__(self):
        super().__init__()
        self.body = torch.nn.Sequential(Block(), torch.nn.ReLU(), torch.nn.PReLU(3))
        self.scale = torch.nn.Parameter(torch.randn(1, 3, 1, 1))
        self.factor = 2.0

    def forward(self, x):
        return self.body(x) * self.scale * self.factor


torch.manual_seed(1)
net = Net().eval()
with open(os.path.join(folder, "expected.json")) as file:
    expected = json.load(file)
for name, module in {
    "scripted": torch.jit.script(net),
    "traced": torch.jit.trace(net, torch.zeros(1, 2, 8, 8)),
}.items():
    torch.jit.save(module, os.path.join(folder, name + ".pt"))
    state = module.state_dict()
    assert list(state) == list(net.state_dict())
    expected[name + ".pt"] = {
        "names": list(state),
        "moduleClass": "Net",
        "tensors": {
            k: {
                "shape": list(v.shape),
                "type": str(v.dtype).removeprefix("torch."),
                "values": v.double().flatten().tolist(),
            }
            for k, v in state.items()
        },
    }
with open(os.path.join(folder, "expected.json"), "w") as file:
    json.dump(expected, file, indent=1, sort_keys=True)
