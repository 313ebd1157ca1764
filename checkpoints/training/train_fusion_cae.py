#!/usr/bin/env python3
"""Trains `fusion-cae` in PyTorch, for the checkpoint that the demo uses until `aviary train` exists.

    python train_fusion_cae.py --data FOLDER --bench FOLDER --out FOLDER --minutes 95

--data    pictures for training, searched recursively (PNG, JPEG, BMP)
--bench   a folder with originals to validate on; the low-resolution pictures are made here
--out     receives final.pt (the state dict of the averaged weights, ready for `aviary convert`),
          configuration.json, log.csv, and state.pt, from which --resume goes on

Needs torch, numpy and pillow. The names of the layers are those of Plugins/FusionCAE, so that
the state dict loads without renaming. The length of the training is stated as time (--minutes)
or as steps (--steps); the schedule of the learning rate follows either, so the run always ends
with the learning rate near zero, however busy the machine is.
"""
import argparse
import csv
import json
import math
import os
import pathlib
import time

# Threads that wait asleep rather than spinning: on a machine that does other work beside this,
# spinning at nice 19 takes the time of the thread that is waited for.
os.environ.setdefault("OMP_WAIT_POLICY", "passive")

import numpy as np
import torch
import torch.nn as nn
import torch.nn.functional as F
from PIL import Image

SLOPE = 0.05
PRESETS = {
    "fusion-cae": {"features": [48, 96], "blocks": [3, 2]},
    "small": {"features": [32, 64], "blocks": [2, 2]},
}


# ---------------------------------------------------------------------------------------------
# The network
# ---------------------------------------------------------------------------------------------

def act(x):
    return F.leaky_relu(x, SLOPE)


class ResidualBlock(nn.Module):
    def __init__(self, features):
        super().__init__()
        self.conv1 = nn.Conv2d(features, features, 3, padding=1)
        self.conv2 = nn.Conv2d(features, features, 3, padding=1)

    def forward(self, x):
        return x + self.conv2(act(self.conv1(x)))


class Level(nn.Module):
    """One level of the encoder (`down` from the level above) or of the decoder (`up` from the
    level below, and `fuse` of that with the encoder's features)."""

    def __init__(self, features, blocks, down=None, up=None, skips=0):
        super().__init__()
        if down is not None:
            self.down = nn.Conv2d(down, features, 3, stride=2, padding=1)
        if up is not None:
            self.up = nn.ConvTranspose2d(up, features, 2, stride=2)
            self.fuse = nn.Conv2d(features * (skips + 1), features, 1)
        self.blocks = nn.ModuleList(ResidualBlock(features) for _ in range(blocks))

    def outputs(self, x):
        results = []
        for block in self.blocks:
            x = block(x)
            results.append(x)
        return results


class FusionCAE(nn.Module):
    def __init__(self, channels=3, scale=2, features=(48, 96), blocks=(3, 2)):
        super().__init__()
        self.scale = scale
        last = len(features) - 1
        self.multiple = 2 ** last
        self.head = nn.Conv2d(channels, features[0], 3, padding=1)
        self.encoder = nn.ModuleList(
            Level(features[l], blocks[l], down=features[l - 1] if l else None) for l in range(last + 1))
        self.bottom = nn.Conv2d(features[last] * blocks[last], features[last], 1)
        self.decoder = nn.ModuleList(
            Level(features[l], blocks[l], up=features[l + 1], skips=blocks[l]) for l in range(last))
        self.fuse = nn.Conv2d(features[0] * blocks[0], features[0], 1)
        self.gather = nn.Conv2d(features[0], features[0], 3, padding=1)
        self.tail = nn.Conv2d(features[0], channels * scale * scale, 3, padding=1)

    def forward(self, picture):
        x = head = self.head(picture)
        skips = []
        for index, level in enumerate(self.encoder):
            if index:
                x = act(level.down(x))
            skips.append(level.outputs(x))
            x = skips[-1][-1]
        x = act(self.bottom(torch.cat(skips[-1], 1)))
        outputs = skips[-1]
        for index in reversed(range(len(self.decoder))):
            level = self.decoder[index]
            x = act(level.fuse(torch.cat(skips[index] + [level.up(x)], 1)))
            outputs = level.outputs(x)
            x = outputs[-1]
        x = self.gather(act(self.fuse(torch.cat(outputs, 1)))) + head
        x = self.tail(x)
        if self.scale == 1:
            return x + picture
        enlarged = F.interpolate(picture, scale_factor=self.scale, mode="bilinear", align_corners=False)
        return F.pixel_shuffle(x, self.scale) + enlarged


def initialise(network):
    """He's initialisation, with every branch that is added to something else made small, so that
    training starts close to the bilinear enlargement and bears a high learning rate."""
    for name, module in network.named_modules():
        if isinstance(module, nn.ConvTranspose2d):
            # Kernel 2 at stride 2: each output pixel is reached by one tap of each input channel.
            nn.init.normal_(module.weight, std=math.sqrt(1 / module.in_channels))
        elif isinstance(module, nn.Conv2d):
            nn.init.kaiming_normal_(module.weight, a=SLOPE)
            if name.endswith("conv2") or name in ("gather", "tail"):
                module.weight.data *= 0.1
        else:
            continue
        nn.init.zeros_(module.bias)


# ---------------------------------------------------------------------------------------------
# Pictures: MATLAB's imresize, luma, PSNR (Docs: the protocol)
# ---------------------------------------------------------------------------------------------

def contributions(size, scale, border):
    """Weights and source indices of MATLAB's bicubic with antialiasing, along one axis."""
    result = math.ceil(size * scale)
    width = 4 / scale if scale < 1 else 4
    centre = np.arange(1, result + 1) / scale + 0.5 * (1 - 1 / scale)
    left = np.floor(centre - width / 2)
    taps = math.ceil(width) + 2
    index = left[:, None] + np.arange(taps)
    distance = centre[:, None] - index
    x = np.abs(distance * scale if scale < 1 else distance)
    weights = np.where(x <= 1, 1.5 * x**3 - 2.5 * x**2 + 1,
                       np.where(x <= 2, -0.5 * x**3 + 2.5 * x**2 - 4 * x + 2, 0))
    weights /= weights.sum(1, keepdims=True)
    index = index.astype(int) - 1
    if border == "symmetric":
        mirror = np.concatenate([np.arange(size), np.arange(size)[::-1]])
        index = mirror[index % (2 * size)]
    else:
        index = index.clip(0, size - 1)
    return weights, index


def imresize(picture, scale, border="symmetric"):
    """uint8 height x width x channels to the same; rounded after each pass, rows first."""
    for axis in (0, 1):
        weights, index = contributions(picture.shape[axis], scale, border)
        source = np.moveaxis(picture, axis, 0)
        sums = np.zeros((len(weights),) + source.shape[1:])
        for tap in range(weights.shape[1]):
            if np.any(weights[:, tap]):
                sums += weights[:, tap].reshape(-1, *[1] * (source.ndim - 1)) * source[index[:, tap]]
        picture = np.moveaxis(np.floor(sums + 0.5).clip(0, 255).astype(np.uint8), 0, axis)
    return picture


def luma(picture):
    return np.floor(16 + picture.astype(float) @ np.array([65.481, 128.553, 24.966]) / 255 + 0.5)


def psnr(result, original, crop):
    difference = (luma(result) - luma(original))[crop:-crop, crop:-crop]
    return 10 * math.log10(255**2 / np.mean(difference**2))


def load(folder, scale):
    """Pairs of small and original pictures, uint8, height x width x 3."""
    pairs = []
    paths = [p for p in pathlib.Path(folder).rglob("*") if p.suffix.lower() in (".png", ".jpg", ".jpeg", ".bmp")]
    if not paths:
        raise SystemExit(f"{folder}: no pictures")
    for path in sorted(paths):
        picture = np.asarray(Image.open(path).convert("RGB"))
        height, width = (side - side % max(scale, 1) for side in picture.shape[:2])
        picture = np.ascontiguousarray(picture[:height, :width])
        pairs.append((imresize(picture, 1 / scale), picture))
    return pairs


def batch(pairs, chances, generator, count, side, scale):
    inputs = np.empty((count, side, side, 3), np.uint8)
    targets = np.empty((count, side * scale, side * scale, 3), np.uint8)
    for i, which in enumerate(generator.choice(len(pairs), count, p=chances)):
        small, large = pairs[which]
        y = generator.integers(small.shape[0] - side + 1)
        x = generator.integers(small.shape[1] - side + 1)
        a = small[y:y + side, x:x + side]
        b = large[y * scale:(y + side) * scale, x * scale:(x + side) * scale]
        turns, flip = generator.integers(4), generator.integers(2)
        a, b = np.rot90(a, turns), np.rot90(b, turns)
        if flip:
            a, b = a[:, ::-1], b[:, ::-1]
        inputs[i], targets[i] = a, b
    # Height, width, channels in memory is channels_last after the permutation, with no copy.
    return [torch.from_numpy(v).permute(0, 3, 1, 2).float() / 255 for v in (inputs, targets)]


@torch.no_grad()
def enlarge(network, picture):
    height, width = picture.shape[:2]
    multiple = network.multiple
    padded = np.pad(picture, ((0, -height % multiple), (0, -width % multiple), (0, 0)), "edge")
    x = torch.from_numpy(padded).permute(2, 0, 1)[None].float() / 255
    y = network(x.contiguous(memory_format=torch.channels_last))[0, :, :height * network.scale, :width * network.scale]
    return (y.clamp(0, 1) * 255).round().byte().permute(1, 2, 0).numpy()


def evaluate(network, pairs):
    figures = [psnr(enlarge(network, small), large, network.scale) for small, large in pairs]
    return sum(figures) / len(figures)


# ---------------------------------------------------------------------------------------------
# Training
# ---------------------------------------------------------------------------------------------

def save(value, path):
    temporary = path.with_suffix(".part")
    with open(temporary, "wb") as file:
        torch.save(value, file)
        file.flush()
        os.fsync(file.fileno())
    os.replace(temporary, path)


def arguments():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", required=True)
    parser.add_argument("--bench", required=True)
    parser.add_argument("--out", required=True, type=pathlib.Path)
    parser.add_argument("--preset", choices=PRESETS, default="fusion-cae")
    parser.add_argument("--scale", type=int, choices=(2, 3, 4), default=2)
    length = parser.add_mutually_exclusive_group(required=True)
    length.add_argument("--minutes", type=float)
    length.add_argument("--steps", type=int)
    parser.add_argument("--batch", type=int, default=16)
    parser.add_argument("--patch", type=int, default=48, help="side of a small patch")
    parser.add_argument("--rate", type=float, default=1e-3, help="peak learning rate")
    parser.add_argument("--floor", type=float, default=1e-6, help="last learning rate")
    parser.add_argument("--warmup", type=int, default=200, help="steps")
    parser.add_argument("--average", type=float, default=0.999, help="decay of the average of the weights")
    parser.add_argument("--precision", choices=("float32", "bfloat16"), default="float32")
    parser.add_argument("--refine", type=float, default=0.85, metavar="FRACTION",
                        help="from this part of the run on, float32 is used whatever --precision says")
    parser.add_argument("--evaluate-every", type=float, default=5, help="minutes")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--resume", action="store_true")
    return parser.parse_args()


def main():
    options = arguments()
    torch.set_num_threads(options.threads)
    torch.manual_seed(options.seed)
    options.out.mkdir(parents=True, exist_ok=True)
    started = time.monotonic()

    scale = options.scale
    pairs = [pair for pair in load(options.data, scale) if min(pair[0].shape[:2]) >= options.patch]
    # Every place of every picture is equally likely.
    chances = np.array([p[0].shape[0] * p[0].shape[1] for p in pairs], float)
    chances /= chances.sum()
    bench = load(options.bench, scale)
    bicubic = sum(psnr(imresize(s, scale), l, scale) for s, l in bench) / len(bench)

    configuration = {"channels": 3, "scale": scale, **PRESETS[options.preset]}
    network = FusionCAE(**configuration).to(memory_format=torch.channels_last)
    initialise(network)
    average = FusionCAE(**configuration).to(memory_format=torch.channels_last)
    average.load_state_dict(network.state_dict())
    optimiser = torch.optim.Adam(network.parameters(), lr=options.rate, betas=(0.9, 0.99))
    step, before = 0, 0.0
    state = options.out / "state.pt"
    if options.resume and state.exists():
        stored = torch.load(state)
        network.load_state_dict(stored["network"])
        average.load_state_dict(stored["average"])
        optimiser.load_state_dict(stored["optimiser"])
        step, before = stored["step"], stored["minutes"]
    # After a resumption other patches follow than without one; the length of the run is the same.
    generator = np.random.default_rng([options.seed, step])
    (options.out / "configuration.json").write_text(json.dumps(configuration) + "\n")
    log = open(options.out / "log.csv", "a", newline="")
    rows = csv.writer(log)
    if log.tell() == 0:
        rows.writerow(["step", "minutes", "loss", "rate", "psnr", "bicubic"])

    print(f"{len(pairs)} pictures, {sum(p.numel() for p in network.parameters())} parameters, "
          f"bicubic {bicubic:.2f} dB, from step {step}, minute {before:.1f}", flush=True)
    minutes = lambda: before + (time.monotonic() - started) / 60
    progress = lambda: step / options.steps if options.steps else minutes() / options.minutes
    evaluated, loss_sum, loss_count, skipped = minutes(), 0.0, 0, 0
    while progress() < 1:
        rate = options.floor + (options.rate - options.floor) * 0.5 * (1 + math.cos(math.pi * progress()))
        rate *= min(1, (step + 1) / options.warmup)
        for group in optimiser.param_groups:
            group["lr"] = rate
        small, large = batch(pairs, chances, generator, options.batch, options.patch, scale)
        narrow = options.precision == "bfloat16" and progress() < options.refine
        with torch.autocast("cpu", torch.bfloat16, enabled=narrow):
            result = network(small)
        loss = F.l1_loss(result.float(), large)
        optimiser.zero_grad(set_to_none=True)
        loss.backward()
        norm = nn.utils.clip_grad_norm_(network.parameters(), 1.0)
        if not torch.isfinite(norm):
            skipped += 1
            if skipped > 100:
                raise SystemExit(f"step {step}: the gradient was not finite for the 100th time")
            continue
        optimiser.step()
        step += 1
        decay = min(options.average, (1 + step) / (10 + step))
        with torch.no_grad():
            torch._foreach_lerp_(list(average.parameters()), list(network.parameters()), 1 - decay)
        loss_sum, loss_count = loss_sum + loss.item(), loss_count + 1
        if step in (100, 300, 1000) or minutes() - evaluated >= options.evaluate_every or progress() >= 1:
            figure = evaluate(average, bench)
            row = [step, f"{minutes():.2f}", f"{loss_sum / loss_count:.6f}", f"{rate:.3g}", f"{figure:.3f}", f"{bicubic:.3f}"]
            rows.writerow(row)
            log.flush()
            print(*row, flush=True)
            evaluated, loss_sum, loss_count = minutes(), 0.0, 0
            save({"network": network.state_dict(), "average": average.state_dict(),
                  "optimiser": optimiser.state_dict(), "step": step, "minutes": minutes()}, state)
    # Contiguous, so that the file holds plain OIHW tensors.
    save({name: value.contiguous().clone() for name, value in average.state_dict().items()}, options.out / "final.pt")
    print(f"finished: {step} steps, {minutes():.1f} minutes, {skipped} skipped", flush=True)


if __name__ == "__main__":
    main()
