"""Enlarges a picture with ONNX Runtime, as a user would: enlarge_onnx.py MODEL PICTURE RESULT."""
import sys

import numpy as np
import onnxruntime
from PIL import Image

model, source, result = sys.argv[1:]
session = onnxruntime.InferenceSession(model, providers=["CPUExecutionProvider"])
picture = np.asarray(Image.open(source).convert("RGB"), dtype=np.float32) / 255
y = session.run(None, {session.get_inputs()[0].name: picture.transpose(2, 0, 1)[None]})[0][0]
Image.fromarray((y.clip(0, 1) * 255).round().astype(np.uint8).transpose(1, 2, 0)).save(result)
