#!/usr/bin/env python3
"""Makes what the real Keras computes for published models, beside this script.

    python shared.py WEIGHTS    needs tensorflow, keras 3, tf_keras, torch and the folder of models

The models are not ours to publish and stay where they are. Each runs with its stated input size let go,
on a small picture: shared-<case>.pt holds input and output as in export.py. The model whose size cannot be
let go takes a picture that is calculated, and of its output every 16th row and column is kept.
"""
import json
import os
import pathlib
import sys
import zipfile

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
os.environ.setdefault("TF_ENABLE_ONEDNN_OPTS", "0")
import h5py
import keras
import numpy as np
import tf_keras
import torch

HERE = pathlib.Path(__file__).resolve().parent
ROOT = pathlib.Path(sys.argv[1]) / "keras"


def free(config):
    """The same configuration for any size."""
    if isinstance(config, dict):
        for key, value in config.items():
            if key in ("batch_input_shape", "batch_shape") and len(value) == 4:
                config[key] = [None, None, None, value[3]]
            elif key in ("build_config", "build_input_shape"):
                config[key] = None
            else:
                free(value)
    elif isinstance(config, list):
        for value in config:
            free(value)
    return config


def without_shapes(config):
    if isinstance(config, dict):
        return {k: without_shapes(v) for k, v in config.items() if k not in ("build_config", "build_input_shape")}
    if isinstance(config, list):
        return [without_shapes(v) for v in config]
    return config


def store(name, model, channels, sizes, input_name):
    rng = np.random.default_rng(1)
    tensors = {}
    for number, size in enumerate(sizes):
        x = rng.uniform(0, 1, (1, *size, channels)).astype("float32")
        y = np.asarray(model(x, training=False), "float32")
        tensors[f"{number}.in.{input_name}"] = torch.from_numpy(np.ascontiguousarray(x.transpose(0, 3, 1, 2)))
        tensors[f"{number}.out.output"] = torch.from_numpy(np.ascontiguousarray(y.transpose(0, 3, 1, 2)))
    torch.save(tensors, HERE / f"shared-{name}.pt")
    print(name, [tuple(t.shape) for t in tensors.values()])


for name in ["autoencoder", "encoder", "decoder"]:
    path = ROOT / "itsadnanlone_CAE" / f"{name}.h5"
    config = json.loads(h5py.File(path).attrs["model_config"])
    model = tf_keras.models.model_from_json(json.dumps(without_shapes(free(config))))
    model.load_weights(path)
    store(name, model, model.inputs[0].shape[-1], [(12, 14)], model.inputs[0].name)

path = ROOT / "keras3" / "Achira" / "srcnn_model.keras"
model = keras.models.load_model(path, compile=False)
store("achira", model, 3, [(13, 14)], "input_layer_1")

path = ROOT / "keras3" / "Vietanh" / "srcnn.keras"
whole = tf_keras.models.load_model(path, compile=False)
config = json.loads(zipfile.ZipFile(path).read("config.json"))
model = tf_keras.models.model_from_json(json.dumps(without_shapes(free(config))))
model.set_weights(whole.get_weights())
store("vietanh", model, 3, [(13, 14)], "input_2")

path = ROOT / "HTAKM_CAE" / "denoising_autoencoder.h5"
model = tf_keras.models.load_model(path, compile=False)
x = (np.arange(512 * 512 * 3) * 7919 % 257 / np.float32(256)).astype("float32").reshape(1, 512, 512, 3)
y = np.asarray(model(x, training=False), "float32")[:, ::16, ::16].transpose(0, 3, 1, 2)
torch.save({"0.out.output": torch.from_numpy(np.ascontiguousarray(y))}, HERE / "shared-htakm.pt")
print("htakm", y.shape, y.mean())
