#!/usr/bin/env python3
"""Holds the published networks against their references.

    zoo.py FOLDER --aviary PROGRAM [--all] [--only NETWORK ...]

Each network is built from the reference's own code, in one small configuration, or with --all in all of
zoo_networks.py, with random values in every tensor. Its state dict is saved as people have it: bare,
nested, beside averaged weights, with a prefix. `aviary convert` must recognise it without a word of help
but on what no file shows, `aviary run` must compute what PyTorch does in float64, at two sizes of which one
is no multiple, and the way back to PyTorch must give the same tensors under the same names (layers that were folded aside), so
that the reference loads them strictly.

Leaves PyTorch's gradients in FOLDER, as checkpoints of the networks, for PublishedGradientTests.

Prints a line for each case, and ends with status 1 where one fails.
"""
import argparse
import collections
import json
import pathlib
import subprocess
import sys
import zlib

import numpy
import safetensors.torch
import torch

sys.dont_write_bytecode = True
sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))
import zoo_networks  # noqa: E402

SIZES = [(24, 32), (27, 21)]
#: Their references pad by themselves what `aviary run` pads for the network, whose gradients are then
#: those of another image.
PADDED = {"real-cugan", "waifu2x"}
#: Their references compute something else while they are trained: RGT reduces the image another number of
#: times.
EVALUATED = {"rgt"}
#: Their references have one parameter under several names, which are several to Aviary.
TIED = {"mprnet"}
#: Gradients are left of so many images: a value that rounding puts on the other side of a kink is so by
#: chance, a fault is one for every image.
PASSES = 3


def randomise(module, seed):
    """Random values in every tensor, such that what passes through many layers neither grows nor fades."""
    generator = torch.Generator().manual_seed(seed)
    norms = {
        name for name, part in module.named_modules()
        if isinstance(part, (torch.nn.BatchNorm2d, torch.nn.GroupNorm, torch.nn.InstanceNorm2d))
    }
    prelus = {name for name, part in module.named_modules() if isinstance(part, torch.nn.PReLU)}
    with torch.no_grad():
        for name, tensor in module.state_dict().items():
            layer, _, word = name.rpartition(".")
            if not tensor.is_floating_point():
                continue
            normal = torch.randn(tensor.shape, generator=generator, dtype=torch.float64)
            uniform = torch.rand(tensor.shape, generator=generator, dtype=torch.float64)
            if word == "running_var" or layer in norms and word == "weight":
                value = 0.5 + uniform
            elif layer in prelus:
                value = 0.1 + 0.3 * uniform
            elif tensor.dim() >= 2:
                value = normal / max(tensor[0].numel(), 1) ** 0.5
            else:
                value = 0.1 * normal
            tensor.copy_(value)


def wrapped(state, kind, seed):
    """A state dict as people save it."""
    other = {name: torch.zeros_like(tensor) for name, tensor in state.items()}
    return {
        "bare": state,
        "averaged": {"params": other, "params_ema": state},
        "params": {"params": state},
        "training": {"epoch": seed, "state_dict": state, "optimizer": {"state": {}, "param_groups": []}},
        "parallel": collections.OrderedDict(("module." + k, v) for k, v in state.items()),
        "compiled": {"model": {"_orig_mod." + k: v for k, v in state.items()}},
    }[kind]


WRAPPINGS = ["bare", "averaged", "parallel", "params", "compiled", "training"]


def call(*command):
    done = subprocess.run([str(word) for word in command], capture_output=True, text=True)
    if done.returncode != 0:
        raise RuntimeError(f"status {done.returncode}: {done.stderr.strip() or done.stdout.strip()}")
    return done.stdout


def difference(found, expected):
    if found.shape != expected.shape:
        raise RuntimeError(f"output {found.shape}, {expected.shape} expected")
    if not numpy.isfinite(expected).all():
        raise RuntimeError("the reference's output is not finite")
    if expected.min() == expected.max():
        raise RuntimeError("the reference's output is one value")
    return float(numpy.abs(found - expected).max() / numpy.abs(expected).max())


def check(case, number, folder, aviary, wrapping):
    torch.manual_seed(number)
    module = case.build().eval()
    randomise(module, number)
    if case.prepare:
        case.prepare(module)
    state = collections.OrderedDict(
        (case.rename(name), tensor.detach().clone()) for name, tensor in module.state_dict().items()
        if case.keep(name))
    stem = folder / f"{case.network}-{case.label}"
    saved, checkpoint, back = (stem.with_name(stem.name + end) for end in (".pth", ".h5", ".back.pth"))
    torch.save(wrapped(state, wrapping, number), saved)
    for path in (checkpoint, back):
        path.unlink(missing_ok=True)
    arguments = ["--config", json.dumps(case.config)] if case.config else []
    report = json.loads(call(aviary, "convert", saved, checkpoint, "--json", *arguments))
    if report["architecture"] != case.architecture:
        raise RuntimeError(f"recognised as {report['architecture']}")
    module.double()
    worst = 0.0
    for height, width in case.sizes or SIZES:
        image = numpy.random.default_rng(number).random(
            (1, case.channels, height, width), dtype=numpy.float32)
        with torch.no_grad():
            expected = case.forward(module, torch.from_numpy(image).double()).numpy()
        given, taken = stem.with_name(stem.name + ".in.npy"), stem.with_name(stem.name + ".out.npy")
        numpy.save(given, (image * case.range).astype(numpy.float32))
        call(aviary, "run", checkpoint, given, "-o", taken, "--quiet", "--exact", *case.run)
        found = numpy.load(taken).astype(numpy.float64) / case.range
        worst = max(worst, difference(found, expected))
    if not worst <= case.tolerance:
        raise RuntimeError(f"differs by {worst:.1e}, {case.tolerance:.0e} allowed")
    if not case.folds and case.network not in PADDED | TIED:
        for turn in range(PASSES):
            leave_gradients(case, module, report, number, turn, stem, aviary)
    if case.folds or case.loses:
        return worst
    call(aviary, "convert", checkpoint, back, "--quiet")
    returned = torch.load(back, weights_only=True)
    kept = {name: tensor for name, tensor in state.items() if not name.endswith("num_batches_tracked")}
    returned = {k: v for k, v in returned.items() if not k.endswith("num_batches_tracked")}
    if returned.keys() != kept.keys():
        names = sorted(returned.keys() ^ kept.keys())
        raise RuntimeError(f"back to PyTorch: names differ: {', '.join(names[:4])}")
    for name, tensor in kept.items():
        found = returned[name]
        if found.dtype != tensor.dtype or found.shape != tensor.shape:
            raise RuntimeError(f"back to PyTorch: {name} is {found.dtype} {tuple(found.shape)}, not "
                               f"{tensor.dtype} {tuple(tensor.shape)}")
        # What follows from the configuration is calculated anew.
        if not (torch.allclose(found, tensor, rtol=0, atol=1e-6) if case.derived(name)
                else torch.equal(found, tensor)):
            raise RuntimeError(f"back to PyTorch: {name} differs")
    if all(case.keep(name) for name in module.state_dict()):
        # As a reader takes it that wants every tensor and no other.
        case.build().load_state_dict(
            {name: returned[case.rename(name)] for name in module.state_dict()
             if case.rename(name) in returned}, strict=True)
    return worst


def gradients_of(case, module, image, cotangent):
    """The gradients of one pass by name, and its output's shape; those of frozen parameters are None."""
    module.zero_grad()
    output = case.forward(module, torch.from_numpy(image).to(next(module.parameters()).dtype)) * case.range
    output.backward(torch.from_numpy(cotangent(tuple(output.shape))).to(output.dtype))
    return {
        name: (torch.zeros_like(part) if part.grad is None else part.grad.clone())
        for name, part in module.named_parameters() if part.requires_grad}


def leave_gradients(case, module, report, number, turn, stem, aviary):
    """Saves the gradients of one pass: as a state dict that is converted as the weights were, with what
    went in beside it, and how far PyTorch's own gradients in float32 are from those in float64."""
    module.train(case.network not in EVALUATED)
    for part in module.modules():
        # Stochastic depth is a class of each source's own.
        if isinstance(part, torch.nn.modules.dropout._DropoutNd) or type(part).__name__ == "DropPath":
            part.eval()
    module.double()
    height, width = (case.sizes or SIZES)[0]
    generator = numpy.random.default_rng([number, turn])
    image = generator.random((case.batch, case.channels, height, width), dtype=numpy.float32)
    given = {}

    def cotangent(shape):
        if not given:
            given["cotangent"] = generator.standard_normal(shape, dtype=numpy.float32)
        return given["cotangent"]

    buffers = {name: part.clone() for name, part in module.named_buffers()}
    exact = gradients_of(case, module, image, cotangent)
    state = module.float().state_dict()
    rounded = gradients_of(case, module, image, cotangent)
    largest = max(float(part.abs().max()) for part in exact.values())

    def scale(part):
        own = float(part.abs().max())
        # Zero but for rounding: a bias before a normalisation.
        return largest if own < 1e-9 * largest else max(own, 1e-4 * largest)

    rounding = max(float((rounded[name] - part).abs().max() / scale(part)) for name, part in exact.items())
    gradients = {
        case.rename(name): (exact.get(name, buffers.get(name, tensor))).to(tensor.dtype)
        for name, tensor in state.items() if case.keep(name)}
    saved, checkpoint = (stem.with_name(stem.name + end) for end in (f".{turn}.gradients.pth", f".{turn}.gradients.h5"))
    torch.save(gradients, saved)
    checkpoint.unlink(missing_ok=True)
    call(aviary, "convert", saved, checkpoint, "--quiet", "--as", case.architecture,
         "--config", json.dumps(report["configuration"]))
    safetensors.torch.save_file(
        {"input": torch.from_numpy((image * case.range).astype(numpy.float32)),
         "cotangent": torch.from_numpy(given["cotangent"]), "rounding": torch.tensor([rounding])}, stem.with_name(f"{stem.name}.{turn}.pass.safetensors"))


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", type=pathlib.Path)
    parser.add_argument("--aviary", required=True, type=pathlib.Path)
    parser.add_argument("--all", action="store_true")
    parser.add_argument("--only", nargs="+", default=[], metavar="NETWORK")
    arguments = parser.parse_args()
    arguments.folder.mkdir(parents=True, exist_ok=True)
    torch.set_num_threads(1)
    failures = total = 0
    seen = set()
    for case in zoo_networks.cases():
        # The same random values whatever cases stand before it.
        number = zlib.crc32(f"{case.network} {case.label}".encode())
        if arguments.only and case.network not in arguments.only:
            continue
        if case.network in seen and not arguments.all:
            continue
        seen.add(case.network)
        total += 1
        wrapping = WRAPPINGS[total % len(WRAPPINGS)]
        try:
            worst = check(case, number, arguments.folder, arguments.aviary.resolve(), wrapping)
            print(f"{case.network:12} {case.label:24} {wrapping:9} {worst:.1e}  {case.source}", flush=True)
        except Exception as problem:  # noqa: BLE001  every case is to be told of
            failures += 1
            print(f"{case.network:12} {case.label:24} {wrapping:9} FAILED  {problem}", flush=True)
    print(f"{total} cases of {len(seen)} networks, {failures} failed")
    sys.exit(1 if failures or not total else 0)


if __name__ == "__main__":
    main()
