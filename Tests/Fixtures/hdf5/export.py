"""Writes HDF5 files that a reader of checkpoints must read, or refuse, each in its own way.
Run with h5py: python export.py."""

import hashlib
import os
import struct

import h5py
import numpy

folder = os.path.dirname(os.path.abspath(__file__))
values = numpy.arange(6, dtype="<f4").reshape(2, 3)


def content_hash(tensors):
    """The content hash by Docs/CheckpointFormat.md, written apart from the program."""
    digest = hashlib.sha256()
    for name in sorted(tensors, key=lambda name: name.encode()):
        array = numpy.asarray(tensors[name])
        numbers = [len(name.encode()), array.ndim, *array.shape]
        digest.update(struct.pack("<Q", numbers[0]) + name.encode())
        digest.update(struct.pack(f"<{len(numbers) - 1}Q", *numbers[1:]))
        digest.update(array.astype("<f4").tobytes())
    return "sha256:" + digest.hexdigest()


def checkpoint(name, tensors=None, version=1, hash=None, **attributes):
    """A checkpoint as another writer might make it, with h5py's own habits."""
    file = h5py.File(os.path.join(folder, name), "w")
    file.attrs["format"] = "aviary-checkpoint"
    file.attrs["format_version"] = version
    file.attrs["created_by"] = "h5py"
    file.attrs["content_hash"] = hash or content_hash(tensors or {})
    file.attrs.update(attributes)
    group = file.create_group("weights")
    for key, value in (tensors or {}).items():
        group[key] = value
    return file, group


both = {"b": values, "a.weight": numpy.float32(2.5)}
checkpoint("foreign.h5", both, architecture="srcnn")
file, group = checkpoint("deflated.h5", hash=content_hash({"w": numpy.ones((64, 64), "f4")}))
group.create_dataset("w", data=numpy.ones((64, 64), "f4"), compression="gzip", shuffle=True)
checkpoint("big_endian.h5", {"w": values.astype(">f4")})
checkpoint("no_tensors.h5")
checkpoint("changed.h5", {"w": values}, hash=content_hash({"w": values + 1}))
checkpoint("newer.h5", both, version=2)
checkpoint("double.h5", {"w": values.astype("<f8")})
file, group = checkpoint("soft_link.h5", {"w": values})
group["v"] = h5py.SoftLink("/weights/w")
file, group = checkpoint("external_link.h5")
group["v"] = h5py.ExternalLink("foreign.h5", "/weights/b")
file, group = checkpoint("external_storage.h5")
group.create_dataset("w", (4,), "<f4", external=[("elsewhere.bin", 0, 16)])
file, group = checkpoint("virtual.h5")
layout = h5py.VirtualLayout((2, 3), "<f4")
layout[:] = h5py.VirtualSource("foreign.h5", "/weights/b", (2, 3))
group.create_virtual_dataset("w", layout)
file, group = checkpoint("foreign_filter.h5")
group.create_dataset("w", data=numpy.ones((64, 64), "f4"), compression="lzf")
file, group = checkpoint("bomb.h5")
group.create_dataset("w", (1 << 20, 1 << 20), "<f4")
file, group = checkpoint("chunk_bomb.h5")
group.create_dataset("w", (1 << 15, 1 << 14), "<f4", chunks=(1 << 15, 1 << 14), compression="gzip")
file, group = checkpoint("nested.h5")
group.create_group("w")
file, group = checkpoint("text.h5")
group["w"] = "words"
file = h5py.File(os.path.join(folder, "no_weights.h5"), "w")
file.attrs["format"] = "aviary-checkpoint"
file.attrs["format_version"] = 1
h5py.File(os.path.join(folder, "other.h5"), "w")["x"] = values
