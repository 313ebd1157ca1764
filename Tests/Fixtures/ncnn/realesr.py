"""Runs the published realesr-animevideov3-x4, which lies in the shared folder, with the real ncnn on a
picture of seeded numbers (SplitMix64, as the tests make it) and writes what it gives. Run with the
Python package ncnn and NumPy: python realesr.py FOLDER_OF_THE_NETWORK."""

import json
import os
import sys

import ncnn
import numpy

MASK = (1 << 64) - 1


def picture(shape, seed):
    """The numbers of `randomTensor` in Tests/Support: evenly spread from 0 to 1, of 24 bits."""
    state, values = seed, []
    for _ in range(numpy.prod(shape)):
        state = (state + 0x9E3779B97F4A7C15) & MASK
        z = state
        z = ((z ^ (z >> 30)) * 0xBF58476D1CE4E5B9) & MASK
        z = ((z ^ (z >> 27)) * 0x94D049BB133111EB) & MASK
        values.append(((z ^ (z >> 31)) >> 40) * 2.0**-24)
    return numpy.array(values, numpy.float32).reshape(shape)


net = ncnn.Net()
for option in ["use_fp16_packed", "use_fp16_storage", "use_fp16_arithmetic", "use_bf16_storage",
               "use_winograd_convolution", "use_sgemm_convolution", "use_packing_layout",
               "use_vulkan_compute"]:  # fmt: skip
    setattr(net.opt, option, False)
stem = os.path.join(sys.argv[1], "realesr-animevideov3-x4")
assert net.load_param(stem + ".param") == 0 and net.load_model(stem + ".bin") == 0
extractor = net.create_extractor()
extractor.input("data", ncnn.Mat(picture((3, 6, 7), 7)).clone())
status, out = extractor.extract("output")
assert status == 0
array = numpy.array(out)
here = os.path.dirname(os.path.abspath(__file__))
with open(os.path.join(here, "realesr.json"), "w") as file:
    values = [float(f"{x:.9g}") for x in array.flatten().tolist()]
    json.dump({"shape": list(array.shape), "values": values}, file)
print(ncnn.__version__, array.shape, array.min(), array.max())
