"""Prints how two pictures differ, in parts of 255: compare.py ONE OTHER. Ends with 1 beyond one step."""
import json
import sys

import numpy as np
from PIL import Image

one, other = (np.asarray(Image.open(path).convert("RGB")).astype(int) for path in sys.argv[1:])
if one.shape != other.shape:
    sys.exit(f"{sys.argv[2]}: a picture of {one.shape} expected, one of {other.shape} found")
difference = np.abs(one - other)
print(json.dumps({"largest": int(difference.max()), "share": float((difference > 0).mean())}))
sys.exit(difference.max() > 1)
