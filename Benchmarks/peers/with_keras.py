"""Keras on TensorFlow: the network that `aviary convert` has written, channels last, as a graph function."""
import os

os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"
os.environ["CUDA_VISIBLE_DEVICES"] = ""

import keras  # noqa: E402
import tensorflow as tf  # noqa: E402
from common import Session, passed_over  # noqa: E402


def last(array):
    return array.transpose(0, 2, 3, 1).copy()


def infer(session):
    def make():
        model = keras.models.load_model(session.path("keras"))
        forward, x = tf.function(lambda x: model(x, training=False)), tf.constant(last(session.input))
        return lambda: forward(x)

    session.measure("keras", make, lambda output: output.numpy().transpose(0, 3, 1, 2))


def train(session):
    def make():
        model = keras.models.load_model(session.path("keras"))
        model.trainable = True
        model.compile(optimizer=keras.optimizers.Adam(1e-3), loss="mse")
        x, y = last(session.input), last(session.input[::-1])
        return lambda: model.train_on_batch(x, y)

    session.measure("keras", make)


if __name__ == "__main__":
    session = Session()
    tf.config.threading.set_intra_op_parallelism_threads(session.threads)
    if not passed_over(session, ("infer", "train")):
        (train if session.kind == "train" else infer)(session)
