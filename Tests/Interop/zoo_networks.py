"""The networks that zoo.py holds against Aviary, each by its reference's own code: spandrel, resselt, basicsr
and torchsr. Those of `self-made` are written here from the original sources' facts."""
import contextlib
import dataclasses
import importlib
import importlib.util
import io
import sys
import types
import typing

import torch
from torch import nn
from torch.nn import functional as F


@dataclasses.dataclass
class Case:
    network: str
    label: str
    source: str
    build: typing.Callable[[], nn.Module]
    forward: typing.Callable = lambda module, image: module(image)
    channels: int = 3
    #: What white is to the network: images from 0 to 1 are given to it times this.
    range: float = 1.0
    tolerance: float = 1e-5
    sizes: list | None = None
    #: How many images gradients are of: several where a single pixel is normalised over a batch.
    batch: int = 1
    #: Members of the configuration that no file shows.
    config: dict | None = None
    run: tuple = ()
    rename: typing.Callable = lambda name: name
    keep: typing.Callable = lambda name: True
    prepare: typing.Callable | None = None
    #: Layers are folded on import, or tensors are passed over: the way back gives others.
    folds: bool = False
    loses: bool = False
    #: Buffers that follow from the rest, by name: Aviary calculates them anew.
    derived: typing.Callable = lambda name: False
    name: str | None = None

    @property
    def architecture(self):
        return self.name or self.network


def spandrel(path, name):
    return getattr(importlib.import_module(f"spandrel.architectures.{path}"), name)


def basicsr(module, name):
    """A network of basicsr, without what the whole package imports: image libraries and old names of
    torchvision's."""
    if "basicsr" not in sys.modules:
        folder = importlib.util.find_spec("basicsr").submodule_search_locations[0]
        for package in "basicsr", "basicsr.archs", "basicsr.utils", "basicsr.ops":
            stub = types.ModuleType(package)
            stub.__path__ = ["/".join([folder, *package.split(".")[1:]])]
            sys.modules[package] = stub
        sys.modules["basicsr.utils"].get_root_logger = lambda: None
        deformable = types.ModuleType("basicsr.ops.dcn")
        deformable.ModulatedDeformConvPack = deformable.modulated_deform_conv = object
        sys.modules["basicsr.ops.dcn"] = deformable
    return getattr(importlib.import_module(f"basicsr.archs.{module}"), name)


def reflected(module, image, multiple, scale):
    """As spandrel pads: mirrored at the bottom and right, and cut again."""
    height, width = image.shape[2:]
    padded = F.pad(image, (0, -width % multiple, 0, -height % multiple), "reflect")
    return module(padded)[:, :, :height * scale, :width * scale]


def torchsr(module, name):
    return getattr(importlib.import_module(f"torchsr.models.{module}"), name)


def resselt(module, name):
    """A network of resselt's. Its DySample pins memory, which takes an accelerator; spandrel's is the same
    without."""
    found = importlib.import_module(f"resselt.archs.{module}.arch")
    if hasattr(found, "DySample"):
        found.DySample = importlib.import_module(
            "spandrel.architectures.__arch_helpers.dysample").DySample
    return getattr(found, name)


def restore_positions(module):
    """The buffers that DySample's distances are from, as every file has them."""
    for part in module.modules():
        if hasattr(part, "init_pos"):
            with torch.no_grad():
                part.init_pos.copy_(part._init_pos())


#: xinntao's own names, by those of BasicSR.
ESRGAN_NAMES = {
    "conv_body": "trunk_conv", "conv_up1": "upconv1", "conv_up2": "upconv2", "conv_hr": "HRconv",
    ".rdb": ".RDB",
}


def esrgan_name(name):
    if name.startswith("body."):
        name = "RRDB_trunk." + name[5:]
    for new, old in ESRGAN_NAMES.items():
        name = name.replace(new, old)
    return name


def esrgan():
    def basic(label, scale, features=16, blocks=2, growth=8, channels=3, **members):
        unshuffle = {2: 2, 1: 4}.get(scale, 1)
        # BasicSR itself undoes no padding, and wants a multiple.
        return Case(
            "esrgan", label, "basicsr",
            lambda: basicsr("rrdbnet_arch", "RRDBNet")(
                channels, channels, scale, features, blocks, growth),
            forward=lambda module, image: reflected(module, image, unshuffle, scale),
            channels=channels, **members)

    def old(label, scale, features=16, blocks=2, channels=3, unshuffle=None, **members):
        return Case(
            "esrgan", label, "spandrel",
            lambda: spandrel("ESRGAN", "ESRGAN")(
                in_nc=channels * (unshuffle or 1) ** 2, out_nc=channels, num_filters=features,
                num_blocks=blocks, scale=scale, shuffle_factor=unshuffle, plus=members.get("plus", False)),
            channels=channels, config=members.get("config"))

    yield basic("basicsr-x4", 4)
    yield basic("basicsr-x2", 2, features=24, blocks=1, growth=4)
    yield basic("basicsr-x1-gray", 1, features=12, blocks=3, channels=1)
    yield basic("esrgan-x4", 4, blocks=3, rename=esrgan_name)
    yield old("old-x4", 4)
    yield old("old-x1-gray", 1, features=8, blocks=3, channels=1)
    yield old("old-x8", 8, features=8, blocks=1)
    yield old("old-x2-plus", 2, blocks=2, plus=True)
    yield old("old-x2-unshuffle", 4, features=8, unshuffle=2)
    yield old("old-x3", 3, features=8, blocks=1, config={"scale": 3})
    yield basic("basicsr-x4-rgba", 4, features=8, channels=4)
    yield Case(
        "esrgan", "old-x2-gray-to-rgb", "spandrel",
        lambda: spandrel("ESRGAN", "ESRGAN")(in_nc=1, out_nc=3, num_filters=8, num_blocks=2, scale=2),
        channels=1)
    yield Case(
        "esrgan", "old-x4-rgba", "spandrel",
        lambda: spandrel("ESRGAN", "ESRGAN")(in_nc=4, out_nc=4, num_filters=12, num_blocks=1, scale=4),
        channels=4)
    yield Case(
        "esrgan", "deep", "basicsr",
        lambda: basicsr("rrdbnet_arch", "RRDBNet")(3, 3, 4, 8, 20, 4), tolerance=1e-4)


def compact():
    def case(label, **members):
        config = {"relu": {"activation": "relu"}, "leakyrelu": {"activation": "leaky-relu"}}
        return Case(
            "compact", label, "spandrel",
            lambda: spandrel("Compact", "Compact")(
                **{"num_feat": 12, "num_conv": 4, **members}),
            channels=members.get("num_in_ch", 3), config=config.get(members.get("act_type")))

    yield case("x4")
    yield case("x2-gray", upscale=2, num_in_ch=1, num_out_ch=1, num_conv=2)
    yield case("x1", upscale=1, num_feat=16, num_conv=3)
    yield case("x3-relu", upscale=3, act_type="relu")
    yield case("x2-leaky", upscale=2, act_type="leakyrelu", num_feat=8)


def span():
    def case(label, **members):
        members = {"num_in_ch": 3, "num_out_ch": 3, "feature_channels": 12, **members}
        return Case(
            "span", label, "spandrel", lambda: spandrel("SPAN", "SPAN")(**members),
            channels=members["num_in_ch"], folds=True, prepare=widened)

    def widened(module):
        # The mean is a plain attribute, which .double() passes over.
        module.mean = module.mean.double()
        if module.no_norm is None:
            # Trained weights take the values up to 255 down again; else not even PyTorch's own float32
            # comes nearer to its float64 than 1e-4.
            with torch.no_grad():
                for part in module.conv_1.sk, module.conv_1.conv[2]:
                    part.weight.div_(255)

    yield case("x4")
    yield case("x2-plain", upscale=2, norm=False, feature_channels=16)
    yield case("x1-plain-gray", upscale=1, norm=False, num_in_ch=1, num_out_ch=1)
    yield case("x3", upscale=3, feature_channels=8)


def edsr():
    def torch_edsr(label, blocks, features, scale, residual=1.0):
        return Case(
            "edsr", label, "torchsr",
            lambda: torchsr("edsr", "EDSR")(blocks, features, scale, residual),
            range=255.0, prepare=restore_means(255),
            config=None if residual == 1 else {"residualScale": residual})

    def basic(label, **members):
        members = {"num_in_ch": 3, "num_out_ch": 3, "num_feat": 12, "num_block": 2, **members}
        residual = members.get("res_scale", 1)
        return Case(
            "edsr", label, "basicsr", lambda: basicsr("edsr_arch", "EDSR")(**members),
            prepare=lambda module: setattr(module, "mean", module.mean.double()),
            config=None if residual == 1 else {"residualScale": residual})

    yield torch_edsr("x2", 2, 12, 2)
    yield torch_edsr("x3-scaled", 3, 16, 3, 0.1)
    yield torch_edsr("x4", 1, 8, 4)
    yield basic("basicsr-x4", upscale=4)
    yield basic("basicsr-x3-scaled", upscale=3, res_scale=0.1, num_block=3)


def restore_means(white, names=("sub_mean", "add_mean")):
    """Puts back the biases by which a file tells its range of values."""
    def prepare(module):
        mean = torch.tensor([0.4488, 0.4371, 0.4040]) * white
        with torch.no_grad():
            for name, sign in zip(names, (-1, 1)):
                module.get_submodule(name).bias.copy_(sign * mean)
    return prepare


def rcan():
    def case(label, unshuffle=1, **members):
        members = {"n_resgroups": 2, "n_resblocks": 2, "n_feats": 16, "reduction": 4, **members}
        normed = members.get("norm", True)
        if unshuffle > 1:
            members["unshuffle_mod"] = True
        return Case(
            "rcan", label, "spandrel", lambda: spandrel("RCAN", "RCAN")(**members),
            range=255.0 if normed else 1.0,
            # It multiplies its input in place.
            forward=lambda module, image: module(image.clone()),
            prepare=restore_means(255) if normed else None)

    yield case("x4")
    yield case("x2-plain", scale=2, norm=False, n_resgroups=1, n_resblocks=3)
    yield case("x3", scale=3, n_feats=8, reduction=2)
    yield case("x2-plain-unshuffle", unshuffle=2, scale=2, norm=False)
    yield Case(
        "rcan", "basicsr-x4", "basicsr",
        lambda: basicsr("rcan_arch", "RCAN")(
            3, 3, num_feat=16, num_group=2, num_block=2, squeeze_factor=4, upscale=4),
        prepare=lambda module: setattr(module, "mean", module.mean.double()))


def srresnet():
    def case(label, rename=lambda name: name, **members):
        members = {"num_feat": 12, "num_block": 2, **members}
        return Case(
            "srresnet", label, "basicsr", lambda: basicsr("srresnet_arch", "MSRResNet")(**members),
            channels=members.get("num_in_ch", 3), rename=rename, loses=rename("body.0.") != "body.0.")

    def kair(name):
        return name.replace("body.", "recon_trunk.").replace("conv_hr", "HRconv")

    yield case("x4")
    yield case("x2-gray", upscale=2, num_in_ch=1, num_out_ch=1)
    yield case("x3", upscale=3, num_feat=8, num_block=3)
    yield case("kair-x4", rename=kair, num_block=1)


def carn():
    def case(label, name, scale, multi_scale=True):
        def build():
            module = torchsr("carn", name)(scale)
            if not multi_scale:
                module.upsample = torchsr("carn", "UpsampleBlock")(
                    64, scale, multi_scale=False, group=4 if name == "CARNM" else 1)
            return module
        return Case(
            "carn", label, "torchsr", build, forward=lambda module, image: module(image, scale),
            loses=multi_scale, config={"scale": scale} if multi_scale else None)
    yield case("x2", "CARN", 2, False)
    yield case("x3", "CARN", 3, False)
    yield case("x4-multi", "CARN", 4)
    yield case("m-x2-multi", "CARNM", 2)
    yield case("m-x4", "CARNM", 4, False)


def denoisers():
    def dncnn(label, **members):
        members = {"in_nc": 1, "out_nc": 1, "nc": 12, "nb": 8, "act_mode": "R", **members}
        return Case(
            "dncnn", label, "spandrel", lambda: spandrel("DnCNN", "DnCNN")(**members),
            channels=members["in_nc"])

    yield dncnn("gray")
    yield dncnn("colour-17", in_nc=3, out_nc=3, nb=17, nc=8)
    yield dncnn("normalised", act_mode="BR", nb=9)
    yield dncnn("normalised-colour", act_mode="BR", in_nc=3, out_nc=3, nc=16)

    def with_noise(module, image, level=15):
        noise = torch.full_like(image[:, :1], level / 255)
        return module(torch.cat([image, noise], 1))

    for channels, layers in (1, 5), (3, 8):
        yield Case(
            "fdncnn", f"{channels}-channels", "spandrel",
            lambda channels=channels, layers=layers: spandrel("DnCNN", "DnCNN")(
                in_nc=channels + 1, out_nc=channels, nc=12, nb=layers, act_mode="R", mode="FDnCNN"),
            channels=channels, forward=with_noise)
    yield Case(
        "fdncnn", "noise-40", "spandrel",
        lambda: spandrel("DnCNN", "DnCNN")(
            in_nc=2, out_nc=1, nc=8, nb=4, act_mode="R", mode="FDnCNN"), channels=1,
        forward=lambda module, image: with_noise(module, image, 40), config={"noise": 40})

    for channels in 1, 3:
        yield Case(
            "drunet", f"{channels}-channels", "spandrel",
            lambda channels=channels: spandrel("DRUNet", "DRUNet")(
                in_nc=channels + 1, out_nc=channels, nc=[8, 12, 16, 20], nb=channels + 1,
                act_mode="R", downsample_mode="strideconv", upsample_mode="convtranspose"),
            channels=channels, forward=replicated(with_noise, 8))

    for channels, dilated in (1, True), (3, True):
        yield Case(
            "ircnn", f"{channels}-channels", "self-made",
            lambda channels=channels: Chain(ircnn_layers(channels, 12)), channels=channels,
            forward=lambda module, image: image - module(image))

    def ffdnet(module, image, level=15):
        small = F.pixel_unshuffle(image, 2)
        return F.pixel_shuffle(with_noise(module, small, level), 2)

    for channels, layers in (1, 5), (3, 4):
        yield Case(
            "ffdnet", f"{channels}-channels", "self-made",
            lambda channels=channels, layers=layers: Chain(
                chain(4 * channels + 1, 12, 4 * channels, layers)),
            channels=channels, forward=replicated(ffdnet, 2))


def replicated(forward, multiple):
    def padded(module, image):
        height, width = image.shape[2:]
        image = F.pad(image, (0, -width % multiple, 0, -height % multiple), "replicate")
        return forward(module, image)[:, :, :height, :width]
    return padded


class Chain(nn.Module):
    """Modules in a row under the name `model`, as KAIR has them."""
    def __init__(self, layers):
        super().__init__()
        self.model = nn.Sequential(*layers)

    def forward(self, image):
        return self.model(image)


def chain(channels, features, out, layers):
    widths = [channels] + [features] * (layers - 1) + [out]
    parts = []
    for first, second in zip(widths, widths[1:]):
        parts += [nn.Conv2d(first, second, 3, padding=1), nn.ReLU()]
    return parts[:-1]


def ircnn_layers(channels, features):
    dilations = [1, 2, 3, 4, 3, 2, 1]
    widths = [channels] + [features] * 6 + [channels]
    parts = []
    for first, second, dilation in zip(widths, widths[1:], dilations):
        parts += [nn.Conv2d(first, second, 3, padding=dilation, dilation=dilation), nn.ReLU()]
    return parts[:-1]


def rdn():
    def case(label, *members):
        return Case("rdn", label, "torchsr", lambda: torchsr("rdn", "RDN")(*members))
    # Scale, features, blocks, layers, growth.
    yield case("x2", 2, 12, 3, 2, 12)
    yield case("x3", 3, 16, 2, 3, 8)
    yield case("x4", 4, 8, 2, 2, 8)


def swift_srgan():
    def case(label, **members):
        members = {"num_channels": 12, "num_blocks": 2, **members}
        return Case(
            "swift-srgan", label, "spandrel",
            lambda: spandrel("SwiftSRGAN", "SwiftSRGAN")(**members), loses=True,
            channels=members.get("in_channels", 3))
    yield case("x4")
    yield case("x2", upscale_factor=2, num_blocks=1)
    yield case("x8-gray", upscale_factor=8, in_channels=1, num_channels=8)


def real_cugan():
    def case(label, name, **members):
        return Case(
            "real-cugan", label, "spandrel", lambda: cugan(name)(**members),
            # The reference wants a multiple of the fast kind.
            sizes=[(40, 48), (44, 52) if "fast" in name else (43, 41)],
            loses=members.get("pro", False))

    def cugan(name):
        return getattr(importlib.import_module(
            "spandrel.architectures.RealCUGAN.__arch.upcunet_v3"), name)
    yield case("x2", "UpCunet2x")
    yield case("x3", "UpCunet3x")
    yield case("x4", "UpCunet4x")
    yield case("fast-x2", "UpCunet2x_fast")
    yield case("pro-x2", "UpCunet2x", pro=True)


def row(*parts):
    return nn.Sequential(*parts)


def conv(first, second, kernel=3, **members):
    return nn.Conv2d(first, second, kernel, padding=kernel // 2, **members)


class ESA(nn.Module):
    def __init__(self, features, inner, long):
        super().__init__()
        self.conv1, self.conv4 = conv(features, inner, 1), conv(inner, features, 1)
        self.conv_f, self.conv3 = conv(inner, inner, 1), conv(inner, inner)
        self.conv2 = nn.Conv2d(inner, inner, 3, stride=2)
        if long:
            self.conv_max, self.conv3_ = conv(inner, inner), conv(inner, inner)
        self.long = long

    def forward(self, x):
        thin = self.conv1(x)
        deep = F.max_pool2d(self.conv2(thin), 7, 3)
        if self.long:
            deep = self.conv3_(F.relu(self.conv3(F.relu(self.conv_max(deep)))))
        else:
            deep = self.conv3(deep)
        deep = F.interpolate(deep, x.shape[2:], mode="bilinear", align_corners=False)
        return x * torch.sigmoid(self.conv4(deep + self.conv_f(thin)))


class RFDB(nn.Module):
    def __init__(self, features):
        super().__init__()
        for i in 1, 2, 3:
            setattr(self, f"c{i}_d", conv(features, features // 2, 1))
            setattr(self, f"c{i}_r", conv(features, features))
        self.c4, self.c5 = conv(features, features // 2), conv(features // 2 * 4, features, 1)
        self.esa = ESA(features, features // 4, True)

    def forward(self, x):
        act = lambda value: F.leaky_relu(value, 0.05)
        kept = []
        for i in 1, 2, 3:
            kept.append(act(getattr(self, f"c{i}_d")(x)))
            x = act(getattr(self, f"c{i}_r")(x) + x)
        return self.esa(self.c5(torch.cat([*kept, act(self.c4(x))], 1)))


class RFDN(nn.Module):
    def __init__(self, features, blocks, scale, channels):
        super().__init__()
        self.fea_conv = conv(channels, features)
        self.blocks = [f"B{i + 1}" for i in range(blocks)]
        for name in self.blocks:
            setattr(self, name, RFDB(features))
        self.c = row(conv(features * blocks, features, 1), nn.LeakyReLU(0.05))
        self.LR_conv = conv(features, features)
        self.upsampler = row(conv(features, channels * scale**2), nn.PixelShuffle(scale))

    def forward(self, image):
        first = x = self.fea_conv(image)
        all_ = []
        for name in self.blocks:
            x = getattr(self, name)(x)
            all_.append(x)
        return self.upsampler(self.LR_conv(self.c(torch.cat(all_, 1))) + first)


class RLFB(nn.Module):
    def __init__(self, features, inner, attention):
        super().__init__()
        self.c1_r, self.c2_r, self.c3_r = conv(features, inner), conv(inner, inner), conv(inner, features)
        self.c5, self.esa = conv(features, features, 1), ESA(features, attention, False)

    def forward(self, x):
        y = x
        for part in self.c1_r, self.c2_r, self.c3_r:
            y = F.leaky_relu(part(y), 0.05)
        return self.esa(self.c5(y + x))


class RLFN(nn.Module):
    def __init__(self, features, inner, attention, blocks, scale, channels):
        super().__init__()
        self.conv_1, self.conv_2 = conv(channels, features), conv(features, features)
        self.blocks = [f"block_{i + 1}" for i in range(blocks)]
        for name in self.blocks:
            setattr(self, name, RLFB(features, inner, attention))
        self.upsampler = row(conv(features, channels * scale**2), nn.PixelShuffle(scale))

    def forward(self, image):
        first = x = self.conv_1(image)
        for name in self.blocks:
            x = getattr(self, name)(x)
        return self.upsampler(self.conv_2(x) + first)


class IMDB(nn.Module):
    def __init__(self, features):
        super().__init__()
        part = features // 4
        self.part = part
        for i in 1, 2, 3:
            setattr(self, f"c{i}", conv(features if i == 1 else features - part, features))
        self.c4, self.c5 = conv(features - part, part), conv(features, features, 1)
        self.cca = nn.Module()
        self.cca.conv_du = row(
            conv(features, features // 16, 1), nn.ReLU(), conv(features // 16, features, 1), nn.Sigmoid())

    def forward(self, image):
        x, kept = image, []
        for i in 1, 2, 3:
            y = F.leaky_relu(getattr(self, f"c{i}")(x), 0.05)
            kept.append(y[:, :self.part])
            x = y[:, self.part:]
        y = torch.cat([*kept, self.c4(x)], 1)
        contrast = y.std((2, 3), keepdim=True, unbiased=False) + y.mean((2, 3), keepdim=True)
        return image + self.c5(y * self.cca.conv_du(contrast))


class IMDN(nn.Module):
    def __init__(self, features, blocks, scale, channels):
        super().__init__()
        self.fea_conv, self.LR_conv = conv(channels, features), conv(features, features)
        self.blocks = [f"IMDB{i + 1}" for i in range(blocks)]
        for name in self.blocks:
            setattr(self, name, IMDB(features))
        self.c = row(conv(features * blocks, features, 1), nn.LeakyReLU(0.05))
        self.upsampler = row(conv(features, channels * scale**2), nn.PixelShuffle(scale))

    def forward(self, image):
        first = x = self.fea_conv(image)
        all_ = []
        for name in self.blocks:
            x = getattr(self, name)(x)
            all_.append(x)
        return self.upsampler(self.LR_conv(self.c(torch.cat(all_, 1))) + first)


class MDSR(nn.Module):
    """Of EDSR-PyTorch: three scales."""
    def __init__(self, features, blocks):
        super().__init__()
        shift = lambda: nn.Conv2d(3, 3, 1)
        block = lambda kernel: EDSRBlock(features, kernel)
        self.sub_mean, self.add_mean = shift(), shift()
        self.head = row(conv(3, features))
        self.pre_process = nn.ModuleList([row(block(5), block(5)) for _ in range(3)])
        self.body = row(*[block(3) for _ in range(blocks)], conv(features, features))
        up = lambda factor: [conv(features, features * factor**2), nn.PixelShuffle(factor)]
        self.upsample = nn.ModuleList([row(*up(2)), row(*up(3)), row(*up(2), *up(2))])
        self.tail = row(conv(features, 3))

    def forward(self, image, position):
        x = self.pre_process[position](self.head(self.sub_mean(image * 255)))
        x = self.upsample[position](self.body(x) + x)
        return self.add_mean(self.tail(x)) / 255


class EDSRBlock(nn.Module):
    def __init__(self, features, kernel):
        super().__init__()
        self.body = row(conv(features, features, kernel), nn.ReLU(), conv(features, features, kernel))

    def forward(self, x):
        return x + self.body(x)


class LapSRN(nn.Module):
    def __init__(self, features, layers, levels, channels):
        super().__init__()
        up = lambda width: nn.ConvTranspose2d(width, width, 4, 2, 1, bias=False)
        self.conv_input = conv(channels, features, bias=False)
        self.levels = levels
        for level in range(1, levels + 1):
            parts = []
            for _ in range(layers):
                parts += [conv(features, features, bias=False), nn.LeakyReLU(0.2)]
            part = nn.Module()
            part.cov_block = row(*parts, up(features), nn.LeakyReLU(0.2))
            setattr(self, f"convt_F{level}", nn.ModuleList([part]))
            setattr(self, f"convt_I{level}", up(channels))
            setattr(self, f"convt_R{level}", conv(features, channels, bias=False))

    def forward(self, image):
        x = F.leaky_relu(self.conv_input(image), 0.2)
        for level in range(1, self.levels + 1):
            x = getattr(self, f"convt_F{level}")[0].cov_block(x)
            image = getattr(self, f"convt_I{level}")(image) + getattr(self, f"convt_R{level}")(x)
        return image


class DRRN(nn.Module):
    def __init__(self, features, recursions, channels):
        super().__init__()
        self.input, self.output = conv(channels, features, bias=False), conv(features, channels, bias=False)
        self.conv1, self.conv2 = conv(features, features, bias=False), conv(features, features, bias=False)
        self.relu = nn.ReLU(inplace=True)
        self.recursions = recursions

    def forward(self, image):
        image = image.clone()
        start = out = self.input(self.relu(image))
        for _ in range(self.recursions):
            out = self.conv2(self.relu(self.conv1(self.relu(out)))) + start
        return self.output(self.relu(out)) + image


class REDNet(nn.Module):
    def __init__(self, features, layers, skips, channels):
        super().__init__()
        down = [row(nn.Conv2d(channels, features, 3, stride=2, padding=1), nn.ReLU())]
        down += [row(conv(features, features), nn.ReLU()) for _ in range(layers - 1)]
        up = [row(nn.ConvTranspose2d(features, features, 3, padding=1), nn.ReLU())
              for _ in range(layers - 1)]
        up += [nn.ConvTranspose2d(features, channels, 3, stride=2, padding=1, output_padding=1)]
        self.conv_layers, self.deconv_layers = nn.ModuleList(down), nn.ModuleList(up)
        self.skips = skips

    def forward(self, image):
        x, kept, count = image, [], len(self.conv_layers)
        for i, part in enumerate(self.conv_layers):
            x = part(x)
            if self.skips and i % 2 and len(kept) < -(-count // 2) - 1:
                kept.append(x)
        for i, part in enumerate(self.deconv_layers):
            x = part(x)
            if (i + 1 + count) % 2 == 0 and kept:
                x = F.relu(x + kept.pop())
        return F.relu(x + image)


class NoiseUNet(nn.Module):
    def __init__(self, features, channels):
        super().__init__()
        f, relu, pool = features, nn.ReLU(), nn.MaxPool2d(2)
        up = lambda width: nn.ConvTranspose2d(width, width, 3, stride=2, padding=1, output_padding=1)
        self._block1 = row(conv(channels, f), relu, conv(f, f), relu, pool)
        self._block2 = row(conv(f, f), relu, pool)
        self._block3 = row(conv(f, f), relu, up(f))
        self._block4 = row(conv(2 * f, 2 * f), relu, conv(2 * f, 2 * f), relu, up(2 * f))
        self._block5 = row(conv(3 * f, 2 * f), relu, conv(2 * f, 2 * f), relu, up(2 * f))
        self._block6 = row(
            conv(2 * f + channels, 64), relu, conv(64, 32), relu, conv(32, channels), nn.LeakyReLU(0.1))

    def forward(self, image):
        pools = [self._block1(image)]
        for _ in range(4):
            pools.append(self._block2(pools[-1]))
        x = self._block4(torch.cat([self._block3(pools[4]), pools[3]], 1))
        for level in 2, 1, 0:
            x = self._block5(torch.cat([x, pools[level]], 1))
        return self._block6(torch.cat([x, image], 1))


class WDSR(nn.Module):
    def __init__(self, features, wide, narrow, blocks, scale, norm=nn.utils.weight_norm):
        super().__init__()
        normed = lambda *shape: norm(conv(*shape))
        out = 3 * scale**2
        self.head, self.tail = row(normed(3, features)), row(normed(features, out))
        self.skip = row(normed(3, out, 5))
        self.up = nn.PixelShuffle(scale)
        self.body = nn.ModuleList()
        for _ in range(blocks):
            part = nn.Module()
            part.module = row(
                normed(features, wide, 1 if narrow else 3), nn.ReLU(),
                *([normed(wide, narrow, 1), normed(narrow, features)] if narrow else
                  [normed(wide, features)]))
            self.body.append(part)

    def forward(self, image):
        mean = torch.tensor([0.4488, 0.4371, 0.4040], dtype=image.dtype).view(1, 3, 1, 1) * 255
        x = (image * 255 - mean) / 127.5
        y = self.head(x)
        for part in self.body:
            y = y + part.module(y)
        y = self.up(self.tail(y)) + self.up(self.skip(x))
        return (y * 127.5 + mean) / 255


def waifu2x_layers(features, channels, enlarges):
    parts = []
    for first, second in zip([channels, *features], features):
        parts += [nn.Conv2d(first, second, 3), nn.LeakyReLU(0.1)]
    last = nn.ConvTranspose2d(features[-1], channels, 4, 2, 3) if enlarges else nn.Conv2d(
        features[-1], channels, 3)
    return parts + [last]


class Waifu2x(nn.Module):
    def __init__(self, features, channels, enlarges):
        super().__init__()
        self.net = row(*waifu2x_layers(features, channels, enlarges))

    def forward(self, image):
        # So many pixels the convolutions take off.
        return torch.clamp(self.net(F.pad(image, (7,) * 4, "replicate")), 0, 1)


class Waifu2xCUNet(nn.Module):
    """nunif's cunet and upcunet; the networks within are those of Real-CUGAN."""

    def __init__(self, scale, channels):
        super().__init__()
        path = "RealCUGAN.__arch.upcunet_v3"
        self.unet1 = spandrel(path, "UNet1")(channels, channels, deconv=scale == 2)
        self.unet2 = spandrel(path, "UNet2")(channels, channels, deconv=False)
        self.offset = 18 if scale == 2 else 28

    def forward(self, image):
        x = torch.clamp(self.unet1(F.pad(image, (self.offset,) * 4, "replicate")), 0, 1)
        return torch.clamp(self.unet2(x) + F.pad(x, (-20,) * 4), 0, 1)


class DenseBlocks(nn.Module):
    """An RRDB of the first code."""

    def __init__(self, features, growth):
        super().__init__()
        for number in 1, 2, 3:
            part = nn.Module()
            for layer in range(5):
                after = features if layer == 4 else growth
                setattr(part, f"conv{layer + 1}", row(conv(features + layer * growth, after)))
            setattr(self, f"RDB{number}", part)

    def forward(self, x):
        y = x
        for part in self.RDB1, self.RDB2, self.RDB3:
            seen = [y]
            for layer in 1, 2, 3, 4:
                seen.append(F.leaky_relu(getattr(part, f"conv{layer}")(torch.cat(seen, 1)), 0.2))
            y = y + 0.2 * part.conv5(torch.cat(seen, 1))
        return x + 0.2 * y


class SPSR(nn.Module):
    def __init__(self, features, blocks, growth, scale, channels):
        super().__init__()
        f, act = features, nn.LeakyReLU(0.2)
        steps = scale.bit_length() - 1
        up = lambda: [nn.Upsample(scale_factor=2), conv(f, f), act]
        trunk = nn.Module()
        trunk.sub = nn.ModuleList([*(DenseBlocks(f, growth) for _ in range(blocks)), conv(f, f)])
        high = row(conv(f, f), act)
        self.HR_conv0_new = high
        self.HR_conv1_new = row(conv(f, f))
        self.model = nn.ModuleList(
            [conv(channels, f), trunk, *(part for _ in range(steps) for part in up()), *high])
        self.get_g_nopadding = nn.Module()
        for name, kernel in {"h": [0, 0, 0, -1, 0, 1, 0, 0, 0], "v": [0, -1, 0, 0, 0, 0, 0, 1, 0]}.items():
            setattr(self.get_g_nopadding, f"weight_{name}", nn.Parameter(
                torch.tensor(kernel, dtype=torch.float32).view(1, 1, 3, 3)))
        self.b_fea_conv = row(conv(channels, f))
        for number in 1, 2, 3, 4:
            setattr(self, f"b_block_{number}", DenseBlocks(2 * f, growth))
            setattr(self, f"b_concat_{number}", row(conv(2 * f, f)))
        self.b_LR_conv = row(conv(f, f))
        self.b_module = row(*(part for _ in range(steps) for part in up()), conv(f, f), act, conv(f, f))
        self.conv_w = row(conv(f, channels, 1))
        self.f_block, self.f_concat = DenseBlocks(2 * f, growth), row(conv(2 * f, f))
        self.f_HR_conv0, self.f_HR_conv1 = row(conv(f, f), act), row(conv(f, channels))

    def forward(self, image):
        kernels = self.get_g_nopadding
        slope = lambda kernel: F.conv2d(
            image, kernel.expand(image.shape[1], -1, -1, -1), padding=1, groups=image.shape[1])
        steep = torch.sqrt(slope(kernels.weight_v) ** 2 + slope(kernels.weight_h) ** 2 + 1e-6)
        first, second = self.model[0](image), self.b_fea_conv(steep)
        x, branch = first, second
        for number, part in enumerate(self.model[1].sub):
            x = part(x)
            if number in (4, 9, 14, 19):
                name = number // 5 + 1
                branch = getattr(self, f"b_concat_{name}")(
                    getattr(self, f"b_block_{name}")(torch.cat([branch, x], 1)))
        x = x + first
        for part in self.model[2:]:
            x = part(x)
        branch = self.b_module(self.b_LR_conv(branch) + second)
        both = torch.cat([branch, self.HR_conv1_new(x)], 1)
        return self.f_HR_conv1(self.f_HR_conv0(self.f_concat(self.f_block(both))))


class ArtCNN(nn.Module):
    def __init__(self, features, blocks, side, scale, channels):
        super().__init__()
        f, relu = features, nn.ReLU()
        self.conv0 = conv(channels, f, side)
        parts = []
        for _ in range(blocks):
            part = nn.Module()
            part.conv = row(row(conv(f, f, side), relu), row(conv(f, f, side), relu), conv(f, f, side))
            parts.append(part)
        self.res_block = nn.ModuleList([*parts, conv(f, f, side)])
        self.depth_to_space = nn.Module()
        self.depth_to_space.upscale = row(
            conv(f, channels * scale**2, side), nn.PixelShuffle(scale))

    def forward(self, image):
        first = x = self.conv0(image)
        for part in list(self.res_block)[:-1]:
            x = x + part.conv(x)
        return self.depth_to_space.upscale(self.res_block[-1](x) + first)


class BicubicPlusPlus(nn.Module):
    def __init__(self, features, scale, channels):
        super().__init__()
        f = features
        self.conv0 = nn.Conv2d(channels, f, 3, stride=2, padding=1, bias=False)
        self.conv1, self.conv2 = conv(f, f, bias=False), conv(f, f, bias=False)
        self.conv_out = conv(f, channels * (2 * scale) ** 2, bias=False)
        self.scale = scale

    def forward(self, image):
        act = lambda value: F.leaky_relu(value, 0.1)
        first = act(self.conv0(image))
        return F.pixel_shuffle(
            self.conv_out(act(self.conv2(act(self.conv1(first)))) + first), 2 * self.scale)


class SESR(nn.Module):
    """As trained, with what a block's convolution gives added to its input; or collapsed by its own code,
    with the identity in the convolution."""

    def __init__(self, features, blocks, scale, channels, collapsed=False):
        super().__init__()

        def block(before, after, side):
            part = nn.Module()
            if collapsed:
                part.conv_expand = conv(before, after, side)
            else:
                part.conv_expand = conv(before, 40, side, bias=False)
                part.conv_squeeze = conv(40, after, 1)
            return part

        count = channels * scale**2
        self.anchor = nn.Module()
        self.anchor.net = conv(channels, count, 1)
        self.conv_first = block(channels, features, 5)
        self.residual_block = nn.ModuleList(block(features, features, 3) for _ in range(blocks))
        self.conv_last = block(features, count, 5)
        self.collapsed, self.scale = collapsed, scale

    def forward(self, image):
        run = lambda part, x: (
            part.conv_expand(x) if self.collapsed else part.conv_squeeze(part.conv_expand(x)))
        first = x = F.relu(run(self.conv_first, image))
        for part in self.residual_block:
            x = F.relu(run(part, x) + (0 if self.collapsed else x))
        return F.pixel_shuffle(run(self.conv_last, x + first) + self.anchor.net(image), self.scale)


class LornatangSRGAN(nn.Module):
    def __init__(self, features, blocks, steps, channels):
        super().__init__()
        f, act = features, nn.PReLU
        plain = lambda: conv(f, f, bias=False)
        self.conv1 = row(conv(channels, f, 9), act())
        self.trunk = nn.ModuleList()
        for _ in range(blocks):
            part = nn.Module()
            part.rcb = row(plain(), nn.BatchNorm2d(f), act(), plain(), nn.BatchNorm2d(f))
            self.trunk.append(part)
        self.conv2 = row(plain(), nn.BatchNorm2d(f))
        self.upsampling = nn.ModuleList()
        for _ in range(steps):
            part = nn.Module()
            part.upsample_block = row(conv(f, 4 * f), nn.PixelShuffle(2), act())
            self.upsampling.append(part)
        self.conv3 = conv(f, channels, 9)

    def forward(self, image):
        first = x = self.conv1(image)
        for part in self.trunk:
            x = x + part.rcb(x)
        x = self.conv2(x) + first
        for part in self.upsampling:
            x = part.upsample_block(x)
        return torch.clamp(self.conv3(x), 0, 1)


class LeftthomasSRGAN(nn.Module):
    def __init__(self, features, blocks, steps, channels):
        super().__init__()
        f = features
        self.block1 = row(conv(channels, f, 9), nn.PReLU())
        self.blocks, self.steps = blocks, steps
        for i in range(blocks):
            part = nn.Module()
            part.conv1, part.conv2 = conv(f, f), conv(f, f)
            part.bn1, part.bn2, part.prelu = nn.BatchNorm2d(f), nn.BatchNorm2d(f), nn.PReLU()
            setattr(self, f"block{i + 2}", part)
        setattr(self, f"block{blocks + 2}", row(conv(f, f), nn.BatchNorm2d(f)))
        last = nn.ModuleList()
        for _ in range(steps):
            part = nn.Module()
            part.conv, part.prelu = conv(f, 4 * f), nn.PReLU()
            last.append(part)
        last.append(conv(f, channels, 9))
        setattr(self, f"block{blocks + 3}", last)

    def forward(self, image):
        first = x = self.block1(image)
        for i in range(self.blocks):
            part = getattr(self, f"block{i + 2}")
            x = x + part.bn2(part.conv2(part.prelu(part.bn1(part.conv1(x)))))
        x = getattr(self, f"block{self.blocks + 2}")(x) + first
        last = getattr(self, f"block{self.blocks + 3}")
        for part in list(last)[:-1]:
            x = part.prelu(F.pixel_shuffle(part.conv(x), 2))
        return (torch.tanh(last[-1](x)) + 1) / 2


class TwtygqyySRResNet(nn.Module):
    def __init__(self, features, blocks, steps, channels):
        super().__init__()
        f, norm = features, lambda: nn.InstanceNorm2d(features, affine=True)
        plain = lambda *shape: conv(*shape, bias=False)
        self.conv_input, self.conv_output = plain(channels, f, 9), plain(f, channels, 9)
        self.residual = nn.ModuleList()
        for _ in range(blocks):
            part = nn.Module()
            part.conv1, part.in1, part.conv2, part.in2 = plain(f, f), norm(), plain(f, f), norm()
            self.residual.append(part)
        self.conv_mid, self.bn_mid = plain(f, f), norm()
        parts = []
        for _ in range(steps):
            parts += [plain(f, 4 * f), nn.PixelShuffle(2), nn.LeakyReLU(0.2)]
        self.upscale4x = row(*parts)

    def forward(self, image):
        act = lambda value: F.leaky_relu(value, 0.2)
        first = x = act(self.conv_input(image))
        for part in self.residual:
            x = x + part.in2(part.conv2(act(part.in1(part.conv1(x)))))
        return self.conv_output(self.upscale4x(self.bn_mid(self.conv_mid(x)) + first))


def self_made():
    """Written here from the sources' facts."""
    def case(network, label, build, **members):
        return Case(network, label, "self-made", build, **members)

    yield case("imdn", "x2", lambda: IMDN(16, 2, 2, 3))
    yield case("imdn", "x4-gray", lambda: IMDN(32, 3, 4, 1), channels=1)
    yield case("rfdn", "x4", lambda: RFDN(12, 2, 4, 3))
    yield case("rfdn", "x2-gray", lambda: RFDN(14, 3, 2, 1), channels=1)
    yield case("rlfn", "x4", lambda: RLFN(12, 10, 8, 2, 4, 3))
    yield case("rlfn", "x2", lambda: RLFN(8, 8, 16, 3, 2, 3))
    for position, scale in enumerate((2, 3, 4)):
        yield case(
            "mdsr", f"x{scale}", lambda: MDSR(8, 2), range=255.0, loses=True,
            config={"scale": scale, "position": position}, prepare=restore_means(255),
            forward=lambda module, image, position=position: module(image, position))
    yield case("lapsrn", "x2-gray", lambda: LapSRN(8, 3, 1, 1), channels=1)
    yield case("lapsrn", "x4", lambda: LapSRN(6, 2, 2, 3))
    yield case("drrn", "u3", lambda: DRRN(8, 3, 1), channels=1, config={"recursions": 3}, run=("--scale", "2"))
    yield case("drrn", "u9-colour", lambda: DRRN(6, 9, 3), config={"recursions": 9}, run=("--scale", "2"))
    yield case("red-net", "red30", lambda: REDNet(8, 15, True, 3), sizes=[(24, 32), (26, 22)], tolerance=1e-4)
    yield case("red-net", "red20-gray", lambda: REDNet(8, 10, True, 1), sizes=[(24, 32), (26, 22)], channels=1, tolerance=1e-4)
    yield case("red-net", "red10", lambda: REDNet(8, 5, False, 3), sizes=[(24, 32), (26, 22)])
    yield case("unet", "colour", lambda: NoiseUNet(6, 3), sizes=[(32, 64), (96, 32)])
    yield case("unet", "gray", lambda: NoiseUNet(8, 1), channels=1, sizes=[(32, 32), (64, 32)])
    yield case("wdsr", "a-x2", lambda: WDSR(6, 12, 0, 2, 2), range=255.0, folds=True)
    yield case("wdsr", "b-x3", lambda: WDSR(8, 12, 5, 3, 3), range=255.0, folds=True)
    yield case(
        "wdsr", "a-x4-new-norm",
        lambda: WDSR(6, 12, 0, 2, 4, nn.utils.parametrizations.weight_norm), range=255.0, folds=True)

    def lit(module):
        # Else much of what is limited to 0...1 would be 0.
        with torch.no_grad():
            (module.net[-1] if hasattr(module, "net") else module.conv3).bias.add_(0.5)

    yield case("srgan", "lornatang-x4", lambda: LornatangSRGAN(6, 2, 2, 3), prepare=lit)
    yield case("srgan", "lornatang-x2-gray", lambda: LornatangSRGAN(8, 1, 1, 1), prepare=lit, channels=1)
    yield case("srgan", "leftthomas-x4", lambda: LeftthomasSRGAN(6, 3, 2, 3))
    yield case("srgan", "leftthomas-x2", lambda: LeftthomasSRGAN(8, 5, 1, 3))
    yield case("srgan", "twtygqyy-x4", lambda: TwtygqyySRResNet(6, 2, 2, 3))
    yield case("srgan", "twtygqyy-x4-gray", lambda: TwtygqyySRResNet(8, 3, 2, 1), channels=1)

    yield case("waifu2x", "upconv7", lambda: Waifu2x([4, 6, 8, 8, 8, 10], 3, True), prepare=lit)
    def kernels(module):
        part = module.get_g_nopadding
        with torch.no_grad():
            part.weight_h.copy_(torch.tensor([0, 0, 0, -1.0, 0, 1, 0, 0, 0]).view(1, 1, 3, 3))
            part.weight_v.copy_(torch.tensor([0, -1.0, 0, 0, 0, 0, 0, 1, 0]).view(1, 1, 3, 3))

    for label, shape in {
        "x4": (6, 20, 3, 4, 3), "x2": (4, 23, 2, 2, 3), "x4-gray": (8, 21, 4, 4, 1), "x1": (5, 20, 2, 1, 3),
    }.items():
        yield case(
            "spsr", label, lambda shape=shape: SPSR(*shape), channels=shape[4], prepare=kernels, loses=True,
            tolerance=1e-4)

    yield case("artcnn", "x2", lambda: ArtCNN(12, 2, 3, 2, 3))
    yield case("artcnn", "x4-luma", lambda: ArtCNN(8, 3, 3, 4, 1), channels=1)
    yield case("artcnn", "x1-wide", lambda: ArtCNN(16, 1, 5, 1, 3))
    yield case("artcnn", "x3", lambda: ArtCNN(8, 4, 3, 3, 3))

    even = {"sizes": [(24, 32), (26, 22)]}
    yield case("bicubic++", "x3", lambda: BicubicPlusPlus(12, 3, 3), **even)
    yield case("bicubic++", "x2", lambda: BicubicPlusPlus(32, 2, 3), **even)
    yield case("bicubic++", "x4-gray", lambda: BicubicPlusPlus(8, 4, 1), channels=1, **even)
    yield case("bicubic++", "x1", lambda: BicubicPlusPlus(16, 1, 3), **even)

    yield case("sesr", "m5-x2", lambda: SESR(16, 5, 2, 3), folds=True)
    yield case("sesr", "m3-x4-gray", lambda: SESR(12, 3, 4, 1), channels=1, folds=True)
    yield case("sesr", "x3", lambda: SESR(8, 1, 3, 3), folds=True)
    yield case("sesr", "collapsed-x2", lambda: SESR(16, 4, 2, 3, collapsed=True))

    def within(module):
        # Values that are cut below 0 and above 1 in part, and not everywhere.
        with torch.no_grad():
            for unet in module.unet1, module.unet2:
                unet.conv_bottom.weight.mul_(0.3)
                unet.conv_bottom.bias.add_(0.25)

    for scale, channels in (2, 3), (1, 3), (1, 1), (2, 1):
        yield case(
            "real-cugan", f"waifu2x-x{scale}" + ("" if channels == 3 else "-gray"),
            lambda scale=scale, channels=channels: Waifu2xCUNet(scale, channels), channels=channels,
            config={"clips": True} if scale == 2 else None, prepare=within,
            sizes=[(32, 40), (36, 32)])

    yield case(
        "waifu2x", "vgg7-gray", lambda: Waifu2x([4, 4, 8, 8, 8, 8], 1, False), channels=1, prepare=lit)


def plksr():
    def case(label, **members):
        members = {"dim": 12, "n_blocks": 2, "kernel_size": 7, **members}
        identity = members.get("with_idt", False)
        return Case(
            "plksr", label, "spandrel", lambda: spandrel("PLKSR", "PLKSR")(**members),
            config={"identity": True} if identity else None)
    yield case("x4")
    yield case("x2-dccm", upscaling_factor=2, ccm_type="DCCM", kernel_size=13, use_ea=False)
    yield case("x3-iccm", upscaling_factor=3, ccm_type="ICCM", split_ratio=0.5, dim=8)
    yield case("x1-identity", upscaling_factor=1, with_idt=True, n_blocks=3)


def realplksr():
    def case(label, **members):
        members = {"dim": 12, "n_blocks": 2, "kernel_size": 7, **members}
        return Case(
            "realplksr", label, "spandrel", lambda: spandrel("PLKSR", "RealPLKSR")(**members))
    yield case("x4")
    yield case("x2-layer", upscaling_factor=2, layer_norm=True, use_ea=False)
    yield case("x3", upscaling_factor=3, split_ratio=0.5, dim=8, kernel_size=13)
    yield case("x1-layer", upscaling_factor=1, layer_norm=True, n_blocks=3, dim=16)
    for label, members in {
        "dysample-x4": {}, "dysample-x3": {"upscaling_factor": 3, "layer_norm": True, "dim": 8},
        "dysample-x2": {"upscaling_factor": 2, "use_ea": False, "kernel_size": 5, "n_blocks": 3},
        "dysample-x1": {"upscaling_factor": 1, "dim": 16, "split_ratio": 0.5},
    }.items():
        yield dataclasses.replace(
            case(label, dysample=True, **members), prepare=restore_positions)


def mm_realsr():
    def case(label, config=None, **members):
        members = {
            "num_in_ch": 3, "num_out_ch": 3, "num_feat": 8, "num_block": 2, "num_grow_ch": 4,
            "num_feats": [4, 6, 8], "num_blocks": [1, 2, 1], "downscales": [2, 2, 1], **members}
        return Case(
            "mm-realsr", label, "spandrel", lambda: spandrel("MMRealSR", "MMRealSR")(**members),
            forward=lambda module, image: module(image)[0], channels=members["num_in_ch"], config=config)

    yield case("x4")
    yield case("gray", num_in_ch=1, num_out_ch=1, num_feat=12, num_block=3, num_grow_ch=6)
    yield case(
        "one-degree", num_degradation=1, num_feats=[6, 6], num_blocks=[2, 1], downscales=[2, 2], num_block=1)
    yield case(
        "flat", config={"strides": [2, 1, 1]}, downscales=[2, 1, 1], num_feat=10)


def mosr():
    def case(label, **members):
        members = {"n_block": 2, "dim": 12, **members}
        return Case(
            "mosr", label, "spandrel", lambda: spandrel("MoSR", "MoSR")(**members),
            channels=members.get("in_ch", 3), prepare=restore_positions)

    yield case("x4")
    yield case("x2-geoensemble", upscale=2, upsampler="gps", kernel_size=5, conv_ratio=0.5)
    yield case("x3-dysample", upscale=3, upsampler="dys", dim=8, expansion_ratio=2.0, n_block=3)
    yield case("x1-gray", upscale=1, in_ch=1, out_ch=1, expansion_ratio=1.0, dim=16)
    yield case("x2-dysample", upscale=2, upsampler="dys", conv_ratio=0.75, kernel_size=3)


def mosrv2():
    def case(label, **members):
        members = {"n_block": 2, "dim": 16, "mid_dim": 12, "unshuffle_mod": False, **members}
        return Case(
            "mosrv2", label, "resselt", lambda: resselt("mosrv2", "MoSRv2")(**members),
            channels=members.get("in_ch", 3), prepare=restore_positions)

    yield case("x4")
    yield case("x2-rms-pixelshuffle", scale=2, rms_norm=True, upsampler="pixelshuffle", dim=24)
    yield case("x3-nearest", scale=3, upsampler="nearest+conv", n_block=1, expansion_ratio=2.0)
    yield case("x2-unshuffle-dysample", scale=2, unshuffle_mod=True, upsampler="dysample")
    yield case("x1-unshuffle-gray", scale=1, unshuffle_mod=True, in_ch=1, rms_norm=True, n_block=3)
    yield case("x4-dysample-direct", upsampler="dysample", mid_dim=16, expansion_ratio=1.0)
    yield case("x3-pixelshuffle", scale=3, upsampler="pixelshuffle", mid_dim=8)
    yield case("x1-conv", scale=1, upsampler="conv")


def rtmosr():
    def weighed(module):
        # Factors like trained ones; what was fused before is stale, which only shows where it is read.
        with torch.no_grad():
            for name, tensor in module.named_parameters():
                if ".alpha" in name:
                    tensor.copy_(0.5 + 0.5 * torch.rand(tensor.shape))

    def case(label, **members):
        members = {"dim": 12, **members}
        # .eval() fuses anew.
        return Case(
            "rtmosr", label, "resselt", lambda: resselt("rtmosr", "RTMoSR")(**members),
            forward=lambda module, image: module.eval()(image), prepare=weighed, folds=True)

    yield case("x2")
    yield case("x4-small", scale=4, ffn_expansion=1.5, dccm=False, se=False, dim=16)
    yield case("x2-unshuffle", unshuffle_mod=True, n_blocks=1)
    yield case("x1-unshuffle", scale=1, unshuffle_mod=True, se=False, n_blocks=3)
    yield case("x3", scale=3, ffn_expansion=1, dim=8)


def spanplus():
    def case(label, **members):
        members = {"feature_channels": 12, "blocks": [2], **members}
        return Case(
            "spanplus", label, "resselt", lambda: resselt("spanplus", "SpanPlus")(**members),
            channels=members.get("num_in_ch", 3), prepare=restore_positions, folds=True)

    yield case("x4")
    yield case("x2-pixelshuffle", upscale=2, upsampler="ps", blocks=[1, 3])
    yield case("x1-conv-gray", upscale=1, upsampler="conv", num_in_ch=1, feature_channels=8)
    yield case("x3", upscale=3, feature_channels=16, blocks=[0])
    yield case("x4-pixelshuffle-gray", upsampler="ps", num_in_ch=1)


def fbcnn():
    # The layers behind its fourth level are 512 wide, whatever that is.
    for channels, features in (1, [6, 8, 10, 512]), (3, [4, 8, 8, 512]):
        yield Case(
            "fbcnn", f"{channels}-channels", "spandrel",
            lambda channels=channels, features=features: spandrel("FBCNN", "FBCNN")(
                in_nc=channels, out_nc=channels, nc=features, nb=2),
            channels=channels, forward=lambda module, image: module(image)[0])


def cases():
    for family in (
        esrgan, compact, span, edsr, rcan, srresnet, carn, denoisers, rdn, swift_srgan, real_cugan,
        plksr, realplksr, mm_realsr, mosr, mosrv2, rtmosr, spanplus, fbcnn, self_made,
    ):
        with contextlib.redirect_stdout(io.StringIO()):
            found = list(family())
        yield from found
    # They need what stands here.
    import zoo_attention
    import zoo_autoencoders
    import zoo_light
    import zoo_own
    yield from zoo_light.cases()
    yield from zoo_attention.cases()
    yield from zoo_own.cases()
    yield from zoo_autoencoders.cases()
