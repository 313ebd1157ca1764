"""Small ONNX models with inputs and ONNX Runtime's outputs, for the reader and the import.

Made with torch 2.15, onnx 1.23, onnxruntime 1.31, numpy:

    python export.py [folder of shared weights]

Each model is <name>.onnx. `cases.json` lists shapes; the numbers are float32, little-endian, in
<name>.input (all inputs, one after the other) and <name>.output. What is picked of the published
models' outputs goes to `published.json`.
"""
import json, pathlib, sys, warnings
import numpy as np, onnx, onnxruntime as ort, torch
from onnx import TensorProto as T, helper as h, numpy_helper as nh
from torch import nn
from torch.nn import functional as F

warnings.filterwarnings("ignore")
here = pathlib.Path(__file__).parent
cases = []


def pictures(shape, seed):
    return np.random.default_rng(seed).uniform(-1, 1, shape).astype(np.float32)


def run(model, feeds):
    options = ort.SessionOptions()
    options.log_severity_level = 4
    options.graph_optimization_level = ort.GraphOptimizationLevel.ORT_DISABLE_ALL
    session = ort.InferenceSession(model, options, providers=["CPUExecutionProvider"])
    names = [i.name for i in session.get_inputs()]
    return session.run(None, dict(zip(names, feeds)))[0]


def case(name, feeds, refused=None, sized=False):
    path = here / f"{name}.onnx"
    model = onnx.load(path)
    model.doc_string = ""
    for node in model.graph.node:
        node.doc_string = ""
        del node.metadata_props[:]
    for value in list(model.graph.value_info):
        model.graph.value_info.remove(value)
    del model.metadata_props[:]
    onnx.save(model, path)
    entry = {"name": name, "inputs": [list(x.shape) for x in feeds]}
    if refused:
        entry["refused"] = refused
    if sized or not refused:
        output = run(str(path), feeds)
        entry["output"] = list(output.shape)
        np.concatenate([x.ravel() for x in feeds]).astype("<f4").tofile(here / f"{name}.input")
        output.astype("<f4").tofile(here / f"{name}.output")
    cases.append(entry)


# PyTorch's exporter by tracing.
class Torch(nn.Module):
    def __init__(self, layers, body):
        super().__init__()
        for key, layer in layers.items():
            setattr(self, key, layer)
        self.body = body

    def forward(self, *x):
        return self.body(self, *x)


def torch_case(name, layers, body, shape=(1, 3, 9, 8), opset=17, dynamic=True, others=()):
    torch.manual_seed(len(cases))
    for layer in layers.values():
        for module in layer.modules():
            for p in module.parameters(recurse=False):
                nn.init.uniform_(p, -0.4, 0.6)
            if isinstance(module, nn.BatchNorm2d):
                nn.init.uniform_(module.running_mean, -0.3, 0.3)
                nn.init.uniform_(module.running_var, 0.5, 1.5)
    module = Torch(layers, body).eval()
    feeds = [pictures(s, len(cases) + i) for i, s in enumerate([shape, *others])]
    args = tuple(torch.from_numpy(x) for x in feeds)
    names = [f"input{i or ''}" for i in range(len(args))]
    path = str(here / f"{name}.onnx")
    axes = {n: {0: "n", 2: "h", 3: "w"} for n in names} if dynamic else None
    torch.onnx.export(module, args, path, dynamo=False, opset_version=opset, dynamic_axes=axes,
                      input_names=names, output_names=["output"])
    case(name, feeds)


def interpolate(**kw):
    return lambda m, x: F.interpolate(x, **kw)


C = nn.Conv2d
torch_case("torch-conv-chain", {"a": C(3, 4, 3, padding=1), "b": C(4, 2, (3, 1), stride=2)}, lambda m, x: m.b(F.relu(m.a(x))))
torch_case("torch-conv-group", {"a": C(4, 4, 3, padding=2, dilation=2, groups=2), "b": C(4, 8, 1, groups=4, bias=False)}, lambda m, x: m.b(F.leaky_relu(m.a(x), 0.3)), (2, 4, 8, 7))
torch_case("torch-folded", {"a": C(3, 4, 3), "n": nn.BatchNorm2d(4)}, lambda m, x: m.n(m.a(x)))
torch_case("torch-norm", {"n": nn.BatchNorm2d(3), "a": C(3, 2, 1)}, lambda m, x: m.a(F.relu(m.n(x))))
torch_case("torch-transposed", {"a": nn.ConvTranspose2d(3, 4, 3, stride=2, padding=1, output_padding=1), "b": nn.ConvTranspose2d(4, 2, 4, stride=3, groups=2, bias=False)}, lambda m, x: m.b(m.a(x)))
torch_case("torch-prelu", {"a": nn.PReLU(3), "b": nn.PReLU()}, lambda m, x: m.b(m.a(x)))
torch_case("torch-activations", {}, lambda m, x: F.elu(x, 0.7) + F.selu(x) * torch.sigmoid(x) - torch.tanh(x) + F.silu(x) + F.hardswish(x) + F.hardsigmoid(x) + F.relu6(5 * x) + torch.clamp(x, -0.5, 0.25) + torch.clamp(x, min=0.1))
torch_case("torch-gelu", {"a": C(3, 3, 1)}, lambda m, x: F.gelu(m.a(x)) * F.gelu(x, approximate="tanh"))
torch_case("torch-shuffle-old", {"a": C(3, 8, 1)}, lambda m, x: F.pixel_shuffle(m.a(x), 2), opset=10, dynamic=False)
torch_case("torch-shuffle", {"a": C(3, 18, 1)}, lambda m, x: F.pixel_shuffle(m.a(x), 3))
torch_case("torch-unshuffle", {}, lambda m, x: F.pixel_unshuffle(x, 2), (1, 3, 6, 8), dynamic=False)
torch_case("torch-pools", {}, lambda m, x: F.max_pool2d(x, 3, 2, 1) + F.avg_pool2d(x, 3, 2, 1) * F.avg_pool2d(x, 3, 2, 1, count_include_pad=False))
torch_case("torch-ceil-pool", {}, lambda m, x: F.max_pool2d(x, 2, ceil_mode=True))
torch_case("torch-attention", {"a": C(3, 2, 1), "b": C(2, 3, 1)}, lambda m, x: x * torch.sigmoid(m.b(F.relu(m.a(F.adaptive_avg_pool2d(x, 1))))))
torch_case("torch-reduce", {}, lambda m, x: x - x.mean((2, 3), keepdim=True) + x.amax(1, keepdim=True) + x.sum(1, keepdim=True))
torch_case("torch-pads", {}, lambda m, x: F.pad(F.pad(F.pad(x, (1, 2, 0, 3)), (2, 1, 1, 2), mode="reflect"), (1, 0, 2, 1), mode="replicate"))
torch_case("torch-crop", {}, lambda m, x: F.pad(x, (-1, -2, 0, -1)) + x[:, :, :-1, 1:-2])
torch_case("torch-channels", {}, lambda m, x: torch.cat([x[:, 1:], x[:, [2, 1, 0]], torch.chunk(x, 3, 1)[1]], 1))
torch_case("torch-constants", {}, lambda m, x: (x - torch.tensor([0.1, 0.2, 0.3]).view(1, 3, 1, 1)) / 0.5 + (1 - x) * 255.0)
torch_case("torch-nearest", {}, interpolate(scale_factor=2, mode="nearest"))
torch_case("torch-nearest-third", {}, interpolate(scale_factor=3, mode="nearest"), opset=11)
torch_case("torch-bilinear", {}, interpolate(scale_factor=2, mode="bilinear"))
torch_case("torch-bilinear-align", {}, interpolate(scale_factor=2, mode="bilinear", align_corners=True))
torch_case("torch-bicubic", {}, interpolate(scale_factor=3, mode="bicubic"))
torch_case("torch-half", {}, interpolate(scale_factor=0.5, mode="bilinear"), (1, 3, 8, 6))
torch_case("torch-size-fixed", {}, interpolate(size=(18, 16), mode="bilinear"), dynamic=False)
torch_case("torch-size-of-other", {"a": C(3, 3, 3, stride=2, padding=1)}, lambda m, x: x + F.interpolate(m.a(x), size=x.shape[2:], mode="bilinear"))
torch_case("torch-upsample-9", {}, interpolate(scale_factor=2, mode="nearest"), opset=9)
torch_case("torch-dense", {"a": nn.Linear(3, 4), "b": nn.Linear(4, 2)}, lambda m, x: m.b(F.relu(m.a(torch.flatten(F.adaptive_avg_pool2d(x, 1), 1)))))
torch_case("torch-flatten-fixed", {"a": nn.Linear(48, 5)}, lambda m, x: m.a(torch.flatten(x, 1)), (1, 3, 4, 4), dynamic=False)
torch_case("torch-two-inputs", {"a": C(3, 2, 3, padding=1)}, lambda m, x, y: m.a(x) + y, others=[(1, 2, 9, 8)])
torch_case("torch-channel-norm", {"n": nn.LayerNorm(4), "a": C(3, 4, 1)}, lambda m, x: m.n(m.a(x).permute(0, 2, 3, 1)).permute(0, 3, 1, 2))
torch_case("torch-tokens", {"a": nn.Linear(3, 5)}, lambda m, x: torch.softmax(m.a(x.flatten(2).transpose(1, 2)), -1), dynamic=False)
torch_case("torch-recursive", {"a": C(3, 3, 3, padding=1)}, lambda m, x: m.a(F.relu(m.a(F.relu(m.a(x))))) + x)
torch_case("torch-nested", {"encoder": nn.Sequential(C(3, 4, 3, padding=1), nn.ReLU(), nn.Sequential(C(4, 3, 3, padding=1, bias=False), nn.BatchNorm2d(3)))}, lambda m, x: m.encoder(x))

# Models made by hand: what exporters do not write, and what they wrote long ago.
def hand_case(name, nodes, shape=(1, 3, 7, 6), constants=(), opset=17, ir=8, free=True, refused=None, doubles=(), sized=False):
    dims = ["n", shape[1], "h", "w"] if free else list(shape)
    graph = h.make_graph(
        nodes, "g", [h.make_tensor_value_info("x", T.FLOAT, dims)],
        [h.make_tensor_value_info("y", T.FLOAT, None)],
        [c if isinstance(c, onnx.TensorProto) else nh.from_array(c[1], c[0]) for c in constants])
    model = h.make_model(graph, opset_imports=[h.make_opsetid("", opset)], producer_name="hand")
    model.ir_version = ir
    onnx.save(model, here / f"{name}.onnx")
    case(name, [pictures(shape, len(cases))], refused, sized)


def weights(*shape, seed=5):
    return np.random.default_rng(seed).uniform(-0.5, 0.5, shape).astype(np.float32)


N = h.make_node
W = ("w", weights(4, 3, 3, 3))
for pad in ["SAME_UPPER", "SAME_LOWER", "VALID"]:
    hand_case(f"conv-{pad.lower()}", [N("Conv", ["x", "w"], ["y"], "c", auto_pad=pad)], constants=[W])
hand_case("conv-same-stride-2", [N("Conv", ["x", "w"], ["y"], "c", auto_pad="SAME_UPPER", strides=[2, 2])], constants=[W])
hand_case("conv-same-lower-stride-2", [N("Conv", ["x", "w"], ["y"], "c", auto_pad="SAME_LOWER", strides=[2, 2])], constants=[W], refused="layer c of class Conv (node 1 of 1): auto_pad SAME_LOWER with a stride above 1")
hand_case("conv-uneven-pads", [N("Conv", ["x", "w"], ["y"], "c", pads=[1, 0, 2, 3])], constants=[W])
hand_case("conv-anonymous", [N("Conv", ["x", "12"], ["z"], "/body/body.0/conv/Conv"), N("Relu", ["z"], ["y"], "r")], constants=[("12", W[1])])
typed = [h.make_tensor("w", T.FLOAT, [4, 3, 3, 3], W[1].ravel())]
hand_case("data-float", [N("Conv", ["x", "w"], ["y"], "c")], constants=typed)
half = W[1].astype(np.float16)
hand_case("data-half", [N("Cast", ["v"], ["w"], "k", to=T.FLOAT), N("Add", ["x", "w"], ["y"], "c")], constants=[h.make_tensor("v", T.FLOAT16, [1, 3, 1, 1], half.ravel()[:3])])
hand_case("data-double", [N("Cast", ["v"], ["w"], "k", to=T.FLOAT), N("Mul", ["x", "w"], ["y"], "c")], constants=[h.make_tensor("v", T.DOUBLE, [1, 3, 1, 1], [0.5, 1.5, -2.0])])
hand_case("transposed-same", [N("ConvTranspose", ["x", "w"], ["y"], "c", auto_pad="SAME_UPPER", strides=[2, 2])], constants=[("w", weights(3, 4, 3, 3))])
hand_case("transposed-uneven", [N("ConvTranspose", ["x", "w", "b"], ["y"], "c", strides=[2, 3], pads=[1, 0, 0, 2], output_padding=[1, 0])], constants=[("w", weights(3, 4, 4, 3)), ("b", weights(4))])
hand_case("pool-same", [N("MaxPool", ["x"], ["y"], "p", kernel_shape=[3, 3], strides=[2, 2], auto_pad="SAME_UPPER")])
hand_case("average-same", [N("AveragePool", ["x"], ["y"], "p", kernel_shape=[2, 3], strides=[2, 2], auto_pad="SAME_UPPER")])
hand_case("global-max", [N("GlobalMaxPool", ["x"], ["z"], "p"), N("Add", ["x", "z"], ["y"], "a")])
hand_case("clip-attributes", [N("Clip", ["x"], ["y"], "c", min=-0.25, max=0.5)], opset=10)
hand_case("prelu-shared", [N("PRelu", ["x", "s"], ["y"], "p")], constants=[("s", np.array([0.3], np.float32))])
hand_case("depth-to-space", [N("DepthToSpace", ["x"], ["y"], "d", blocksize=2)], (1, 8, 3, 4))
hand_case("depth-to-space-crd", [N("DepthToSpace", ["x"], ["y"], "d", blocksize=2, mode="CRD")], (1, 8, 3, 4))
hand_case("space-to-depth", [N("SpaceToDepth", ["x"], ["y"], "d", blocksize=2)], (1, 3, 4, 6))
pads = ("p", np.array([0, 0, 1, 2, 0, 0, 2, 1], np.int64))
hand_case("pad-attribute", [N("Pad", ["x"], ["y"], "p", pads=[0, 0, 1, 2, 0, 0, 2, 1], mode="reflect")], opset=10)
hand_case("pad-edge", [N("Pad", ["x", "p"], ["y"], "p", mode="edge")], constants=[pads])
hand_case("pad-axes", [N("Pad", ["x", "p", "", "a"], ["y"], "p")], constants=[("p", np.array([1, 2, 0, 1], np.int64)), ("a", np.array([3, 2], np.int64))], opset=18)
hand_case("pad-value", [N("Pad", ["x", "p", "v"], ["y"], "p")], constants=[pads, ("v", np.array(1, np.float32))])
hand_case("split-sizes", [N("Split", ["x", "s"], ["a", "b"], "s", axis=1), N("Concat", ["b", "a"], ["y"], "k", axis=1)], constants=[("s", np.array([1, 2], np.int64))])
hand_case("concat-rows", [N("Concat", ["x", "x"], ["y"], "k", axis=2)])
hand_case("slice-attributes", [N("Slice", ["x"], ["y"], "s", starts=[1, 2], ends=[3, 2 ** 31 - 1], axes=[1, 3])], opset=9)
hand_case("upsample-7", [N("Upsample", ["x"], ["y"], "u", mode="nearest", scales=[1.0, 1.0, 2.0, 2.0])], opset=7)
scales = ("s", np.array([1, 1, 2, 2], np.float32))
hand_case("upsample-9-linear", [N("Upsample", ["x", "s"], ["y"], "u", mode="linear")], constants=[scales], opset=9)
hand_case("resize-10", [N("Resize", ["x", "s"], ["y"], "u", mode="nearest")], constants=[scales], opset=10)
for mode, rule, nearest in [("nearest", "half_pixel", "round_prefer_floor"), ("nearest", "half_pixel", "round_prefer_ceil"),
                            ("nearest", "align_corners", "round_prefer_ceil"), ("linear", "asymmetric", "floor"),
                            ("linear", "pytorch_half_pixel", "floor"), ("cubic", "align_corners", "floor"), ("cubic", "asymmetric", "floor")]:
    hand_case(f"resize-{mode}-{rule}-{nearest}", [N("Resize", ["x", "", "s"], ["y"], "u", mode=mode, coordinate_transformation_mode=rule, nearest_mode=nearest)], constants=[scales])
hand_case("resize-cubic-half", [N("Resize", ["x", "", "s"], ["y"], "u", mode="cubic", cubic_coeff_a=-0.5)], constants=[scales])
hand_case("resize-sizes", [N("Shape", ["x"], ["a"], "a"), N("Slice", ["a", "0", "2"], ["nc"], "b"), N("Slice", ["a", "2", "4"], ["hw"], "c"), N("Mul", ["hw", "3"], ["hw3"], "d"), N("Concat", ["nc", "hw3"], ["z"], "e", axis=0), N("Resize", ["x", "", "", "z"], ["y"], "u", mode="linear")],
          constants=[(str(i), np.array([i], np.int64)) for i in (0, 2, 3, 4)])
hand_case("resize-nearest-floor", [N("Resize", ["x", "", "s"], ["y"], "u", mode="nearest", nearest_mode="floor")], constants=[scales], refused="layer u of class Resize (node 1 of 1): nearest_mode floor with these coordinates")
hand_case("gemm", [N("GlobalAveragePool", ["x"], ["p"], "p"), N("Flatten", ["p"], ["f"], "f"), N("Gemm", ["f", "w", "b"], ["y"], "g")], constants=[("w", weights(3, 4)), ("b", weights(1, 4))])
hand_case("reshape-chain", [N("Shape", ["x"], ["s"], "s"), N("Gather", ["s", "0"], ["n"], "n"), N("Unsqueeze", ["n", "0v"], ["nu"], "u"), N("Concat", ["nu", "3v", "-1v"], ["t"], "t", axis=0), N("Reshape", ["x", "t"], ["r"], "r"), N("Transpose", ["r"], ["q"], "q", perm=[0, 2, 1]), N("MatMul", ["q", "m"], ["y"], "m")],
          constants=[("0", np.array(0, np.int64)), ("0v", np.array([0], np.int64)), ("3v", np.array([3], np.int64)), ("-1v", np.array([-1], np.int64)), ("m", weights(3, 2))])
hand_case("shuffle-dcr", [N("Reshape", ["x", "a"], ["b"], "b"), N("Transpose", ["b"], ["c"], "c", perm=[0, 3, 4, 1, 5, 2]), N("Reshape", ["c", "d"], ["y"], "y")], (1, 8, 3, 4), free=False,
          constants=[("a", np.array([1, 2, 2, 2, 3, 4], np.int64)), ("d", np.array([1, 2, 6, 8], np.int64))])
hand_case("instance-norm", [N("InstanceNormalization", ["x", "s", "s"], ["y"], "i")], constants=[("s", weights(3))])
hand_case("old-inputs", [N("Conv", ["x", "w"], ["y"], "c")], constants=[W], opset=7, ir=3)
model = onnx.load(here / "old-inputs.onnx")
model.graph.input.append(h.make_tensor_value_info("w", T.FLOAT, [4, 3, 3, 3]))
onnx.save(model, here / "old-inputs.onnx")
hand_case("external", [N("Conv", ["x", "w"], ["y"], "c")], constants=[W])
model = onnx.load(here / "external.onnx")
(here / "external.data").unlink(missing_ok=True)
onnx.save(model, here / "external.onnx", save_as_external_data=True, location="external.data", size_threshold=0)

# A branch whose condition follows from the shape, as exporters write torch.squeeze.
def branch(name, kind, output):
    return h.make_graph([N(kind, ["c"], [output], f"{name}.r")], name, [], [h.make_tensor_value_info(output, T.FLOAT, None)])

hand_case("if-shape", [N("Conv", ["x", "w"], ["c"], "c"), N("Shape", ["c"], ["s"], "s"), N("Gather", ["s", "1"], ["n"], "n"), N("Equal", ["n", "four"], ["e"], "e"),
                       N("If", ["e"], ["y"], "i", then_branch=branch("then", "Relu", "t"), else_branch=branch("else", "Sigmoid", "t"))],
          constants=[W, ("1", np.array(1, np.int64)), ("four", np.array(4, np.int64))])
hand_case("if-size", [N("Conv", ["x", "w"], ["c"], "c"), N("Shape", ["c"], ["s"], "s"), N("Gather", ["s", "2"], ["n"], "n"), N("Greater", ["n", "four"], ["e"], "e"),
                      N("If", ["e"], ["y"], "i", then_branch=branch("then", "Relu", "t"), else_branch=branch("else", "Sigmoid", "t"))],
          constants=[W, ("2", np.array(2, np.int64)), ("four", np.array(500, np.int64))],
          refused="layer i of class If (node 5 of 5): which branch is taken depends on values or on the size of the image; export the network without it")
# Sizes by way of a good deal of arithmetic: rows and columns doubled, and back to what they were.
hand_case("size-arithmetic", [N("Shape", ["x"], ["s"], "s"), N("Slice", ["s", "2v", "4v"], ["hw"], "hw"), N("Cast", ["hw"], ["f"], "f", to=T.FLOAT), N("Mul", ["f", "twice"], ["g"], "g"), N("Ceil", ["g"], ["k"], "k"), N("Cast", ["k"], ["i"], "i", to=T.INT64),
                              N("Range", ["0", "two", "1"], ["r"], "r"), N("Gather", ["s", "r"], ["nc"], "nc"), N("ReduceProd", ["i"], ["p"], "p", keepdims=1), N("Equal", ["p", "p"], ["q"], "q"), N("Where", ["q", "i", "hw"], ["z"], "z"),
                              N("Concat", ["nc", "z"], ["t"], "t", axis=0), N("Resize", ["x", "", "", "t"], ["large"], "u", mode="linear"), N("Resize", ["large", "", "", "s"], ["y"], "v", mode="linear")],
          (1, 3, 8, 6),
          constants=[("2v", np.array([2], np.int64)), ("4v", np.array([4], np.int64)), ("twice", np.array(2, np.float32)), ("0", np.array(0, np.int64)), ("1", np.array(1, np.int64)), ("two", np.array(2, np.int64))])
# Windows: two dimensions taken apart, both of a size that depends on the image's, turned, and put together again.
hand_case("windows", [N("Shape", ["x"], ["s"], "s"), N("Split", ["s", "ones"], ["n", "c", "h", "w"], "d", axis=0), N("Div", ["h", "two"], ["h2"], "h2"), N("Div", ["w", "two"], ["w2"], "w2"),
                      N("Concat", ["n", "c", "h2", "two", "w2", "two"], ["t"], "t", axis=0), N("Reshape", ["x", "t"], ["a"], "a"), N("Transpose", ["a"], ["b"], "b", perm=[0, 1, 2, 5, 4, 3]), N("Reshape", ["b", "s"], ["y"], "y")],
          (1, 3, 8, 6), constants=[("ones", np.array([1, 1, 1, 1], np.int64)), ("two", np.array([2], np.int64))])
# Sums of products.
for i, equation in enumerate(["nchw,ndhw->ncd", "nchw,nchv->nwvc", "...hw,...vw->...hv"]):
    hand_case(f"einsum-{i}", [N("Einsum", ["x", "x"], ["y"], "e", equation=equation)])
hand_case("einsum-sum", [N("Einsum", ["x"], ["y"], "e", equation="nchw->nwc")])
hand_case("gemm-values", [N("Flatten", ["x"], ["f"], "f"), N("Gemm", ["f", "f"], ["y"], "g", transA=1, alpha=0.5)],
          refused="g_3: matmul: shape [176947200, 176947200] has 2^48 elements or more", sized=True)
# An input that is a single number, with a default.
hand_case("number-default", [N("Mul", ["x", "k"], ["y"], "m")], constants=[("k", np.array(0.5, np.float32))], ir=8)
model = onnx.load(here / "number-default.onnx")
model.graph.input.append(h.make_tensor_value_info("k", T.FLOAT, []))
onnx.save(model, here / "number-default.onnx")
# Functions of single and of two values, as people's exporters put them together.
join = lambda names: [N("Concat", names, ["y"], "y", axis=1)]
functions = ["Softplus", "Mish", "Softsign", "Selu", "HardSwish", "Abs", "Erf", "Floor", "Ceil", "Sign", "Exp", "Neg"]
hand_case("elementwise-functions", [N(f, ["x"], [f], f) for f in functions] + [
    N("Celu", ["x"], ["Celu"], "Celu", alpha=0.5), N("HardSigmoid", ["x"], ["h1"], "h1"),
    N("HardSigmoid", ["x"], ["h2"], "h2", alpha=1 / 6, beta=0.5), N("Selu", ["x"], ["s"], "s", alpha=1.5, gamma=2.0)]
    + join(functions + ["Celu", "h1", "h2", "s"]), opset=18)
numbers = [("half", np.array(0.5, np.float32)), ("minus", np.array(-0.5, np.float32)), ("three", np.array(3, np.float32)),
           ("under", np.array(-2, np.float32)), ("small", np.array(0.25, np.float32))]
hand_case("elementwise-pairs", [
    N("Abs", ["x"], ["a0"], "a0"), N("Add", ["a0", "half"], ["a"], "a"), N("Sqrt", ["a"], ["r"], "r"),
    N("Reciprocal", ["r"], ["i"], "i"), N("Log", ["a"], ["l"], "l"), N("Pow", ["a", "half"], ["p1"], "p1"),
    N("Pow", ["a", "minus"], ["p2"], "p2"), N("Pow", ["x", "three"], ["p3"], "p3"), N("Pow", ["a", "under"], ["p4"], "p4"),
    N("Pow", ["a", "x"], ["p5"], "p5"), N("Div", ["three", "a"], ["d1"], "d1"), N("Div", ["x", "a"], ["d2"], "d2"),
    N("Max", ["x", "l", "small"], ["m1"], "m1"), N("Min", ["small", "x"], ["m2"], "m2"), N("Max", ["x"], ["m3"], "m3")]
    + join(["r", "i", "l", "p1", "p2", "p3", "p4", "p5", "d1", "d2", "m1", "m2", "m3"]), constants=numbers)
hand_case("elementwise-truth", [
    N("GlobalAveragePool", ["x"], ["m"], "m"), N("Less", ["x", "m"], ["a"], "a"), N("GreaterOrEqual", ["x", "m"], ["b"], "b"),
    N("Abs", ["x"], ["z"], "z"), N("Equal", ["x", "z"], ["c"], "c"), N("And", ["a", "c"], ["d"], "d"),
    N("Or", ["d", "b"], ["e"], "e"), N("Not", ["e"], ["f"], "f"), N("Where", ["a", "x", "m"], ["g"], "g"),
    N("LessOrEqual", ["x", "z"], ["k"], "k"), N("Greater", ["z", "m"], ["o"], "o")]
    + [N("Cast", [n], [n + "1"], n + "1", to=T.FLOAT) for n in "abcdefko"] + join([n + "1" for n in "abcdefko"] + ["g"]))
hand_case("elementwise-constants", [
    N("Abs", ["x"], ["a"], "a"), N("Greater", ["x", "small"], ["b"], "b"), N("Where", ["b", "x", "minus"], ["c"], "c"),
    N("Pow", ["a", "gamma"], ["d"], "d"), N("Pow", ["three", "x"], ["e"], "e"), N("Less", ["half", "a"], ["f"], "f"),
    N("Cast", ["f"], ["g"], "g", to=T.FLOAT), N("Where", ["f", "channels", "x"], ["i"], "i")] + join(list("cdegi")),
    constants=numbers + [("gamma", np.array(2.2, np.float32)), ("channels", np.array([1, 2, 3], np.float32).reshape(3, 1, 1))])
half, root = ("half", np.array(0.5, np.float32)), ("root", np.array(2 ** 0.5, np.float32))
one = ("one", np.array(1, np.float32))
bell = [N("Div", ["x", "root"], ["a"], "a"), N("Erf", ["a"], ["b"], "b"), N("Add", ["b", "one"], ["c"], "c")]
for name, nodes in (
        ("half-last", [N("Mul", ["x", "c"], ["d"], "d"), N("Mul", ["d", "half"], ["y"], "y")]),
        ("half-first", [N("Mul", ["x", "half"], ["d"], "d"), N("Mul", ["d", "c"], ["y"], "y")]),
        ("half-bell", [N("Mul", ["c", "half"], ["d"], "d"), N("Mul", ["d", "x"], ["y"], "y")]),
        ("none", [N("Mul", ["c", "c"], ["y"], "y")])):
    hand_case(f"gelu-{name}", bell + nodes, constants=[half, root, one])

(here / "cases.json").write_text("[\n" + ",\n".join("  " + json.dumps(c) for c in cases) + "\n]\n")

if len(sys.argv) > 1:
    shared = pathlib.Path(sys.argv[1])
    published = []
    for file in ["onnx/2hg7274/super_resolution.onnx", "pytorch/pytorch_example_ESPCN/super_resolution.onnx", "keras/HTAKM_CAE/denoising_autoencoder.onnx"]:
        session = ort.InferenceSession(str(shared / file), providers=["CPUExecutionProvider"])
        _, c, height, width = session.get_inputs()[0].shape
        # A picture that any language makes: no file is needed for it.
        i = np.arange(c * height * width, dtype=np.int64)
        x = ((i * 7919 % 10007) / np.float32(10007)).astype(np.float32).reshape(1, c, height, width)
        y = session.run(None, {"input": x})[0].ravel()
        picks = np.linspace(0, y.size - 1, 101).astype(np.int64)
        published.append({"file": file, "shape": [1, c, height, width], "count": int(y.size), "positions": picks.tolist(), "values": [float(v) for v in y[picks]], "largest": float(np.abs(y).max())})
    (here / "published.json").write_text(json.dumps(published, indent=1) + "\n")
