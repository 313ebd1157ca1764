"""OpenVINO on the same ONNX file, its sizes fixed beforehand, for latency; tensors are shared, not copied."""
import numpy as np
import openvino
from common import Session, passed_over


def make(session):
    core = openvino.Core()
    model = core.read_model(session.path("onnx"))
    model.reshape(list(session.shape))
    compiled = core.compile_model(model, "CPU", {
        "INFERENCE_NUM_THREADS": session.threads, "INFERENCE_PRECISION_HINT": session.precision,
        "PERFORMANCE_HINT": "LATENCY"})
    request = compiled.create_infer_request()
    return lambda: request.infer({0: session.input}, share_inputs=True, share_outputs=True)


if __name__ == "__main__":
    session = Session()
    if not passed_over(session, precisions=("f32", "bf16")):
        session.measure("openvino", lambda: make(session), lambda outputs: np.array(outputs[0]))
