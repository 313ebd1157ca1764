"""ncnn on the network that pnnx makes of PyTorch's trace. It takes no batch: pictures go one by one."""
import pathlib
import subprocess
import sys

import ncnn
import numpy as np
from common import Session, passed_over


def converted(session):
    """The path of .param and .bin, less the ending; made once."""
    height, width = session.shape[2:]
    # pnnx rewrites other characters than these in the names that it makes.
    name = f"{session.network}_{height}x{width}".replace("-", "_")
    trace, stem = session.models / f"{name}.pt", str(session.models / name)
    if not pathlib.Path(stem + ".ncnn.bin").exists():
        pnnx = pathlib.Path(next(p for p in sys.path if p.endswith("site-packages"))) / "pnnx" / "pnnx"
        subprocess.run(
            [pnnx, str(trace), f"inputshape=[1,{session.shape[1]},{height},{width}]", "fp16=0"],
            check=True, timeout=240, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    return stem


def make(session):
    stem = converted(session)
    net = ncnn.Net()
    net.opt.num_threads = session.threads
    net.opt.use_bf16_storage = session.precision == "bf16"
    net.opt.use_fp16_storage = net.opt.use_fp16_packed = net.opt.use_fp16_arithmetic = False
    if net.load_param(stem + ".ncnn.param") or net.load_model(stem + ".ncnn.bin"):
        raise RuntimeError("the converted network is not read")
    # A Mat of an array does not keep the array, nor an output its extractor: both are copied.
    pictures = [ncnn.Mat(np.ascontiguousarray(picture)).clone() for picture in session.input]

    def run():
        results = []
        for picture in pictures:
            extractor = net.create_extractor()
            extractor.input("in0", picture)
            code, result = extractor.extract("out0")
            if code:
                raise RuntimeError(f"code {code}")
            results.append(np.array(result))
        return results

    return run


if __name__ == "__main__":
    session = Session()
    if not passed_over(session, precisions=("f32", "bf16")):
        session.measure("ncnn", lambda: make(session), lambda results: np.stack(results))
