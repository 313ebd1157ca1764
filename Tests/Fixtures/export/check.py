"""Loads every file that was written of a case with the real framework, runs it, and compares.

Usage: check.py FOLDER [--only torch|keras|tf_keras] [NAME...]

Each folder in FOLDER is a case: `case.json`, `example.pt` (inputs and expected outputs, NCHW),
`weights.pt`, `weights.safetensors` and `network.py` for PyTorch, `model*.keras`, `model*.weights.h5` and `model*.h5` for
Keras. The largest difference must be within 1e-5 of the largest expected value.

The cases are written by `AVIARY_INTEROP_DIR=FOLDER swift test --filter ExportCasesTests`.
"""

import argparse
import glob
import importlib.util
import json
import os
import sys

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
os.environ.setdefault("CUDA_VISIBLE_DEVICES", "")

import numpy as np
import safetensors.torch
import torch

LIMIT = 1e-5


def compare(found, expected, what, failures):
    for position, (a, b) in enumerate(zip(found, expected)):
        a, b = np.asarray(a), np.asarray(b)
        if a.shape != b.shape:
            failures.append(f"{what}: output {position}: {b.shape} expected, {a.shape} found")
            continue
        error = np.abs(a.astype(np.float64) - b).max() / max(np.abs(b).max(), 1e-30)
        if not error <= LIMIT:
            failures.append(f"{what}: output {position}: relative difference {error:.2e}")
    if len(found) != len(expected):
        failures.append(f"{what}: {len(expected)} outputs expected, {len(found)} found")


def check_torch(folder, inputs, expected, failures):
    path = os.path.join(folder, "weights.pt")
    plain = torch.load(path)
    mapped = torch.load(path, mmap=True)
    safe = safetensors.torch.load_file(os.path.join(folder, "weights.safetensors"))
    if set(safe) != set(plain) or any(not torch.equal(plain[name], safe[name]) for name in plain):
        failures.append("safetensors: other tensors than in the PyTorch file")
    for name, tensor in plain.items():
        if not torch.equal(tensor, mapped[name]):
            failures.append(f"torch: {name}: mapped and loaded tensors differ")
    spec = importlib.util.spec_from_file_location("network", os.path.join(folder, "network.py"))
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    model = module.load(path)
    if set(model.state_dict()) != set(plain):
        failures.append("torch: the module has other names")
    with torch.no_grad():
        result = model(*[torch.from_numpy(x) for x in inputs])
    result = result if isinstance(result, tuple) else (result,)
    compare([y.numpy() for y in result], expected, "torch", failures)


def run_keras(model, inputs):
    """Runs a model of channels last on pictures of channels first."""
    given = [np.moveaxis(x, 1, -1) for x in inputs]
    result = model(given[0] if len(given) == 1 else given)
    result = result if isinstance(result, (list, tuple)) else [result]
    result = [np.asarray(y) for y in result]
    return [np.moveaxis(y, -1, 1) if y.ndim == 4 else y for y in result]


def clear(model):
    """Fills the weights with what no file holds, so that loading must replace them."""
    model.set_weights([np.full(w.shape, 7.0, np.float32) for w in model.get_weights()])


def check_keras(folder, inputs, expected, failures):
    import keras

    for path in sorted(glob.glob(os.path.join(folder, "model*.keras"))):
        name = os.path.basename(path)
        model = keras.models.load_model(path)
        compare(run_keras(model, inputs), expected, f"keras {name}", failures)
        for other in (path[:-6] + ".weights.h5", path[:-6] + ".h5"):
            clear(model)
            model.load_weights(other)
            compare(
                run_keras(model, inputs), expected,
                f"keras weights {os.path.basename(other)}", failures)
    for path in sorted(glob.glob(os.path.join(folder, "model*.h5"))):
        if not path.endswith(".weights.h5"):
            model = keras.models.load_model(path)
            compare(
                run_keras(model, inputs), expected, f"keras {os.path.basename(path)}", failures)


def check_tf_keras(folder, inputs, expected, failures):
    import tf_keras

    for path in sorted(glob.glob(os.path.join(folder, "model*.h5"))):
        if path.endswith(".weights.h5"):
            continue
        name = os.path.basename(path)
        model = tf_keras.models.load_model(path)
        compare(run_keras(model, inputs), expected, f"tf_keras {name}", failures)
        clear(model)
        model.load_weights(path)
        compare(run_keras(model, inputs), expected, f"tf_keras weights {name}", failures)


CHECKS = {"torch": check_torch, "keras": check_keras, "tf_keras": check_tf_keras}


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("folder")
    parser.add_argument("names", nargs="*")
    parser.add_argument("--only", choices=CHECKS, action="append")
    options = parser.parse_args()
    names = options.names or sorted(os.listdir(options.folder))
    count, failed, refused = 0, 0, []
    for name in names:
        folder = os.path.join(options.folder, name)
        with open(os.path.join(folder, "case.json")) as file:
            case = json.load(file)
        example = torch.load(os.path.join(folder, "example.pt"))
        inputs = [example["input." + x].numpy() for x in case["inputs"]]
        expected = [example["output." + y].numpy() for y in case["outputs"]]
        if "keras" in case:
            refused.append(f"{name}: {case['keras']}")
        for framework in options.only or CHECKS:
            if framework != "torch" and "keras" in case:
                continue
            failures = []
            try:
                CHECKS[framework](folder, inputs, expected, failures)
            except Exception as error:
                text = str(error).strip().splitlines() or [""]
                failures.append(f"{framework}: {type(error).__name__}: {text[0][:300]}")
            count += 1
            failed += bool(failures)
            for failure in failures:
                print(f"FAILED {name}: {failure}")
    for line in refused:
        print("refused", line)
    print(f"{len(names)} cases, {count} checks, {failed} failed, {len(refused)} not for Keras")
    return 1 if failed or not names else 0


if __name__ == "__main__":
    sys.exit(main())
