"""Makes the files beside it: Keras files that lie. The messages that they must give stand in the tests.
Needs h5py, numpy; zip archives are written byte by byte where zipfile would not write such a thing."""

import os
import pathlib
import struct
import zipfile
import zlib

import h5py
import numpy

os.chdir(pathlib.Path(__file__).parent)
kernel = numpy.zeros((3, 3, 1, 2), "float32")


def legacy(name, change):
    """A sound file of one layer, then changed."""
    with h5py.File(name, "w") as f:
        f.attrs["layer_names"] = [b"conv2d"]
        f.attrs["keras_version"] = "2.9.0"
        f.attrs["backend"] = "tensorflow"
        g = f.create_group("conv2d")
        g.attrs["weight_names"] = [b"conv2d/kernel:0", b"conv2d/bias:0"]
        g["conv2d/kernel:0"] = kernel
        g["conv2d/bias:0"] = numpy.zeros(2, "float32")
        change(f)


def set_names(group, name, value):
    group.attrs[name] = value


legacy("numbers.h5", lambda f: set_names(f, "layer_names", [1, 2]))
legacy("absent-layer.h5", lambda f: set_names(f, "layer_names", [b"conv2d", b"conv2d_1"]))
legacy("two-layers.h5", lambda f: set_names(f, "layer_names", [b"conv2d", b"conv2d"]))
legacy("outside.h5", lambda f: set_names(f["conv2d"], "weight_names", [b"../conv2d/kernel:0"]))
legacy("absent-weight.h5", lambda f: set_names(f["conv2d"], "weight_names", [b"conv2d/gamma:0"]))
legacy("twice.h5", lambda f: set_names(
    f["conv2d"], "weight_names", [b"conv2d/kernel:0", b"conv2d/kernel:0"]))
legacy("no-names.h5", lambda f: f["conv2d"].attrs.__delitem__("weight_names"))
legacy("text.h5", lambda f: f["conv2d"].create_dataset("conv2d/note:0", data="hello") and set_names(
    f["conv2d"], "weight_names", [b"conv2d/note:0"]))
legacy("empty-name.h5", lambda f: set_names(f["conv2d"], "weight_names", [b"/"]))


def places(name, content):
    with h5py.File(name, "w") as f:
        for path, value in content.items():
            f[path] = value


places("hole.weights.h5", {"layers/conv2d/vars/0": kernel, "layers/conv2d/vars/2": kernel})
places("outside.weights.h5", {"layers\\..\\conv2d\\vars/0": kernel})
places("same-number.weights.h5", {"layers/conv2d/vars/0": kernel, "layers/conv2d/vars/00": kernel})
places("root.weights.h5", {"vars/0": kernel})
places("huge-number.weights.h5", {"layers/conv2d/vars/99999999999999999999": kernel})


def member(name, data, method=0, size=None, packed=None):
    stored = data if packed is None else packed
    return {"name": name.encode(), "method": method, "data": stored, "crc": zlib.crc32(data),
            "size": len(data) if size is None else size}


def archive(file, members, overlap=False):
    """A zip archive as told, honest or not."""
    out, directory = b"", b""
    for i, m in enumerate(members):
        offset = 0 if overlap else len(out)
        fields = (m["method"], 0, 0, m["crc"], len(m["data"]), m["size"], len(m["name"]))
        if not overlap or i == 0:
            out += struct.pack("<4s2H3H3I2H", b"PK\3\4", 20, 0, *fields[:3], *fields[3:6], fields[6], 0)
            out += m["name"] + m["data"]
        directory += struct.pack(
            "<4s3H3H3I5H2I", b"PK\1\2", 20, 20, 0, *fields[:3], *fields[3:6], fields[6], 0, 0, 0, 0, 0,
            offset) + m["name"]
    end = struct.pack(
        "<4s4H2IH", b"PK\5\6", 0, 0, len(members), len(members), len(directory), len(out), 0)
    pathlib.Path(file).write_bytes(out + directory + end)


def deflate(data):
    packer = zlib.compressobj(9, zlib.DEFLATED, -15)
    return packer.compress(data) + packer.flush()


texts = [member("metadata.json", b'{"keras_version": "3.0.0"}'), member("config.json", b"{}")]
zeros = bytes(24 << 20)
archive("bomb.keras", texts + [member("model.weights.h5", zeros, 8, packed=deflate(zeros))])
archive("more.keras", texts + [member("model.weights.h5", b"abc", 8, packed=deflate(b"abcdef"))])
archive("less.keras", texts + [member("model.weights.h5", b"abcdef", 8, packed=deflate(b"abc"))])
archive("unsound.keras", texts + [member("model.weights.h5", b"abcdef", 8, packed=b"\xff\xff\xff")])
archive("trailing.keras", texts + [
    member("model.weights.h5", b"abc", 8, packed=deflate(b"abc") + b"xyz")])
archive("checksum.keras", texts + [
    dict(member("model.weights.h5", b"abc", 8, packed=deflate(b"abc")), crc=1)])
archive("overlap.keras", texts + [member("model.weights.h5", b"abc")], overlap=True)
archive("parent.keras", texts + [member("../model.weights.h5", b"abc")])
archive("absolute.keras", texts + [member("/model.weights.h5", b"abc")])
archive("method.keras", texts + [member("model.weights.h5", b"abc", 12)])
archive("no-weights.keras", texts)
archive("arrays.keras", texts + [member("model.weights.npz", b"abc")])
archive("no-hdf5.keras", texts + [member("model.weights.h5", b"abc")])
for name, file in {"absolute": "/etc/passwd", "parent": "../three.weights.h5", "number": None}.items():
    value = "7" if file is None else f'"{file}"'
    pathlib.Path(f"{name}.weights.json").write_text(
        '{"metadata": {}, "weight_map": {"/layers/conv2d/vars": ' + value + "}}\n")
