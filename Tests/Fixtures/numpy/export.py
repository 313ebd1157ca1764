"""Writes NumPy files of every version and layout that is read, others that are refused, and
expected.json. Run with NumPy 2: python export.py."""

import json
import os
import pickle

import numpy
from numpy.lib import format as npy

folder = os.path.dirname(os.path.abspath(__file__))
expected = {}


def path(name):
    os.makedirs(os.path.dirname(os.path.join(folder, name)), exist_ok=True)
    return os.path.join(folder, name)


def value(array):
    return {
        "shape": list(array.shape),
        "type": array.dtype.newbyteorder("=").name,
        "values": array.astype(numpy.float64).flatten().tolist(),
    }


def expect(name, arrays):
    expected[name] = {"names": sorted(arrays), "tensors": {k: value(v) for k, v in arrays.items()}}


random = numpy.random.default_rng(1)
a = random.normal(size=(2, 3, 4)).astype(numpy.float32)
for version in [1, 2, 3]:
    with open(path(f"version{version}.npy"), "wb") as file:
        npy.write_array(file, a, (version, 0))
    expect(f"version{version}.npy", {f"version{version}": a})
singles = {
    "fortran": numpy.asfortranarray(a),
    "big": a.astype(">f4"),
    "big_fortran": numpy.asfortranarray(a).astype(">f8"),
    "scalar": numpy.float64(2.5),
    "empty": numpy.zeros((0, 3), numpy.float16),
    "one": numpy.array([True, False]),
}
for name, array in singles.items():
    numpy.save(path(name + ".npy"), array)
    expect(name + ".npy", {name: numpy.asarray(array)})

# Archives; a stored one is what numpy.savez writes.
kernel = random.normal(size=(4, 3, 2, 2)).astype(numpy.float32)
state = {
    "encoder.0.weight": kernel,
    "encoder.0.bias": numpy.arange(4, dtype=numpy.float32),
    "steps": numpy.arange(3, dtype=numpy.int64),
}
numpy.savez(path("stored.npz"), **state)
expect("stored.npz", state)
numpy.savez_compressed(path("deflated.npz"), **state)
expect("deflated.npz", state)

# A folder of one array a file, by hand-made names; in the second the kernels are Keras's.
layers = {"conv1_w": kernel, "conv1_b": numpy.arange(4.0), "conv2_w": kernel.transpose(1, 0, 2, 3)}
named = {"conv1.weight": kernel, "conv1.bias": layers["conv1_b"], "conv2.weight": layers["conv2_w"]}
for name, array in layers.items():
    numpy.savez(path(f"layers/{name}.npz"), array)
expect("layers", named)
numpy.save(path("keras/conv1_w.npy"), kernel.transpose(2, 3, 1, 0))
numpy.save(path("keras/conv1_b.npy"), layers["conv1_b"])
expect("keras", {k: named[k] for k in ["conv1.weight", "conv1.bias"]})

# What is refused.
numpy.save(path("objects.npy"), numpy.array([{"a": 1}, None], dtype=object), allow_pickle=True)
numpy.save(path("complex.npy"), numpy.array([1j]))
numpy.save(path("records.npy"), numpy.zeros(2, dtype=[("a", "f4"), ("b", "i4")]))
numpy.save(path("text.npy"), numpy.array(["abc"]))
whole = open(path("version1.npy"), "rb").read()
open(path("truncated.npy"), "wb").write(whole[:-5])
open(path("two.npy"), "wb").write(whole + whole)
huge = b"(4611686018427387904, 4, 4)}"
open(path("overflow.npy"), "wb").write(whole.replace(b"(2, 3, 4), }".ljust(len(huge)), huge))

# Bare pickles of dictionaries of arrays, by all protocols that NumPy writes.
weights = {"layer.weight": kernel, "layer.bias": numpy.asfortranarray(a), "step": 5}
for protocol in [2, 3, 4, 5]:
    with open(path(f"protocol{protocol}.pkl"), "wb") as file:
        pickle.dump({"params": weights}, file, protocol=protocol)
    expect(f"protocol{protocol}.pkl", {k: weights[k] for k in ["layer.weight", "layer.bias"]})
with open(path("objects.pkl"), "wb") as file:
    pickle.dump({"a": numpy.array([None, "x"], dtype=object)}, file, protocol=2)
with open(path("big.pkl"), "wb") as file:
    pickle.dump({"a": a.astype(">f4")}, file, protocol=2)

with open(path("expected.json"), "w") as file:
    json.dump(expected, file, indent=1, sort_keys=True)
print(numpy.__version__, len(expected), "files")
