#!/usr/bin/env python3
"""Makes the files beside this script: VGG-16 with two or three channels a layer, as Keras and torchvision
publish theirs, and what each gives for a picture.

    python export.py            needs h5py, numpy, tensorflow (with Keras) and torch

keras-notop.h5      weights without the fully connected layers, with the names of tensors that Keras's own
                    file of 2016 has: a layer `block1_conv1` with `block1_conv1_W_1:0` and `block1_conv1_b_1:0`
torchvision.pth     a state dict with `features` and `classifier`
example.pt          `input` (1x3x33x37, 0 to 1); `keras`, block3_conv3 of Keras's for the input after its
                    own `preprocess_input`; `torchvision`, relu3_3 after ImageNet's mean and deviation
"""
import os
import pathlib

os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"
import h5py
import keras
import numpy as np
import torch
from keras.applications.vgg16 import preprocess_input

HERE = pathlib.Path(__file__).resolve().parent
WIDTHS, COUNTS = [2, 3, 3, 2, 2], [2, 2, 3, 3, 3]
rng = np.random.default_rng(5)
torch.manual_seed(5)
torch.set_num_threads(1)
picture = torch.rand(1, 3, 33, 37)

# Keras: the layers, with the published names.
x = inputs = keras.Input((None, None, 3))
layers = ["input_1"]
for block, (width, count) in enumerate(zip(WIDTHS, COUNTS), 1):
    for i in range(1, count + 1):
        layers.append(f"block{block}_conv{i}")
        x = keras.layers.Conv2D(width, 3, padding="same", activation="relu", name=layers[-1])(x)
    layers.append(f"block{block}_pool")
    x = keras.layers.MaxPooling2D(2, name=layers[-1])(x)
model = keras.Model(inputs, x)
with h5py.File(HERE / "keras-notop.h5", "w") as file:
    file.attrs["layer_names"] = [name.encode() for name in layers]
    for name in layers:
        group = file.create_group(name)
        if "conv" not in name:
            group.attrs["weight_names"] = np.array([], dtype="S1")
            continue
        layer = model.get_layer(name)
        kernel, bias = layer.get_weights()
        # Sums of a hundred values of 0 to 255 at first, of about 1 afterwards.
        scale = 1 / 255 if name == "block1_conv1" else 1
        values = [
            (rng.normal(size=kernel.shape) * (2 / kernel[..., 0].size) ** 0.5 * scale).astype("float32"),
            (rng.normal(size=bias.shape) * 0.2).astype("float32")]
        layer.set_weights(values)
        names = [f"{name}_W_1:0", f"{name}_b_1:0"]
        group.attrs["weight_names"] = [n.encode() for n in names]
        for n, value in zip(names, values):
            group.create_dataset(n, data=value)
tap = keras.Model(inputs, model.get_layer("block3_conv3").output)
pixels = preprocess_input(picture.permute(0, 2, 3, 1).numpy() * 255)
found = torch.from_numpy(np.array(tap(pixels))).permute(0, 3, 1, 2).contiguous()

# torchvision: its sequence, and a classifier of four classes.
sequence, width = [], 3
for filters, count in zip(WIDTHS, COUNTS):
    for _ in range(count):
        sequence += [torch.nn.Conv2d(width, filters, 3, padding=1), torch.nn.ReLU(inplace=True)]
        width = filters
    sequence.append(torch.nn.MaxPool2d(2, 2))
network = torch.nn.Module()
network.features = torch.nn.Sequential(*sequence)
network.classifier = torch.nn.Sequential(
    torch.nn.Linear(width * 49, 5), torch.nn.ReLU(), torch.nn.Dropout(),
    torch.nn.Linear(5, 5), torch.nn.ReLU(), torch.nn.Dropout(), torch.nn.Linear(5, 4))
for module in network.modules():
    if isinstance(module, torch.nn.Conv2d):
        torch.nn.init.kaiming_normal_(module.weight)
        torch.nn.init.normal_(module.bias, std=0.2)
torch.save(network.state_dict(), HERE / "torchvision.pth")
mean = torch.tensor([0.485, 0.456, 0.406]).reshape(1, 3, 1, 1)
deviation = torch.tensor([0.229, 0.224, 0.225]).reshape(1, 3, 1, 1)
with torch.no_grad():
    relu = network.features[:16]((picture - mean) / deviation)
assert found.std() > 0.02 and relu.std() > 0.02
torch.save({"input": picture, "keras": found, "torchvision": relu.clone()}, HERE / "example.pt")
