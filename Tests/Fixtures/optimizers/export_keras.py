"""How far from zero Keras draws the weights of layers by default: its Glorot initialiser's limit.

Run in this folder with Keras 3.15: python export_keras.py
"""

import json
import math
import os

os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"

import keras
from keras.src.initializers.random_initializers import compute_fans

layers = {
    "convolution": (keras.layers.Conv2D(16, (3, 5), groups=2), (None, 9, 9, 8)),
    "transposed": (keras.layers.Conv2DTranspose(6, (3, 4), strides=2), (None, 9, 9, 8)),
    "linear": (keras.layers.Dense(7), (None, 12)),
}
limits = {}
for name, (layer, shape) in layers.items():
    layer.build(shape)
    fan_in, fan_out = compute_fans(layer.kernel.shape)
    limits[name] = math.sqrt(6 / (fan_in + fan_out))
json.dump(limits, open("keras.json", "w"))
