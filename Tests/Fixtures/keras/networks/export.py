"""Makes the files beside it: the architectures as users write them in Keras, saved by Keras 3 and by
Keras 2 (tf_keras), with an input and what Keras gives for it. The autoencoder `plain` has the layers of
the class that it was first published as, without padding in the encoder. Needs keras 3.15, tf_keras
2.21, tensorflow 2.21."""

import json
import os
import pathlib

os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"
import keras
import numpy
import tensorflow as tf
import tf_keras

os.chdir(pathlib.Path(__file__).parent)
random = numpy.random.default_rng(4)


def networks(k):
    l = k.layers

    class Autoencoder(k.Model):
        def __init__(self):
            super(Autoencoder, self).__init__()
            self.encoder = k.Sequential([
                l.Conv2D(4, (3, 3), activation="relu"),
                l.MaxPooling2D((2, 2), strides=(2, 2)),
                l.Conv2D(6, (3, 3), activation="relu"),
                l.MaxPooling2D((2, 2), strides=(2, 2)),
                l.Conv2D(8, (3, 3), activation="relu")])
            self.decoder = k.Sequential([
                l.Conv2DTranspose(6, (3, 3), strides=(2, 2), padding="same", activation="relu"),
                l.Conv2DTranspose(4, (3, 3), strides=(2, 2), padding="same", activation="relu"),
                l.Conv2DTranspose(1, (3, 3), padding="same", activation="sigmoid")])

        def call(self, inputs):
            encoded = self.encoder(inputs)
            decoded = self.decoder(encoded)
            return decoded

    class ResidualBlock(l.Layer):
        def __init__(self, features):
            super().__init__()
            self.conv1 = l.Conv2D(features, 3, padding="same", activation="relu")
            self.conv2 = l.Conv2D(features, 3, padding="same")

        def call(self, x):
            return x + self.conv2(self.conv1(x))

    class Residual(k.Model):
        def __init__(self):
            super().__init__()
            self.encoder = k.Sequential([
                l.Conv2D(4, 3, padding="same", activation="relu"), ResidualBlock(4),
                l.Conv2D(6, 3, strides=2, padding="same", activation="relu"), ResidualBlock(6)])
            self.decoder = k.Sequential([
                l.Conv2DTranspose(4, 3, strides=2, padding="same", activation="relu"),
                ResidualBlock(4), l.Conv2DTranspose(3, 3, padding="same")])

        def call(self, x):
            return self.decoder(self.encoder(x))

    def activated(x):
        return tf.nn.leaky_relu(x, 0.05)

    class Block(l.Layer):
        def __init__(self, features):
            super().__init__()
            self.conv1 = l.Conv2D(features, 3, padding="same")
            self.conv2 = l.Conv2D(features, 3, padding="same")

        def call(self, x):
            return x + self.conv2(activated(self.conv1(x)))

    class Level(l.Layer):
        def __init__(self, features, blocks, down):
            super().__init__()
            self.down = l.Conv2D(features, 3, strides=2, padding="same") if down else None
            self.blocks = [Block(features) for _ in range(blocks)]

        def call(self, x):
            if self.down is not None:
                x = activated(self.down(x))
            given = []
            for block in self.blocks:
                x = block(x)
                given.append(x)
            return given

    class Up(l.Layer):
        def __init__(self, features, blocks):
            super().__init__()
            self.up = l.Conv2DTranspose(features, 2, strides=2)
            self.fuse = l.Conv2D(features, 1)
            self.blocks = [Block(features) for _ in range(blocks)]

        def call(self, x, encoded):
            x = activated(self.fuse(tf.concat(encoded + [self.up(x)], -1)))
            given = []
            for block in self.blocks:
                x = block(x)
                given.append(x)
            return given

    class Fusion(k.Model):
        def __init__(self):
            super().__init__()
            self.head = l.Conv2D(4, 3, padding="same")
            self.encoder = [Level(4, 2, False), Level(6, 1, True)]
            self.bottom = l.Conv2D(6, 1)
            self.decoder = [Up(4, 2)]
            self.fuse = l.Conv2D(4, 1)
            self.gather = l.Conv2D(4, 3, padding="same")
            self.tail = l.Conv2D(12, 3, padding="same")
            self.enlarged = l.UpSampling2D(2, interpolation="bilinear")

        def call(self, x):
            head = self.head(x)
            first = self.encoder[0](head)
            second = self.encoder[1](first[-1])
            bottom = activated(self.bottom(tf.concat(second, -1)))
            decoded = self.decoder[0](bottom, first)
            gathered = self.gather(activated(self.fuse(tf.concat(decoded, -1)))) + head
            return tf.nn.depth_to_space(self.tail(gathered), 2) + self.enlarged(x)

    def vdsr():
        x = i = k.Input((None, None, 1))
        for _ in range(6):
            x = l.Conv2D(4, 3, padding="same", activation="relu")(x)
        return k.Model(i, l.Add()([l.Conv2D(1, 3, padding="same")(x), i]))

    def prelu():
        return l.PReLU(shared_axes=[1, 2], alpha_initializer="he_uniform")

    return {
        "plain-cae": (Autoencoder(), (1, 22, 24, 1)),
        "residual-cae": (Residual(), (1, 8, 10, 3)),
        "fusion-cae": (Fusion(), (1, 8, 10, 3)),
        "srcnn": (k.Sequential([
            l.Conv2D(4, 9, padding="same", activation="relu"),
            l.Conv2D(3, 1, padding="same", activation="relu"),
            l.Conv2D(1, 5, padding="same")]), (1, 10, 9, 1)),
        "espcn": (k.Sequential([
            l.Conv2D(4, 5, padding="same", activation="tanh"),
            l.Conv2D(3, 3, padding="same", activation="tanh"),
            l.Conv2D(12, 3, padding="same"),
            l.Lambda(lambda x: tf.nn.depth_to_space(x, 2))]), (1, 7, 6, 3)),
        "vdsr": (vdsr(), (1, 8, 9, 1)),
        "fsrcnn": (k.Sequential([
            l.Conv2D(6, 5, padding="same"), prelu(), l.Conv2D(3, 1), prelu(),
            l.Conv2D(3, 3, padding="same"), prelu(), l.Conv2D(3, 3, padding="same"), prelu(),
            l.Conv2D(6, 1), prelu(),
            l.Conv2DTranspose(1, 9, strides=3, padding="same")]), (1, 6, 7, 1)),
    }


examples = {}
for version, k in (("3", keras), ("2", tf_keras)):
    for name, (model, shape) in networks(k).items():
        picture = random.random(shape).astype("float32").round(3)
        model(picture)
        # Biases too: a channel in the wrong place is to show.
        model.set_weights([
            (random.standard_normal(w.shape) * (0.5 / max(numpy.prod(w.shape[:-1]), 4) ** 0.5)).astype(
                "float32") if w.ndim > 1 else random.random(w.shape).astype("float32") / 4
            for w in model.get_weights()])
        files = [f"{name}-{version}.weights.h5"] + ([f"{name}-{version}.h5"] if version == "2" else [])
        for file in files:
            model.save_weights(file)
            examples[file] = {
                "shape": list(shape), "input": picture.ravel().astype(float).round(3).tolist(),
                "outputShape": list(model(picture).shape),
                "output": [float(x) for x in numpy.ravel(model(picture))]}
pathlib.Path("expected.json").write_text(json.dumps(examples, separators=(",", ":")) + "\n")
