"""Classic networks as people write them themselves, for zoo.py: the layers of the papers under names of
their own, in the order in which a class makes them. Nothing but order and shapes tells what they are."""
import torch
from torch import nn
from torch.nn import functional as F

from zoo_networks import Case, reflected


def own(network, label, build, **members):
    # Back to PyTorch they go under the architecture's names.
    return Case(f"own-{network}", label, "self-made", build, name=network, loses=True, **members)


class ThreeLayers(nn.Module):
    def __init__(self, channels=1, widths=(16, 8), kernels=(9, 5, 5)):
        super().__init__()
        first, second, third = kernels
        self.extract = nn.Sequential(nn.Conv2d(channels, widths[0], first, padding=first // 2), nn.ReLU())
        self.mapping = nn.Sequential(nn.Conv2d(widths[0], widths[1], second, padding=second // 2), nn.ReLU())
        self.rebuild = nn.Conv2d(widths[1], channels, third, padding=third // 2)

    def forward(self, x):
        return self.rebuild(self.mapping(self.extract(x)))


class Deep(nn.Module):
    """All blocks are made before the first layer and the last."""
    def __init__(self, channels=1, features=12, layers=9):
        super().__init__()
        self.blocks = nn.Sequential(*[
            nn.Sequential(nn.Conv2d(features, features, 3, padding=1, bias=False), nn.ReLU())
            for _ in range(layers - 2)])
        self.head = nn.Conv2d(channels, features, 3, padding=1, bias=False)
        self.tail = nn.Conv2d(features, channels, 3, padding=1, bias=False)

    def forward(self, x):
        return x + self.tail(self.blocks(F.relu(self.head(x))))


class Fast(nn.Module):
    def __init__(self, scale=2, d=20, s=6, m=3):
        super().__init__()
        self.first = nn.Sequential(nn.Conv2d(1, d, 5, padding=2), nn.PReLU(d))
        middle = [nn.Conv2d(d, s, 1), nn.PReLU(s)]
        for _ in range(m):
            middle += [nn.Conv2d(s, s, 3, padding=1), nn.PReLU(s)]
        self.middle = nn.Sequential(*middle, nn.Conv2d(s, d, 1), nn.PReLU(d))
        self.enlarge = nn.ConvTranspose2d(d, 1, 9, scale, 4, scale - 1)

    def forward(self, x):
        return self.enlarge(self.middle(self.first(x)))


class Denoiser(nn.Module):
    def __init__(self, channels=1, features=12, layers=9):
        super().__init__()
        parts = [nn.Conv2d(channels, features, 3, padding=1, bias=False), nn.ReLU()]
        for _ in range(layers - 2):
            parts += [nn.Conv2d(features, features, 3, padding=1, bias=False), nn.BatchNorm2d(features), nn.ReLU()]
        self.body = nn.Sequential(*parts, nn.Conv2d(features, channels, 3, padding=1, bias=False))

    def forward(self, x):
        return x - self.body(x)


class Twice(nn.Module):
    def __init__(self, inputs, outputs, normalises):
        super().__init__()
        parts = []
        for features in inputs, outputs:
            parts.append(nn.Conv2d(features, outputs, 3, padding=1, bias=not normalises))
            parts += [nn.BatchNorm2d(outputs)] * normalises + [nn.ReLU()]
        self.conv = nn.Sequential(*parts)

    def forward(self, x):
        return self.conv(x)


class Levels(nn.Module):
    """What goes up is made before what goes down."""
    def __init__(self, channels=3, widths=(6, 10, 14), normalises=True):
        super().__init__()
        self.ups, self.downs = nn.ModuleList(), nn.ModuleList()
        for inputs, outputs in zip((channels, *widths), widths):
            self.downs.append(Twice(inputs, outputs, normalises))
        deepest = 2 * widths[-1]
        for inputs, outputs in zip((deepest, *reversed(widths)), reversed(widths)):
            self.ups.append(nn.ConvTranspose2d(inputs, outputs, 2, 2))
            self.ups.append(Twice(2 * outputs, outputs, normalises))
        self.bottleneck = Twice(widths[-1], deepest, normalises)
        self.last = nn.Conv2d(widths[0], channels, 1)

    def forward(self, x):
        skips = []
        for down in self.downs:
            x = down(x)
            skips.append(x)
            x = F.max_pool2d(x, 2)
        x = self.bottleneck(x)
        for place in range(0, len(self.ups), 2):
            x = self.ups[place + 1](torch.cat([skips.pop(), self.ups[place](x)], 1))
        return self.last(x)


class Shuffled(nn.Module):
    def __init__(self, activation, channels=1, scale=3):
        super().__init__()
        self.maps = nn.Sequential(
            nn.Conv2d(channels, 12, 5, padding=2), activation(), nn.Conv2d(12, 8, 3, padding=1), activation())
        self.pixels = nn.Sequential(
            nn.Conv2d(8, channels * scale ** 2, 3, padding=1), nn.PixelShuffle(scale))

    def forward(self, x):
        return self.pixels(self.maps(x))


def cases():
    # An image that is not enlarged first.
    same = ("--scale", "1")
    yield own("srcnn", "9-5-5", ThreeLayers, channels=1, run=same)
    yield own(
        "srcnn", "colour-9-1-5", lambda: ThreeLayers(3, (10, 6), (9, 1, 5)), channels=3, run=same)
    yield own("vdsr", "9-layers", Deep, channels=1, run=same)
    yield own("vdsr", "colour-12", lambda: Deep(3, 8, 12), channels=3, run=same)
    for scale in 2, 4:
        yield own(
            "fsrcnn", f"x{scale}", lambda scale=scale: Fast(scale), channels=1, config={"scale": scale})
    yield own("dncnn", "9-layers", Denoiser, channels=1)
    yield own("dncnn", "colour-17", lambda: Denoiser(3, 8, 17), channels=3)
    for channels, widths, normalises in (3, (6, 10, 14), True), (1, (8, 12), False):
        yield own(
            "plain-unet", f"{len(widths) + 1}-levels",
            lambda channels=channels, widths=widths, normalises=normalises: Levels(
                channels, widths, normalises), channels=channels,
            forward=lambda module, image, multiple=2 ** len(widths): reflected(module, image, multiple, 1))
    for word, activation in ("tanh", nn.Tanh), ("relu", nn.ReLU):
        yield own(
            "espcn", word, lambda activation=activation: Shuffled(activation), channels=1,
            config={"activation": word})
