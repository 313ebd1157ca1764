#!/usr/bin/env python3
"""Holds networks of ncnn's against ncnn itself, in both directions.

    ncnn_weights.py wheels FOLDER --aviary PROGRAM    real networks: the .param files in the wheels of FOLDER
    ncnn_weights.py written FOLDER                    what NCNNExportTests left in FOLDER

A real network is converted, and written as ncnn again; `aviary run` on the first and ncnn on the second
must compute what ncnn does on the original, to 1e-4 of the largest value, at two sizes. What Aviary's
tests wrote must compute in ncnn what the tests say. Prints a line for each network, and ends with
status 1 where one fails. The networks are other people's: nothing of them stays.
"""
import argparse
import pathlib
import subprocess
import sys
import tempfile
import zipfile

import ncnn
import numpy

SIZES = [(32, 24), (36, 28)]
LIMIT = 1e-4


def loaded(parameters):
    network = ncnn.Net()
    network.opt.num_threads = 1
    network.opt.use_vulkan_compute = False
    for way in ("fp16_packed", "fp16_storage", "fp16_arithmetic", "bf16_storage", "int8_inference"):
        setattr(network.opt, f"use_{way}", False)
    if network.load_param(str(parameters)) or network.load_model(str(parameters.with_suffix(".bin"))):
        raise RuntimeError("ncnn does not load it")
    return network


def computed(network, inputs, output):
    extractor = network.create_extractor()
    # ncnn holds no array alive: they must outlive the extractor.
    arrays = [numpy.ascontiguousarray(values[0]) for values in inputs.values()]
    given = [ncnn.Mat(values).clone() for values in arrays]
    for name, values in zip(inputs, given):
        extractor.input(name, values)
    status, result = extractor.extract(output)
    values = None if status else numpy.array(result)[None].astype(numpy.float64)
    # The memory of the result is the extractor's.
    del result, given, extractor
    if status:
        raise RuntimeError(f"ncnn cannot compute it, status {status}")
    return values


def difference(found, expected):
    if found.shape != expected.shape:
        raise RuntimeError(f"output {found.shape}, {expected.shape} expected")
    if not numpy.isfinite(expected).all() or expected.min() == expected.max():
        raise RuntimeError("the expected output is of one value, or not finite")
    return float(numpy.abs(found - expected).max() / max(numpy.abs(expected).max(), 1e-30))


def ends(parameters):
    """The first input and the last output."""
    lines = [line.split() for line in parameters.read_text().splitlines()[2:] if line.strip()]
    taken = {name for line in lines for name in line[4:4 + int(line[2])]}
    given = [name for line in lines for name in line[4 + int(line[2]):4 + int(line[2]) + int(line[3])]]
    return lines[0][4], [name for name in given if name not in taken][-1]


def image(height, width, seed):
    """Waves and a little noise: on pure noise, deep networks make much of the last bit."""
    generator = numpy.random.default_rng(seed)
    rows, columns, channels = numpy.ogrid[:height, :width, :3]
    waves = numpy.sin(rows / 3 + channels) * numpy.cos(columns / (4 + channels))
    noise = generator.standard_normal((height, width, 3))
    values = (0.5 + 0.35 * waves + 0.02 * noise).clip(0, 1).astype(numpy.float32)
    return numpy.ascontiguousarray(values.transpose(2, 0, 1)[None])


def padded(picture, found, expected):
    """The image with its edges repeated, as `aviary run` pads it for a network that loses some."""
    lost = [a - b for a, b in zip(found.shape[2:], expected.shape[2:])]
    factor = found.shape[2] // picture.shape[2]
    edges = [(loss // (2 * factor),) * 2 for loss in lost]
    return numpy.pad(picture, [(0, 0), (0, 0)] + edges, mode="edge")


def call(*command):
    done = subprocess.run([str(word) for word in command], capture_output=True, text=True)
    if done.returncode:
        raise RuntimeError(f"status {done.returncode}: {done.stderr.strip() or done.stdout.strip()}")


def check_real(parameters, folder, aviary, seed):
    checkpoint, again = folder / "network.h5", folder / "again.param"
    for path in (checkpoint, again, again.with_suffix(".bin")):
        path.unlink(missing_ok=True)
    call(aviary, "convert", parameters, checkpoint)
    call(aviary, "convert", checkpoint, again)
    original, written = loaded(parameters), loaded(again)
    worst = [0.0, 0.0]
    for height, width in SIZES:
        picture = image(height, width, seed)
        try:
            computed(original, dict([(ends(parameters)[0], picture)]), ends(parameters)[1])
        except RuntimeError:
            # Some networks want a larger image.
            picture = image(height + 44, width + 44, seed)
        given, taken = folder / "in.npy", folder / "out.npy"
        numpy.save(given, picture)
        taken.unlink(missing_ok=True)
        call(aviary, "run", checkpoint, given, "-o", taken, "--quiet", "--exact")
        found = numpy.load(taken).astype(numpy.float64)
        first, last = ends(parameters)
        expected = computed(original, {first: picture}, last)
        if found.shape != expected.shape:
            picture = padded(picture, found, expected)
            expected = computed(original, {first: picture}, last)
        worst[0] = max(worst[0], difference(found, expected))
        first, last = ends(again)
        worst[1] = max(worst[1], difference(computed(written, {first: picture}, last), expected))
    return worst


def check_written(parameters):
    stem = parameters.with_suffix("").name
    network = loaded(parameters)
    arrays = {
        kind: {
            path.name[len(f"{stem}.{kind}."):-len(".npy")]: numpy.load(path)
            for path in sorted(parameters.parent.glob(f"{stem}.{kind}.*.npy"))
        } for kind in ("in", "out")
    }
    return [
        difference(computed(network, arrays["in"], name), values.astype(numpy.float64))
        for name, values in arrays["out"].items() if values.min() != values.max()
    ]


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("what", choices=["wheels", "written"])
    parser.add_argument("folder", type=pathlib.Path)
    parser.add_argument("--aviary", type=pathlib.Path)
    arguments = parser.parse_args()
    failures = total = 0
    with tempfile.TemporaryDirectory() as scratch:
        scratch = pathlib.Path(scratch)
        if arguments.what == "wheels":
            for wheel in sorted(arguments.folder.glob("*.whl")):
                with zipfile.ZipFile(wheel) as archive:
                    for name in archive.namelist():
                        if name.endswith((".param", ".bin")):
                            archive.extract(name, scratch)
            networks = sorted(scratch.rglob("*.param"))
        else:
            networks = sorted(arguments.folder.glob("*.param"))
        for number, parameters in enumerate(networks):
            total += 1
            name = f"{parameters.parent.name}/{parameters.stem}" if arguments.aviary else parameters.stem
            try:
                if arguments.what == "wheels":
                    worst = check_real(parameters, scratch, arguments.aviary.resolve(), number)
                else:
                    worst = check_written(parameters)
                if worst and not max(worst) <= LIMIT:
                    raise RuntimeError(f"differs by {max(worst):.1e}, {LIMIT:.0e} allowed")
                print(f"{name:60} {' '.join(f'{value:.1e}' for value in worst)}", flush=True)
            except Exception as problem:  # noqa: BLE001  every network is to be told of
                failures += 1
                print(f"{name:60} FAILED  {problem}", flush=True)
    print(f"{total} networks of ncnn's, {failures} failed")
    sys.exit(1 if failures or not total else 0)


if __name__ == "__main__":
    main()
