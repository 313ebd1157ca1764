#!/usr/bin/env python3
"""Makes the fixtures beside this script: small models of the real Keras, with what they compute.

    python export.py            needs tensorflow, keras 3, tf_keras and torch

For each case
    <case>.keras or <case>.h5   the whole model as Keras saves it; archives are packed again, deflated
                                and without dates, so that they are small and always the same
    <case>.pt                   torch.save of {"<run>.in.<input>": …, "<run>.out.<output>": …}: float32,
                                pictures NCHW, other values as Keras has them

Weights are random, statistics too, so that every part matters. A case runs on one or two sizes, odd and
even.
"""
import io
import json
import os
import pathlib
import re
import sys
import tempfile
import zipfile

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
os.environ.setdefault("TF_ENABLE_ONEDNN_OPTS", "0")
import keras
import numpy as np
import tensorflow as tf
import tf_keras
import torch

HERE = pathlib.Path(__file__).resolve().parent
K3, K2 = keras, tf_keras
CASES = []


def case(name, framework, sizes=((7, 8), (8, 9)), suffix=".keras", channels_first=False):
    def register(build):
        CASES.append((name, framework, sizes, suffix, channels_first, build))
        return build
    return register


def randomise(model, seed):
    rng = np.random.default_rng(seed)
    values = []
    for weight in model.weights:
        shape, name = tuple(weight.shape), weight.name
        if "variance" in name:
            value = rng.uniform(0.3, 2.0, shape)
        elif "count" in name or "seed" in name:
            values.append(np.asarray(weight))
            continue
        elif "gamma" in name:
            value = rng.uniform(0.5, 1.5, shape)
        else:
            fan = max(1, int(np.prod(shape[:-1])) if len(shape) > 1 else 4)
            value = rng.uniform(-1, 1, shape) * (3.0 / fan) ** 0.5
        values.append(value.astype("float32"))
    model.set_weights(values)


def pack(path):
    """An archive again, deflated and without dates."""
    source = zipfile.ZipFile(path)
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as archive:
        for name in source.namelist():
            data = source.read(name)
            if name == "metadata.json":
                facts = json.loads(data)
                facts["date_saved"] = "2026-01-01@00:00:00"
                data = json.dumps(facts).encode()
            if name == "config.json":
                # Addresses of objects in memory.
                data = re.sub(rb', "shared_object_id": \d+', b"", data)
            archive.writestr(zipfile.ZipInfo(name, (2026, 1, 1, 0, 0, 0)), data, zipfile.ZIP_DEFLATED)
    pathlib.Path(path).write_bytes(target.getvalue())


def save(model, path):
    with tempfile.TemporaryDirectory() as folder:
        inner = os.path.join(folder, "model" + path.suffix)
        model.save(inner)
        if path.suffix == ".keras":
            pack(inner)
        path.write_bytes(pathlib.Path(inner).read_bytes())


def nchw(array, channels_first):
    array = np.asarray(array, "float32")
    turned = array.ndim == 4 and not channels_first
    return torch.from_numpy(np.ascontiguousarray(array.transpose(0, 3, 1, 2) if turned else array))


def output_names(model):
    config = model.get_config()
    refs = config.get("output_layers")
    if refs is None:
        return ["output"]
    if refs and isinstance(refs[0], str):
        refs = [refs]
    return ["output"] if len(refs) == 1 else [r[0] for r in refs]


def run(name, framework, sizes, suffix, channels_first, build, seed):
    keras.backend.clear_session()
    tf_keras.backend.clear_session()
    model = build(framework)
    randomise(model, seed)
    save(model, HERE / (name + suffix))
    # As loaded: a Normalization uses what it found only after that.
    model = framework.models.load_model(HERE / (name + suffix), compile=False)
    rng = np.random.default_rng(seed + 1000)
    tensors = {}
    for number, size in enumerate(sizes):
        inputs = []
        for tensor in model.inputs:
            shape = [1] + list(tensor.shape[1:])
            if len(shape) == 4:
                at = [2, 3] if channels_first else [1, 2]
                for axis, side in zip(at, size):
                    shape[axis] = shape[axis] or side
            value = rng.uniform(-1, 1, shape).astype("float32")
            inputs.append(value)
            # The only input needs no name, and Sequential's has one of a counter.
            key = tensor.name.split(":")[0] if len(model.inputs) > 1 else "x"
            tensors[f"{number}.in.{key}"] = nchw(value, channels_first)
        outputs = model(inputs if len(inputs) > 1 else inputs[0], training=False)
        outputs = outputs if isinstance(outputs, (list, tuple)) else [outputs]
        for key, value in zip(output_names(model), outputs):
            tensors[f"{number}.out.{key}"] = nchw(value, channels_first)
    torch.save(tensors, HERE / (name + ".pt"))


def gelu(x):
    # As converters from PyTorch write it.
    return x * (tf.math.erf(x / 1.4142135381698608) + 1.0) * 0.5


def kernel(*shape):
    return np.sin(np.arange(np.prod(shape)).reshape(shape)).astype("float32").round(2)


def picture(framework, channels=3, size=(None, None), name="x"):
    return framework.Input((*size, channels), name=name)


@case("convolutions", K3)
def _(k):
    x, L = picture(k, 4), k.layers
    return k.Model(x, [
        L.Conv2D(5, 3, padding="same", activation="relu", name="same")(x),
        L.Conv2D(5, (3, 2), padding="valid", use_bias=False, name="valid")(x),
        L.Conv2D(5, 3, strides=2, padding="same", activation="tanh", name="stride")(x),
        L.Conv2D(5, 4, strides=3, padding="same", name="even")(x),
        L.Conv2D(6, 3, dilation_rate=2, padding="same", name="dilated")(x),
        L.Conv2D(6, 3, groups=2, padding="same", name="groups")(x),
        L.DepthwiseConv2D(3, depth_multiplier=2, padding="same", strides=2, name="depth")(x),
        L.DepthwiseConv2D(3, dilation_rate=2, padding="valid", use_bias=False, activation="elu",
                          name="depth_valid")(x),
        L.SeparableConv2D(5, 3, padding="same", depth_multiplier=2, activation="sigmoid",
                          name="separable")(x),
        L.SeparableConv2D(5, 3, strides=2, padding="same", use_bias=False, name="separable_2")(x),
        L.Dense(3, activation="relu", name="dense")(x)])


@case("transposed", K3, sizes=((4, 5),))
def _(k):
    x, L = picture(k, 3), k.layers
    outputs = []
    for kernel, stride in [(3, 1), (2, 2), (3, 2), (4, 2), (5, 2), (6, 2), (9, 2), (9, 3), (2, 3)]:
        for padding in ["same", "valid"]:
            outputs.append(L.Conv2DTranspose(2, kernel, strides=stride, padding=padding,
                                             name=f"{padding}_{kernel}_{stride}")(x))
    outputs.append(L.Conv2DTranspose(2, 3, strides=2, padding="same", output_padding=1,
                                     activation="relu", name="padded")(x))
    outputs.append(L.Conv2DTranspose(2, (5, 4), strides=(2, 3), padding="same", use_bias=False,
                                     name="oblong")(x))
    outputs.append(L.Conv2DTranspose(2, 3, strides=2, padding="valid", output_padding=1,
                                     name="valid_padded")(x))
    return k.Model(x, outputs)


def pools(k):
    x, L = picture(k), k.layers
    return k.Model(x, [
        L.MaxPooling2D(2, name="max")(x),
        L.MaxPooling2D(3, strides=2, padding="same", name="max_same")(x),
        L.AveragePooling2D(2, padding="same", name="mean_same")(x),
        L.AveragePooling2D(3, strides=1, padding="same", name="mean_1")(x),
        L.AveragePooling2D((3, 2), padding="valid", name="mean")(x),
        L.GlobalAveragePooling2D(name="global")(x),
        L.GlobalAveragePooling2D(keepdims=True, name="global_kept")(x),
        L.GlobalMaxPooling2D(name="global_max")(x),
        L.UpSampling2D(2, name="nearest")(x),
        L.UpSampling2D(3, interpolation="bilinear", name="bilinear")(x),
        L.ZeroPadding2D(2, name="pad")(x),
        L.ZeroPadding2D(((1, 0), (2, 3)), name="pad_4")(x),
        L.Cropping2D(((1, 2), (0, 1)), name="crop")(x),
        L.Cropping2D((1, 2), name="crop_2")(x)])


case("pools", K3)(pools)
case("pools-2", K2, suffix=".h5", sizes=((7, 8),))(pools)


def activations(k):
    x, L = picture(k, 2), k.layers
    names = ["relu", "elu", "selu", "gelu", "swish", "sigmoid", "tanh", "hard_sigmoid", "softmax",
             "linear"]
    if k is K3:
        names += ["relu6", "leaky_relu", "hard_silu", "tanh_shrink", "soft_shrink", "hard_tanh"]
    wide = L.Rescaling(5.0, offset=0.5)(x)
    outputs = [L.Activation(name, name=f"a_{name}")(wide) for name in names]
    slope = "negative_slope" if k is K3 else "alpha"
    outputs += [
        L.ReLU(name="r")(wide), L.ReLU(max_value=1.5, name="r_max")(wide),
        L.ReLU(negative_slope=0.1, max_value=2.0, name="r_both")(wide),
        L.LeakyReLU(name="l")(wide), L.LeakyReLU(**{slope: 0.2}, name="l_2")(wide),
        L.ELU(alpha=0.7, name="e")(wide), L.Softmax(axis=1, name="s_1")(wide),
        L.Softmax(name="s")(wide),
        L.PReLU(shared_axes=[1, 2], name="p")(wide), L.PReLU(shared_axes=[1, 2, 3], name="p_1")(wide),
        L.Conv2D(2, 1, activation=L.LeakyReLU(**{slope: 0.3}), name="inline")(wide)]
    return k.Model(x, outputs)


case("activations", K3, sizes=((5, 4),))(activations)
case("activations-2", K2, sizes=((5, 4),), suffix=".h5")(activations)


def normalisations(k):
    x, L = picture(k, 3), k.layers
    y = L.Normalization(mean=[0.1, 0.2, 0.3], variance=[1.0, 0.5, 2.0], name="stated")(x)
    return k.Model(x, [
        y, L.BatchNormalization(name="bn")(x),
        L.BatchNormalization(scale=False, epsilon=1e-2, momentum=0.9, name="bn_center")(y),
        L.BatchNormalization(center=False, name="bn_scale")(y),
        L.BatchNormalization(scale=False, center=False, name="bn_bare")(y),
        L.LayerNormalization(name="ln")(x), L.LayerNormalization(center=False, name="ln_scale")(x),
        L.Normalization(name="found")(x)])


case("normalisations", K3)(normalisations)
case("normalisations-2", K2, sizes=((7, 8),))(normalisations)


def merges(k):
    L = k.layers
    a, b = picture(k, 3, name="a"), picture(k, 3, name="b")
    gate = L.Dense(3, activation="sigmoid", name="gate")(L.GlobalAveragePooling2D(name="pooled")(a))
    return k.Model([a, b], [
        L.Add(name="add")([a, b, a]), L.Subtract(name="subtract")([a, b]),
        L.Multiply(name="multiply")([a, b]), L.Average(name="average")([a, b, b]),
        L.Maximum(name="maximum")([a, b]), L.Minimum(name="minimum")([a, b]),
        L.Concatenate(name="concatenate")([a, b, a]), L.Concatenate(axis=1, name="rows")([a, b]),
        L.Concatenate(axis=-2, name="columns")([a, b]),
        L.Multiply(name="excited")([b, L.Reshape((1, 1, 3), name="spread")(gate)]),
        L.Multiply(name="row")([b, gate]), L.Dropout(0.5, name="drop")(a),
        L.SpatialDropout2D(0.5, name="drop_2")(b), L.GaussianNoise(0.1, name="noise")(b)])


case("merges", K3)(merges)
case("merges-2", K2, sizes=((7, 8),), suffix=".h5")(merges)


def shapes(k):
    x, L = picture(k, 3, size=(4, 6)), k.layers
    flat = L.Flatten(name="flat")(x)
    code = L.Dense(5, name="code", activation="relu")(L.Dropout(0.1)(L.ReLU()(flat)))
    back = L.Reshape((2, 3, 2), name="back")(L.Dense(12, name="wide")(code))
    return k.Model(x, [
        flat, code, L.Conv2DTranspose(3, 3, strides=2, padding="same", name="up")(back), back,
        L.Reshape((12, -1), name="matrix")(x), L.Permute((2, 1, 3), name="turned")(x),
        L.Conv2D(2, 3, padding="same", name="on_turned")(L.Permute((2, 1, 3))(x)),
        L.Flatten(name="flat_turned")(L.Permute((3, 1, 2))(x)),
        L.Dense(4, name="on_matrix")(L.Reshape((12, 6))(x)),
        L.BatchNormalization(name="on_flat")(flat),
        L.BatchNormalization(axis=1, name="on_rows")(x),
        L.Add(name="twice")([flat, L.Flatten()(L.ReLU()(x))]),
        L.Concatenate(name="both")([flat, code])])


case("shapes", K3, sizes=((4, 6),))(shapes)
case("shapes-2", K2, sizes=((4, 6),), suffix=".h5")(shapes)


@case("row", K3, sizes=((0, 0),))
def _(k):
    L = k.layers
    return k.Sequential([k.Input((12,), name="code"), L.Dense(2 * 3 * 4, activation="relu"),
                         L.Reshape((2, 3, 4)), L.Conv2DTranspose(3, 4, strides=2, padding="same")])


def nested(k):
    L = k.layers
    x = picture(k, 3)
    block = k.Sequential([k.Input((None, None, 4)), L.Conv2D(4, 3, padding="same"),
                          L.BatchNormalization(), L.ReLU()], name="block")
    y = k.Input((None, None, 3), name="inner")
    encoder = k.Model(y, block(block(L.Conv2D(4, 3, strides=2, padding="same")(y))), name="encoder")
    shared = L.Conv2D(4, 3, padding="same", name="shared")
    z = encoder(x)
    z = L.Add()([shared(shared(z)), z])
    decoder = k.Sequential([k.Input((None, None, 4)),
                            L.Conv2DTranspose(4, 3, strides=2, padding="same", activation="relu"),
                            L.Conv2D(3, 3, padding="same"), L.Activation("sigmoid")], name="decoder")
    block.layers[0].trainable = False
    decoder.trainable = False
    return k.Model(x, [decoder(z), z], name="autoencoder")


case("nested", K3)(nested)
case("nested-h5", K3, suffix=".h5", sizes=((8, 6),))(nested)
case("nested-2", K2, suffix=".h5", sizes=((8, 6),))(nested)
case("nested-2-keras", K2, sizes=((8, 6),))(nested)


def plain(k):
    L = k.layers
    return k.Sequential([
        k.Input((None, None, 1)), L.Conv2D(4, 3, padding="same", activation="relu"), L.MaxPooling2D(2),
        L.Conv2D(8, 3, padding="same"), L.PReLU(shared_axes=[1, 2]), L.UpSampling2D(2),
        L.Conv2D(1, 3, padding="same", activation="sigmoid")])


case("sequential", K3)(plain)
case("sequential-h5", K3, suffix=".h5")(plain)
case("sequential-2", K2, suffix=".h5")(plain)
case("sequential-2-keras", K2)(plain)


@case("operations", K3, sizes=((5, 6),))
def _(k):
    x, ops = picture(k, 4), k.ops
    y = k.layers.Conv2D(8, 3, padding="same", name="conv")(x)
    return k.Model(x, [
        ops.nn.depth_to_space(y, 2), ops.relu(y) + 2.0 * y, ops.clip(1.0 - y, 0.1, 0.9),
        ops.concatenate([x, y / 3.0], axis=-1), ops.maximum(y, 0.1), ops.transpose(x, (0, 3, 1, 2)), ops.mean(y, axis=(1, 2)),
        ops.mean(y, axis=-1, keepdims=True) * y, ops.leaky_relu(y, 0.3), ops.gelu(y), -y, y[..., :3],
        y[:, 1:-1, 2:, -3:]])


@case("operations-2", K2, sizes=((5, 6),), suffix=".h5")
def _(k):
    x = picture(k, 4)
    y = k.layers.Conv2D(8, 3, padding="same", name="conv")(x)
    return k.Model(x, [
        tf.nn.depth_to_space(y, 2), tf.compat.v1.depth_to_space(y, 2), tf.nn.relu(y) + 2.0 * y,
        tf.clip_by_value(1.0 - y, 0.1, 0.9), tf.concat([x, y / 255.0], axis=-1),
        tf.maximum(y, 0.1), tf.reduce_mean(y, axis=[1, 2]), tf.nn.leaky_relu(y, 0.3),
        y * tf.constant([1.0, 2, 3, 4, 5, 6, 7, 8]), gelu(y),
        tf.nn.convolution(tf.pad(y, [[0, 0], [1, 0], [2, 1], [0, 0]]), kernel(3, 3, 8, 2), padding="VALID"),
        tf.nn.depthwise_conv2d(y, kernel(3, 3, 8, 2), strides=[1, 2, 2, 1], padding="SAME"),
        y[..., :3], y[:, 1:-1, 2:, -3:]])


@case("channels-first", K3, sizes=((6, 7),), channels_first=True)
def _(k):
    L = k.layers
    first = {"data_format": "channels_first"}
    x = k.Input((3, 6, 7), name="x")
    y = L.ZeroPadding2D(1, **first)(x)
    y = L.BatchNormalization(axis=1)(y)
    y = L.PReLU(shared_axes=[2, 3])(y)
    y = L.UpSampling2D(2, **first)(y)
    y = L.Concatenate(axis=1)([y, y])
    flat = L.Flatten(**first)(L.Cropping2D(4, **first)(y))
    return k.Model(x, [y, L.Dense(3)(flat)])


if __name__ == "__main__":
    for seed, entry in enumerate(CASES):
        if len(sys.argv) < 2 or entry[0] in sys.argv[1:]:
            run(*entry, seed)
            print(entry[0])
