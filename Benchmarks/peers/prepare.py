"""Leaves inputs and the right outputs of all works in the folder of models, and PyTorch's traces for ncnn.

Usage: prepare.py MODELS, with an interpreter that has PyTorch. What is right is what the network gives in
float64: so everybody's rounding is seen, ours too. The reference of a training is that of its first way
forward.
"""
import importlib.util
import pathlib
import sys
import warnings

import numpy as np
import torch
from common import works

warnings.filterwarnings("ignore")
models = pathlib.Path(sys.argv[1])
for work in works():
    network, shape = work["network"], tuple(work["shape"])
    target = models / f"{network}_{'x'.join(map(str, shape))}.npz"
    if work["kind"] == "life" or target.exists():
        continue
    spec = importlib.util.spec_from_file_location("network", models / f"{network}.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    model = module.load(str(models / f"{network}.pt"))
    x = np.random.default_rng(2).random(shape, dtype=np.float32)
    with torch.inference_mode():
        trace = models / f"{network}_{shape[2]}x{shape[3]}.pt".replace("-", "_")
        torch.jit.trace(model, torch.from_numpy(x[:1])).save(str(trace))
        # A picture at a time: float64 takes twice the memory.
        output = np.concatenate([model.double()(torch.from_numpy(x[i:i + 1]).double()).numpy() for i in range(len(x))])
    # Written aside and renamed: a run that is stopped leaves no half of a file.
    np.savez(models / "part.npz", input=x, output=output.astype(np.float32))
    (models / "part.npz").rename(target)
