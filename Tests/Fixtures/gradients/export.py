#!/usr/bin/env python3
"""Makes the fixtures beside this script: the gradients of single operations, in PyTorch.

    python export.py            needs torch

README.md says what the files hold. The cases of ../operations serve again, with their inputs and
weights as they lie there; cases.json adds those that matter for gradients alone. Everything is
computed in float64 from float32 numbers, and rounded once.
"""
import importlib.util
import json
import pathlib

import torch
import torch.nn.functional as F

HERE = pathlib.Path(__file__).resolve().parent
OPERATIONS = HERE.parent / "operations"
LIMIT = 1_000_000  # bytes of all together: fixtures are for ever in the repository


def operations():
    """The module that makes the fixtures of single operations."""
    spec = importlib.util.spec_from_file_location("operations", OPERATIONS / "export.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def cotangent(shape):
    """The derivative of the loss by the output: numbers from -1 to 1 that a test makes again by the
    same formula, so that they need not be stored."""
    i = torch.arange(torch.Size(shape).numel(), dtype=torch.int64)
    return (((i * 2654435761 + 12345) % 2**32) >> 8).double().mul(2.0**-23).sub(1).reshape(shape)


def normalised(weight, bias, epsilon, momentum):
    """Batch normalisation in training, which also moves the running statistics."""
    def run(x, p):
        mean, variance = p["running_mean"].detach().clone(), p["running_var"].detach().clone()
        y = F.batch_norm(x, mean, variance, p.get(weight), p.get(bias), True, momentum, epsilon)
        return y, {"running_mean": mean, "running_var": variance}
    return run


# What is computed otherwise in training than the text in ../operations says, by case.
TRAINING = {
    "batchNormalization/plain": normalised("weight", "bias", 1e-5, 0.1),
    "batchNormalization/keras": normalised("weight", "bias", 1e-3, 0.1),
    "batchNormalization/bare": normalised(None, None, 1e-4, 0.1),
}


def statistics(channels):
    return {"running_mean": torch.randn(channels) * 0.3, "running_var": torch.rand(channels) + 0.3,
            "num_batches_tracked": torch.tensor(7)}


def steps(shape, levels):
    """Few different numbers, so that there are ties."""
    return torch.randint(0, levels, shape).float()


def extra():
    """Cases that matter for gradients alone: (name, graph's nodes, inputs, parameters, function)."""
    torch.manual_seed(4)
    yield ("maxPool/ties", "maxPool", [steps([1, 2, 6, 6], 2)], {}, lambda x, p: F.max_pool2d(x, 2),
           dict(kernel=2))
    # Windows that lie over one another, in which one pixel wins several times.
    yield ("maxPool/ties-overlapping", "maxPool", [steps([1, 17, 7, 6], 3)], {},
           lambda x, p: F.max_pool2d(x, 3, 1, 1), dict(kernel=3, stride=1, border=1))
    yield ("maxPool/wide", "maxPool", [torch.randn(1, 32, 6, 8)], {}, lambda x, p: F.max_pool2d(x, 2),
           dict(kernel=2))
    yield ("reduce/maximum-ties", "reduce", [steps([2, 3, 4, 5], 3)], {},
           lambda x, p: x.amax((2, 3), keepdim=True), dict(kind="maximum", dimensions=[2, 3]))
    yield ("reduce/maximum-channels-ties", "reduce", [steps([2, 6, 4, 5], 3)], {},
           lambda x, p: x.amax(1), dict(kind="maximum", dimensions=[1], keepsDimensions=False))
    yield ("relu/zeros", "relu", [steps([1, 3, 4, 5], 3) - 1], {}, lambda x, p: F.relu(x), {})
    yield ("leakyRelu/zeros", "leakyRelu", [steps([1, 3, 4, 5], 3) - 1], {},
           lambda x, p: F.leaky_relu(x, 0.1), dict(slope=0.1))
    yield ("clamp/bounds", "clamp", [steps([1, 3, 4, 5], 5) - 2], {}, lambda x, p: x.clamp(-1, 1),
           dict(minimum=-1, maximum=1))
    yield ("prelu/zeros", "prelu", [steps([1, 3, 4, 5], 3) - 1], {"weight": torch.rand(3)},
           lambda x, p: F.prelu(x, p["weight"]), dict(perChannel=True))
    for name, shape, momentum in (("wide", [2, 32, 5, 4], 0.1), ("beside-blocks", [3, 17, 4, 4], 0.25)):
        parameters = {"weight": torch.rand(shape[1]) + 0.5, "bias": torch.randn(shape[1]), **statistics(shape[1])}
        yield (f"batchNormalization/{name}", "batchNormalization", [torch.randn(shape) * 2 + 1], parameters,
               normalised("weight", "bias", 1e-5, momentum), dict(momentum=momentum))
    for name, absent in (("no-scale", "weight"), ("no-center", "bias")):
        parameters = {"weight": torch.rand(16) + 0.5, "bias": torch.randn(16), **statistics(16)}
        del parameters[absent]
        yield (f"batchNormalization/{name}", "batchNormalization", [torch.randn(1, 16, 5, 4)], parameters,
               normalised("weight", "bias", 1e-5, 0.1),
               dict(scale=absent != "weight", center=absent != "bias"))
    # A value that meets itself gets both parts.
    yield ("multiply/squared", "multiply", [torch.randn(1, 3, 4, 5)], {}, lambda x, p: x * x, {"twice": True})
    yield ("subtract/itself", "subtract", [torch.randn(1, 3, 4, 5)], {}, lambda x, p: x - x, {"twice": True})
    yield ("multiply/gate-wide", "multiply", [torch.randn(2, 32, 3, 4), torch.rand(2, 32, 1, 1)], {},
           lambda x, y, p: x * y, {})
    yield ("slice/beginning", "slice", [torch.randn(1, 32, 3, 4)], {}, lambda x, p: x[:, :16],
           dict(start=0, count=16))
    yield ("matmul/repeats-both", "matmul", [torch.randn(1, 3, 4, 5), torch.randn(2, 1, 5, 6)], {},
           lambda x, y, p: x @ y, {})
    # PyTorch's antialiasing leaves out what lies beyond the edges, where this one repeats it: away
    # from the edges, which the gradient of a crop leaves out, they are one.
    for kernel, mode, a in (("linear", "bilinear", {}), ("cubic", "bicubic", {"a": -0.5})):
        yield (f"resize/{kernel}-antialias", "resize", [torch.randn(1, 2, 24, 28)], {},
               lambda x, p, mode=mode: F.interpolate(x, scale_factor=0.5, mode=mode, antialias=True),
               dict(kernel=kernel, antialias=True, factor=[1, 2], crop=3, **a))
    yield ("reduce/minimum-ties", "reduce", [steps([2, 3, 4, 5], 3)], {},
           lambda x, p: x.amin((2, 3), keepdim=True), dict(kind="minimum", dimensions=[2, 3]))
    # With no zero, one and several among what is multiplied.
    yield ("reduce/product-zeros", "reduce", [steps([2, 3, 6, 5], 4)], {},
           lambda x, p: x.prod(1), dict(kind="product", dimensions=[1], keepsDimensions=False))
    yield ("reduce/l1-zeros", "reduce", [steps([1, 3, 4, 5], 3) - 1], {},
           lambda x, p: torch.linalg.vector_norm(x, 1, 1, keepdim=True), dict(kind="l1", dimensions=[1]))
    yield ("reduce/l2-zeros", "reduce", [steps([1, 2, 6, 5], 2)], {},
           lambda x, p: torch.linalg.vector_norm(x, 2, 1, keepdim=True), dict(kind="l2", dimensions=[1]))


def gradients(function, inputs, parameters):
    """The output, and the gradients by what is learned; what the case moves beside."""
    leaves = {**inputs, **{f"node.{n}": v for n, v in parameters.items()}}
    leaves = {n: v.double().requires_grad_() if v.is_floating_point() else v for n, v in leaves.items()}
    p = {n: leaves[f"node.{n}"] for n in parameters}
    output = function(*[leaves[n] for n in inputs], p)
    output, moved = output if isinstance(output, tuple) else (output, {})
    if output.requires_grad:  # not that of a comparison
        output.backward(cotangent(output.shape))
    found = {n: v.grad for n, v in leaves.items() if getattr(v, "grad", None) is not None}
    return output.detach(), found, {f"node.{n}": v for n, v in moved.items()}


def main():
    torch.set_num_threads(1)
    tensors, cases = {}, []

    def keep(name, found, moved, more={}):
        for key, value in {**{f"gradient.{n}": v for n, v in found.items()},
                           **{f"new.{n}": v for n, v in moved.items()}, **more}.items():
            value = value.detach()
            tensors[f"{name}.{key}"] = (value.float() if value.is_floating_point() else value).contiguous()

    module = operations()
    for name, (op, shapes, expression, _, _, attributes) in module.CASES.items():
        name = name.replace(".", "/", 1)
        if op in ("dropout", "argmax", "argmin") or attributes.get("part") == "indices":
            continue
        of_case, description = module.run(name.replace("/", ".", 1), module.SEEDS[name.replace("/", ".", 1)])
        inputs = {n: of_case[n] for n in ["x", "y", "z"][:len(shapes)]}
        parameters = {n[5:]: v for n, v in of_case.items() if n.startswith("node.")}

        def function(*arguments):
            if name in TRAINING:
                return TRAINING[name](*arguments)
            scope = {"torch": torch, "F": F, "p": arguments[-1], **dict(zip(inputs, arguments))}
            return eval(expression, scope)
        _, found, moved = gradients(function, inputs, parameters)
        keep(name, found, moved)
    for name, op, values, parameters, function, attributes in extra():
        names = ["x", "y"][:len(values)]
        attributes = dict(attributes)
        taken = names * 2 if attributes.pop("twice", False) else names
        nodes = [{"name": "node", "op": op, "inputs": taken, **attributes}]
        if crop := nodes[0].pop("crop", None):
            nodes.append({"name": "crop", "op": "crop", "inputs": ["node"], "edges": crop})
            whole = function
            function = lambda x, p, c=crop: whole(x, p)[:, :, c:-c, c:-c]
        output, found, moved = gradients(function, dict(zip(names, values)), parameters)
        keep(name, found, moved,
             {**dict(zip(names, values)), **{f"node.{n}": v for n, v in parameters.items()}, "output": output})
        graph = {"version": 1,
                 "inputs": [{"name": n, "channels": v.shape[1]} for n, v in zip(names, values)],
                 "nodes": nodes, "outputs": [{"name": "output", "value": nodes[-1]["name"]}]}
        cases.append({"name": name, "graph": graph})
    lines = ",\n".join("  " + json.dumps(c) for c in cases)
    (HERE / "cases.json").write_text(f"[\n{lines}\n]\n")
    # A file for each operation, so that new ones do not meet in one.
    files = {}
    for key, value in tensors.items():
        files.setdefault(key.split("/")[0], {})[key] = value
    for old in HERE.glob("*.pt"):
        old.unlink()
    for operation, own in files.items():
        torch.save(own, HERE / f"{operation}.pt")
    size = sum((HERE / f"{operation}.pt").stat().st_size for operation in files)
    assert size <= LIMIT, f"the files of tensors: {size} bytes"
    print(f"{len(cases)} cases more, {len(tensors)} tensors in {len(files)} files, {size} bytes")


if __name__ == "__main__":
    main()
