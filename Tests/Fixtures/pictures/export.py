"""Makes the pictures of this folder, and the figures in expected.json, independently of Aviary.

PNG files are put together by hand (zlib and struct), so that no library decides what is in them;
JPEG files come from Pillow. Run in this folder with numpy and pillow installed.
"""

import io
import json
import struct
import zlib

import numpy as np
from PIL import Image, ImageCms, ImageOps

WIDTH, HEIGHT = 11, 9
CHANNELS = {0: 1, 2: 3, 3: 1, 4: 2, 6: 4}


def chunk(kind, data=b""):
    body = kind + data
    return struct.pack(">I", len(data)) + body + struct.pack(">I", zlib.crc32(body))


def sample(x, y, c, depth):
    """The pattern that the tests expect: every sample another value."""
    spread = 2749 if depth == 16 else 1
    return (x * 7 + y * 13 + c * 29 + 1) * spread % (1 << depth)


def palette(i):
    return (i * 37 % 256, i * 59 % 256, i * 83 % 256)


def palette_alpha(i):
    return i * 17 % 256


def packed(row, depth):
    if depth == 16:
        return b"".join(struct.pack(">H", v) for v in row)
    bits = "".join(format(v, "0%db" % depth) for v in row)
    bits += "0" * (-len(bits) % 8)
    return bytes(int(bits[i : i + 8], 2) for i in range(0, len(bits), 8))


def passes(interlaced):
    if not interlaced:
        return [(0, 0, 1, 1)]
    return [
        (0, 0, 8, 8), (4, 0, 8, 8), (0, 4, 4, 8), (2, 0, 4, 4),
        (0, 2, 2, 4), (1, 0, 2, 2), (0, 1, 1, 2),
    ]


def png(color, depth, interlaced=False, before=(), after=(), size=(WIDTH, HEIGHT)):
    width, height = size
    data = b""
    for x0, y0, dx, dy in passes(interlaced):
        for y in range(y0, height, dy):
            row = [
                sample(x, y, c, depth)
                for x in range(x0, width, dx)
                for c in range(CHANNELS[color])
            ]
            if row:
                data += b"\0" + packed(row, depth)
    header = struct.pack(">IIBBBBB", width, height, depth, color, 0, 0, int(interlaced))
    stream = zlib.compress(data)
    out = b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header)
    if color == 3:
        out += chunk(b"PLTE", b"".join(bytes(palette(i)) for i in range(1 << depth)))
    out += b"".join(before)
    # Two IDAT chunks: readers must join them.
    out += chunk(b"IDAT", stream[:20]) + chunk(b"IDAT", stream[20:])
    return out + b"".join(after) + chunk(b"IEND")


def save(name, data):
    with open(name, "wb") as file:
        file.write(data)


NAMES = {0: "gray", 2: "rgb", 3: "palette", 4: "gray-alpha", 6: "rgba"}
DEPTHS = {0: (1, 2, 4, 8, 16), 2: (8, 16), 3: (1, 2, 4, 8), 4: (8, 16), 6: (8, 16)}
for color, depths in DEPTHS.items():
    for depth in depths:
        save("%s-%d.png" % (NAMES[color], depth), png(color, depth))
        save("%s-%d-interlaced.png" % (NAMES[color], depth), png(color, depth, True))

# Transparency by tRNS: one gray value, one colour, an alpha for each palette entry.
gray = struct.pack(">H", sample(3, 2, 0, 4))
save("gray-4-transparent.png", png(0, 4, before=[chunk(b"tRNS", gray)]))
color = struct.pack(">HHH", *(sample(5, 4, c, 16) for c in range(3)))
save("rgb-16-transparent.png", png(2, 16, before=[chunk(b"tRNS", color)]))
alphas = bytes(palette_alpha(i) for i in range(16))
save("palette-4-transparent.png", png(3, 4, before=[chunk(b"tRNS", alphas)]))

# Chunks to carry; EXIF data after the picture, where some programs put it.
profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
exif = Image.Exif()
exif[0x0112] = 6
exif[0x010F] = "Aviary"
exif_bytes = exif.tobytes()[6:]
meta = [
    chunk(b"gAMA", struct.pack(">I", 45455)),
    chunk(b"cHRM", struct.pack(">8I", 31270, 32900, 64000, 33000, 30000, 60000, 15000, 6000)),
    chunk(b"iCCP", b"test\0\0" + zlib.compress(profile)),
    chunk(b"pHYs", struct.pack(">IIB", 11811, 5906, 1)),
    chunk(b"tEXt", b"Comment\0carried too"),
]
save("metadata.png", png(2, 8, before=meta, after=[chunk(b"eXIf", exif_bytes)]))
marks = [chunk(b"sRGB", b"\1"), chunk(b"cICP", bytes([9, 16, 0, 1]))]
save("marks.png", png(0, 16, before=marks))

# Headers that promise what the file does not hold.
huge = struct.pack(">IIBBBBB", 30000, 30000, 8, 0, 0, 0, 0)
start = b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", huge)
save("huge-header.png", (start + chunk(b"IDAT", zlib.compress(bytes(40000))))[:100])
save("huge-hollow.png", start + chunk(b"IDAT", zlib.compress(bytes(40000))) + chunk(b"IEND"))
empty = struct.pack(">IIBBBBB", 0, 0, 8, 0, 0, 0, 0)
save(
    "no-pixels.png",
    b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", empty) + chunk(b"IDAT", zlib.compress(b"")) + chunk(b"IEND"),
)

# JPEG: six blocks of one colour each, three across and two down, turned in eight ways. Blocks of one
# colour come through the codec all but unchanged.
BLOCKS = [(200, 30, 40), (20, 180, 60), (40, 50, 220), (230, 220, 30), (120, 120, 120), (10, 10, 10)]
upright = np.zeros((16, 24, 3), np.uint8)
for i, rgb in enumerate(BLOCKS):
    upright[i // 3 * 8 : i // 3 * 8 + 8, i % 3 * 8 : i % 3 * 8 + 8] = rgb
turns = {
    1: lambda a: a, 2: lambda a: a[:, ::-1], 3: lambda a: a[::-1, ::-1], 4: lambda a: a[::-1],
    5: lambda a: a.transpose(1, 0, 2), 6: lambda a: a.transpose(1, 0, 2)[::-1],
    7: lambda a: a[::-1, ::-1].transpose(1, 0, 2), 8: lambda a: a.transpose(1, 0, 2)[:, ::-1],
}
for orientation, turn in turns.items():
    exif = Image.Exif()
    exif[0x0112] = orientation
    exif[0x010F] = "Aviary"
    name = "orientation-%d.jpg" % orientation
    Image.fromarray(np.ascontiguousarray(turn(upright))).save(
        name, quality=100, subsampling=0, exif=exif.tobytes(), dpi=(300, 150)
    )
    # Pillow's own idea of upright agrees.
    shown = np.asarray(ImageOps.exif_transpose(Image.open(name))).astype(int)
    assert abs(shown - upright).max() <= 3, orientation
base = Image.fromarray(upright)
base.save("progressive.jpg", quality=100, subsampling=0, progressive=True, icc_profile=profile)
base.convert("L").save("gray.jpg", quality=100)
base.convert("CMYK").save("cmyk.jpg", quality=100)
wide = np.random.default_rng(5).integers(0, 256, (64, 64, 3)).astype(np.uint8)
Image.fromarray(wide).save("noise.jpg", quality=90)
buffer = io.BytesIO()
base.save(buffer, format="GIF")
save("picture.gif", buffer.getvalue())


# Resampling and metrics, straight from their definitions.
def kernel(name, x):
    a = np.abs(x)
    if name == "nearest":
        return ((-0.5 <= x) & (x < 0.5)).astype(float)
    if name == "bilinear":
        return np.maximum(0, 1 - a)
    if name == "bicubic":
        near = 1.5 * a**3 - 2.5 * a**2 + 1
        far = -0.5 * a**3 + 2.5 * a**2 - 4 * a + 2
        return np.where(a <= 1, near, np.where(a <= 2, far, 0))
    return np.where(a < 3, np.sinc(x) * np.sinc(x / 3), 0)


WIDTHS = {"nearest": 1, "bilinear": 2, "bicubic": 4, "lanczos3": 6}


def matrix(name, count, result, border):
    """The whole filter of one side as a matrix."""
    scale = result / count
    shrink = min(scale, 1) if name != "nearest" else 1
    centres = (np.arange(result) + 0.5) / scale - 0.5
    reach = int(WIDTHS[name] / shrink) + 2
    out = np.zeros((result, count))
    for i, centre in enumerate(centres):
        at = np.arange(int(np.floor(centre)) - reach, int(np.floor(centre)) + reach + 1)
        weights = kernel(name, (centre - at) * shrink)
        weights = weights / weights.sum()
        folded = at % (2 * count)
        mirrored = np.where(folded < count, folded, 2 * count - 1 - folded)
        places = mirrored if border == "symmetric" else np.clip(at, 0, count - 1)
        np.add.at(out[i], places, weights)
    return out


picture = np.array([[sample(x, y, 0, 8) for x in range(WIDTH)] for y in range(HEIGHT)]) / 255
expected = {"resampled": []}
for name in WIDTHS:
    for border in "symmetric", "replicated":
        for width, height in (22, 18), (5, 4), (16, 3), (1, 40):
            down = matrix(name, HEIGHT, height, border)
            across = matrix(name, WIDTH, width, border)
            values = (down @ picture @ across.T).ravel().round(9).tolist()
            expected["resampled"].append(
                {"kernel": name, "border": border, "width": width, "height": height,
                 "values": values})

rng = np.random.default_rng(7)
y, x = np.mgrid[0:32, 0:40]
original = np.stack([128 + 90 * np.sin(x / (3 + c)) * np.cos(y / (4 + c)) for c in range(3)], 2)
noisy = original + rng.normal(0, 9, original.shape)
pair = [np.clip(np.rint(a), 0, 255).astype(np.uint8) for a in (original, noisy)]
Image.fromarray(pair[0]).save("metric-original.png")
Image.fromarray(pair[1]).save("metric-noisy.png")


def luma(a, rounded):
    value = 16 + a.astype(float) @ np.array([65.481, 128.553, 24.966]) / 255
    return np.floor(value + 0.5) if rounded else value


def ssim(a, b):
    axis = np.arange(11) - 5
    window = np.exp(-(axis[:, None] ** 2 + axis[None] ** 2) / (2 * 1.5**2))
    window /= window.sum()
    c1, c2 = (0.01 * 255) ** 2, (0.03 * 255) ** 2
    values = []
    for i in range(a.shape[0] - 10):
        for j in range(a.shape[1] - 10):
            p, q = a[i : i + 11, j : j + 11], b[i : i + 11, j : j + 11]
            mp, mq = (window * p).sum(), (window * q).sum()
            vp = (window * (p - mp) ** 2).sum()
            vq = (window * (q - mq) ** 2).sum()
            cov = (window * (p - mp) * (q - mq)).sum()
            values.append(
                (2 * mp * mq + c1) * (2 * cov + c2) / ((mp**2 + mq**2 + c1) * (vp + vq + c2)))
    return float(np.mean(values))


expected["quality"] = []
for border, rounded in (2, True), (3, False):
    a, b = (luma(p, rounded)[border:-border, border:-border] for p in pair)
    error = ((a - b) ** 2).mean()
    expected["quality"].append(
        {"border": border, "rounded": rounded,
         "psnr": float(10 * np.log10(255**2 / error)), "ssim": ssim(a, b)})

with open("expected.json", "w") as file:
    json.dump(expected, file, separators=(",", ":"))
    file.write("\n")
