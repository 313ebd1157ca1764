"""Holds ONNX's checker and ONNX Runtime against the models that Aviary wrote.

    AVIARY_ONNX_FOLDER=/tmp/models swift test --filter ONNXExportTests
    python check.py /tmp/models

Each model lies in a folder of its own, with the inputs and outputs of one or several pictures.
Ends with 1 where one differs by more than 1e-5 of the largest value, or is no sound model.
"""
import json, pathlib, sys
import numpy as np, onnx, onnxruntime as ort

failures = 0
worst = 0.0
count = 0


def arrays(entries, file):
    numbers = np.fromfile(file, "<f4")
    result, start = {}, 0
    for entry in entries:
        size = int(np.prod(entry["shape"]))
        result[entry["name"]] = numbers[start:start + size].reshape(entry["shape"])
        start += size
    return result


for folder in sorted(pathlib.Path(sys.argv[1]).iterdir()):
    path = str(folder / "model.onnx")
    try:
        onnx.checker.check_model(path, full_check=True)
        options = ort.SessionOptions()
        options.log_severity_level = 3
        session = ort.InferenceSession(path, options, providers=["CPUExecutionProvider"])
        for number, case in enumerate(json.loads((folder / "cases.json").read_text())):
            inputs = arrays(case["inputs"], folder / f"{number}.input")
            expected = arrays(case["outputs"], folder / f"{number}.output")
            found = dict(zip(expected, session.run(list(expected), inputs)))
            for name, tensor in expected.items():
                assert found[name].shape == tensor.shape, f"{name}: {found[name].shape}, {tensor.shape} expected"
                error = float(np.abs(found[name] - tensor).max() / max(np.abs(tensor).max(), 1e-30))
                worst = max(worst, error)
                assert error <= 1e-5, f"{name} of picture {number}: {error:.2e} of the largest value"
                count += 1
    except Exception as error:
        failures += 1
        print(f"{folder.name}: {str(error).splitlines()[0][:300]}")
print(f"{count} outputs agree, largest difference {worst:.1e}; {failures} models fail")
sys.exit(failures > 0)
