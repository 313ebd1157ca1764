"""Compiled models of Keras with the optimiser's state, and what Keras says is in it: a small SRCNN
(3-1-3, two features), trained for three steps on noise.

Run in this folder with Keras 3.15 and tf_keras 2.21: python export_keras.py
(not in one process with PyTorch, whose LLVM is another)
"""

import json
import os

os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"
os.environ["TF_ENABLE_ONEDNN_OPTS"] = "0"

import h5py
import keras
import numpy
import tf_keras

expected = {}


def numbers(array, type="float32"):
    array = numpy.asarray(array)
    return {
        "shape": list(array.shape),
        "type": type,
        "values": [float(x) for x in array.astype("float32").ravel()],
    }


def keras_network(K, norm=False):
    K.utils.set_random_seed(4)
    layers = [
        K.layers.Input((6, 6, 1)),
        K.layers.Conv2D(2, 3, padding="same", activation="relu", name="conv1"),
        K.layers.Conv2D(2, 1, activation="relu", name="conv2"),
        K.layers.Conv2D(1, 3, padding="same", name="conv3"),
    ]
    if norm:
        layers.insert(2, K.layers.BatchNormalization(name="norm"))
        layers[1].trainable = False
    return K.Sequential(layers)


def fitted(K, model, optimizer):
    model.compile(optimizer=optimizer, loss="mse")
    picture = numpy.random.default_rng(5).random((2, 6, 6, 1), dtype="float32")
    model.fit(picture, picture, epochs=3, verbose=0)
    return model


def remember_keras(file, model, names, algorithm="adam"):
    """What the file must give, from the variables of the optimiser itself: first and second slots by
    turns in Keras 3 and tf_keras, all first and then all second in tf_keras's legacy ones."""
    variables = model.optimizer.variables
    variables = list(variables() if callable(variables) else variables)
    iterations, *rest = [numpy.asarray(variable) for variable in variables]
    if algorithm == "sgd":
        rate = numpy.float32(model.optimizer.learning_rate)
        slots = [array for array in rest if array.ndim > 0]
        tensors = {}
        for name, m in zip(names, slots, strict=True):
            m = m.transpose(3, 2, 0, 1) if m.ndim == 4 else m
            # PyTorch's momentum is a sum of gradients, Keras's of steps.
            tensors[f"{name}.momentum_buffer"] = numbers(m / -rate)
        expected[file] = {
            "algorithm": algorithm, "step": int(iterations), "rates": [float(rate)],
            "tensors": tensors,
        }
    else:
        slots = [array for array in rest if array.ndim > 0]
        half = len(slots) // 2
        first, second = slots[::2], slots[1::2]
        if isinstance(model.optimizer, tf_keras.optimizers.legacy.Adam):
            first, second = slots[:half], slots[half:]
        tensors = {}
        for name, m, v in zip(names, first, second):
            for slot, array in (("exp_avg", m), ("exp_avg_sq", v)):
                array = array.transpose(3, 2, 0, 1) if array.ndim == 4 else array
                tensors[f"{name}.{slot}"] = numbers(array)
            tensors[f"{name}.step"] = numbers(numpy.float32(iterations))
        expected[file] = {
            "algorithm": algorithm, "step": int(iterations), "rates": [float(numpy.float32(1e-3))],
            "tensors": tensors,
        }


def names(*layers):
    return [f"{layer}.{slot}" for layer in layers for slot in ("weight", "bias")]


plain_names = names("conv1", "conv2", "conv3")
model = fitted(keras, keras_network(keras), keras.optimizers.Adam())
model.save("three.keras")
remember_keras("three.keras", model, plain_names)
model.save_weights("three.weights.h5")
remember_keras("three.weights.h5", model, plain_names)
model.save("three.h5")
remember_keras("three.h5", model, plain_names)
model = fitted(keras, keras_network(keras, norm=True), keras.optimizers.Adam())
model.save("norm.keras")
remember_keras("norm.keras", model, names("norm", "conv2", "conv3"))
model = fitted(tf_keras, keras_network(tf_keras), tf_keras.optimizers.Adam())
model.save("two.h5")
remember_keras("two.h5", model, plain_names)
model.save("two.keras")
remember_keras("two.keras", model, plain_names)
model = fitted(tf_keras, keras_network(tf_keras), tf_keras.optimizers.legacy.Adam())
model.save("two-legacy.h5")
remember_keras("two-legacy.h5", model, plain_names)
model = fitted(keras, keras_network(keras), keras.optimizers.SGD(momentum=0.9))
model.save("sgd.keras")
remember_keras("sgd.keras", model, plain_names, "sgd")
model.save_weights("bad-momentum.weights.h5")
fitted(keras, keras_network(keras), keras.optimizers.RMSprop()).save("rms.keras")
# A slot of another shape.
with h5py.File("two.h5") as source, h5py.File("bad-shape.h5", "w") as spoilt:
    for name in source:
        source.copy(name, spoilt)
    for name, value in source.attrs.items():
        spoilt.attrs[name] = value
    group = spoilt["optimizer_weights"]
    del group["Adam/v/conv2/bias:0"]
    group["Adam/v/conv2/bias:0"] = numpy.zeros(3, "float32")

with open("keras.json", "w") as file:
    json.dump(expected, file, separators=(",", ":"))
