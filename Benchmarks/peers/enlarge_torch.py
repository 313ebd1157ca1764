"""Enlarges a picture with PyTorch, as a user would: enlarge_torch.py MODULE WEIGHTS PICTURE RESULT."""
import importlib.util
import sys

import numpy as np
import torch
from PIL import Image

module_path, weights, source, result = sys.argv[1:]
spec = importlib.util.spec_from_file_location("network", module_path)
module = importlib.util.module_from_spec(spec)
spec.loader.exec_module(module)
model = module.load(weights).to(memory_format=torch.channels_last)
picture = np.asarray(Image.open(source).convert("RGB"), dtype=np.float32) / 255
with torch.inference_mode():
    x = torch.from_numpy(picture).permute(2, 0, 1)[None]
    y = model(x)[0].clamp(0, 1).mul(255).round().byte().permute(1, 2, 0).numpy()
Image.fromarray(y).save(result)
