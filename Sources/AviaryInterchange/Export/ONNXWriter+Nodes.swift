import AviaryCheckpoint
import AviaryGraph

/// Each operation of ours in ONNX's.
extension ONNXWriter {
  mutating func write(_ node: Graph.Node, _ value: Int) throws(InterchangeError) {
    let inputs = node.inputs.map { name($0) }
    let input = inputs[0]
    let shape = shapes[node.inputs[0]]
    switch node.op {
    case .convolution(let c): try convolution(c, node, value)
    case .transposedConvolution(let c): try transposedConvolution(c, node, value)
    case .linear(let operation): try linear(operation.bias, node, value)
    case .maxPool(let operation):
      emit("MaxPool", node, inputs, value, try window(operation.window, node))
    case .averagePool(let operation):
      emit(
        "AveragePool", node, inputs, value,
        try window(operation.window, node) + [
          ("count_include_pad", .integer(operation.countsPadding ? 1 : 0))
        ])
    case .globalAveragePool: emit("GlobalAveragePool", node, inputs, value)
    case .batchNormalization(let b): try batchNormalization(b, node, value)
    case .activation(let activation): self.activation(activation, node, value)
    case .prelu(let operation):
      let ones = [Int](repeating: 1, count: max(shape.count - 2, 0))
      let steps: [TensorStep] =
        operation.perChannel && !ones.isEmpty
        ? [.reshaped(from: [shape[1]], to: [shape[1]] + ones)] : []
      emit("PRelu", node, [input, try parameter(node.parameters[0], steps)], value)
    case .binary(.add): emit("Add", node, inputs, value)
    case .binary(.subtract): emit("Sub", node, inputs, value)
    case .binary(.multiply): emit("Mul", node, inputs, value)
    case .scale(let operation):
      emit(
        "Mul", node, [input, floats(node, "factor", operation.values, rank: shape.count)], value)
    case .offset(let operation):
      emit("Add", node, [input, floats(node, "term", operation.values, rank: shape.count)], value)
    case .concatenate: emit("Concat", node, inputs, value, [("axis", .integer(1))])
    case .slice(let operation):
      slice(
        node, value, axes: [1], from: [operation.start], to: [operation.start + operation.count])
    case .pixelShuffle(let operation):
      emit(
        "DepthToSpace", node, inputs, value,
        [
          ("blocksize", .integer(operation.factor)),
          ("mode", .text(operation.order == .pytorch ? "CRD" : "DCR")),
        ])
    case .pixelUnshuffle(let operation):
      let blocks: [(String, ONNXDraft.Attribute)] = [("blocksize", .integer(operation.factor))]
      guard operation.order == .pytorch else {
        return emit("SpaceToDepth", node, inputs, value, blocks)
      }
      // ONNX has TensorFlow's order only: the channels are put in the other.
      let (area, depth) = (operation.factor * operation.factor, shape[1])
      let order = integers(
        node, "order", (0..<area * depth).map { $0 % area * depth + $0 / area })
      let parts = step("SpaceToDepth", node, inputs, blocks)
      emit("Gather", node, [parts, order], value, [("axis", .integer(1))])
    case .resize(let resize): try self.resize(resize, node, value)
    case .pad(let operation):
      let pads = integers(
        node, "pads",
        [
          0, 0, operation.amounts.top, operation.amounts.left, 0, 0, operation.amounts.bottom,
          operation.amounts.right,
        ])
      emit(
        "Pad", node, [input, pads], value,
        [
          (
            "mode",
            .text(
              operation.mode == .zero ? "constant" : operation.mode == .reflect ? "reflect" : "edge"
            )
          )
        ])
    case .crop(let operation):
      slice(
        node, value, axes: [2, 3], from: [operation.amounts.top, operation.amounts.left],
        to: [operation.amounts.bottom, operation.amounts.right].map { $0 == 0 ? .max : -$0 })
    case .dropout: emit("Identity", node, inputs, value)
    case .reduce(let reduction): reduce(reduction, node, value)
    case .matmul: emit("MatMul", node, inputs, value)
    case .softmax(let operation):
      emit("Softmax", node, inputs, value, [("axis", .integer(operation.dimension))])
    case .layerNormalization(let operation):
      let weight = try parameter(node.parameters[0]), bias = try parameter(node.parameters[1])
      emit(
        "LayerNormalization", node, [input, weight, bias], value,
        [("axis", .integer(-operation.dimensions)), ("epsilon", .float(operation.epsilon))])
    case .groupNormalization:
      throw refusal(node, "the ONNX version written has no group normalisation by channels")
    case .reshape(let operation):
      emit("Reshape", node, [input, integers(node, "shape", operation.shape)], value)
    case .permute(let operation):
      emit("Transpose", node, inputs, value, [("perm", .integers(operation.order))])
    case .roll(let operation): roll(operation.shifts, operation.dimensions, node, value)
    case .expansion: preconditionFailure("graphs are expanded before they are written")
    }
  }

  // MARK: - Functions of single values

  private mutating func activation(_ activation: Activation, _ node: Graph.Node, _ value: Int) {
    let x = name(node.inputs[0])
    func number(_ what: String, _ number: Double) -> String {
      floats(node, what, [number], rank: 0)
    }
    switch activation {
    case .relu: emit("Relu", node, [x], value)
    case .leakyRelu(let slope): emit("LeakyRelu", node, [x], value, [("alpha", .float(slope))])
    case .elu(let alpha): emit("Elu", node, [x], value, [("alpha", .float(alpha))])
    case .sigmoid: emit("Sigmoid", node, [x], value)
    case .tanh: emit("Tanh", node, [x], value)
    case .clamp(let minimum, let maximum):
      emit("Clip", node, [x, number("min", minimum), number("max", maximum)], value)
    case .silu: emit("Mul", node, [x, step("Sigmoid", node, [x])], value)
    case .gelu(approximate: false):
      // x / 2 · (1 + erf(x / √2)): an operator of its own is younger than version 17.
      let scaled = step("Mul", node, [x, number("root", 0.5.squareRoot())])
      let curve = step("Add", node, [step("Erf", node, [scaled]), number("one", 1)])
      let half = step("Mul", node, [x, number("half", 0.5)])
      emit("Mul", node, [half, curve], value)
    case .gelu(approximate: true):
      // x / 2 · (1 + tanh(√(2/π) · (x + 0.044715 x³)))
      let square = step("Mul", node, [x, x])
      let cube = step("Mul", node, [square, x])
      let bent = step(
        "Add", node, [x, step("Mul", node, [cube, number("cubic", 0.044_715)])])
      let scaled = step(
        "Mul", node, [bent, number("root", (2 / Double.pi).squareRoot())])
      let curve = step("Add", node, [step("Tanh", node, [scaled]), number("one", 1)])
      let half = step("Mul", node, [x, number("half", 0.5)])
      emit("Mul", node, [half, curve], value)
    }
  }

  // MARK: - Dimensions

  private mutating func slice(
    _ node: Graph.Node, _ value: Int, axes: [Int], from starts: [Int], to ends: [Int]
  ) {
    emit(
      "Slice", node,
      [
        name(node.inputs[0]), integers(node, "starts", starts), integers(node, "ends", ends),
        integers(node, "axes", axes),
      ], value)
  }

  private mutating func reduce(_ reduction: Reduction, _ node: Graph.Node, _ value: Int) {
    let input = name(node.inputs[0])
    let keeps: (String, ONNXDraft.Attribute) = (
      "keepdims", .integer(reduction.keepsDimensions ? 1 : 0)
    )
    let axes: (String, ONNXDraft.Attribute) = ("axes", .integers(reduction.dimensions))
    switch reduction.kind {
    case .mean: emit("ReduceMean", node, [input], value, [axes, keeps])
    case .maximum: emit("ReduceMax", node, [input], value, [axes, keeps])
    // The sum alone takes its axes as an input in version 17.
    case .sum:
      emit(
        "ReduceSum", node, [input, integers(node, "axes", reduction.dimensions)], value, [keeps])
    }
  }

  /// What leaves on one side comes in on the other: two slices, the other way round.
  private mutating func roll(
    _ shifts: [Int], _ dimensions: [Int], _ node: Graph.Node, _ value: Int
  ) {
    var current = name(node.inputs[0])
    for (shift, dimension) in zip(shifts, dimensions) where shift != 0 {
      let axis = integers(node, "axis", [dimension])
      // A shift may be more than the whole size.
      let size = step(
        "Shape", node, [current],
        [("start", .integer(dimension)), ("end", .integer(dimension + 1))])
      let middle = step("Mod", node, [integers(node, "shift", [-shift]), size])
      let last = step(
        "Slice", node, [current, middle, integers(node, "end", [.max]), axis])
      let first = step(
        "Slice", node, [current, integers(node, "start", [0]), middle, axis])
      current = step("Concat", node, [last, first], [("axis", .integer(dimension))])
    }
    emit("Identity", node, [current], value)
  }
}
