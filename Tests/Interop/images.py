#!/usr/bin/env python3
"""Holds Aviary's image formats against Pillow's, both ways: what Pillow writes is copied by
`aviary run nearest --scale 1` into every format that holds it, and Pillow must read the same samples.

    python images.py AVIARY FOLDER
"""
import itertools
import pathlib
import subprocess
import sys

import numpy as np
from PIL import Image

AVIARY, FOLDER = sys.argv[1], pathlib.Path(sys.argv[2])
FOLDER.mkdir(parents=True, exist_ok=True)
generator = np.random.default_rng(1)
smooth = np.add.outer(np.arange(61) * 3, np.arange(83) * 2)


def noise(channels):
    planes = [(smooth + c * 40 + generator.integers(0, 30, smooth.shape)) % 256 for c in range(channels)]
    data = np.stack(planes, -1).astype(np.uint8)
    return data[..., 0] if channels == 1 else data


IMAGES = {
    "L": Image.fromarray(noise(1)),
    "LA": Image.fromarray(noise(2), "LA"),
    "RGB": Image.fromarray(noise(3)),
    "RGBA": Image.fromarray(noise(4)),
    "P": Image.fromarray(noise(3)).quantize(32),
    "1": Image.fromarray(noise(1)).convert("1"),
    "I;16": Image.fromarray(noise(1).astype(np.uint16) * 257 + 3),
}
# What Pillow writes: name, options, modes.
SOURCES = [
    ("png", {}, ["L", "LA", "RGB", "RGBA", "P", "1", "I;16"]),
    ("tif", {}, ["L", "LA", "RGB", "RGBA", "P", "1", "I;16"]),
    ("tif", {"compression": "tiff_lzw"}, ["L", "RGB", "RGBA", "I;16"]),
    ("tif", {"compression": "tiff_adobe_deflate"}, ["L", "RGB", "RGBA"]),
    ("tif", {"compression": "packbits"}, ["L", "RGB", "1"]),
    ("tif", {"compression": "group4"}, ["1"]),
    ("webp", {"lossless": True, "exact": True}, ["RGB", "RGBA"]),
    ("bmp", {}, ["L", "RGB", "RGBA", "P", "1"]),
    ("gif", {}, ["L", "P", "1"]),
    ("ppm", {}, ["L", "RGB", "1", "I;16"]),
    ("jpg", {"quality": 95, "subsampling": 0}, ["L", "RGB"]),
    ("jpg", {"quality": 90, "progressive": True}, ["RGB"]),
]
# What Aviary writes, and what it holds: alpha, 16 bits.
TARGETS = [("png", True, True), ("tif", True, True), ("webp", True, False), ("ppm", False, True)]


def samples(image):
    """Red, green, blue and alpha, of 8 bits; of 16, gray."""
    if image.mode.startswith("I"):
        return np.asarray(image).astype(np.int64)
    return np.asarray(image.convert("RGBA")).astype(np.int64)


def main():
    count, wrong = 0, []
    for (ending, options, modes), (target, alpha, sixteen) in itertools.product(SOURCES, TARGETS):
        for mode in modes:
            if mode in ("LA", "RGBA") and not alpha or mode == "I;16" and not sixteen:
                continue
            source = FOLDER / f"source.{ending}"
            result = FOLDER / f"result.{target}"
            IMAGES[mode].save(source, **options)
            run = subprocess.run(
                [AVIARY, "run", "nearest", source, "-o", result, "--scale", "1", "--quiet"]
                + (["--lossless"] if target == "webp" else []), capture_output=True, text=True)
            label = f"{mode} {ending} {options} -> {target}"
            count += 1
            if run.returncode != 0:
                wrong.append(f"{label}: {run.stderr.strip()}")
                continue
            expected, found = samples(Image.open(source)), samples(Image.open(result))
            if expected.shape != found.shape:
                wrong.append(f"{label}: {expected.shape} and {found.shape}")
                continue
            # Decoders of JPEG may round otherwise.
            largest = int(np.abs(expected - found).max())
            if largest > (2 if ending == "jpg" else 0):
                wrong.append(f"{label}: differs by {largest}")
    print("\n".join(wrong))
    print(f"{count} images copied, {len(wrong)} of them wrong")
    sys.exit(1 if wrong else 0)


main()
