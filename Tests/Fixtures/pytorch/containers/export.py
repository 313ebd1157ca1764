"""Writes one small file per way in which PyTorch saves tensors, and expected.json with what is in
each. Run with PyTorch 2.x: python export.py. The files differ between versions only in details."""

import argparse
import collections
import json
import os
import sys

import numpy
import torch
import torch.serialization



def no_source(*_):
    """Stands in for the search of a class's source, which the old container would embed."""
    raise OSError


torch.serialization.get_source_lines_and_file = no_source
folder = os.path.dirname(os.path.abspath(__file__))
expected = {}


def value(tensor):
    """A tensor as JSON: NaN and infinities as text."""
    flat = tensor.detach().to(torch.float64).flatten().tolist()
    return {
        "shape": list(tensor.shape),
        "type": str(tensor.dtype).removeprefix("torch."),
        "values": [x if abs(x) < 1e300 else str(x) for x in flat],
    }


def save(name, thing, tensors, zip=True, protocol=2, **facts):
    torch.save(
        thing,
        os.path.join(folder, name),
        pickle_protocol=protocol,
        _use_new_zipfile_serialization=zip,
    )
    expected[name] = {
        "names": list(tensors),
        "tensors": {k: value(v) for k, v in tensors.items()},
        **facts,
    }


class Block(torch.nn.Module):
    def __init__(self):
        super().__init__()
        self.conv = torch.nn.Conv2d(2, 3, 3, bias=True)
        self.norm = torch.nn.BatchNorm2d(3)
        self.register_buffer("scratch", torch.ones(2), persistent=False)


class Net(torch.nn.Module):
    def __init__(self):
        super().__init__()
        self.head = torch.nn.Conv2d(1, 2, 1, bias=False)
        self.body = torch.nn.Sequential(Block(), torch.nn.ReLU())


torch.manual_seed(1)
net = Net()
plain = net.state_dict()

# The containers and protocols.
save("zip.pt", plain, plain)
save("legacy.pt", plain, plain, zip=False)
save("protocol4.pt", plain, plain, protocol=4)
save("protocol5.pt", plain, plain, protocol=5)
save("module.pt", net, plain, moduleClass="__main__.Net")
save("module_legacy.pt", net, plain, zip=False, moduleClass="__main__.Net")

# Nesting and prefixes.
small = collections.OrderedDict(a=torch.randn(2, 2), b=torch.randn(3))
other = collections.OrderedDict(a=torch.randn(2, 2), b=torch.randn(3))
save(
    "ema.pt",
    {"params": other, "params_ema": small},
    small,
    path=["params_ema"],
    ignored=["params (a dictionary of 2)"],
    notes=["params_ema (averaged weights) preferred to params"],
)
prefixed = collections.OrderedDict(("module._orig_mod." + k, v) for k, v in small.items())
save("prefixed.pt", prefixed, small, prefix="module._orig_mod.")
lightning = {
    "epoch": 7,
    "global_step": 1234,
    "pytorch-lightning_version": "2.4.0",
    "state_dict": collections.OrderedDict(("model." + k, v) for k, v in small.items()),
    "callbacks": {},
    "optimizer_states": [{"state": {0: {"exp_avg": torch.zeros(2, 2)}}}],
    "hyper_parameters": {"lr": 1e-3},
}
save(
    "lightning.pt",
    lightning,
    small,
    path=["state_dict"],
    prefix="model.",
    metadata={"epoch": "7", "global_step": "1234", "pytorch-lightning_version": "2.4.0"},
    ignored=[
        "callbacks (a dictionary of 0)",
        "optimizer_states (a list of 1)",
        "hyper_parameters (a dictionary of 1)",
    ],
)
linear = torch.nn.Linear(2, 2)
adam = torch.optim.Adam(linear.parameters())
linear(torch.ones(1, 2)).sum().backward()
adam.step()
training = {
    "epoch": 3,
    "weights_of_the_network": linear.state_dict(),
    "optimizer": adam.state_dict(),
    "best": numpy.float64(31.5),
    "args": argparse.Namespace(lr=0.1),
    "done": True,
}
save(
    "training.pt",
    training,
    linear.state_dict(),
    path=["weights_of_the_network"],
    metadata={"epoch": "3", "best": "31.5", "done": "true"},
)
save("parameters.pt", dict(linear.named_parameters()), dict(linear.named_parameters()))

# Views of storages.
base = torch.arange(24, dtype=torch.float32)
views = {
    "transposed": base.reshape(4, 6).t(),
    "sliced": base.reshape(4, 6)[1:3, ::2],
    "offset": base[20:],
    "expanded": torch.tensor([5.0]).expand(3, 2),
    "channels_last": torch.arange(16.0).reshape(1, 2, 2, 4).to(memory_format=torch.channels_last),
    "scalar": torch.tensor(2.5),
    "empty": torch.empty(0, 3),
    "permuted": base.reshape(2, 3, 4).permute(2, 0, 1),
}
save("views.pt", views, views)
save("views_legacy.pt", views, views, zip=False)
tied = torch.randn(2, 3)
shared = {"encoder.weight": tied, "decoder.weight": tied, "part": tied[1], "copy": tied.clone()}
save("shared.pt", shared, shared, aliases={"decoder.weight": "encoder.weight"})

# Element types.
numbers = [0.0, -0.0, 1.0, -2.5, 100.0]
types = {
    str(t).removeprefix("torch."): torch.tensor(numbers).to(t)
    for t in [
        torch.float16, torch.bfloat16, torch.float32, torch.float64, torch.int8, torch.int16,
        torch.int32, torch.int64, torch.bool,
    ]
}  # fmt: skip
types["uint8"] = torch.tensor([0, 1, 255], dtype=torch.uint8)
types["uint16"] = torch.tensor([0, 1, 65535], dtype=torch.uint16)
types["special"] = torch.tensor([float("inf"), -float("inf"), 6e-8]).to(torch.float16)
save("types.pt", types, types)
del types["uint16"]
save("types_legacy.pt", types, types, zip=False)

with open(os.path.join(folder, "expected.json"), "w") as file:
    json.dump(expected, file, indent=1, sort_keys=True)
sys.stdout.write(f"PyTorch {torch.__version__}: {len(expected)} files\n")
