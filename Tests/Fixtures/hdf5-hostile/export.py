"""Writes small HDF5 files that lead a reader in circles, or to more than they hold.
Run with h5py: python export.py."""

import os

import h5py
import numpy

folder = os.path.dirname(os.path.abspath(__file__))


def new(name):
    file = h5py.File(os.path.join(folder, name), "w")
    file.attrs["format"] = "aviary-checkpoint"
    return file


file = new("circle.h5")  # a group that holds itself
file["a"] = file["/"]

file = new("soft_circle.h5")
file["a"] = h5py.SoftLink("/b")
file["b"] = h5py.SoftLink("/a")

file = new("dangling.h5")
file["a"] = h5py.SoftLink("/nothing")

file = new("fan.h5")  # each group twice in the one above: 2 to the 14th groups
group = file
for _ in range(14):
    below = file.create_group(None)
    group["a"] = below
    group["b"] = below
    group = below

file = new("deep.h5")
group = file
for _ in range(66):
    group = group.create_group("a")

file = new("type.h5")  # a type with a name of its own
file["t"] = numpy.dtype("<f4")

file = new("latin.h5")  # a name that is not UTF-8
file.create_group(b"caf\xe9")

file = new("shape.h5")  # more elements than 64 bits count
file.create_dataset("w", (1 << 31, 1 << 31, 4), "<f4", chunks=(1, 1, 4))

file = new("kinds.h5")  # nothing wrong: all kinds of attributes and elements
file.attrs["text"] = "é ✓"
file.attrs["texts"] = numpy.array([b"one", b"three"])
file.attrs["words"] = ["a", "", "ccc"]
file.attrs["none"] = []
file.attrs["empty"] = h5py.Empty("f4")
file.attrs["number"] = -3
file.attrs["bytes"] = numpy.array([1, 255], "u1")
file.attrs["fraction"] = numpy.float32(0.5)
file.attrs["flag"] = True
file.attrs["pair"] = numpy.array([(1, 2.0)], [("a", "i4"), ("b", "f8")])
for kind in ["f2", "f4", "f8", "i1", "i2", "i4", "i8", "u1", "u2", "u4", "u8"]:
    for order in "<>":
        file[f"numbers/{order == '<' and 'little' or 'big'}/{kind}"] = numpy.arange(
            6, dtype=order + kind
        ).reshape(2, 3)
file["flags"] = numpy.array([True, False])
file["pairs"] = numpy.array([(1, 2.0)], [("a", "i4"), ("b", "f8")])
file["nothing"] = h5py.Empty("f4")
file["text"] = "variable"
file["fixed"] = numpy.bytes_("fixed")
file["texts"] = ["several", "texts"]
file.create_dataset("chunked", data=numpy.arange(100, dtype="<i4"), chunks=(7,))
file.create_dataset("checked", data=numpy.arange(100, dtype="<i4"), fletcher32=True)
file.create_dataset("unwritten", (5,), "<f4")
file.create_dataset("filled", (5,), "<f4", chunks=(2,), fillvalue=2.5)
compact = h5py.h5p.create(h5py.h5p.DATASET_CREATE)
compact.set_layout(h5py.h5d.COMPACT)
compact.set_obj_track_times(False)
space = h5py.h5s.create_simple((3,))
h5py.h5d.create(file.id, b"compact", h5py.h5t.IEEE_F32LE, space, compact).write(
    h5py.h5s.ALL, h5py.h5s.ALL, numpy.array([1, 2, 3], "<f4")
)

with h5py.File(os.path.join(folder, "block.h5"), "w", userblock_size=512) as file:
    file["w"] = numpy.arange(4, dtype="<f4")
