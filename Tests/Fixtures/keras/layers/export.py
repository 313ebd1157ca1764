"""Makes the files beside it and expected.json: small models of every layer that has weights, saved in
every way in which Keras 1, 2 and 3 save weights, and what PyTorch would call and how it would lay out
their tensors. Needs keras 3.15, tf_keras 2.21, tensorflow 2.21, h5py. The files of Keras 1, of Windows
and of before 2.14 are written as those wrote them."""

import json
import os
import pathlib
import shutil
import zipfile

os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"
import h5py
import keras
import numpy
import tf_keras

here = pathlib.Path(__file__).parent
os.chdir(here)
random = numpy.random.default_rng(3)
expected = {}


def fill(model):
    model.set_weights(
        [random.integers(-64, 64, w.shape).astype("float32") / 64 for w in model.get_weights()])


def in_pytorch(layer):
    """The layer's tensors as PyTorch has them."""
    kind = type(layer).__name__
    w = {v.name.split("/")[-1].split(":")[0]: v.numpy() for v in layer.weights}
    if kind == "SeparableConv2D":
        d = w["depthwise_kernel"].transpose(2, 3, 0, 1)
        return {
            "depthwise.weight": d.reshape(-1, 1, *d.shape[2:]),
            "pointwise.weight": w["pointwise_kernel"].transpose(3, 2, 0, 1),
            "pointwise.bias": w["bias"]}
    if kind == "DepthwiseConv2D":
        d = w.get("kernel", w.get("depthwise_kernel")).transpose(2, 3, 0, 1)
        return {"weight": d.reshape(-1, 1, *d.shape[2:]), "bias": w["bias"]}
    if kind in ("Conv2D", "Conv2DTranspose"):
        result = {"weight": w["kernel"].transpose(3, 2, 0, 1)}
    elif kind == "Conv1D":
        result = {"weight": w["kernel"].transpose(2, 1, 0)}
    elif kind == "Dense":
        result = {"weight": w["kernel"].T}
    elif kind == "PReLU":
        return {"weight": w["alpha"].reshape(-1)}
    else:
        names = {"gamma": "weight", "beta": "bias", "moving_mean": "running_mean",
                 "moving_variance": "running_var"}
        return {names[k]: v for k, v in w.items()}
    if "bias" in w:
        result["bias"] = w["bias"]
    return result


def tensors(names):
    """The tensors of layers, by the names that the layers are to have."""
    return {
        f"{name}.{slot}": value for name, layer in names for slot, value in in_pytorch(layer).items()}


def expect(file, arrays, **more):
    expected[file] = {
        "tensors": {
            name: {"shape": list(a.shape), "values": [float(x) for x in numpy.ravel(a)]}
            for name, a in arrays.items()}, **more}


def every_layer(k):
    l = k.layers
    x = i = k.Input((6, 6, 2))
    x = l.Conv2D(3, (3, 2), padding="same", name="head")(x)
    x = l.PReLU(shared_axes=[1, 2])(x)
    x = l.DepthwiseConv2D(3, depth_multiplier=2, padding="same")(x)
    x = l.SeparableConv2D(4, 3, depth_multiplier=2, padding="same")(x)
    x = l.BatchNormalization()(x)
    x = l.BatchNormalization(scale=False)(x)
    x = l.BatchNormalization(center=False)(x)
    x = l.Conv2DTranspose(3, 3, strides=2, padding="same", use_bias=False)(x)
    x = l.Dropout(0.5)(x)
    inner = k.Sequential(
        [l.Conv2D(2, 1, name="first"), l.BatchNormalization(), l.Conv2D(2, 1)], name="inner")
    inner.layers[0].trainable = False
    x = inner(x)
    x = l.Dense(3)(l.Reshape((-1, 2))(x))
    x = l.Conv1D(2, 3)(x)
    m = k.Model(i, x)
    fill(m)
    return m


def flat(model, prefix="", separator="."):
    """The layers by the names that the user or Keras gave, nested ones with what holds them."""
    for layer in model.layers:
        if hasattr(layer, "layers"):
            yield from flat(layer, f"{prefix}{layer.name}{separator}")
        elif layer.weights:
            yield prefix + layer.name, layer


def places(model, prefix=""):
    """The layers as Keras 3 counts them in each container, but for the user's own names."""
    counts = {}
    for layer in model.layers:
        snake = keras.src.utils.naming.to_snake_case(type(layer).__name__)
        count = counts.get(snake, 0)
        counts[snake] = count + 1
        made = layer.name.rstrip("0123456789").rstrip("_") == snake
        place = layer.name if not made else snake + (f"_{count}" if count else "")
        if hasattr(layer, "layers"):
            yield from places(layer, f"{prefix}{place}.")
        elif layer.weights:
            yield prefix + place, layer


# Keras 3.
three = every_layer(keras)
three.compile("adam", "mse")
three.save_weights("three.weights.h5")
# Without a configuration nothing tells scale from centre.
unknown = [(n, w) for n, w in places(three)]
by_place = tensors(unknown)
centre = [n for n, w in unknown if getattr(w, "center", True) is False][0]
by_place[f"{centre}.bias"] = by_place.pop(f"{centre}.weight")
optimizer = ["optimizer (2 tensors)"]
expect("three.weights.h5", by_place, ignored=optimizer, format="kerasWeightsHDF5")
three.save("three.keras")
with zipfile.ZipFile("three.keras") as source, zipfile.ZipFile(
        "deflated.keras", "w", zipfile.ZIP_DEFLATED) as target:
    for name in source.namelist():
        target.writestr(zipfile.ZipInfo(name, (2026, 1, 1, 0, 0, 0)), source.read(name),
                        zipfile.ZIP_DEFLATED)
os.remove("three.keras")
with zipfile.ZipFile("deflated.keras") as source, zipfile.ZipFile("stored.keras", "w") as target:
    for name in source.namelist():
        target.writestr(zipfile.ZipInfo(name, (2026, 1, 1, 0, 0, 0)), source.read(name))
for file in ("deflated.keras", "stored.keras"):
    expect(file, tensors(flat(three)), ignored=optimizer, format="kerasArchive",
           version=keras.__version__)
three.save("three.h5")
expect("three.h5", tensors(flat(three)), ignored=["optimizer_weights (2 tensors)", "training_config"],
       format="kerasHDF5", version=keras.__version__, backend="tensorflow")
for old in pathlib.Path(".").glob("shards*"):
    old.unlink()
three.save_weights("shards.weights.json", max_shard_size=1.2e-6)
expect("shards.weights.json", by_place, ignored=optimizer, format="shardIndex")

# The same as Windows wrote it, and as versions before 2.14 did.
with h5py.File("three.weights.h5") as source, h5py.File("windows.weights.h5", "w") as windows, h5py.File(
        "dependencies.weights.h5", "w") as older:
    def copy(name, item):
        if name.endswith("/vars") and name.startswith("layers/") and len(item):
            a = windows.create_group(name.replace("/", "\\"))
            b = older.create_group(name.replace("layers/", "_layer_checkpoint_dependencies/"))
            for key, value in item.items():
                a[key] = value[()]
                b[key] = value[()]
    source.visititems(copy)
unnamed = {n.replace("head.", "conv2d.").replace("inner.", "sequential.").replace(
    "sequential.first.", "sequential.conv2d."): v for n, v in by_place.items()}
expect("windows.weights.h5", unnamed, format="kerasWeightsHDF5")
expect("dependencies.weights.h5", unnamed, format="kerasWeightsHDF5")

# Keras 2.
two = every_layer(tf_keras)
two.save_weights("two.h5")
expect("two.h5", tensors(flat(two)), format="kerasHDF5", version=tf_keras.__version__,
       backend="tensorflow")
two.compile("sgd", "mse")
two.save("two-model.h5")
expect("two-model.h5", tensors(flat(two)), format="kerasHDF5",
       ignored=["optimizer_weights (1 tensor)", "training_config"],
       version=tf_keras.__version__, backend="tensorflow")
# More names than fit into one attribute are split; here as tf_keras does it, but after few.
with h5py.File("two.h5") as source, h5py.File("chunked.h5", "w") as target:
    for name in source:
        source.copy(name, target)
    for group in [target] + [g for g in target.values()]:
        origin = source if group == target else source[group.name]
        for name, value in origin.attrs.items():
            if name in ("layer_names", "weight_names") and len(value) > 1:
                for i, part in enumerate(numpy.array_split(value, 2)):
                    group.attrs[f"{name}{i}"] = part
                if name in group.attrs:
                    del group.attrs[name]
            else:
                group.attrs[name] = value
expect("chunked.h5", tensors(flat(two)), format="kerasHDF5", version=tf_keras.__version__,
       backend="tensorflow")

# Keras 1: no versions, names with the layer's, kernels in one of two orders.
kernel = random.integers(-64, 64, (3, 2, 5, 4)).astype("float32") / 64  # h, w, in, out
deconvolution = random.integers(-64, 64, (3, 3, 4, 2)).astype("float32") / 64  # h, w, in, out
biases = [numpy.arange(4, dtype="float32"), numpy.arange(2, dtype="float32")]
for order in ("th", "tf"):
    turn = (3, 2, 0, 1) if order == "th" else (0, 1, 2, 3)
    with h5py.File(f"one-{order}.h5", "w") as file:
        layers = ["input_1", "convolution2d_1", "deconvolution2d_1", "batchnormalization_1"]
        file.attrs["layer_names"] = [n.encode() for n in layers]
        file.create_group("input_1").attrs["weight_names"] = []
        content = {
            "convolution2d_1": {"W": kernel.transpose(turn), "b": biases[0]},
            "deconvolution2d_1": {"W": deconvolution.transpose(turn), "b": biases[1]},
            "batchnormalization_1": {
                n: numpy.full(2, i, "float32")
                for i, n in enumerate(["gamma", "beta", "running_mean", "running_std"])}}
        for layer, slots in content.items():
            group = file.create_group(layer)
            names = [f"{layer}_{slot}" for slot in slots]
            group.attrs["weight_names"] = [n.encode() for n in names]
            for name, value in zip(names, slots.values()):
                group[name] = value
    expect(f"one-{order}.h5", {
        "convolution2d_1.weight": kernel.transpose(3, 2, 0, 1), "convolution2d_1.bias": biases[0],
        "deconvolution2d_1.weight": deconvolution.transpose(2, 3, 0, 1),
        "deconvolution2d_1.bias": biases[1],
        **{f"batchnormalization_1.{n}": numpy.full(2, i, "float32")
           for i, n in enumerate(["weight", "bias", "running_mean", "running_var"])}},
        format="kerasHDF5", version="1", notes=[
            f"Keras 1 with kernels in the order '{order}', as their biases show",
            "kernels taken as they are: not trained with Theano, which the file does not say"])

(here / "expected.json").write_text(json.dumps(expected, separators=(",", ":")) + "\n")
