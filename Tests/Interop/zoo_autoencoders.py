"""Autoencoders and U-Nets as people write them, for zoo.py: modules of PyTorch's own layers, under the names
of the common sources and of plain sequences. All are `self-made`."""
import torch
from torch import nn
from torch.nn import functional as F

from zoo_networks import Case, replicated


class Double(nn.Module):
    """Two convolutions with their normalisations, in a sequence of this name."""
    def __init__(self, name, first, last, middle=None):
        super().__init__()
        middle = middle or last
        setattr(self, name, nn.Sequential(
            nn.Conv2d(first, middle, 3, padding=1, bias=False), nn.BatchNorm2d(middle), nn.ReLU(),
            nn.Conv2d(middle, last, 3, padding=1, bias=False), nn.BatchNorm2d(last), nn.ReLU()))
        self.name = name

    def forward(self, x):
        return getattr(self, self.name)(x)


class In(nn.Module):
    def __init__(self, first, last):
        super().__init__()
        self.conv = Double("conv", first, last)

    def forward(self, x):
        return self.conv(x)


class Down(nn.Module):
    def __init__(self, name, inner, first, last):
        super().__init__()
        setattr(self, name, nn.Sequential(nn.MaxPool2d(2), Double(inner, first, last)))
        self.name = name

    def forward(self, x):
        return getattr(self, self.name)(x)


class Up(nn.Module):
    def __init__(self, inner, first, last, bilinear):
        super().__init__()
        if bilinear:
            self.up = nn.Upsample(scale_factor=2, mode="bilinear", align_corners=True)
            self.conv = Double(inner, first, last, first // 2)
        else:
            self.up = nn.ConvTranspose2d(first, first // 2, 2, stride=2)
            self.conv = Double(inner, first, last)

    def forward(self, x, skip):
        return self.conv(torch.cat([skip, self.up(x)], 1))


class Out(nn.Module):
    def __init__(self, first, last):
        super().__init__()
        self.conv = nn.Conv2d(first, last, 1)

    def forward(self, x):
        return self.conv(x)


class UNet(nn.Module):
    """The U-Net of milesial's repository, of any number of levels and in both of its sets of names."""
    def __init__(self, channels, width, levels, bilinear=False, old=False):
        super().__init__()
        inner, down = ("conv", "mpconv") if old else ("double_conv", "maxpool_conv")
        widths = [width << level for level in range(levels)]
        if bilinear:
            widths[-1] //= 2
        self.inc = In(channels, width) if old else Double(inner, channels, width)
        for level in range(1, levels):
            setattr(self, f"down{level}", Down(down, inner, widths[level - 1], widths[level]))
        for step, level in enumerate(reversed(range(levels - 1)), 1):
            joined = 2 * widths[level] if bilinear else widths[level + 1]
            last = widths[max(level - 1, 0)] if bilinear else widths[level]
            setattr(self, f"up{step}", Up(inner, joined, last, bilinear))
        self.outc = Out(width, channels)
        self.levels = levels

    def forward(self, image):
        values = [self.inc(image)]
        for level in range(1, self.levels):
            values.append(getattr(self, f"down{level}")(values[-1]))
        x = values.pop()
        for step in range(1, self.levels):
            x = getattr(self, f"up{step}")(x, values.pop())
        return self.outc(x)


class Pair(nn.Module):
    """An encoder and a decoder, each a sequence."""
    def __init__(self, encoder, decoder):
        super().__init__()
        self.encoder, self.decoder = nn.Sequential(*encoder), nn.Sequential(*decoder)

    def forward(self, image):
        return self.decoder(self.encoder(image))


def strided(channels, widths):
    encoder, decoder = [], []
    for first, second in zip([channels, *widths], widths):
        encoder += [nn.Conv2d(first, second, 3, stride=2, padding=1), nn.ReLU()]
        decoder = [nn.ConvTranspose2d(second, first, 3, stride=2, padding=1, output_padding=1),
                   nn.ReLU(), *decoder]
    return Pair(encoder, [*decoder[:-1], nn.Sigmoid()])


def pooled(channels, widths):
    encoder, decoder = [], []
    for first, second in zip([channels, *widths], widths):
        encoder += [nn.Conv2d(first, second, 5, padding=2), nn.ELU(), nn.AvgPool2d(2)]
        decoder = [nn.ConvTranspose2d(second, first, 2, stride=2), nn.ELU(), *decoder]
    return Pair(encoder, decoder[:-1])


def normalized(channels, widths):
    encoder, decoder = [], []
    for first, second in zip([channels, *widths], widths):
        encoder += [nn.Conv2d(first, second, 4, stride=2, padding=1), nn.BatchNorm2d(second),
                    nn.LeakyReLU(0.2)]
        decoder = [nn.ConvTranspose2d(second, first, 4, stride=2, padding=1), nn.BatchNorm2d(first),
                   nn.LeakyReLU(0.2), *decoder]
    return Pair(encoder, [*decoder[:-2], nn.Tanh()])


class Level(nn.Module):
    """Convolutions, each with a group normalisation and SiLU."""
    def __init__(self, first, width, count, groups):
        super().__init__()
        self.count = count
        for i in range(count):
            setattr(self, f"conv{i}", nn.Conv2d(first if i == 0 else width, width, 3, padding=1))
            setattr(self, f"norm{i}", nn.GroupNorm(groups, width))

    def forward(self, x):
        for i in range(self.count):
            x = F.silu(getattr(self, f"norm{i}")(getattr(self, f"conv{i}")(x)))
        return x


class Resized(nn.Module):
    """Under Aviary's own names: enlarged by interpolation, and with skips that are added."""
    def __init__(self, channels, widths, groups):
        super().__init__()
        self.encoder = nn.ModuleList([
            Level(first, width, 2, groups) for first, width in zip([channels, *widths], widths)])
        self.decoder = nn.ModuleList()
        for first, width in reversed(list(zip(widths[1:], widths))):
            level = Level(width, width, 1, groups)
            level.upconv = nn.Conv2d(first, width, 3, padding=1)
            level.upnorm = nn.GroupNorm(groups, width)
            self.decoder.append(level)
        self.output = nn.Conv2d(widths[0], channels, 3, padding=1)

    def forward(self, image):
        x, skips = image, []
        for level, part in enumerate(self.encoder):
            x = part(x if level == 0 else F.max_pool2d(x, 2))
            skips.append(x)
        skips.pop()
        for part in self.decoder:
            x = F.interpolate(x, scale_factor=2, mode="nearest")
            x = part(F.silu(part.upnorm(part.upconv(x))) + skips.pop())
        return self.output(x) + image


def cases():
    def case(label, build, multiple, channels=3, **config):
        return Case(
            "autoencoder", label, "self-made", build, channels=channels, config=config or None,
            forward=replicated(lambda module, image: module(image), multiple))

    yield case("unet", lambda: UNet(3, 8, 3), 4, outputActivation="none")
    yield case("unet-old-gray", lambda: UNet(1, 12, 4, old=True), 8, channels=1, outputActivation="none")
    yield case("unet-bilinear", lambda: UNet(3, 8, 4, bilinear=True), 8, outputActivation="none")
    yield case("strided", lambda: strided(3, [8, 16, 12]), 8)
    yield case("pooled", lambda: pooled(1, [12, 6]), 4, channels=1, activation="elu",
               downsampling="average", outputActivation="none")
    yield case("normalized", lambda: normalized(3, [8, 16]), 4, activation="leaky-relu", slope=0.2,
               outputActivation="tanh")
    yield case("resized", lambda: Resized(3, [8, 16, 24], 4), 4, activation="silu", skips="add", groups=4,
               residual=True, outputActivation="none")
