"""Light networks and networks that restore, for zoo.py: NAFNet, SAFMN and MixDehazeNet by spandrel's
code, the others written here from the original sources' facts (`self-made`) and held against the
parameter counts that were published."""
import torch
from torch import nn
from torch.nn import functional as F

from zoo_networks import Case, conv, reflected, restore_means, row, spandrel


class Part(nn.Module):
    """Modules by name, that something larger puts together."""
    def __init__(self, **parts):
        super().__init__()
        for name, part in parts.items():
            setattr(self, name, part)


def depthwise(features, kernel, dilation=1, bias=True):
    return nn.Conv2d(
        features, features, kernel, padding=kernel // 2 * dilation, dilation=dilation, groups=features,
        bias=bias)


class ChannelNorm(nn.Module):
    def __init__(self, features):
        super().__init__()
        self.weight, self.bias = nn.Parameter(torch.ones(features)), nn.Parameter(torch.zeros(features))

    def forward(self, x):
        y = F.layer_norm(x.permute(0, 2, 3, 1), self.weight.shape, self.weight, self.bias, 1e-6)
        return y.permute(0, 3, 1, 2)


def nafnet():
    def case(label, channels=3, **members):
        return Case(
            "nafnet", label, "spandrel",
            lambda: spandrel("NAFNet", "NAFNet")(img_channel=channels, **members), channels=channels)
    yield case("two-levels", width=8, middle_blk_num=1, enc_blk_nums=[1, 1], dec_blk_nums=[1, 1])
    yield case(
        "three-gray", channels=1, width=12, middle_blk_num=2, enc_blk_nums=[2, 1, 1],
        dec_blk_nums=[1, 2, 1])
    yield case("one-level", width=16, middle_blk_num=3, enc_blk_nums=[1], dec_blk_nums=[2])
    yield case(
        "four-levels", width=4, middle_blk_num=1, enc_blk_nums=[1, 1, 1, 2], dec_blk_nums=[2, 1, 1, 1])


def safmn():
    def case(label, **members):
        return Case("safmn", label, "spandrel", lambda: spandrel("SAFMN", "SAFMN")(**members))
    yield case("x4", dim=12, n_blocks=2)
    yield case("x2", dim=16, n_blocks=1, ffn_scale=1.5, upscaling_factor=2)
    yield case("x3", dim=8, n_blocks=3, ffn_scale=3.0, upscaling_factor=3)
    yield case("x1", dim=20, n_blocks=2, ffn_scale=2.5, upscaling_factor=1)
    yield Case(
        "safmn", "x4-even", "spandrel", lambda: spandrel("SAFMN", "SAFMN")(dim=8, n_blocks=2),
        forward=lambda module, image: reflected(module, image, 8, 4), config={"evenWindows": True})


class SAFMNPlus(nn.Module):
    def __init__(self, features, blocks, hidden, partial, scale, channels, light):
        super().__init__()
        f, plain = features, lambda *shape: conv(*shape, bias=False)
        self.to_feat = plain(channels, f)
        self.feats = nn.Sequential()
        for _ in range(blocks):
            mixer = (
                Part(conv=row(plain(f, hidden), nn.GELU(), plain(hidden, f, 1))) if light
                else Part(conv1=plain(f, hidden), conv2=plain(hidden, f, 1)))
            self.feats.append(Part(
                conv1=Part(
                    proj=plain(f, f), dwconv=depthwise(partial, 3, bias=False), out=plain(f, f, 1)),
                conv2=mixer))
        self.to_img = row(plain(f, channels * scale**2), nn.PixelShuffle(scale))
        self.partial, self.scale, self.light = partial, scale, light

    def block(self, part, x):
        size = x.shape[2:]
        y = part.conv1.proj(x)
        seen, rest = y[:, :self.partial], y[:, self.partial:]
        small = F.adaptive_max_pool2d(seen, (size[0] // 8, size[1] // 8))
        weight = F.gelu(F.interpolate(part.conv1.dwconv(small), size, mode="bilinear"))
        y = part.conv1.out(F.gelu(torch.cat([rest, weight * seen], 1)))
        if self.light:
            return part.conv2.conv(y)
        return x + part.conv2.conv2(F.gelu(part.conv2.conv1(y)))

    def forward(self, image):
        first = x = self.to_feat(image)
        for part in self.feats:
            x = self.block(part, x)
        if self.light:
            return self.to_img(x + first)
        return self.to_img(x) + F.interpolate(image, scale_factor=self.scale, mode="bilinear")


def blueprint(first, second, stride=1, padding=1):
    return Part(
        pw=nn.Conv2d(first, second, 1, bias=False),
        dw=nn.Conv2d(second, second, 3, stride, padding, groups=second))


def through(part, x):
    return part.dw(part.pw(x))


class BSRN(nn.Module):
    def __init__(self, features, blocks, scale, channels, contrast=True):
        super().__init__()
        f, thin = features, features // 4
        self.fea_conv, self.c2 = blueprint(4 * channels, f), blueprint(f, f)
        self.c1 = conv(f * blocks, f, 1)
        self.names = [f"B{i + 1}" for i in range(blocks)]
        for name in self.names:
            parts = {f"c{i}_d": conv(f, f // 2, 1) for i in (1, 2, 3)}
            parts |= {f"c{i}_r": blueprint(f, f) for i in (1, 2, 3)}
            parts["esa"] = Part(
                conv1=conv(f, thin, 1), conv_f=conv(thin, thin, 1), conv4=conv(thin, f, 1),
                conv2=blueprint(thin, thin, 2, 0),
                **{name: blueprint(thin, thin) for name in ("conv_max", "conv3", "conv3_")})
            if contrast:
                parts["cca"] = Part(conv_du=row(
                    conv(f, f // 16, 1), nn.ReLU(), conv(f // 16, f, 1), nn.Sigmoid()))
            setattr(self, name, Part(c4=blueprint(f, f // 2), c5=conv(f // 2 * 4, f, 1), **parts))
        self.upsampler = Part(
            upsampleOneStep=row(conv(f, channels * scale**2), nn.PixelShuffle(scale)))
        self.contrast = contrast

    def block(self, part, image):
        x, kept = image, []
        for i in 1, 2, 3:
            kept.append(F.gelu(getattr(part, f"c{i}_d")(x)))
            x = F.gelu(through(getattr(part, f"c{i}_r"), x) + x)
        x = part.c5(torch.cat([*kept, F.gelu(through(part.c4, x))], 1))
        esa = part.esa
        thin = esa.conv1(x)
        deep = F.max_pool2d(through(esa.conv2, thin), 7, 3)
        deep = F.gelu(through(esa.conv3, F.gelu(through(esa.conv_max, deep))))
        deep = F.interpolate(through(esa.conv3_, deep), x.shape[2:], mode="bilinear")
        x = x * torch.sigmoid(esa.conv4(deep + esa.conv_f(thin)))
        if self.contrast:
            deviation = x.std((2, 3), keepdim=True, unbiased=False)
            x = x * part.cca.conv_du(deviation + x.mean((2, 3), keepdim=True))
        return x + image

    def forward(self, image):
        first = x = through(self.fea_conv, image.repeat(1, 4, 1, 1))
        all_ = []
        for name in self.names:
            x = self.block(getattr(self, name), x)
            all_.append(x)
        x = through(self.c2, F.gelu(self.c1(torch.cat(all_, 1)))) + first
        return self.upsampler.upsampleOneStep(x)


class DistilledChain(nn.Module):
    """IMDN for real-time communication, and KAIR's: a chain under the name `model`."""
    def __init__(self, features, blocks, scale, channels, kair):
        super().__init__()
        f, part = features, features // 4
        act = nn.LeakyReLU(0.05)
        body = nn.Sequential()
        for _ in range(blocks):
            widths = [f, f - part, f - part]
            if kair:
                parts = {f"conv{i + 1}": row(conv(width, f), act) for i, width in enumerate(widths)}
                parts |= {"conv4": conv(f - part, part), "conv1x1": conv(f, f, 1)}
            else:
                parts = {f"c{i + 1}": conv(width, f) for i, width in enumerate(widths)}
                parts |= {"c4": conv(f - part, part), "c5": conv(f, f, 1)}
            body.append(Part(**parts))
        body.append(conv(f, f, 3 if kair else 1))
        self.model = row(
            conv(channels, f), Part(sub=body), conv(f, channels * scale**2), nn.PixelShuffle(scale))
        self.part = part

    def block(self, module, image):
        first, second, third, fourth, last = module.children()
        x, kept = image, []
        for layer in first, second, third:
            y = F.leaky_relu(layer(x), 0.05) if isinstance(layer, nn.Conv2d) else layer(x)
            kept.append(y[:, :self.part])
            x = y[:, self.part:]
        return image + last(torch.cat([*kept, fourth(x)], 1))

    def forward(self, image):
        first = x = self.model[0](image)
        *blocks, last = self.model[1].sub
        for block in blocks:
            x = self.block(block, x)
        return self.model[3](self.model[2](first + last(x)))


class MAN(nn.Module):
    def __init__(self, features, groups, blocks, scale):
        super().__init__()
        f, third = features, features // 3
        large = lambda width, small, wide, dilation: row(
            depthwise(width, small), depthwise(width, wide, dilation), conv(width, width, 1))
        gain = lambda: nn.Parameter(torch.zeros(1, f, 1, 1))
        self.sub_mean, self.add_mean = nn.Conv2d(3, 3, 1), nn.Conv2d(3, 3, 1)
        self.head = conv(3, f)
        self.body = nn.ModuleList()
        for _ in range(groups):
            body = nn.ModuleList()
            for _ in range(blocks):
                attention = Part(
                    norm=ChannelNorm(f), scale=gain(), proj_first=row(conv(f, 2 * f, 1)),
                    proj_last=row(conv(f, f, 1)), LKA3=large(third, 3, 5, 2), LKA5=large(third, 5, 7, 3),
                    LKA7=large(third, 7, 9, 4), **{f"X{k}": depthwise(third, k) for k in (3, 5, 7)})
                gate = Part(
                    norm=ChannelNorm(f), scale=gain(), Conv1=conv(f, 2 * f, 1), DWConv1=depthwise(f, 7),
                    Conv2=conv(f, f, 1))
                body.append(Part(LKA=attention, LFE=gate))
            self.body.append(Part(body=body, body_t=Part(
                conv0=row(conv(f, f, 1), nn.GELU()), att=large(f, 7, 9, 3), conv1=conv(f, f, 1))))
        if groups > 1:
            self.body_t = conv(f, f)
        self.tail = row(conv(f, 3 * scale**2), nn.PixelShuffle(scale))

    def block(self, part, x):
        lka, lfe = part.LKA, part.LFE
        weights, values = lka.proj_first(lka.norm(x)).chunk(2, 1)
        weights = torch.cat([
            getattr(lka, f"LKA{k}")(piece) * getattr(lka, f"X{k}")(piece)
            for k, piece in zip((3, 5, 7), weights.chunk(3, 1))], 1)
        x = x + lka.proj_last(values * weights) * lka.scale
        gate, values = lfe.Conv1(lfe.norm(x)).chunk(2, 1)
        return x + lfe.Conv2(values * lfe.DWConv1(gate)) * lfe.scale

    def forward(self, image):
        first = x = self.head(self.sub_mean(image))
        for group in self.body:
            y = x
            for part in group.body:
                y = self.block(part, y)
            y = group.body_t.conv0(y)
            x = group.body_t.conv1(y * group.body_t.att(y)) + x
        if len(self.body) > 1:
            x = self.body_t(x) + first
        return self.add_mean(self.tail(x))


def bordered(x, values):
    """With these values, one for each channel, around the image."""
    height, width = x.shape[2:]
    result = values.view(1, -1, 1, 1).repeat(len(x), 1, height + 2, width + 2)
    result[:, :, 1:-1, 1:-1] = x
    return result


class Reparameterizable(nn.Module):
    """FMEN's convolution as it is trained."""
    def __init__(self, features, ratio):
        super().__init__()
        wide = ratio * features
        self.expand_conv, self.reduce_conv = conv(features, wide, 1), conv(wide, features, 1)
        self.fea_conv = nn.Conv2d(wide, wide, 3)

    def forward(self, x):
        wide = self.expand_conv(x)
        return self.reduce_conv(self.fea_conv(bordered(wide, self.expand_conv.bias)) + wide) + x


class FMEN(nn.Module):
    def __init__(self, features, attentions, inner, scale, channels, ratios=None):
        super().__init__()
        f, self.training_form = features, ratios is not None

        def convolution(width, ratio):
            return Reparameterizable(width, ratio) if ratios else row_named("rep_conv", conv(width, width))

        def pair(width, ratio):
            return nn.Sequential(
                Part(conv1=convolution(width, ratio), conv2=convolution(width, ratio)))[0]

        def attention(width, count):
            padding = 0 if ratios else 1
            parts = {} if not ratios else {
                "bn1": nn.BatchNorm2d(f), "bn2": nn.BatchNorm2d(width), "bn3": nn.BatchNorm2d(f)}
            return Part(
                squeeze=nn.Conv2d(f, width, 3, padding=padding),
                convs=nn.ModuleList([pair(width, ratios and ratios[1]) for _ in range(count)]),
                excitate=nn.Conv2d(width, f, 3, padding=padding), **parts)

        self.head, self.lr_conv = conv(channels, f), conv(f, f)
        self.warmup = nn.ModuleList([conv(f, f), attention(inner[0], attentions[0])])
        self.ERBs = nn.ModuleList([pair(f, ratios and ratios[0]) for _ in attentions[1:]])
        self.HFABs = nn.ModuleList([attention(inner[1], count) for count in attentions[1:]])
        self.tail = row(conv(f, channels * scale**2), nn.PixelShuffle(scale))

    @staticmethod
    def pair(part, x):
        return part.conv2(F.leaky_relu(part.conv1(x), 0.1))

    def attend(self, part, image):
        def prepared(x, name):
            if not self.training_form:
                return x
            norm = getattr(part, name)
            border = norm.bias - norm.running_mean * norm.weight / (norm.running_var + norm.eps).sqrt()
            return bordered(norm(x), border)
        x = F.leaky_relu(part.squeeze(prepared(image, "bn1")), 0.1)
        for inner in part.convs:
            x = self.pair(inner, x)
        x = part.excitate(prepared(F.leaky_relu(x, 0.1), "bn2"))
        return torch.sigmoid(part.bn3(x) if self.training_form else x) * image

    def forward(self, image):
        first = self.head(image)
        x = self.attend(self.warmup[1], self.warmup[0](first))
        for pair, attention in zip(self.ERBs, self.HFABs):
            x = self.attend(attention, self.pair(pair, x))
        return self.tail(self.lr_conv(x) + first)


class row_named(nn.Module):
    """One module under a name."""
    def __init__(self, name, part):
        super().__init__()
        self.name = name
        setattr(self, name, part)

    def forward(self, x):
        return getattr(self, self.name)(x)


class MemNet(nn.Module):
    def __init__(self, features, blocks, recursions, channels):
        super().__init__()
        unit = lambda first, second, kernel=3: [
            nn.BatchNorm2d(first), nn.ReLU(), conv(first, second, kernel, bias=False)]
        f = features
        self.feature_extractor = row(*unit(channels, f))
        self.dense_memory_blocks = nn.ModuleList()
        for block in range(blocks):
            units = [Part(residual_block=row(*unit(f, f), *unit(f, f))) for _ in range(recursions)]
            self.dense_memory_blocks.append(Part(
                recursive_unit=nn.ModuleList(units),
                gate_unit=row(*unit((recursions + block + 1) * f, f, 1))))
        self.reconstructor = row(*unit(f, channels, 1))

    def forward(self, image):
        memories = [self.feature_extractor(image)]
        for block in self.dense_memory_blocks:
            x, rounds = memories[-1], []
            for _ in block.recursive_unit:
                for part in block.recursive_unit:
                    x = x + part.residual_block(x)
                rounds.append(x)
            memories.append(block.gate_unit(torch.cat(rounds + memories, 1)))
        return torch.clamp(self.reconstructor(memories[-1]) + image, 0, 1)


class AODNet(nn.Module):
    def __init__(self, channels, features):
        super().__init__()
        f = features
        self.e_conv1, self.e_conv2 = conv(channels, f, 1), conv(f, f)
        self.e_conv3, self.e_conv4 = conv(2 * f, f, 5), conv(2 * f, f, 7)
        self.e_conv5 = conv(4 * f, channels)

    def forward(self, image):
        one = F.relu(self.e_conv1(image))
        two = F.relu(self.e_conv2(one))
        three = F.relu(self.e_conv3(torch.cat([one, two], 1)))
        four = F.relu(self.e_conv4(torch.cat([two, three], 1)))
        k = F.relu(self.e_conv5(torch.cat([one, two, three, four], 1)))
        return F.relu(k * image - k + 1)


def mixdehaze():
    def tamed(module):
        # Else what is added in each of many blocks grows until the last digits are lost.
        with torch.no_grad():
            for name, part in module.named_modules():
                if name.endswith((".mlp.2", ".mlp2.2")):
                    part.weight.mul_(0.3)

    def case(label, features, depths):
        return Case(
            "mixdehaze", label, "spandrel",
            lambda: spandrel("MixDehazeNet", "MixDehazeNet")(embed_dims=features, depths=depths),
            # Mirroring nine pixels of an image at a quarter of its size takes ten of them.
            sizes=[(40, 48), (43, 45)], prepare=tamed,
            tolerance=1e-4 if sum(depths) >= 20 else 1e-5)
    yield case("thin", [8, 16, 24, 16, 8], [1, 1, 1, 1, 1])
    yield case("even", [16, 16, 16, 16, 16], [2, 1, 1, 1, 2])
    yield case("wide", [24, 32, 40, 32, 24], [1, 2, 1, 1, 1])
    yield case("deep", [8, 8, 16, 8, 8], [4, 4, 8, 4, 4])


def light():
    """Those written here."""
    def case(network, label, build, **members):
        return Case(network, label, "self-made", build, **members)

    yield case("safmn++", "x4", lambda: SAFMNPlus(12, 2, 18, 4, 4, 3, False))
    yield case("safmn++", "x2-gray", lambda: SAFMNPlus(9, 3, 9, 3, 2, 1, False), channels=1)
    yield case("safmn++", "light-x4", lambda: SAFMNPlus(8, 1, 16, 4, 4, 3, True))
    yield case("safmn++", "light-x3", lambda: SAFMNPlus(12, 2, 20, 6, 3, 3, True))
    yield case(
        "safmn++", "x2-even", lambda: SAFMNPlus(12, 2, 18, 4, 2, 3, False),
        forward=lambda module, image: reflected(module, image, 8, 2), config={"evenWindows": True})

    yield case("bsrn", "x4", lambda: BSRN(16, 2, 4, 3))
    yield case("bsrn", "x2-gray", lambda: BSRN(32, 1, 2, 1), channels=1)
    yield case("bsrn", "x3-plain", lambda: BSRN(12, 3, 3, 3, contrast=False))
    yield case("bsrn", "x1-plain-gray", lambda: BSRN(20, 2, 1, 1, contrast=False), channels=1)

    yield case("imdn", "rtc-x2", lambda: DistilledChain(12, 5, 2, 3, False))
    yield case("imdn", "rtc-x4-gray", lambda: DistilledChain(8, 2, 4, 1, False), channels=1)
    yield case("imdn", "kair-x4", lambda: DistilledChain(16, 3, 4, 3, True))
    yield case("imdn", "kair-x3-gray", lambda: DistilledChain(12, 2, 3, 1, True), channels=1)

    means = {"prepare": restore_means(1)}
    yield case("man", "x4", lambda: MAN(12, 1, 2, 4), **means)
    yield case("man", "x2-groups", lambda: MAN(9, 2, 1, 2), **means)
    yield case("man", "x3", lambda: MAN(15, 1, 3, 3), **means)
    yield case("man", "x1-groups", lambda: MAN(6, 3, 2, 1), **means)

    yield case("fmen", "x4", lambda: FMEN(12, [2, 1, 1], [4, 8], 4, 3))
    yield case("fmen", "x2-gray", lambda: FMEN(10, [1, 2], [6, 6], 2, 1), channels=1)
    yield case(
        "fmen", "training-x4", lambda: FMEN(12, [2, 1, 1], [4, 8], 4, 3, ratios=[2, 2]))
    yield case(
        "fmen", "training-x3", lambda: FMEN(8, [1, 1, 2, 1], [6, 5], 3, 3, ratios=[3, 1]))

    # Each residual block runs as often as there are.
    yield case("memnet", "m2r2", lambda: MemNet(8, 2, 2, 3), run=("--scale", "2"))
    yield case("memnet", "m3r1-gray", lambda: MemNet(12, 3, 1, 1), channels=1, run=("--scale", "2"))
    yield case("memnet", "m1r3", lambda: MemNet(6, 1, 3, 3), run=("--scale", "3"))
    yield case(
        "memnet", "m2r4-gray", lambda: MemNet(4, 2, 4, 1), channels=1, run=("--scale", "2"),
        tolerance=1e-4)

    # It has one published size.
    yield case("aod-net", "colour", lambda: AODNet(3, 3))
    yield case("aod-net", "gray", lambda: AODNet(1, 4), channels=1)


#: Networks of published sizes, and how many parameters their papers count, in what unit.
PUBLISHED = [
    (lambda: BSRN(64, 8, 4, 3), 352, 1000),
    (lambda: BSRN(64, 8, 2, 3), 332, 1000),
    (lambda: DistilledChain(64, 8, 4, 3, True), 894, 1000),
    (lambda: MAN(48, 1, 5, 4), 150, 1000),
    (lambda: MAN(180, 1, 36, 4), 871, 10_000),
    (lambda: FMEN(50, [2, 1, 1, 1, 1], [12, 16], 4, 3), 341, 1000),
    (lambda: FMEN(64, [2] * 5, [32, 32], 4, 3), 769, 1000),
    (lambda: AODNet(3, 3), 1761, 1),
]


class EEDS(nn.Module):
    """The sum of a deep and a shallow network, from the paper's facts: Keras's padding of the transposed
    convolutions, which is PyTorch's too where kernel and scale differ by an even number."""
    def __init__(self, channels, features, squeezed, branch, shallow, kernel, scale):
        super().__init__()
        cut = (kernel - scale) // 2
        up = lambda first, last: nn.ConvTranspose2d(first, last, kernel, scale, cut)
        block = lambda: Part(conv1=conv(features, features), conv2=conv(features, features))
        self.shallow = Part(
            conv1=conv(channels, shallow[0]), up=up(*shallow), conv2=conv(shallow[1], channels, 5))
        self.deep = Part(
            conv1=conv(channels, features), block1=block(), squeeze=conv(features, squeezed, 1),
            up=up(squeezed, squeezed), expand=conv(squeezed, features, 1), block2=block(), block3=block(),
            reduce=conv(features, branch, 1), branch1=conv(branch, branch, 1),
            conv2=conv(4 * branch, channels, 1))
        for side in 3, 5, 7:
            setattr(self.deep, f"branch{side}a", nn.Conv2d(branch, branch, (1, side), padding=(0, side // 2)))
            setattr(self.deep, f"branch{side}b", nn.Conv2d(branch, branch, (side, 1), padding=(side // 2, 0)))

    def forward(self, image):
        def relu(name, x):
            return F.relu(self.deep.get_submodule(name)(x))

        def block(name, x):
            return F.relu(x + self.deep.get_submodule(name).conv2(relu(name + ".conv1", x)))

        s = self.shallow
        small = F.relu(s.conv2(F.relu(s.up(F.relu(s.conv1(image))))))
        x = block("block1", relu("conv1", image))
        x = relu("expand", relu("up", relu("squeeze", x)))
        x = relu("reduce", block("block3", block("block2", x)))
        parts = [relu("branch1", x)] + [relu(f"branch{k}b", relu(f"branch{k}a", x)) for k in (3, 5, 7)]
        return relu("conv2", torch.cat(parts, 1)) + small


def eeds():
    def case(label, scale, kernel=14, channels=1, features=16, squeezed=4, branch=8, shallow=(8, 12)):
        return Case(
            "eeds", label, "self-made",
            lambda: EEDS(channels, features, squeezed, branch, shallow, kernel, scale), channels=channels,
            config={"scale": scale})
    yield case("x2", 2)
    yield case("x4", 4, features=12, squeezed=6)
    yield case("x3-colour", 3, kernel=13, channels=3, branch=4)
    yield case("x2-small", 2, kernel=8, shallow=(4, 6))


def cases():
    for build, count, unit in PUBLISHED:
        found = sum(tensor.numel() for tensor in build().parameters())
        if round(found / unit) != count:
            raise RuntimeError(f"{found} parameters, {count} x {unit} published")
    yield from nafnet()
    yield from safmn()
    yield from light()
    yield from mixdehaze()
    yield from eeds()
