"""Writes safetensors files with the real library, broken ones by hand, and expected.json with what is
in the sound ones. Run with safetensors and PyTorch: python export.py."""

import json
import os
import struct

import torch
from safetensors import safe_open
from safetensors.torch import save_file

folder = os.path.dirname(os.path.abspath(__file__))
expected = {}


def value(tensor):
    flat = tensor.to(torch.float64).flatten().tolist()
    return {
        "shape": list(tensor.shape),
        "type": str(tensor.dtype).removeprefix("torch."),
        "values": flat,
    }


def save(name, tensors, metadata=None, names=None, **facts):
    save_file(tensors, os.path.join(folder, name), metadata)
    names = names or {k: k for k in tensors}
    expected[name] = {
        "names": sorted(names),
        "tensors": {k: value(tensors[v]) for k, v in names.items()},
        **facts,
    }


def raw(name, header, data, length=None):
    text = header if isinstance(header, bytes) else json.dumps(header).encode()
    with open(os.path.join(folder, name), "wb") as file:
        file.write(struct.pack("<Q", len(text) if length is None else length) + text + data)


torch.manual_seed(1)
numbers = [0.0, -1.0, 2.5, 100.0, 3.0]
types = {
    str(t).removeprefix("torch."): torch.tensor(numbers).abs().to(t)
    for t in [
        torch.float16, torch.bfloat16, torch.float32, torch.float64, torch.int8, torch.int16,
        torch.int32, torch.int64, torch.bool, torch.uint8, torch.uint16, torch.uint32,
    ]
}  # fmt: skip
types["scalar"] = torch.tensor(2.5)
types["empty"] = torch.empty(0, 3)
save("types.safetensors", types)
small = {"a.weight": torch.randn(2, 3, 1, 1), "a.bias": torch.randn(2)}
save(
    "pytorch.safetensors",
    {"module.model." + k: v for k, v in small.items()},
    {"format": "pt", "aviary": '{"architecture": "toy"}', "epoch": "7"},
    names={k: "module.model." + k for k in small},
)
save(
    "ema.safetensors",
    {f"{p}.{k}": v + i for i, p in enumerate(["params", "params_ema"]) for k, v in small.items()},
    names={k: "params_ema." + k for k in small},
)

# Two shards as transformers writes them.
shards = {"model-00001-of-00002.safetensors": ["a.weight"], "model-00002-of-00002.safetensors": ["a.bias"]}
for file, keys in shards.items():
    save_file({k: small[k] for k in keys}, os.path.join(folder, file), {"format": "pt"})
index = {"metadata": {"total_size": 32}, "weight_map": {k: f for f, ks in shards.items() for k in ks}}
with open(os.path.join(folder, "model.safetensors.index.json"), "w") as file:
    json.dump(index, file)
index["weight_map"]["a.bias"] = "../safetensors/model-00002-of-00002.safetensors"
with open(os.path.join(folder, "escape.index.json"), "w") as file:
    json.dump(index, file)

# What no reader should accept.
def entry(begin, end, shape=(1,), dtype="F32"):
    return {"dtype": dtype, "shape": list(shape), "data_offsets": [begin, end]}


raw("hole.safetensors", {"a": entry(0, 4), "b": entry(8, 12)}, bytes(12))
raw("overlap.safetensors", {"a": entry(0, 8, [2]), "b": entry(4, 8)}, bytes(8))
raw("longer.safetensors", {"a": entry(0, 4)}, bytes(8))
raw("shorter.safetensors", {"a": entry(0, 4)}, bytes(2))
raw("shape.safetensors", {"a": entry(0, 4, [2])}, bytes(4))
raw("overflow.safetensors", {"a": entry(0, 4, [2**62, 4, 2**62])}, bytes(4))
raw("huge.safetensors", {"a": entry(2**62, 2**62 + 4)}, bytes(4))
raw("float8.safetensors", {"a": entry(0, 1, [1], "F8_E4M3")}, bytes(1))
raw("twice.safetensors", b'{"a":{"dtype":"U8","shape":[1],"data_offsets":[0,1]},'
    b'"a":{"dtype":"U8","shape":[1],"data_offsets":[1,2]}}', bytes(2))
raw("metadata.safetensors", {"__metadata__": {"a": 1}}, b"")
raw("header.safetensors", b'{"a":' + b" " * 20, b"", length=5000)

with open(os.path.join(folder, "expected.json"), "w") as file:
    json.dump(expected, file, indent=1, sort_keys=True)
for name in expected:
    with safe_open(os.path.join(folder, name), "pt") as file:
        assert file.keys()
print(len(expected), "files")
