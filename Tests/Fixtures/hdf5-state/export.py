"""Writes plain HDF5 files with a state dict in them, by both of the ways that people have, and one
that is none. Run with h5py and PyTorch: python export.py."""

import json
import os

import h5py
import torch

folder = os.path.dirname(os.path.abspath(__file__))
torch.manual_seed(1)
layers = [torch.nn.Conv2d(2, 2, 1) for _ in range(11)]
state = {f"module.body.{k}": v for k, v in torch.nn.Sequential(*layers).state_dict().items()}
with h5py.File(os.path.join(folder, "flat.h5"), "w") as file:
    file.attrs["epoch"] = "7"
    for name, tensor in state.items():
        file[name] = tensor.numpy()
with h5py.File(os.path.join(folder, "groups.h5"), "w") as file:
    for name, tensor in state.items():
        file[name.replace(".", "/")] = tensor.numpy()
with h5py.File(os.path.join(folder, "training.h5"), "w") as file:
    file["data"] = torch.zeros(2, 1, 4, 4).numpy()
    file["label"] = torch.zeros(2, 1, 4, 4).numpy()
with open(os.path.join(folder, "expected.json"), "w") as file:
    stripped = {k.removeprefix("module."): v for k, v in state.items()}
    names = [f"body.{i}.{p}" for i in range(11) for p in ["bias", "weight"]]
    json.dump(
        {
            "names": names,
            "tensors": {
                k: {"shape": list(v.shape), "type": "float32", "values": v.flatten().tolist()}
                for k, v in stripped.items()
            },
        },
        file,
        indent=1,
    )
