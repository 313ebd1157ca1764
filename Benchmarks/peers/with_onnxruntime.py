"""ONNX Runtime on the network that `aviary convert` has written, its sizes fixed beforehand."""
import onnxruntime
from common import Session, passed_over


def make(session):
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = session.threads
    for name, size in zip(("batch", "height", "width"), (session.shape[0], *session.shape[2:])):
        options.add_free_dimension_override_by_name(name, size)
    model = onnxruntime.InferenceSession(session.path("onnx"), options, providers=["CPUExecutionProvider"])
    x = {model.get_inputs()[0].name: session.input}
    return lambda: model.run(None, x)


if __name__ == "__main__":
    session = Session()
    if not passed_over(session):
        session.measure("onnxruntime", lambda: make(session), lambda outputs: outputs[0])
