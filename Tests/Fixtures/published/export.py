#!/usr/bin/env python3
"""What Keras itself computes with weights that other people published, on small pictures of noise.

    python export.py WEIGHTS      needs tensorflow, tf_keras, safetensors and numpy

WEIGHTS is the folder of published weights (its `keras` folder is read). The networks are those of
their sources, written down in Tests/Interop/keras_networks.py. Only inputs and outputs are kept here.
"""
import os
import pathlib
import sys

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
os.environ.setdefault("CUDA_VISIBLE_DEVICES", "")
sys.dont_write_bytecode = True
HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parents[1] / "Interop"))

import numpy as np
import safetensors.numpy
import tensorflow as tf
import tf_keras

import keras_networks as networks

WEIGHTS = pathlib.Path(sys.argv[1]) / "keras"
CASES = {}
for scale in (2, 3, 4):
    CASES[f"NhatThanh_ESPCN/ESPCN-x{scale}.h5"] = (
        networks.espcn, dict(channels=3, scale=scale, features=(64, 32), activation="tanh"))
    CASES[f"NhatThanh_FSRCNN/FSRCNN-x{scale}.h5"] = (
        networks.fsrcnn, dict(channels=3, scale=scale, features=56, shrunk=12, mapping=4,
                              mappingActivations=False))
for kernel in (1, 3, 5):
    CASES[f"NhatThanh_SRCNN/SRCNN-9{kernel}5.h5"] = (
        networks.srcnn, dict(channels=3, filters=(64, 32), kernels=(9, kernel, 5), padding="valid"))

for number, (file, (make, configuration)) in enumerate(CASES.items()):
    tf_keras.backend.clear_session()
    model = make(tf_keras, **configuration)
    model.load_weights(str(WEIGHTS / file))
    side = (11, 14) if "SRCNN-9" not in file else (21, 24)
    x = np.random.default_rng(number).random((1, *side, 3), np.float32)
    # In float64, so that the fixture's own error is that of one rounding.
    tf_keras.backend.set_floatx("float64")
    exact = make(tf_keras, **configuration)
    exact.set_weights([w.astype(np.float64) for w in model.get_weights()])
    y = np.asarray(exact(tf.constant(x, tf.float64))).astype(np.float32)
    tf_keras.backend.set_floatx("float32")
    single = np.asarray(model(tf.constant(x)))
    assert np.abs(single - y).max() / np.abs(y).max() < 5e-6, file
    name = pathlib.Path(file).stem + ".safetensors"
    safetensors.numpy.save_file(
        {"input": np.ascontiguousarray(x.transpose(0, 3, 1, 2)),
         "output": np.ascontiguousarray(y.transpose(0, 3, 1, 2))}, HERE / name)
    print(file, x.shape, y.shape)
