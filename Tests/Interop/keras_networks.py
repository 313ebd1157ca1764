"""The registry's architectures as a user of Keras writes them, for Keras 3 and for tf_keras alike.

Every function takes the module (`keras` or `tf_keras`) and a configuration of ours and gives a model.
Layers have the names that Keras gives them; borders are Keras's 'same' unless said.
"""
import tensorflow as tf


def seed_autoencoder(K):
    """The class of the first seed, as typed: the encoder's convolutions have valid borders."""
    class Autoencoder(K.Model):
        def __init__(self):
            super(Autoencoder, self).__init__()
            self.encoder = K.Sequential([
                K.layers.InputLayer(input_shape=(128, 128, 1)),
                K.layers.Conv2D(32, (3, 3), activation='relu'),
                K.layers.MaxPooling2D((2, 2), strides=(2, 2)),
                K.layers.Conv2D(64, (3, 3), activation='relu'),
                K.layers.MaxPooling2D((2, 2), strides=(2, 2)),
                K.layers.Conv2D(128, (3, 3), activation='relu')
            ])
            self.decoder = K.Sequential([
                K.layers.Conv2DTranspose(64, (3, 3), strides=(2, 2), padding='same', activation='relu'),
                K.layers.Conv2DTranspose(32, (3, 3), strides=(2, 2), padding='same', activation='relu'),
                K.layers.Conv2DTranspose(1, (3, 3), padding='same', activation='sigmoid')
            ])

        def call(self, inputs):
            encoded = self.encoder(inputs)
            decoded = self.decoder(encoded)
            return decoded

    model = Autoencoder()
    model(tf.zeros((1, 128, 128, 1)))
    return model


def plain_cae(K, channels=1, features=(4, 6, 8), kernel=3, activation="relu"):
    L = K.layers
    x = inputs = K.Input((None, None, channels))
    for level, width in enumerate(features):
        x = L.Conv2D(width, kernel, padding="same", activation=activation)(x)
        if level + 1 < len(features):
            x = L.MaxPooling2D()(x)
    for width in reversed(features[:-1]):
        x = L.Conv2DTranspose(width, kernel, strides=2, padding="same", activation=activation)(x)
    x = L.Conv2DTranspose(channels, kernel, padding="same", activation="sigmoid")(x)
    return K.Model(inputs, x)


def residual_block(L, x, width):
    y = L.Conv2D(width, 3, padding="same", activation="relu")(x)
    return L.Add()([x, L.Conv2D(width, 3, padding="same")(y)])


def residual_cae(K, channels=3, features=(8, 12), residual=False):
    L = K.layers
    a, b = features
    x = inputs = K.Input((None, None, channels))
    x = residual_block(L, L.Conv2D(a, 3, padding="same", activation="relu")(x), a)
    x = residual_block(L, L.Conv2D(b, 3, strides=2, padding="same", activation="relu")(x), b)
    x = L.Conv2DTranspose(a, 3, strides=2, padding="same", activation="relu")(x)
    x = L.Conv2DTranspose(channels, 3, padding="same")(residual_block(L, x, a))
    return K.Model(inputs, L.Add()([inputs, x]) if residual else x)


def shuffled(K, x, scale):
    return x if scale == 1 else K.layers.Lambda(lambda t: tf.nn.depth_to_space(t, scale))(x)


def fusion_cae(K, channels=3, scale=2, features=(6, 8), blocks=(2, 1)):
    L = K.layers
    leaky = lambda t: L.Lambda(lambda u: tf.nn.leaky_relu(u, 0.05))(t)

    def block(x, width):
        y = leaky(L.Conv2D(width, 3, padding="same")(x))
        return L.Add()([x, L.Conv2D(width, 3, padding="same")(y)])

    def chain(x, width, count):
        values = []
        for _ in range(count):
            x = block(x, width)
            values.append(x)
        return values

    inputs = K.Input((None, None, channels))
    head = x = L.Conv2D(features[0], 3, padding="same")(inputs)
    levels = []
    for level, width in enumerate(features):
        if level:
            x = leaky(L.Conv2D(width, 3, strides=2, padding="same")(x))
        levels.append(chain(x, width, blocks[level]))
        x = levels[-1][-1]
    gather = lambda values: values[0] if len(values) == 1 else L.Concatenate()(values)
    deepest = levels.pop()
    x = leaky(L.Conv2D(features[-1], 1)(gather(deepest)))
    decoded = [x]
    for level in reversed(range(len(levels))):
        width = features[level]
        up = L.Conv2DTranspose(width, 2, strides=2, padding="same")(x)
        x = leaky(L.Conv2D(width, 1)(gather(levels[level] + [up])))
        decoded = chain(x, width, blocks[level])
        x = decoded[-1]
    x = leaky(L.Conv2D(features[0], 1)(gather(decoded)))
    x = L.Add()([L.Conv2D(features[0], 3, padding="same")(x), head])
    x = L.Conv2D(channels * scale * scale, 3, padding="same")(x)
    if scale == 1:
        return K.Model(inputs, L.Add()([x, inputs]))
    large = L.UpSampling2D(scale, interpolation="bilinear")(inputs)
    return K.Model(inputs, L.Add()([shuffled(K, x, scale), large]))


def srcnn(K, channels=1, filters=(6, 4), kernels=(9, 5, 5), padding="same"):
    L = K.layers
    x = inputs = K.Input((None, None, channels))
    for width, kernel in zip((*filters, channels), kernels):
        last = kernel is kernels[-1] and width == channels
        x = L.Conv2D(width, kernel, padding=padding)(x)
        x = x if last else L.ReLU()(x)
    return K.Model(inputs, x)


def fsrcnn(K, channels=1, scale=2, features=8, shrunk=4, mapping=2, mappingActivations=True):
    L = K.layers
    slopes = lambda: L.PReLU(shared_axes=[1, 2])
    x = inputs = K.Input((None, None, channels))
    x = slopes()(L.Conv2D(features, 5, padding="same")(x))
    x = slopes()(L.Conv2D(shrunk, 1, padding="same")(x))
    for i in range(mapping):
        x = L.Conv2D(shrunk, 3, padding="same")(x)
        if mappingActivations or i + 1 == mapping:
            x = slopes()(x)
    x = slopes()(L.Conv2D(features, 1, padding="same")(x))
    return K.Model(inputs, L.Conv2DTranspose(channels, 9, strides=scale, padding="same")(x))


def espcn(K, channels=1, scale=3, features=(8, 6), activation="tanh"):
    L = K.layers
    x = inputs = K.Input((None, None, channels))
    for i, width in enumerate(features):
        x = L.Conv2D(width, 3 if i else 5, padding="same", activation=activation)(x)
    x = L.Conv2D(channels * scale * scale, 3, padding="same")(x)
    return K.Model(inputs, shuffled(K, x, scale))


def vdsr(K, channels=1, features=6, layers=4, bias=False):
    L = K.layers
    x = inputs = K.Input((None, None, channels))
    for _ in range(layers - 1):
        x = L.Conv2D(features, 3, padding="same", use_bias=bias, activation="relu")(x)
    x = L.Conv2D(channels, 3, padding="same", use_bias=bias)(x)
    return K.Model(inputs, L.Add()([inputs, x]))


NETWORKS = {"plain-cae": plain_cae, "residual-cae": residual_cae, "fusion-cae": fusion_cae, "srcnn": srcnn,
            "fsrcnn": fsrcnn, "espcn": espcn, "vdsr": vdsr}
# A Lambda's code is not to be read: whole models of these only as weights.
OPAQUE = {"fusion-cae", "espcn"}
