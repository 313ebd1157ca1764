#!/usr/bin/env python3
"""Makes models in the real frameworks and saves them in every way that these know, with what they
compute: what `aviary convert` is held against.

    python make.py torch FOLDER
    python make.py keras FOLDER     (a process of its own: TensorFlow and PyTorch bring one LLVM each)

Leaves FOLDER/cases.<framework>.json: a list of {name, file, arguments, example}; `example` is a
safetensors file of {"input_0", "output_0", "input_1", …}, float32, NCHW, at an even and an odd size
where the network takes both.
"""
import importlib.util
import json
import os
import pathlib
import sys

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
os.environ.setdefault("CUDA_VISIBLE_DEVICES", "")
sys.dont_write_bytecode = True

import h5py
import numpy as np
import safetensors.numpy

HERE = pathlib.Path(__file__).resolve().parent
FRAMEWORK = sys.argv[1]
if FRAMEWORK == "torch":
    import safetensors.torch
    import torch

    import torch_networks

    specification = importlib.util.spec_from_file_location(
        "architectures", HERE.parent / "Fixtures" / "architectures" / "export.py")
    architectures = importlib.util.module_from_spec(specification)
    # Whole modules are pickled by the name of their class's module.
    sys.modules["architectures"] = architectures
    specification.loader.exec_module(architectures)
else:
    import keras
    import tensorflow as tf
    import tf_keras

    import keras_networks

OUT = pathlib.Path(sys.argv[2]).resolve()
OUT.mkdir(parents=True, exist_ok=True)
cases = []


def case(name, file, example, *arguments):
    cases.append({"name": name, "file": str(file.name), "arguments": list(arguments), "example": example.name})


def save_example(name, pairs):
    tensors = {}
    for i, (x, y) in enumerate(pairs):
        tensors[f"input_{i}"] = np.ascontiguousarray(x, np.float32)
        tensors[f"output_{i}"] = np.ascontiguousarray(y, np.float32)
    path = OUT / f"{name}.example.safetensors"
    safetensors.numpy.save_file(tensors, path)
    return path


def statements(architecture, configuration, framework):
    """What no shape shows, as the user would state it."""
    hidden = {"plain-cae": ["activation", "padding"], "residual-cae": ["residual"], "srcnn": ["padding"],
              "espcn": ["activation"]}.get(architecture, [])
    stated = {name: configuration[name] for name in hidden if name in configuration}
    arguments = ["--config", json.dumps(stated)] if stated else []
    return arguments + (["--scale", str(configuration.get("scale", 2))] if architecture == "fsrcnn" else [])


# --- PyTorch ---------------------------------------------------------------------------------------

def torch_cases():
    for seed, (name, (configuration, size)) in enumerate(architectures.CASES.items()):
        architecture = name.split(".")[0]
        torch.manual_seed(1000 + seed)
        network = architectures.NETWORKS[architecture](**configuration).eval()
        architectures.randomise(network)
        state = {key: value.contiguous().clone() for key, value in network.state_dict().items()}
        if configuration.get("mappingActivations"):
            state = {architectures.FSRCNN.paper_name(key, configuration["mapping"]): value
                     for key, value in state.items()}
        sizes = [size, (size[0] + 1, size[1] + 3)]
        pairs = []
        for side in sizes:
            x = torch.rand(1, configuration["channels"], *side)
            try:
                y = network.double()(x.double()).float()
            except RuntimeError:
                continue  # it does not take this size
            pairs.append((x.numpy(), y.numpy()))
            network.float()
        network.float()
        example = save_example(f"torch.{name}", pairs)
        said = statements(architecture, configuration, "torch")
        stem = OUT / f"torch.{name}"

        def add(kind, path, arguments=said):
            case(f"torch.{name} {kind}", path, example, *arguments)

        # Bare arrays do not say whose borders the network has.
        if architecture == "plain-cae":
            stated = {**json.loads(said[1]), "origin": "pytorch"}
            bare = ["--config", json.dumps(stated)]
        else:
            bare = said

        path = pathlib.Path(f"{stem}.pt")
        torch.save(state, path)
        add("state dict", path)
        path = pathlib.Path(f"{stem}.legacy.pth")
        torch.save(state, path, _use_new_zipfile_serialization=False)
        add("legacy", path)
        path = pathlib.Path(f"{stem}.nested.pt")
        torch.save({"epoch": 3, "state_dict": {"module." + key: value for key, value in state.items()},
                    "optimizer": torch.optim.Adam(network.parameters()).state_dict()}, path)
        add("training checkpoint", path)
        path = pathlib.Path(f"{stem}.safetensors")
        safetensors.torch.save_file(state, path, metadata={"format": "pt"})
        add("safetensors", path)
        path = pathlib.Path(f"{stem}.npz")
        np.savez(path, **{key: value.numpy() for key, value in state.items()})
        add("npz", path, bare)
        path = pathlib.Path(f"{stem}.hdf5")
        with h5py.File(path, "w") as file:
            for key, value in state.items():
                file[key] = value.numpy()
        add("plain HDF5", path)
        if "paper" not in name:
            path = pathlib.Path(f"{stem}.module.pt")
            torch.save(network, path)
            add("module", path)
            path = pathlib.Path(f"{stem}.script.pt")
            x = torch.from_numpy(pairs[0][0])
            torch.jit.trace(network, x, check_trace=False).save(str(path))
            add("TorchScript", path, [*said, "--as", architecture])
            path = pathlib.Path(f"{stem}.onnx")
            if export_onnx(network, x, path):
                add("ONNX", path, [])


def torch_seed():
    """The class of the second seed, as typed, saved in both ways that people save."""
    torch.manual_seed(5)
    network = torch_networks.CAEResNet(in_channels=3, out_channels=3).eval()
    pairs = []
    for side in ((64, 64), (32, 48)):
        x = torch.randn(1, 3, *side)
        pairs.append((x.numpy(), network.double()(x.double()).float().numpy()))
        network.float()
    example = save_example("torch.seed", pairs)
    path = OUT / "torch.seed.pt"
    torch.save(network.state_dict(), path)
    case("torch seed state dict", path, example)
    path = OUT / "torch.seed.module.pt"
    torch.save(network, path)
    case("torch seed module", path, example)


def export_onnx(network, x, path):
    try:
        torch.onnx.export(network, (x,), str(path), dynamo=False, opset_version=17, input_names=["image"],
                          output_names=["output"],
                          dynamic_axes={"image": {0: "n", 2: "h", 3: "w"}})
        return True
    except Exception as problem:  # the exporter itself, not ours
        print(f"{path.name}: not exported: {str(problem)[:200]}", file=sys.stderr)
        return False


# --- Keras -----------------------------------------------------------------------------------------

KERAS_CASES = [
    ("plain-cae", {}, (20, 28)), ("plain-cae", {"features": (5, 7)}, (14, 18)),
    ("residual-cae", {}, (16, 20)), ("residual-cae", {"channels": 1, "residual": True}, (12, 34)),
    ("fusion-cae", {}, (18, 14)), ("fusion-cae", {"scale": 3}, (14, 10)),
    ("fusion-cae", {"scale": 1, "features": (4, 6, 8), "blocks": (2, 1, 2)}, (16, 20)),
    ("srcnn", {}, (17, 13)), ("srcnn", {"kernels": (9, 1, 5), "channels": 3, "padding": "valid"}, (24, 21)),
    ("fsrcnn", {}, (17, 13)), ("fsrcnn", {"scale": 3, "mapping": 4, "mappingActivations": False}, (10, 12)),
    ("fsrcnn", {"scale": 4, "channels": 3}, (9, 11)),
    ("espcn", {"activation": "tanh"}, (17, 13)), ("espcn", {"scale": 2, "channels": 3, "activation": "relu"}, (10, 12)),
    ("vdsr", {}, (17, 13)), ("vdsr", {"bias": True, "channels": 3, "layers": 6}, (10, 12)),
]


def randomise_keras(model, seed):
    rng = np.random.default_rng(seed)
    for weight in model.weights:
        shape = tuple(weight.shape)
        if len(shape) == 4:
            scale = (1.5 / (shape[0] * shape[1] * min(shape[2], shape[3]))) ** 0.5
            value = rng.normal(0, scale, shape)
        elif len(shape) == 3:  # slopes
            value = rng.uniform(-0.3, 0.9, shape)
        else:
            value = rng.normal(0, 0.2, shape)
        weight.assign(value.astype(np.float32))


def run_keras(model, sizes, channels, seed):
    rng = np.random.default_rng(seed)
    pairs = []
    for side in sizes:
        x = rng.random((1, *side, channels), np.float32)
        try:
            y = np.asarray(model(tf.constant(x)))
        except Exception:
            continue  # it does not take this size
        pairs.append((x.transpose(0, 3, 1, 2), y.transpose(0, 3, 1, 2)))
    return pairs


def keras_cases(K, label):
    for number, (architecture, configuration, size) in enumerate(KERAS_CASES):
        K.backend.clear_session()
        model = keras_networks.NETWORKS[architecture](K, **configuration)
        randomise_keras(model, number)
        name = f"{label}.{architecture}.{number}"
        sizes = [size, (size[0] + 1, size[1] + 3)]
        example = save_example(name, run_keras(model, sizes, configuration.get("channels", model.inputs[0].shape[-1]),
                                               number))
        said = statements(architecture, configuration, "keras")
        path = OUT / f"{name}.weights.h5"
        model.save_weights(str(path))
        case(f"{name} .weights.h5", path, example, *said)
        if K is tf_keras:
            path = OUT / f"{name}.legacy.h5"
            model.save_weights(str(path))
            case(f"{name} legacy .h5", path, example, *said)
            path = OUT / f"{name}.ckpt"
            model.save_weights(str(path), save_format="tf")
            case(f"{name} TensorFlow checkpoint", path, example, *said)
        else:
            path = OUT / f"{name}.objects"
            tf.train.Checkpoint(model=model).write(str(path))
            case(f"{name} tf.train.Checkpoint", path, example, *said)
        if architecture in keras_networks.OPAQUE:
            continue
        path = OUT / f"{name}.keras"
        model.save(str(path))
        case(f"{name} .keras", path, example)
        path = OUT / f"{name}.whole.h5"
        model.save(str(path))
        case(f"{name} whole .h5", path, example)
        if K is tf_keras:
            path = OUT / f"{name}.saved"
            model.save(str(path), save_format="tf", save_traces=number % 2 == 0)
            case(f"{name} SavedModel", path, example)


def seed_cases(K, label):
    K.backend.clear_session()
    model = keras_networks.seed_autoencoder(K)
    randomise_keras(model, 99)
    pairs = run_keras(model, [(128, 128)], 1, 99)
    assert pairs[0][1].shape[-1] == 112
    example = save_example(f"{label}.seed", pairs)
    valid = ["--config", '{"padding": "valid"}']
    path = OUT / f"{label}.seed.weights.h5"
    model.save_weights(str(path))
    case(f"{label} seed .weights.h5", path, example, *valid)
    if K is tf_keras:
        path = OUT / f"{label}.seed.legacy.h5"
        model.save_weights(str(path))
        case(f"{label} seed legacy .h5", path, example, *valid)


if FRAMEWORK == "torch":
    torch.set_num_threads(2)
    with torch.no_grad():
        torch_cases()
        torch_seed()
else:
    for module, label in ((keras, "keras3"), (tf_keras, "tf_keras")):
        keras_cases(module, label)
        seed_cases(module, label)
(OUT / f"cases.{FRAMEWORK}.json").write_text(json.dumps(cases, indent=1) + "\n")
print(f"{len(cases)} cases of {FRAMEWORK}")
