"""Makes the images of this folder, independently of Aviary: by Pillow, tifffile and imagecodecs.

Every sample follows from its place (see Fixture.sample in the tests), so that no file of figures is
needed. Run in this folder with numpy, pillow, tifffile and imagecodecs installed.
"""

import struct
import zlib

import numpy as np
import tifffile
from PIL import Image

WIDTH, HEIGHT = 11, 9
y, x = np.mgrid[0:HEIGHT, 0:WIDTH]


def pattern(channels, depth, height=HEIGHT, width=WIDTH):
    rows, columns = np.mgrid[0:height, 0:width]
    spread = 2749 if depth == 16 else 1
    planes = [(columns * 7 + rows * 13 + c * 29 + 1) * spread % (1 << depth) for c in range(channels)]
    data = np.stack(planes, -1).astype(np.uint16 if depth == 16 else np.uint8)
    return data[..., 0] if channels == 1 else data


# TIFF: layouts and compressions, by tifffile.
rgb8, rgb16, gray8, gray16 = pattern(3, 8), pattern(3, 16), pattern(1, 8), pattern(1, 16)
rgba8 = pattern(4, 8)
for name, data, options in [
    ("strips", rgb8, dict(rowsperstrip=2)),
    ("lzw", rgb8, dict(compression="lzw", predictor=True, rowsperstrip=4)),
    ("deflate-16", rgb16, dict(compression="zlib", predictor=True)),
    ("packbits", gray8, dict(compression="packbits")),
    ("big-endian-16", rgb16, dict(byteorder=">")),
    ("planar", rgb8, dict(planarconfig="separate", rowsperstrip=3)),
    ("planar-tiled-16", rgb16, dict(planarconfig="separate", tile=(16, 16))),
    ("gray-16", gray16, {}),
    ("white-is-zero", 255 - gray8, dict(photometric="miniswhite")),
    ("alpha", rgba8, dict(extrasamples=["unassalpha"])),
    ("big", rgb8, dict(bigtiff=True)),
    ("float", (rgb16.astype(np.float64) / 65535).astype(np.float32), {}),
    ("float-predicted", (rgb16.astype(np.float64) / 65535).astype(np.float32),
     dict(compression="zlib", predictor=True)),
    ("double", gray16.astype(np.float64) / 65535, {}),
    ("half", (gray8.astype(np.float64) / 256).astype(np.float16), {}),
    ("uint32", gray16.astype(np.uint32) * 65537, {}),
]:
    photometric = options.pop("photometric", "rgb" if data.ndim == 3 else "minisblack")
    byteorder, big = options.pop("byteorder", "<"), options.pop("bigtiff", False)
    if options.get("planarconfig") == "separate":
        data = np.moveaxis(data, -1, 0)
    with tifffile.TiffWriter(f"tiff-{name}.tif", byteorder=byteorder, bigtiff=big) as writer:
        writer.write(data, photometric=photometric, metadata=None, software=None, **options)
with tifffile.TiffWriter("tiff-tiled.tif") as writer:
    writer.write(pattern(3, 8, 40, 37), photometric="rgb", tile=(16, 32), compression="lzw",
                 metadata=None, software=None)
with tifffile.TiffWriter("tiff-pages.tif") as writer:
    writer.write(gray8, photometric="minisblack", metadata=None, software=None)
    writer.write(rgb8, photometric="rgb", metadata=None, software=None)
with tifffile.TiffWriter("tiff-five-channels.tif") as writer:
    writer.write(pattern(5, 8), photometric="minisblack", planarconfig="contig",
                 extrasamples=["unspecified"] * 4, metadata=None, software=None)
with tifffile.TiffWriter("tiff-signed.tif") as writer:
    writer.write(gray8.astype(np.int16), photometric="minisblack", metadata=None, software=None)
with tifffile.TiffWriter("tiff-beyond.tif") as writer:
    writer.write(gray8.astype(np.float32), photometric="minisblack", metadata=None, software=None)

# By Pillow: palette, bits, inks, JPEG, and what is beside the pixels.
indices = Image.fromarray(((x + y) % 16).astype(np.uint8), "P")
palette = [v for i in range(16) for v in (i * 37 % 256, i * 59 % 256, i * 83 % 256)]
indices.putpalette(palette + [0] * (768 - len(palette)))
indices.save("tiff-palette.tif")
bits = Image.fromarray((((x + y) % 3 == 0) * 255).astype(np.uint8)).convert("1", dither=0)
bits.save("tiff-bits.tif", compression="group4")
Image.merge("CMYK", [Image.fromarray(pattern(4, 8)[..., c]) for c in range(4)]).save("tiff-cmyk.tif")
blocks = np.kron(np.array([[[200, 30, 40], [20, 180, 60]], [[40, 50, 220], [230, 220, 30]]]),
                 np.ones((8, 8, 1))).astype(np.uint8)
Image.fromarray(blocks).save("tiff-jpeg.tif", compression="jpeg", quality=100)
Image.fromarray(rgb8).save(
    "tiff-metadata.tif", dpi=(300, 150), description="a pattern", software="Pillow",
    artist="nobody", icc_profile=bytes(range(128)))

# WebP, GIF, BMP.
Image.fromarray(rgb8).save("lossless.webp", lossless=True, exact=True)
Image.fromarray(rgba8).save("lossless-alpha.webp", lossless=True, exact=True,
                            xmp=b"<x:xmpmeta xmlns:x='adobe:ns:meta/'/>", exif=b"Exif\0\0II*\0\x08\0\0\0\0\0\0\0\0\0")
Image.fromarray(blocks).save("lossy.webp", quality=100)
frames = [Image.fromarray(blocks), Image.fromarray(255 - blocks)]
frames[0].save("animated.webp", save_all=True, append_images=frames[1:], duration=100)
frames[0].save("animated.gif", save_all=True, append_images=frames[1:], duration=100)
indices.save("palette.gif")
indices.save("transparent.gif", transparency=3)
Image.fromarray(rgb8).save("rgb.bmp")
indices.save("palette.bmp")
bits.save("bits.bmp")
Image.fromarray(gray8).save("gray.bmp")
# 32 bits, of which eight mean nothing.
Image.fromarray(rgba8).save("alpha.bmp")


def bmp(name, bits, compression, pixels, masks=b"", height=HEIGHT, palette=b""):
    header = struct.pack("<IiiHHIIiiII", 40, WIDTH, height, 1, bits, compression, len(pixels), 2835,
                         2835, len(palette) // 4, 0)
    start = 14 + len(header) + len(masks) + len(palette)
    with open(name, "wb") as file:
        file.write(b"BM" + struct.pack("<IHHI", start + len(pixels), 0, 0, start))
        file.write(header + masks + palette + pixels)


# 5, 6 and 5 bits, from the top down; and run lengths of 8 bits, from the bottom up.
words = ((rgb8[..., 0] >> 3).astype(np.uint16) << 11 | (rgb8[..., 1] >> 2).astype(np.uint16) << 5
         | rgb8[..., 2] >> 3)
rows = b"".join(row.astype("<u2").tobytes() + b"\0" * (-2 * WIDTH % 4) for row in words)
bmp("fields.bmp", 16, 3, rows, struct.pack("<III", 0xF800, 0x7E0, 0x1F), -HEIGHT)
fields = rgba8[..., [2, 1, 0, 3]][::-1].tobytes()
bmp("alpha-fields.bmp", 32, 6, fields,
    struct.pack("<IIII", 0xFF0000, 0xFF00, 0xFF, 0xFF000000))
entries = b"".join(bytes([i * 83 % 256, i * 59 % 256, i * 37 % 256, 0]) for i in range(16))
coded = b""
for row in range(HEIGHT - 1, -1, -1):
    line = [(column + row) % 16 for column in range(WIDTH)]
    # Three pixels as a run of the first, where it is one: here never, so runs of one; then the rest.
    coded += bytes([1, line[0], 0, 10]) + bytes(line[1:]) + b"\0\0"
bmp("runs.bmp", 8, 1, coded + b"\0\1", palette=entries)

# Netpbm, by hand.
with open("text.ppm", "w") as file:
    file.write(f"P3\n# a comment\n{WIDTH} {HEIGHT}\n255\n")
    file.write("\n".join(" ".join(str(v) for v in row.ravel()) for row in rgb8) + "\n")
with open("text.pbm", "w") as file:
    file.write(f"P1\n{WIDTH} {HEIGHT}\n")
    file.write("\n".join("".join(str(int(v)) for v in row) for row in (x + y) % 3 == 0) + "\n")
with open("bits.pbm", "wb") as file:
    file.write(f"P4 {WIDTH} {HEIGHT}\n".encode() + np.packbits((x + y) % 3 == 0, axis=1).tobytes())
with open("gray-16.pgm", "wb") as file:
    file.write(f"P5 {WIDTH} {HEIGHT} 65535\n".encode() + gray16.astype(">u2").tobytes())
with open("rgb.ppm", "wb") as file:
    file.write(f"P6\n{WIDTH} {HEIGHT}\n255\n".encode() + rgb8.tobytes())
with open("fifteen.pgm", "wb") as file:
    file.write(f"P5 {WIDTH} {HEIGHT} 15\n".encode() + ((x + y) % 16).astype(np.uint8).tobytes())
with open("alpha.pam", "wb") as file:
    file.write(f"P7\nWIDTH {WIDTH}\nHEIGHT {HEIGHT}\nDEPTH 4\nMAXVAL 255\nTUPLTYPE RGB_ALPHA\nENDHDR\n"
               .encode() + rgba8.tobytes())
with open("big-endian.pfm", "wb") as file:
    file.write(f"PF\n{WIDTH} {HEIGHT}\n1.0\n".encode()
               + (rgb16[::-1].astype(np.float64) / 65535).astype(">f4").tobytes())

# Headers that promise 30000x30000 pixels in about a hundred bytes.
ifd = b"".join(struct.pack("<HHII", *entry) for entry in [
    (256, 4, 1, 30000), (257, 4, 1, 30000), (258, 3, 1, 8), (259, 3, 1, 8), (262, 3, 1, 1),
    (273, 4, 1, 8), (277, 3, 1, 1), (278, 4, 1, 30000), (279, 4, 1, 4)])
open("bomb.tif", "wb").write(
    b"II*\0" + struct.pack("<I", 12) + b"\x78\x9c\x03\0" + struct.pack("<H", 9) + ifd + b"\0\0\0\0")
open("bomb.bmp", "wb").write(
    b"BM" + struct.pack("<IHHI", 100, 0, 0, 58) + struct.pack(
        "<IiiHHIIiiII", 40, 30000, 30000, 1, 8, 1, 2, 0, 0, 1, 0) + b"\0\0\0\0" + b"\0\1")
open("bomb.gif", "wb").write(
    b"GIF89a" + struct.pack("<HHBBB", 30000, 30000, 0x80, 0, 0) + b"\0\0\0\xff\xff\xff"
    + b"," + struct.pack("<HHHHB", 0, 0, 30000, 30000, 0) + b"\x02\x02\x44\x01\0;")
open("bomb.ppm", "wb").write(b"P6 30000 30000 255\n" + b"\0" * 80)
# VP8L: 14 bits of either side.
bits = (16383 - 1) | (16383 - 1) << 14
vp8l = b"\x2f" + struct.pack("<I", bits) + b"\0" * 60
chunk = b"VP8L" + struct.pack("<I", len(vp8l)) + vp8l + b"\0" * (len(vp8l) % 2)
open("bomb.webp", "wb").write(b"RIFF" + struct.pack("<I", 4 + len(chunk)) + b"WEBP" + chunk)
