"""Writes small ncnn networks by hand, runs them with the real ncnn on a fixed picture, and writes
what it gives. Run with the Python package ncnn and NumPy: python export.py."""

import json
import os

import ncnn
import numpy

folder = os.path.dirname(os.path.abspath(__file__))
random = numpy.random.default_rng(1)
expected = {}


class Net:
    """Lines of a .param file, and the bytes of its .bin."""

    def __init__(self):
        self.lines = []
        self.data = b""
        self.blobs = 0

    def layer(self, kind, name, inputs, outputs, attributes=""):
        self.lines.append(
            f"{kind:<24} {name:<16} {len(inputs)} {len(outputs)} "
            + " ".join(inputs + outputs + attributes.split())
        )
        self.blobs += len(outputs)

    def plain(self, count, low=-1.0, high=1.0):
        values = random.uniform(low, high, count).astype(numpy.float32)
        self.data += values.tobytes()

    def marked(self, count, kind="float32"):
        values = random.uniform(-0.5, 0.5, count).astype(numpy.float32)
        if kind == "float32":
            self.data += bytes(4) + values.tobytes()
        elif kind == "float16":
            data = values.astype(numpy.float16).tobytes()
            self.data += (0x01306B47).to_bytes(4, "little") + data + bytes(-len(data) % 4)
        elif kind == "raw":
            self.data += (0x0002C056).to_bytes(4, "little") + values.tobytes()
        else:
            table = numpy.sort(values[:256]) if count >= 256 else numpy.linspace(-0.5, 0.5, 256)
            data = random.integers(0, 256, count).astype(numpy.uint8).tobytes()
            self.data += b"\x01\0\0\0" + table.astype(numpy.float32).tobytes()
            self.data += data + bytes(-len(data) % 4)

    def save(self, name, channels=3, height=5, width=6):
        param = os.path.join(folder, name + ".param")
        with open(param, "w") as file:
            file.write(f"7767517\n{len(self.lines)} {self.blobs}\n" + "\n".join(self.lines) + "\n")
        if self.data:
            with open(os.path.join(folder, name + ".bin"), "wb") as file:
                file.write(self.data)
        net = ncnn.Net()
        for option in ["use_fp16_packed", "use_fp16_storage", "use_fp16_arithmetic",
                       "use_bf16_storage", "use_winograd_convolution", "use_sgemm_convolution",
                       "use_packing_layout", "use_vulkan_compute"]:  # fmt: skip
            setattr(net.opt, option, False)
        assert net.load_param(param) == 0, name
        assert net.load_model(os.path.join(folder, name + ".bin") if self.data else os.devnull) == 0
        picture = random.uniform(0, 1, (channels, height, width)).astype(numpy.float32)
        extractor = net.create_extractor()
        extractor.input("in", ncnn.Mat(picture).clone())
        outputs = {}
        for blob in net.output_names():
            status, out = extractor.extract(blob)
            assert status == 0, (name, blob)
            array = numpy.array(out)
            outputs[blob] = {"shape": list(array.shape), "values": array.flatten().tolist()}
        expected[name] = {
            "input": {"shape": list(picture.shape), "values": picture.flatten().tolist()},
            "outputs": outputs,
        }


# Convolutions of every kind of border, group, dilation, storage and fused activation.
net = Net()
net.layer("Input", "in", [], ["in"])
net.layer("Convolution", "c1", ["in"], ["b1"], "0=8 1=3 4=1 5=1 6=216 9=2 -23310=1,0.1")
net.marked(216, "float16"); net.plain(8)
net.layer("Convolution", "c2", ["b1"], ["b2"], "0=8 1=3 11=5 2=1 3=2 13=1 4=1 14=2 15=0 16=1 5=0 6=960 9=1")
net.marked(960, "raw")
net.layer("ConvolutionDepthWise", "c3", ["b2"], ["b3"], "0=16 1=3 2=2 4=2 5=1 6=144 7=8 9=3 -23310=2,-0.5,0.8")
net.marked(144); net.plain(16)
net.layer("ConvolutionDepthWise", "c4", ["b3"], ["b4"], "0=8 1=1 5=1 6=32 7=4 9=4")
net.marked(32); net.plain(8)
net.layer("Convolution", "c5", ["b4"], ["b5"], "0=6 1=3 3=2 4=-233 5=1 6=432 9=6 -23310=2,0.2,0.5")
net.marked(432, "table"); net.plain(6)
net.save("convolutions")

# Transposed convolutions.
net = Net()
net.layer("Input", "in", [], ["in"])
net.layer("Deconvolution", "d1", ["in"], ["b1"], "0=4 1=3 3=2 4=1 18=1 5=1 6=108 9=1")
net.marked(108); net.plain(4)
net.layer("DeconvolutionDepthWise", "d2", ["b1"], ["b2"], "0=4 1=4 3=2 4=1 5=0 6=64 7=4")
net.marked(64)
net.layer("DeconvolutionDepthWise", "d3", ["b2"], ["b3"], "0=6 1=3 11=2 3=1 4=0 15=1 14=1 16=0 5=1 6=72 7=2")
net.marked(72); net.plain(6)
net.save("transposed", height=3, width=4)

# Everything that is done to single values or between blobs.
net = Net()
net.layer("Input", "in", [], ["in"])
net.layer("Split", "s1", ["in"], ["x1", "x2", "x3", "x4"])
net.layer("ReLU", "r1", ["x1"], ["a1"], "0=0.2")
net.layer("PReLU", "p1", ["a1"], ["a2"], "0=3")
net.plain(3)
net.layer("BatchNorm", "n1", ["a2"], ["a3"], "0=3 1=0.001")
net.plain(3, 0.5, 1.5); net.plain(3); net.plain(3, 0.5, 1.5); net.plain(3)
net.layer("Scale", "k1", ["a3"], ["a4"], "0=3 1=1")
net.plain(3); net.plain(3)
net.layer("BinaryOp", "o1", ["a4"], ["a5"], "0=1 1=1 2=0.25")
net.layer("BinaryOp", "o2", ["a5", "x2"], ["a6"], "0=2")
net.layer("Eltwise", "e1", ["a6", "x3"], ["a7"], "0=1 -23301=2,0.5,-2.0")
net.layer("Concat", "t1", ["a7", "x4"], ["a8"], "0=0")
net.layer("Dropout", "dr", ["a8"], ["a9"])
net.layer("Clip", "cl", ["a9"], ["a10"], "0=-0.75 1=0.9")
net.layer("MemoryData", "m1", [], ["m"], "0=1 1=1 2=6")
net.plain(6)
net.layer("BinaryOp", "o3", ["a10", "m"], ["a11"], "0=0")
net.layer("BinaryOp", "o4", ["a11"], ["a12"], "0=7 1=1 2=0.5")
net.layer("PReLU", "p2", ["a12"], ["a13"], "0=1")
net.plain(1)
net.layer("Softmax", "sm", ["a13"], ["a14"], "0=0 1=1")
net.layer("Slice", "sl", ["a14"], ["y1", "y2"], "-23300=2,4,-233 1=0")
net.layer("TanH", "th", ["y1"], ["z1"])
net.layer("Sigmoid", "sg", ["y2"], ["z2"])
net.layer("HardSwish", "hs", ["z1"], ["z3"], "0=0.2 1=0.5")
net.layer("UnaryOp", "un", ["z3"], ["z4"], "0=1")
net.save("values")

# What moves pixels.
net = Net()
net.layer("Input", "in", [], ["in"], "0=6 1=5 2=3")
net.layer("Split", "s1", ["in"], ["x1", "x2", "x3"])
net.layer("Padding", "p1", ["x1"], ["a1"], "0=1 1=2 2=3 3=1 4=2")
net.layer("Padding", "p2", ["a1"], ["a2"], "0=1 1=0 2=0 3=2 4=1")
net.layer("Padding", "p3", ["a2"], ["a3"], "0=0 1=2 2=1 3=0 4=0 5=0.0")
net.layer("Crop", "c1", ["a3"], ["a4"], "-23309=2,1,2 -23310=2,-1,2147483647 -23311=2,1,2")
net.layer("Pooling", "m1", ["a4"], ["a5"], "0=0 1=2 2=2 5=1")
net.layer("Pooling", "m2", ["a5"], ["a6"], "0=1 1=3 2=1 3=1 5=1")
net.layer("Interp", "i1", ["x2"], ["i2"], "0=1 1=2.0 2=2.0")
net.layer("Interp", "i3", ["i2"], ["i4"], "0=2 1=2.0 2=2.0")
net.layer("Interp", "i5", ["x3"], ["i6"], "0=3 1=3.0 2=3.0")
net.layer("Convolution", "v1", ["i6"], ["i7"], "0=12 1=1 5=0 6=36")
net.marked(36)
net.layer("PixelShuffle", "ps", ["i7"], ["i8"], "0=2")
net.layer("Pooling", "g1", ["i8"], ["g2"], "0=1 4=1")
net.layer("InnerProduct", "f1", ["g2"], ["f2"], "0=5 1=1 2=15 9=1")
net.marked(15); net.plain(5)
net.layer("Flatten", "fl", ["a6"], ["f3"])
net.save("pixels")

# A network of one size, as a matrix product over the whole picture is in it; the other activations;
# constants and vectors beside pictures.
net = Net()
net.layer("Input", "in", [], ["in"], "0=4 1=3 2=2")
net.layer("Split", "s1", ["in"], [f"x{i}" for i in range(1, 9)])
net.layer("BinaryOp", "o1", ["x1"], ["a1"], "0=1 1=1 2=0.5")
net.layer("GELU", "a1", ["a1"], ["a2"], "0=1")
net.layer("Swish", "a2", ["a2"], ["a3"])
net.layer("ELU", "a3", ["a3"], ["a4"], "0=0.3")
net.layer("HardSigmoid", "a4", ["a4"], ["a5"], "0=0.3 1=0.4")
net.layer("UnaryOp", "a5", ["a5"], ["a6"], "0=16")
net.layer("Pooling", "g1", ["x2"], ["v1"], "0=1 4=1")
net.layer("InnerProduct", "f1", ["v1"], ["v2"], "0=2 1=1 2=4 9=4")
net.marked(4); net.plain(2)
net.layer("BinaryOp", "o2", ["x3", "v2"], ["e1"], "0=2")
net.layer("Pooling", "g2", ["x4"], ["m1"], "0=0 4=1")
net.layer("Reshape", "r1", ["x5"], ["r1"], "0=-1 1=2")
net.layer("Softmax", "r2", ["r1"], ["r2"], "0=1 1=1")
net.layer("Reshape", "r3", ["r2"], ["r3"], "0=4 1=3 2=-1")
net.layer("InnerProduct", "f2", ["x6"], ["w1"], "0=3 1=0 2=72")
net.marked(72)
net.layer("MemoryData", "k1", [], ["k1"], "0=1")
net.plain(1)
net.layer("BinaryOp", "o3", ["k1", "x7"], ["n1"], "0=1")
net.layer("BinaryOp", "o4", ["n1"], ["n2"], "0=3 1=1 2=0.3")
net.layer("BinaryOp", "o5", ["n2"], ["n3"], "0=4 1=1 2=-0.6")
net.layer("BinaryOp", "o6", ["n3"], ["n4"], "0=5 1=1 2=0.7")
net.layer("Split", "s2", ["n4"], ["n5", "n6"])
net.layer("Eltwise", "p1", ["n5", "x8"], ["n7"], "0=0")
net.layer("Pooling", "q1", ["n6"], ["n8"], "0=1 1=3 2=2 5=2")
net.layer("Pooling", "q2", ["n7"], ["n9"], "0=1 1=3 11=2 2=1 3=1 13=1 14=0 15=0 5=1 6=1")
net.save("fixed", channels=2, height=3, width=4)

with open(os.path.join(folder, "expected.json"), "w") as file:
    json.dump(expected, file)

print(ncnn.__version__, len(expected), "networks")
