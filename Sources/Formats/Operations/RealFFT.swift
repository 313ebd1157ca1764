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

extension ONNXWriter {
  /// `DFT` along the width, of which half is given, then along the height.
  fileprivate mutating func realFFT(_ fft: RealFFT, _ node: Graph.Node, _ value: Int) {
    let input = name(node.inputs[0])
    let pairs = step("Unsqueeze", node, [input, integers(node, "last", [4])])
    let rows = step("DFT", node, [pairs], [("axis", .integer(3)), ("onesided", .integer(1))])
    let whole = step("DFT", node, [rows], [("axis", .integer(2))])
    let parts = [0, 1].map { part in
      step("Gather", node, [whole, scalar(node, "part", part)], [("axis", .integer(4))])
    }
    let scaled = fft.norm != .backward
    guard scaled else {
      return emit("Concat", node, parts, value, [("axis", .integer(1))])
    }
    let sum = step("Concat", node, parts, [("axis", .integer(1))])
    emit("Div", node, [sum, divisor(input, fft.norm == .ortho, node)], value)
  }

  /// The spectrum with its inner columns twice; beyond it zeros, which `DFT` adds by itself: the real
  /// part of its inverse is that of the whole spectrum. ONNX has no inverse of half a spectrum.
  fileprivate mutating func inverseRealFFT(
    _ fft: InverseRealFFT, _ node: Graph.Node, _ value: Int
  ) {
    let spectrum = name(node.inputs[0])
    let halves = steps(
      "Split", node, [spectrum], ["real", "imaginary"], [("axis", .integer(1))])
    let last = integers(node, "last", [4])
    let pairs = step(
      "Concat", node, halves.map { step("Unsqueeze", node, [$0, last]) }, [("axis", .integer(4))])
    let columns = size(of: spectrum, 3, node)
    let width: String
    if node.inputs.count > 1 {
      width = size(of: name(node.inputs[1]), 3, node)
    } else {
      let less = step("Sub", node, [columns, scalar(node, "one", 1)])
      width = step("Mul", node, [less, scalar(node, "two", 2)])
    }
    // 1 for the first column and the middle one, 2 for all others.
    let numbers = step(
      "Range", node, [scalar(node, "zero", 0), columns, scalar(node, "one", 1)])
    let twice = step("Mul", node, [numbers, scalar(node, "two", 2)])
    let isMiddle = step("Equal", node, [twice, width])
    let isFirst = step("Equal", node, [numbers, scalar(node, "zero", 0)])
    let isEdge = step("Or", node, [isMiddle, isFirst])
    let weights = step(
      "Where", node,
      [isEdge, floats(node, "once", [1], rank: 0), floats(node, "double", [2], rank: 0)])
    let column = step("Unsqueeze", node, [weights, integers(node, "behind", [1])])
    let weighted = step("Mul", node, [pairs, column])
    let inverse: (String, ONNXModelBuilder.Attribute) = ("inverse", .integer(1))
    let lines = step("DFT", node, [weighted], [("axis", .integer(2)), inverse])
    let image = step("DFT", node, [lines, width], [("axis", .integer(3)), inverse])
    let real: [(String, ONNXModelBuilder.Attribute)] = [("axis", .integer(4))]
    let part = scalar(node, "part", 0)
    // The inverse divides by the number of pixels.
    guard fft.norm != .backward else {
      return emit("Gather", node, [image, part], value, real)
    }
    let result = step("Gather", node, [image, part], real)
    emit("Mul", node, [result, divisor(result, fft.norm == .ortho, node)], value)
  }

  /// One size of a value, as a number.
  private mutating func size(of value: String, _ dimension: Int, _ node: Graph.Node) -> String {
    let shape = step("Shape", node, [value])
    return step("Gather", node, [shape, scalar(node, "dimension", dimension)])
  }

  /// The number of pixels of an image, or its square root.
  private mutating func divisor(_ image: String, _ isRoot: Bool, _ node: Graph.Node) -> String {
    let sizes = step("Shape", node, [image], [("start", .integer(2)), ("end", .integer(4))])
    let numbers = step("Cast", node, [sizes], [("to", .integer(ONNXWriter.float32))])
    let count = step(
      "ReduceProd", node, [numbers], [("axes", .integers([0])), ("keepdims", .integer(0))])
    return isRoot ? step("Sqrt", node, [count]) : count
  }
}
