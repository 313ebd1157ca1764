"""PyTorch: eager, channels_last, compiled; bfloat16 by autocast and by its weights; steps of training."""
import importlib.util
import warnings

import torch
from common import Session, passed_over

warnings.filterwarnings("ignore")


def load(session):
    """The module that `aviary convert --module` has written, with its weights."""
    spec = importlib.util.spec_from_file_location("network", session.path("py"))
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module.load(session.path("pt"))


def array(output):
    return output.detach().float().contiguous().numpy()


def infer(session):
    last, x = torch.channels_last, torch.from_numpy(session.input)

    def eager():
        model = load(session)
        return lambda: model(x)

    def channels_last():
        model, y = load(session).to(memory_format=last), x.to(memory_format=last)
        return lambda: model(y)

    def compiled():
        model, y = torch.compile(load(session).to(memory_format=last)), x.to(memory_format=last)
        return lambda: model(y)

    with torch.inference_mode():
        session.measure("torch", eager, array)
        session.measure("torch channels_last", channels_last, array)
        session.measure("torch compiled", compiled, array)


def infer_bf16(session):
    last = torch.channels_last
    x = torch.from_numpy(session.input).to(memory_format=last)

    def autocast(compile):
        model = load(session).to(memory_format=last)
        model = torch.compile(model) if compile else model

        def run():
            with torch.autocast("cpu", dtype=torch.bfloat16):
                return model(x)

        return run

    def converted():
        model = torch.compile(load(session).bfloat16().to(memory_format=last))
        return lambda: model(x.bfloat16()).float()

    with torch.inference_mode():
        session.measure("torch autocast", lambda: autocast(False), array)
        session.measure("torch autocast compiled", lambda: autocast(True), array)
        session.measure("torch bf16 compiled", converted, array)


def train(session):
    """Mean squared error and Adam at 1e-3, one batch again and again."""

    def steps(layout, compile=False):
        model = load(session).train().to(memory_format=layout)
        x, y = (torch.from_numpy(a).to(memory_format=layout) for a in (session.input, session.input[::-1].copy()))
        optimizer = torch.optim.Adam(model.parameters(), 1e-3)
        forward = torch.compile(model) if compile else model

        def step():
            optimizer.zero_grad()
            ((forward(x) - y) ** 2).mean().backward()
            optimizer.step()

        return step

    session.measure("torch", lambda: steps(torch.contiguous_format))
    session.measure("torch channels_last", lambda: steps(torch.channels_last))
    session.measure("torch compiled", lambda: steps(torch.channels_last, compile=True))


if __name__ == "__main__":
    session = Session()
    torch.set_num_threads(session.threads)
    if not passed_over(session, ("infer", "train"), ("f32", "bf16")):
        (train if session.kind == "train" else infer_bf16 if session.precision == "bf16" else infer)(session)
