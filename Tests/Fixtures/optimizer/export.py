"""Training checkpoints of PyTorch with the optimiser's state, and what PyTorch says is in it: a small
SRCNN (3-1-3, two features), trained for a step or two on noise.

Run in this folder with PyTorch 2.15: python export.py
"""

import json

import numpy
import torch

expected = {}


def numbers(array, type="float32"):
    array = numpy.asarray(array)
    return {
        "shape": list(array.shape),
        "type": type,
        "values": [float(x) for x in array.astype("float32").ravel()],
    }


def network(norm=False):
    torch.manual_seed(2)
    layers = {
        "conv1": torch.nn.Conv2d(1, 2, 3, padding=1),
        "conv2": torch.nn.Conv2d(2, 2, 1),
        "conv3": torch.nn.Conv2d(2, 1, 3, padding=1),
    }
    if norm:
        layers["norm"] = torch.nn.BatchNorm2d(1)
    return torch.nn.Sequential(torch.nn.modules.container.OrderedDict(layers))


def trained(model, optimizer, steps=2):
    torch.manual_seed(3)
    for _ in range(steps):
        optimizer.zero_grad()
        picture = torch.rand(2, 1, 6, 6)
        (model(picture) - picture).square().mean().backward()
        optimizer.step()
    return optimizer.state_dict()


def remember(file, model, state, algorithm, step):
    names = [name for name, _ in model.named_parameters()]
    tensors = {}
    for group in state["param_groups"]:
        for place, number in enumerate(group["params"]):
            name = group["param_names"][place] if "param_names" in group else names[number]
            for slot, value in state["state"].get(number, {}).items():
                tensors[f"{name}.{slot}"] = numbers(value)
    expected[file] = {
        "algorithm": algorithm,
        "step": step,
        "rates": [group["lr"] for group in state["param_groups"]],
        "tensors": tensors,
    }


def save(file, wrap, model, optimizer, algorithm, step=2, **options):
    state = trained(model, optimizer)
    remember(file, model, state, algorithm, step)
    torch.save(wrap(model.state_dict(), state), file, **options)


def plain(weights, state):
    return {"epoch": 1, "model": weights, "optimizer": state}


def lightning(weights, state):
    return {
        "pytorch-lightning_version": "2.4.0",
        "state_dict": {"model." + name: tensor for name, tensor in weights.items()},
        "optimizer_states": [state],
        "lr_schedulers": [],
    }


def old(weights, state):
    # As PyTorch wrote it before 1.12: the number of steps in the pickle itself.
    for slots in state["state"].values():
        slots["step"] = int(slots["step"])
    return {"state_dict": weights, "optimizer_state_dict": state}


model = network()
save("adam.pt", plain, model, torch.optim.Adam(model.parameters(), lr=2e-3), "adam")
model = network()
save("lightning.pt", lightning, model, torch.optim.AdamW(model.parameters()), "adamw")
model = network()
save(
    "old.pt", old, model, torch.optim.Adam(model.parameters()), "adam",
    _use_new_zipfile_serialization=False,
)
model = network()
groups = [
    {"params": [*model.conv1.parameters(), *model.conv2.parameters()]},
    {"params": model.conv3.parameters(), "lr": 1e-3},
]
save("sgd.pt", plain, model, torch.optim.SGD(groups, lr=1e-2, momentum=0.9), "sgd", step=None)
model = network(norm=True)
save("norm.pt", plain, model, torch.optim.Adam(model.parameters()), "adam")
model = network()
backwards = list(model.named_parameters())[:1:-1]
save("named.pt", plain, model, torch.optim.Adam(backwards), "adam")
model = network()
save("rms.pt", plain, model, torch.optim.RMSprop(model.parameters()), None)

# Spoilt, each in one way.
good = lambda: trained(model, torch.optim.Adam(model.parameters()), steps=1)


def spoil(file, change):
    state = good()
    state = change(state) or state
    torch.save({"model": model.state_dict(), "optimizer": state}, file)


def wrong_shape(state):
    state["state"][4]["exp_avg"] = torch.zeros(2, 1, 3, 3)


def out_of_range(state):
    state["param_groups"][0]["params"] += [6]


def twice(state):
    state["param_groups"][0]["params"][5] = 4


def no_group(state):
    state["state"][6] = state["state"][5]


def cycle(state):
    state["state"][0] = state["state"]


def circle(state):
    groups = state["param_groups"]
    groups.append(groups)


def no_groups(state):
    state["param_groups"] = 3


def short(state):
    state["param_groups"][0]["params"].pop()


def slot_name(state):
    state["state"][0]["a/b"] = torch.zeros(2, 1, 3, 3)


def huge(state):
    state["state"][0]["exp_avg"] = torch.zeros(1).expand(2, 1, 3, 3)
    state["state"][0]["step"] = 10**400


for change in (
    wrong_shape, out_of_range, twice, no_group, cycle, circle, no_groups, short, slot_name, huge,
):
    spoil(f"bad-{change.__name__}.pt", change)

with open("torch.json", "w") as file:
    json.dump(expected, file, separators=(",", ":"))
