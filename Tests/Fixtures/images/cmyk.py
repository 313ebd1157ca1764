"""Makes a profile of inks, images in it, and what Pillow's ImageCms makes of them.

The profile is made up: inks that darken more than the naive conversion says, through Little CMS.
Run in this folder with numpy and pillow installed, and liblcms2.
"""

import ctypes as c
import io

import numpy as np
from PIL import Image, ImageCms

lcms = c.CDLL("liblcms2.so.2")
for name in ("cmsCreateProfilePlaceholder", "cmsPipelineAlloc", "cmsStageAllocCLut16bit",
             "cmsStageAllocToneCurves"):
    getattr(lcms, name).restype = c.c_void_p
pointer = c.c_void_p
GRID, A2B0, LUT = 5, 0x41324230, 4

# Lab of every combination of inks, the last one fastest, as Little CMS has them: L from 0 to 100
# and a, b from -128 to 127, in 16 bits of version 4.
steps = np.linspace(0, 1, GRID)
cyan, magenta, yellow, black = np.meshgrid(steps, steps, steps, steps, indexing="ij")
light = 95 * (1 - 0.55 * cyan) * (1 - 0.5 * magenta) * (1 - 0.1 * yellow) * (1 - 0.85 * black)
a = (-35 * cyan + 70 * magenta - 5 * yellow) * (1 - black)
b = (-45 * cyan - 5 * magenta + 85 * yellow) * (1 - black)
table = np.stack([light / 100 * 65535, (a + 128) / 255 * 65535, (b + 128) / 255 * 65535], -1)
table = np.ascontiguousarray(table.round().astype(np.uint16))

profile = pointer(lcms.cmsCreateProfilePlaceholder(None))
lcms.cmsSetProfileVersion(profile, c.c_double(4.3))
for setter, signature in [
    ("cmsSetDeviceClass", b"prtr"), ("cmsSetColorSpace", b"CMYK"), ("cmsSetPCS", b"Lab "),
]:
    getattr(lcms, setter)(profile, c.c_uint32(int.from_bytes(signature, "big")))
pipeline = pointer(lcms.cmsPipelineAlloc(None, 4, 3))
stage = pointer(lcms.cmsStageAllocCLut16bit(
    None, GRID, 4, 3, table.ctypes.data_as(c.POINTER(c.c_uint16))))
# Curves that change nothing, which the format wants around the table.
for stage in [pointer(lcms.cmsStageAllocToneCurves(None, 4, None)), stage,
              pointer(lcms.cmsStageAllocToneCurves(None, 3, None))]:
    assert lcms.cmsPipelineInsertStage(pipeline, 1, stage)
assert lcms.cmsWriteTag(profile, c.c_uint32(A2B0), pipeline)
size = c.c_uint32(0)
assert lcms.cmsSaveProfileToMem(profile, None, c.byref(size))
buffer = c.create_string_buffer(size.value)
assert lcms.cmsSaveProfileToMem(profile, buffer, c.byref(size))
icc = buffer.raw[:size.value]

y, x = np.mgrid[0:16, 0:24]
inks = np.stack([x * 10, y * 16, 255 - x * 10, (x + y) * 3], -1).astype(np.uint8)
image = Image.fromarray(inks, "CMYK")
image.save("cmyk-profile.tif", icc_profile=icc, compression="tiff_lzw")
image.save("cmyk-profile.jpg", icc_profile=icc, quality=100, subsampling=0)
for name in ("tif", "jpg"):
    read = Image.open(f"cmyk-profile.{name}")
    ImageCms.profileToProfile(
        read, ImageCms.ImageCmsProfile(io.BytesIO(icc)), ImageCms.createProfile("sRGB"),
        outputMode="RGB").save(f"cmyk-profile.{name}.png")
