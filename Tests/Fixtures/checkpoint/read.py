"""Reads a native checkpoint with h5py and checks its content hash: what Docs/CheckpointFormat.md
says, in another language. Not part of the test run. Usage: python read.py [FILE.h5]"""

import hashlib
import json
import os
import struct
import sys

import h5py
import numpy

path = sys.argv[1] if len(sys.argv) > 1 else os.path.join(os.path.dirname(__file__), "version-1.h5")
file = h5py.File(path)
assert file.attrs["format"] == b"aviary-checkpoint" or file.attrs["format"] == "aviary-checkpoint"
for name in sorted(file.attrs):
    print(name, "=", file.attrs[name])
for name in ("configuration", "graph", "picture", "card"):
    if name in file:
        print(name, "=", json.loads(file[name][()]))
digest = hashlib.sha256()
for name, data in sorted(file["weights"].items(), key=lambda item: item[0].encode()):
    array = data[()]
    if data.attrs.get("dtype") == b"bfloat16":
        array = (array.astype("<u4") << 16).view("<f4")
    print(name, array.dtype, array.shape, "at", data.id.get_offset(), dict(data.attrs))
    if data.attrs.get("role") == b"bookkeeping":
        continue
    digest.update(struct.pack("<Q", len(name.encode())) + name.encode())
    digest.update(struct.pack(f"<{1 + array.ndim}Q", array.ndim, *array.shape))
    digest.update(numpy.ascontiguousarray(array, "<f4").tobytes())
found = "sha256:" + digest.hexdigest()
stored = file.attrs["content_hash"]
assert found == (stored.decode() if isinstance(stored, bytes) else stored), (found, stored)
print("content hash verified")
