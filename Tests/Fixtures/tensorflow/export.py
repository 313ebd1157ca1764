#!/usr/bin/env python3
"""Makes the checkpoints and the saved model of this folder with TensorFlow and Keras 2, and what they
compute.

    python export.py      (tensorflow 2.21, tf_keras 2.21)
"""
import os
import pathlib
import shutil

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
os.environ.setdefault("CUDA_VISIBLE_DEVICES", "")

import keras
import numpy as np
import safetensors.numpy
import tensorflow as tf
import tf_keras

HERE = pathlib.Path(__file__).resolve().parent
os.chdir(HERE)
rng = np.random.default_rng(7)


def network(K):
    """A nested model, all kinds of variables, one enlargement."""
    image = K.Input((None, None, 3))
    features = K.layers.Conv2D(4, 3, padding="same", activation="relu", name="features")(image)
    inner = K.Sequential([K.Input((None, None, 4)), K.layers.Conv2D(4, 3, padding="same"),
                          K.layers.PReLU(shared_axes=[1, 2])], name="inner")
    value = K.layers.BatchNormalization()(inner(features))
    value = K.layers.Add()([features, value])
    return K.Model(image, K.layers.Conv2DTranspose(3, 4, strides=2, padding="same", name="enlarge")(value))


def randomise(model):
    for weight in model.weights:
        low = 0.5 if "variance" in weight.name else -0.5
        weight.assign(rng.uniform(low, 1 if low > 0 else 0.5, weight.shape).astype(np.float32))


for old in ["saved", "weights", "keras3", "subclassed", "tensorflow1", "no-keras"]:
    shutil.rmtree(old, ignore_errors=True)

model = network(tf_keras)
randomise(model)
x = rng.random((1, 9, 7, 3), np.float32)
y = np.asarray(model(x))
safetensors.numpy.save_file({"x": np.ascontiguousarray(x.transpose(0, 3, 1, 2)),
                             "y": np.ascontiguousarray(y.transpose(0, 3, 1, 2))}, "example.safetensors")
# With an optimiser that has taken a step, so that there is something to leave aside.
model.compile("adam", "mse")
model.optimizer.build(model.trainable_variables)
model.save("saved", save_format="tf", save_traces=False)
model.save_weights("weights/model", save_format="tf")
shutil.rmtree("saved/assets", ignore_errors=True)
pathlib.Path("saved/fingerprint.pb").unlink(missing_ok=True)

third = network(keras)
third.set_weights(model.get_weights())
tf.train.Checkpoint(model=third, step=tf.Variable(5, dtype=tf.int64)).write("keras3/model")


class Subclassed(tf_keras.Model):
    def __init__(self):
        super().__init__()
        self.head = tf_keras.layers.Conv2D(4, 3, padding="same")
        self.body = [tf_keras.layers.Conv2D(4, 3, padding="same") for _ in range(2)]

    def call(self, x):
        x = self.head(x)
        for layer in self.body:
            x = layer(x)
        return x


own = Subclassed()
own(np.zeros((1, 8, 8, 3), np.float32))
own.save_weights("subclassed/model", save_format="tf")


class Module(tf.Module):
    def __init__(self):
        super().__init__()
        self.scale = tf.Variable(2.0)

    @tf.function(input_signature=[tf.TensorSpec([None], tf.float32)])
    def __call__(self, x):
        return x * self.scale


tf.saved_model.save(Module(), "no-keras")
shutil.rmtree("no-keras/assets", ignore_errors=True)
pathlib.Path("no-keras/fingerprint.pb").unlink(missing_ok=True)

# TensorFlow 1: names alone, Adam's state, and a variable in three parts. SRCNN as people wrote it.
with tf.Graph().as_default():
    v1 = tf.compat.v1
    shapes = {"w1": [9, 9, 1, 8], "w2": [1, 1, 8, 6], "w3": [5, 5, 6, 1], "b1": [8], "b2": [6], "b3": [1]}
    v = {name: v1.get_variable(name, initializer=rng.uniform(-0.2, 0.2, shape).astype(np.float32))
         for name, shape in shapes.items()}
    v1.get_variable("table", [7, 3], partitioner=v1.fixed_size_partitioner(3),
                    initializer=lambda s, dtype, partition_info: tf.zeros(s) + partition_info.var_offset[0])
    image = v1.placeholder(tf.float32, [1, 17, 13, 1])
    value = image
    for i in (1, 2, 3):
        value = tf.nn.conv2d(value, v[f"w{i}"], 1, "SAME") + v[f"b{i}"]
        if i < 3:
            value = tf.nn.relu(value)
    step = v1.train.AdamOptimizer().minimize(tf.reduce_mean(value**2), var_list=list(v.values()))
    with v1.Session() as session:
        session.run(v1.global_variables_initializer())
        x = rng.random((1, 17, 13, 1), np.float32)
        y = session.run(value, {image: x})
        v1.train.Saver().save(session, "tensorflow1/model.ckpt", write_meta_graph=False)
safetensors.numpy.save_file({"x": np.ascontiguousarray(x.transpose(0, 3, 1, 2)),
                             "y": np.ascontiguousarray(y.transpose(0, 3, 1, 2))}, "tensorflow1.safetensors")
