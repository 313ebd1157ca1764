"""Leaves weights, inputs and PyTorch's outputs of the peers' networks in a folder.

Usage: reference.py PEERS_FOLDER OUTPUT_FOLDER, with an interpreter that has PyTorch. Weights go to
<network>.pt under the names that the architectures of the registry have; an input and its output go
to <network>_<shape>.pt.
"""
import sys

import torch

peers, folder = sys.argv[1:]
sys.path.insert(0, peers)
from networks import WORK  # noqa: E402
from timing import name  # noqa: E402

models = {}
with torch.inference_mode():
    for network, make, shape in WORK:
        torch.manual_seed(0)
        if network not in models:
            models[network] = make().eval()
            # The peers put encoder and decoder into a sequence, which numbers them.
            parts = {"0": "encoder", "1": "decoder"}
            weights = {".".join([parts[key.split(".")[0]], *key.split(".")[1:]]): value for key, value in models[network].state_dict().items()}
            torch.save(weights, f"{folder}/{network}.pt")
        x = torch.rand(*shape)
        torch.save({"input": x, "output": models[network](x).contiguous()}, f"{folder}/{network}_{name(shape)}.pt")
