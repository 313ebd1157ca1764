#!/usr/bin/env python3
"""Makes the fixtures beside this script: the architectures in PyTorch, tiny, with random weights.

    python export.py [CASE ...]  needs torch, numpy and pillow

Each folder, <architecture>.<variant>, holds
    configuration.json   the architecture's configuration; each member is stated
    weights.pt           torch.save of the state dict, float32
    example.pt           torch.save of {"input": tensor, "output": tensor}, float32, NCHW

Inputs and weights are float32; PyTorch computes the output from them in float64 and rounds it once,
so that the fixture's own error is that of one rounding. No output is clipped to 0...1: that is the
business of the picture, not of the network. Weights are large enough for every branch to matter.
"""
import collections
import json
import pathlib
import sys

import torch
import torch.nn as nn
import torch.nn.functional as F

HERE = pathlib.Path(__file__).resolve().parent
sys.dont_write_bytecode = True
sys.path.insert(0, str(HERE.parents[2] / "checkpoints" / "training"))
# The network that is trained and the network of the fixtures are one.
from train_fusion_cae import FusionCAE, act  # noqa: E402


def named(**modules):
    return nn.Sequential(collections.OrderedDict(modules))


class PlainCAE(nn.Module):
    def __init__(self, channels, features, kernel, activation, padding, origin):
        super().__init__()
        act = {"relu": nn.ReLU, "elu": nn.ELU}[activation]
        # The encoder alone is affected by "valid"; the decoder keeps its borders.
        border = kernel // 2 if padding == "same" else 0
        widths = [channels, *features]
        encoder, decoder = [], []
        for index in range(len(features)):
            encoder += [nn.Conv2d(widths[index], widths[index + 1], kernel, padding=border), act()]
            if index + 1 < len(features):
                encoder += [nn.MaxPool2d(2)]
        assert origin == "pytorch"
        for index in range(len(features) - 1, 0, -1):
            decoder += [nn.ConvTranspose2d(widths[index + 1], widths[index], kernel, stride=2,
                                           padding=kernel // 2, output_padding=1), act()]
        decoder += [nn.ConvTranspose2d(widths[1], channels, kernel, padding=kernel // 2), nn.Sigmoid()]
        self.encoder, self.decoder = nn.Sequential(*encoder), nn.Sequential(*decoder)

    def forward(self, x):
        return self.decoder(self.encoder(x))


class ResidualBlock(nn.Module):
    def __init__(self, features):
        super().__init__()
        self.conv1 = nn.Conv2d(features, features, 3, padding=1)
        self.conv2 = nn.Conv2d(features, features, 3, padding=1)

    def forward(self, x):
        return x + self.conv2(torch.relu(self.conv1(x)))


class ResidualCAE(nn.Module):
    def __init__(self, channels, features, residual):
        super().__init__()
        self.residual = residual
        a, b = features
        self.encoder = nn.Sequential(
            nn.Conv2d(channels, a, 3, padding=1), nn.ReLU(), ResidualBlock(a),
            nn.Conv2d(a, b, 3, stride=2, padding=1), nn.ReLU(), ResidualBlock(b))
        self.decoder = nn.Sequential(
            nn.ConvTranspose2d(b, a, 3, stride=2, padding=1, output_padding=1), nn.ReLU(), ResidualBlock(a),
            nn.ConvTranspose2d(a, channels, 3, padding=1))

    def forward(self, x):
        y = self.decoder(self.encoder(x))
        return x + y if self.residual else y


class SRCNN(nn.Module):
    def __init__(self, channels, filters, kernels, padding):
        super().__init__()
        widths = [channels, *filters, channels]
        for i, kernel in enumerate(kernels):
            border = kernel // 2 if padding == "same" else 0
            self.add_module(f"conv{i + 1}", nn.Conv2d(widths[i], widths[i + 1], kernel, padding=border))

    def forward(self, x):
        return self.conv3(torch.relu(self.conv2(torch.relu(self.conv1(x)))))


class FSRCNN(nn.Module):
    """With `mappingActivations` a PReLU follows each mapping convolution, as in the paper, under
    Aviary's own names; without, one follows the last, as in the published weights whose names these
    are."""

    # The published numbers of the activations have no place for those of the paper.
    PAPER = {"feature_extract": "feature", "activation_1": "feature_prelu",
             "activation_2": "shrink_prelu"}

    @staticmethod
    def paper_name(name, mapping):
        layer, _, parameter = name.rpartition(".")
        own = dict(FSRCNN.PAPER)
        for i in range(mapping):
            own[f"map_{i + 1}"] = f"map.{i}"
            own[f"activation_{i + 3}"] = f"map_prelu.{i}"
        own[f"activation_{mapping + 3}"] = "expand_prelu"
        return f"{own.get(layer, layer)}.{parameter}"

    def __init__(self, channels, scale, features, shrunk, mapping, mappingActivations):
        super().__init__()
        layers = [("feature_extract", nn.Conv2d(channels, features, 5, padding=2)), features,
                  ("shrink", nn.Conv2d(features, shrunk, 1)), shrunk]
        for i in range(mapping):
            layers.append((f"map_{i + 1}", nn.Conv2d(shrunk, shrunk, 3, padding=1)))
            if mappingActivations or i + 1 == mapping:
                layers.append(shrunk)
        layers += [("expand", nn.Conv2d(shrunk, features, 1)), features,
                   ("deconv", nn.ConvTranspose2d(features, channels, 9, stride=scale, padding=4,
                                                 output_padding=scale - 1))]
        activations = 0
        for layer in layers:
            if isinstance(layer, int):
                activations += 1
                layer = (f"activation_{activations}", nn.PReLU(layer))
            self.add_module(*layer)

    def forward(self, x):
        for layer in self.children():
            x = layer(x)
        return x


class ESPCN(nn.Module):
    def __init__(self, channels, scale, features, activation):
        super().__init__()
        self.scale, self.count = scale, len(features) + 1
        self.act = {"tanh": torch.tanh, "relu": torch.relu}[activation]
        widths = [channels, *features, channels * scale * scale]
        for i in range(self.count):
            kernel = 3 if i else 5
            self.add_module(f"conv_{i + 1}", nn.Conv2d(widths[i], widths[i + 1], kernel, padding=kernel // 2))

    def forward(self, x):
        for i in range(self.count):
            x = getattr(self, f"conv_{i + 1}")(x)
            if i + 1 < self.count:
                x = self.act(x)
        return F.pixel_shuffle(x, self.scale)


class VDSR(nn.Module):
    def __init__(self, channels, features, layers, bias):
        super().__init__()
        conv = lambda i, o: nn.Conv2d(i, o, 3, padding=1, bias=bias)
        self.residual_layer = nn.Sequential(*(named(conv=conv(features, features)) for _ in range(layers - 2)))
        self.input = conv(channels, features)
        self.output = conv(features, channels)

    def forward(self, x):
        y = torch.relu(self.input(x))
        for layer in self.residual_layer:
            y = torch.relu(layer(y))
        return x + self.output(y)


class VGG(nn.Module):
    """As `features` of torchvision's `vgg16` and its relatives."""

    def __init__(self, channels, features, convolutions, batchNormalization, classes, hidden, origin):
        super().__init__()
        assert origin == "pytorch"
        layers, width = [], channels
        for filters, count in zip(features, convolutions):
            for _ in range(count):
                layers.append(nn.Conv2d(width, filters, 3, padding=1))
                if batchNormalization:
                    layers.append(nn.BatchNorm2d(filters))
                layers.append(nn.ReLU())
                width = filters
            layers.append(nn.MaxPool2d(2, 2))
        self.features = nn.Sequential(*layers)
        assert not classes

    def forward(self, x):
        return self.features(x)


class PatchDiscriminator(nn.Module):
    def __init__(self, channels, features, layers, batchNormalization):
        super().__init__()
        model = [nn.Conv2d(channels, features, 4, stride=2, padding=1), nn.LeakyReLU(0.2)]
        width = features
        for layer in range(1, layers + 1):
            filters = features * min(2 ** layer, 8)
            model.append(nn.Conv2d(width, filters, 4, stride=1 if layer == layers else 2, padding=1,
                                   bias=not batchNormalization))
            model.append(nn.BatchNorm2d(filters) if batchNormalization else nn.Identity())
            model.append(nn.LeakyReLU(0.2))
            width = filters
        model.append(nn.Conv2d(width, 1, 4, padding=1))
        self.model = nn.Sequential(*model)

    def forward(self, x):
        return self.model(x)


class Row(nn.Module):
    """Convolutions in a row, added to what enters them."""

    def __init__(self, features, convolutions):
        super().__init__()
        for i in range(1, convolutions + 1):
            setattr(self, f"conv{i}", nn.Conv2d(features, features, 3, padding=1))
        self.convolutions = convolutions

    def forward(self, x):
        y = x
        for i in range(1, self.convolutions + 1):
            y = getattr(self, f"conv{i}")(act(y) if i > 1 else y)
        return x + y


class Gate(nn.Module):
    def __init__(self, features, thin):
        super().__init__()
        self.reduce = nn.Conv2d(features, thin, 1)
        self.down = nn.Conv2d(thin, thin, 3, stride=2, padding=1)
        self.conv = nn.Conv2d(thin, thin, 3, padding=1)
        self.expand = nn.Conv2d(thin, features, 1)

    def forward(self, x):
        x = self.reduce(x)
        deeper = self.conv(act(self.down(x)))
        x = x + F.interpolate(deeper, scale_factor=2, mode="bilinear", align_corners=False)
        return torch.sigmoid(self.expand(x))


class Half(nn.Module):
    """One half of the sequence: blocks, and what entered and all of them gave fused and gated."""

    def __init__(self, features, blocks, convolutions, gate):
        super().__init__()
        self.blocks = nn.ModuleList(Row(features, convolutions) for _ in range(blocks))
        self.fuse = nn.Conv2d(features * (blocks + 1), features, 1)
        if gate:
            self.gate = Gate(features, gate)

    def forward(self, x):
        stages = [x]
        for block in self.blocks:
            stages.append(block(stages[-1]))
        fused = self.fuse(torch.cat(stages, 1))
        return stages[-1] + (fused * self.gate(fused) if hasattr(self, "gate") else fused)


class FusionSequence(nn.Module):
    """The second version of fusion-cae: encoder and decoder at the picture's own size."""

    def __init__(self, channels, scale, features, blocks, convolutions, gate):
        super().__init__()
        self.scale = scale
        half = (features[0], blocks[0], convolutions, gate)
        self.head = nn.Conv2d(channels, features[0], 3, padding=1)
        self.encoder, self.decoder = nn.ModuleList([Half(*half)]), nn.ModuleList([Half(*half)])
        self.gather = nn.Conv2d(features[0], features[0], 3, padding=1)
        self.tail = nn.Conv2d(features[0], channels * scale * scale, 3, padding=1)

    def forward(self, picture):
        head = self.head(picture)
        x = self.tail(self.gather(self.decoder[0](self.encoder[0](head))) + head)
        if self.scale == 1:
            return x + picture
        enlarged = F.interpolate(picture, scale_factor=self.scale, mode="bilinear", align_corners=False)
        return F.pixel_shuffle(x, self.scale) + enlarged


def fusion(**configuration):
    """One level is the sequence, several are the U-shape."""
    return (FusionSequence if len(configuration["features"]) == 1 else FusionCAE)(**configuration)


NETWORKS = {"plain-cae": PlainCAE, "residual-cae": ResidualCAE, "fusion-cae": fusion, "srcnn": SRCNN,
            "fsrcnn": FSRCNN, "espcn": ESPCN, "vdsr": VDSR, "vgg": VGG,
            "patch-discriminator": PatchDiscriminator}

PLAIN = {"channels": 1, "features": [4, 6, 8], "kernel": 3, "activation": "relu", "padding": "same",
         "origin": "pytorch"}
RESIDUAL = {"channels": 3, "features": [8, 12], "residual": False}
FUSION = {"channels": 3, "scale": 2, "features": [6, 8], "blocks": [2, 1]}
SEQUENCE = {"channels": 3, "scale": 2, "features": [6], "blocks": [2], "convolutions": 2, "gate": 4}
SRCNN_ = {"channels": 1, "filters": [6, 4], "kernels": [9, 5, 5], "padding": "same"}
FSRCNN_ = {"channels": 1, "scale": 2, "features": 8, "shrunk": 4, "mapping": 2, "mappingActivations": False}
ESPCN_ = {"channels": 1, "scale": 3, "features": [8, 6], "activation": "tanh"}
VDSR_ = {"channels": 1, "features": 6, "layers": 4, "bias": False}
VGG_ = {"channels": 3, "features": [4, 6], "convolutions": [2, 1], "batchNormalization": False, "classes": 0,
        "hidden": 4096, "origin": "pytorch"}
PATCH = {"channels": 3, "features": 4, "layers": 2, "batchNormalization": False}

# Case: configuration, height and width of the input. Where a network takes any size, it is odd.
# Cases "wide" have channel counts at and beside the block sizes of the engine (8 and 16).
CASES = {
    "plain-cae.same": (PLAIN, (20, 28)),
    "plain-cae.odd": (PLAIN, (17, 13)),
    "plain-cae.valid": ({**PLAIN, "padding": "valid"}, (24, 19)),
    "plain-cae.wide": ({**PLAIN, "channels": 3, "features": [8, 16, 17]}, (24, 32)),
    "plain-cae.elu-5": ({**PLAIN, "kernel": 5, "activation": "elu", "features": [4, 5, 6]}, (16, 12)),
    "plain-cae.two-levels": ({**PLAIN, "features": [5, 7]}, (14, 18)),
    "residual-cae.default": (RESIDUAL, (16, 20)),
    "residual-cae.odd": (RESIDUAL, (17, 13)),
    "residual-cae.residual": ({**RESIDUAL, "residual": True}, (18, 14)),
    "residual-cae.wide": ({**RESIDUAL, "features": [9, 16]}, (36, 44)),
    "residual-cae.gray": ({**RESIDUAL, "channels": 1, "residual": True}, (12, 34)),
    "fusion-cae.x2": (FUSION, (18, 14)),
    "fusion-cae.x3": ({**FUSION, "scale": 3}, (14, 10)),
    "fusion-cae.x4": ({**FUSION, "scale": 4, "channels": 1}, (10, 12)),
    "fusion-cae.x1": ({**FUSION, "scale": 1}, (16, 22)),
    "fusion-cae.three-levels": ({**FUSION, "features": [4, 6, 8], "blocks": [2, 1, 2]}, (20, 12)),
    "fusion-cae.wide": ({**FUSION, "features": [8, 16], "blocks": [1, 1]}, (26, 22)),
    "srcnn.9-1-5": ({**SRCNN_, "kernels": [9, 1, 5]}, (17, 13)),
    "srcnn.9-3-5": ({**SRCNN_, "kernels": [9, 3, 5]}, (17, 13)),
    "srcnn.9-5-5": (SRCNN_, (17, 13)),
    "srcnn.9-5-5-valid": ({**SRCNN_, "padding": "valid"}, (29, 31)),
    "srcnn.wide": ({**SRCNN_, "channels": 3, "filters": [16, 9], "kernels": [9, 3, 5]}, (30, 41)),
    "fsrcnn.x2": (FSRCNN_, (17, 13)),
    "fsrcnn.x3": ({**FSRCNN_, "scale": 3}, (17, 13)),
    "fsrcnn.x4": ({**FSRCNN_, "scale": 4, "channels": 3}, (9, 11)),
    "fsrcnn.paper": ({**FSRCNN_, "mapping": 3, "mappingActivations": True}, (17, 13)),
    "fsrcnn.wide": ({**FSRCNN_, "scale": 3, "features": 24, "shrunk": 12, "mapping": 4}, (21, 18)),
    "espcn.x3": (ESPCN_, (17, 13)),
    "espcn.x2": ({**ESPCN_, "scale": 2, "channels": 3, "activation": "relu"}, (17, 13)),
    "espcn.x4": ({**ESPCN_, "scale": 4}, (9, 11)),
    "espcn.four-layers": ({**ESPCN_, "features": [8, 8, 6], "activation": "relu"}, (17, 13)),
    "espcn.wide": ({**ESPCN_, "features": [16, 17]}, (20, 21)),
    "vdsr.no-bias": (VDSR_, (17, 13)),
    "vdsr.bias": ({**VDSR_, "channels": 3, "bias": True}, (17, 13)),
    "vdsr.wide": ({**VDSR_, "features": 16, "layers": 6}, (40, 33)),
    "vgg.two-levels": (VGG_, (17, 13)),
    "vgg.normalised": ({**VGG_, "batchNormalization": True, "convolutions": [1, 2]}, (20, 18)),
    "patch-discriminator.default": (PATCH, (33, 29)),
    "patch-discriminator.normalised": ({**PATCH, "channels": 1, "layers": 3, "batchNormalization": True}, (48, 40)),
    "fusion-cae.sequence": (SEQUENCE, (18, 14)),
    "fusion-cae.sequence-refine": ({**SEQUENCE, "channels": 1, "scale": 1, "features": [9], "blocks": [1], "gate": 8},
                                   (20, 26)),
    "fusion-cae.sequence-ungated": ({**SEQUENCE, "scale": 3, "blocks": [1], "convolutions": 4, "gate": 0}, (17, 13)),
}

LIMIT = 60_000  # bytes a file: fixtures are for ever in the repository


def randomise(network):
    """He's initialisation with biases, and slopes of PReLU of both signs."""
    for module in network.modules():
        if isinstance(module, nn.PReLU):
            nn.init.uniform_(module.weight, -0.3, 0.9)
        elif isinstance(module, nn.BatchNorm2d):
            nn.init.uniform_(module.weight, 0.5, 1.5)
            nn.init.normal_(module.bias, std=0.2)
            nn.init.normal_(module.running_mean, std=0.2)
            nn.init.uniform_(module.running_var, 0.5, 1.5)
        elif isinstance(module, (nn.Conv2d, nn.ConvTranspose2d)):
            transposed = isinstance(module, nn.ConvTranspose2d)
            fan = module.weight[0].numel() if not transposed else (
                module.in_channels * module.weight[0, 0].numel() / module.stride[0] ** 2)
            nn.init.normal_(module.weight, std=(1.5 / fan) ** 0.5)
            if module.bias is not None:
                nn.init.normal_(module.bias, std=0.2)


@torch.no_grad()
def export(case, configuration, size, seed):
    torch.manual_seed(seed)
    network = NETWORKS[case.split(".")[0]](**configuration).eval()
    randomise(network)
    weights = {name: value.contiguous().clone() for name, value in network.state_dict().items()}
    if configuration.get("mappingActivations"):
        weights = {FSRCNN.paper_name(name, configuration["mapping"]): value
                   for name, value in weights.items()}
    # Two pictures in the first case of each architecture: a batch is not one tall picture.
    count = 2 if case in ("plain-cae.same", "residual-cae.default", "fusion-cae.x2") else 1
    x = torch.rand(count, configuration["channels"], *size)
    single = network(x)
    y = network.double()(x.double()).float()
    difference = (single - y).abs().max() / y.abs().max()
    # The engine is held to 1e-5: the network must be so well behaved that float32 leaves room.
    assert difference < 3e-6, f"{case}: float32 and float64 differ by {difference}"
    assert y.std() > 0.02, f"{case}: the output hardly varies"
    folder = HERE / case
    folder.mkdir(exist_ok=True)
    (folder / "configuration.json").write_text(json.dumps(configuration) + "\n")
    torch.save(collections.OrderedDict(weights), folder / "weights.pt")
    torch.save({"input": x, "output": y}, folder / "example.pt")
    for file in folder.iterdir():
        assert file.stat().st_size <= LIMIT, f"{file}: {file.stat().st_size} bytes"
    print(f"{case:31} {sum(v.numel() for v in weights.values()):6} parameters  "
          f"{list(x.shape)} -> {list(y.shape)}  largest {y.abs().max():.2f}")


if __name__ == "__main__":
    torch.set_num_threads(1)
    for seed, (case, (configuration, size)) in enumerate(CASES.items()):
        if not sys.argv[1:] or case in sys.argv[1:]:
            export(case, configuration, size, seed)
