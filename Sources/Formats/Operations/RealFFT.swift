import AviaryCheckpoint
import AviaryContainers
import AviaryGraph

extension RealFFT: ExchangedOperation {
  func write(
    _ node: Graph.Node, _ value: Int, to writer: inout ONNXWriter
  ) throws(InterchangeError) {
    writer.realFFT(self, node, value)
  }

  func build(
    _ node: Graph.Node, _ inputs: [PlacedValue], with builder: inout KerasBuilder
  ) throws(InterchangeError) -> PlacedValue {
    throw builder.refusal(node.name, "no stock layer is a Fourier transform")
  }

  func python(
    _ inputs: [String], _ expression: PyTorchOperation, _ forward: inout PyTorchForward
  ) -> String {
    forward.need(.rfft2)
    return "rfft2(\(inputs[0]), \"\(norm.rawValue)\")"
  }
}

extension InverseRealFFT: ExchangedOperation {
  func write(
    _ node: Graph.Node, _ value: Int, to writer: inout ONNXWriter
  ) throws(InterchangeError) {
    writer.inverseRealFFT(self, node, value)
  }

  func build(
    _ node: Graph.Node, _ inputs: [PlacedValue], with builder: inout KerasBuilder
  ) throws(InterchangeError) -> PlacedValue {
    throw builder.refusal(node.name, "no stock layer is a Fourier transform")
  }

  func python(
    _ inputs: [String], _ expression: PyTorchOperation, _ forward: inout PyTorchForward
  ) -> String {
    forward.need(.irfft2)
    let like = inputs.count > 1 ? ", \(inputs[1])" : ""
    return "irfft2(\(inputs[0]), \"\(norm.rawValue)\"\(like))"
  }
}
