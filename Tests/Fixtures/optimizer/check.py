"""Whether PyTorch takes back what `aviary convert --training` wrote: read by torch.load with its
defaults, equal to the state that the original holds, and the same after one more step.

Run with PyTorch 2.15 on the folder that OptimizerConversionTests wrote with
AVIARY_OPTIMIZER_FOLDER: python check.py FOLDER
"""

import json
import pathlib
import sys

import torch

here = pathlib.Path(__file__).parent
folder = pathlib.Path(sys.argv[1])
KEYS = ("model", "state_dict")


def network(weights):
    layers = {
        "conv1": torch.nn.Conv2d(1, 2, 3, padding=1),
        "conv2": torch.nn.Conv2d(2, 2, 1),
        "conv3": torch.nn.Conv2d(2, 1, 3, padding=1),
    }
    model = torch.nn.Sequential(torch.nn.modules.container.OrderedDict(layers))
    model.load_state_dict({name.removeprefix("model."): w for name, w in weights.items()})
    return model


def resumed(checkpoint, make):
    """The weights and the optimiser's state after one more step."""
    model = network(next(checkpoint[key] for key in KEYS if key in checkpoint))
    optimizer = make(model)
    state = checkpoint.get("optimizer") or checkpoint.get("optimizer_state_dict")
    optimizer.load_state_dict(state or checkpoint["optimizer_states"][0])
    torch.manual_seed(6)
    picture = torch.rand(2, 1, 6, 6)
    (model(picture) - picture).square().mean().backward()
    optimizer.step()
    return model.state_dict(), optimizer.state_dict()


def adam(model):
    return torch.optim.Adam(model.parameters())


def sgd(model):
    return torch.optim.SGD(model.parameters(), lr=1)


def groups(model):
    return torch.optim.SGD(
        [
            {"params": [*model.conv1.parameters(), *model.conv2.parameters()]},
            {"params": model.conv3.parameters()},
        ],
        lr=1,
    )


def require_equal(a, b, place):
    if isinstance(a, dict):
        assert a.keys() == b.keys(), f"{place}: {sorted(a)} and {sorted(b)}"
        for key in a:
            require_equal(a[key], b[key], f"{place}.{key}")
    elif isinstance(a, (list, tuple)):
        assert len(a) == len(b), place
        for i, (x, y) in enumerate(zip(a, b)):
            require_equal(x, y, f"{place}.{i}")
    elif isinstance(a, torch.Tensor):
        assert torch.equal(a.to(torch.float32), b.to(torch.float32)), place
    else:
        # PyTorch fills in what is not said, with None or False.
        assert a == b or not a and not b, f"{place}: {a} and {b}"


makers = {
    "adam.pt": adam,
    "lightning.pt": lambda model: torch.optim.AdamW(model.parameters()),
    "old.pt": adam,
    "sgd.pt": groups,
}
for file, make in makers.items():
    original = torch.load(here / file)
    written = torch.load(folder / file)
    torch.load(folder / file, mmap=True)
    both = zip(resumed(written, make), resumed(original, make), ("weights", "state"))
    for ours, theirs, what in both:
        require_equal(theirs, ours, f"{file}: {what}")
    print(f"{file}: the same next step")

for file, expected in json.loads((here / "keras.json").read_text()).items():
    # That of a part of the network's parameters has another network.
    if file == "norm.keras":
        continue
    written = torch.load(folder / f"{file}.pt")
    names = list(network(written["state_dict"]).state_dict())
    for number, slots in written["optimizer"]["state"].items():
        for slot, tensor in slots.items():
            # Layers are in the order of the model, whatever they are called.
            own = [n for place, n in expected["tensors"].items() if place.endswith("." + slot)]
            numbers = own[number]
            want = torch.tensor(numbers["values"]).reshape(numbers["shape"])
            assert torch.equal(tensor, want), f"{file}: {names[number]}.{slot}"
    resumed(written, adam if expected["algorithm"] == "adam" else sgd)
    print(f"{file}: Keras's state, and a step from it")
