"""Writes tar.pt, the container of PyTorch before 0.1.12, which no present PyTorch writes, by the
description of torch/serialization.py's reader, and has PyTorch read it. Run after export.py, whose
expected.json it adds to: python tar.py."""

import io
import json
import os
import pickle
import struct
import tarfile
from collections import OrderedDict

import torch

folder = os.path.dirname(os.path.abspath(__file__))


def record(thing):
    return pickle.dumps(thing, protocol=2)


class Reference:
    """Something that the pickle refers to by number."""

    def __init__(self, key):
        self.key = key


class Pickler(pickle.Pickler):
    def persistent_id(self, thing):
        return str(thing.key) if isinstance(thing, Reference) else None


# Storage 11 is a view of storage 10; keys were addresses.
floats = [0.5 * i for i in range(12)]
longs = [7, -1]
storages = record(2)
storages += record((10, "cpu", torch.FloatStorage)) + struct.pack("<q12f", 12, *floats)
storages += record((20, "cpu", torch.LongStorage)) + struct.pack("<q2q", 2, *longs)
storages += record([(11, 10, 6, 6)])


def tensor(key, storage, kind, shape, strides, offset):
    numbers = struct.pack(f"<{2 * len(shape) + 1}q", *shape, *strides, offset)
    return record((key, storage, kind)) + struct.pack("<ii", len(shape), 0) + numbers


tensors = record(3)
tensors += tensor(100, 10, torch.FloatTensor, [2, 3], [1, 2], 1)
tensors += tensor(101, 11, torch.FloatTensor, [2, 2], [2, 1], 2)
tensors += tensor(102, 20, torch.LongTensor, [2], [1], 0)
stream = io.BytesIO()
names = ["conv.weight", "conv.bias", "steps"]
Pickler(stream, 2).dump(OrderedDict((n, Reference(100 + i)) for i, n in enumerate(names)))

path = os.path.join(folder, "tar.pt")
with tarfile.open(path, "w", format=tarfile.USTAR_FORMAT) as tar:
    for name, data in [("storages", storages), ("tensors", tensors), ("pickle", stream.getvalue())]:
        member = tarfile.TarInfo(name)
        member.size = len(data)
        tar.addfile(member, io.BytesIO(data))

state = torch.load(path, weights_only=False)
assert state["conv.weight"].tolist() == [[0.5, 1.5, 2.5], [1.0, 2.0, 3.0]]
with open(os.path.join(folder, "expected.json")) as file:
    expected = json.load(file)
expected["tar.pt"] = {
    "names": names,
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
