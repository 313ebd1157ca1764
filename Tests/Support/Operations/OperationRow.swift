package import AviaryGraph

/// An operation, with its attributes in JSON and what it makes of shapes: what the tests of reading,
/// writing, shapes and gradients go through. The rows of an operation lie in its file here, beside
/// its naive formula.
package struct OperationRow: Sendable, CustomStringConvertible {
  package var op: Op
  /// The attributes, as they are written: defaults left out.
  package var json: String
  package var inputs: [[Int]]
  package var output: [Int]
  /// What the inputs' values are drawn from: those that the operation is defined for.
  package var values: ClosedRange<Float>

  package var description: String { "\(op.name) \(json) of \(inputs)" }

  init(
    _ op: Op, _ json: String, _ inputs: [Int]..., gives output: [Int],
    values: ClosedRange<Float> = -1...1
  ) {
    (self.op, self.json, self.inputs, self.output) = (op, json, inputs, output)
    self.values = values
  }

  /// The images that the network takes: where an input of the operation is none, one pixel of as many
  /// channels, and an image that nothing depends on where the operation has no inputs.
  package var images: [[Int]] {
    inputs.isEmpty
      ? [[1, 1, 2, 2]] : inputs.map { $0.count == 4 ? $0 : [1, $0.reduce(1, *), 1, 1] }
  }

  /// How the names of nodes begin that give inputs their shapes, where those are no images.
  package static let shapedPrefix = "shaped"

  /// Whether the gradient by every input is that of the formula: of some only the size is taken, and
  /// dropout drops at random.
  package var hasGradients: Bool {
    switch op {
    case .dropout: false
    // Places have no gradient, nor have what only chooses them.
    case .argReduction, .gatherElements: false
    case .sort(let sort): sort.part == .values
    default: op.operation.inputsOfSizeOnly.allSatisfy { $0 >= inputs.count }
    }
  }

  /// A network of the operation alone, with inputs `in0`, `in1`, … of the row's sizes.
  ///
  /// - Throws: as `Graph.init`.
  package func graph() throws -> Graph {
    let images = images
    var nodes: [Graph.Node] = []
    var values = Array(inputs.indices)
    for (position, shape) in inputs.enumerated() where shape.count != 4 {
      values[position] = images.count + nodes.count
      nodes.append(
        Graph.Node(
          "\(OperationRow.shapedPrefix)\(position)", .reshape(Reshape(shape)), inputs: [position]))
    }
    nodes.append(
      Graph.Node("n", op, inputs: values, parameters: op.slotSuffixes.map { "n.\($0)" }))
    return try Graph(
      inputs: images.enumerated().map { position, shape in
        Graph.Input("in\(position)", channels: shape[1], size: Size(shape[2], shape[3]))
      },
      nodes: nodes, outputs: [Graph.Output("out", value: images.count + nodes.count - 1)])
  }

  /// Every operation.
  package static let all: [OperationRow] = [
    activation,
    adaptivePool,
    batchNormalization,
    binary,
    channels,
    convolution,
    dropout,
    groupNormalization,
    instanceNormalization,
    layerNormalization,
    linear,
    matmul,
    prelu,
    padCrop,
    padDimension,
    padToMultiple,
    pixelShuffle,
    pooling,
    rearrangement,
    reduction,
    repetition,
    resize,
    scaleOffset,
    softmax,
    stridedSlice,
    transposedConvolution,
    learnedConstant,
    constantGather,
    windowPartition,
    shiftMask,
    windowAttention,
    dynamicConvolution,
    unfold,
    fold,
    gridSample,
    realFFT,
    inverseRealFFT,
    gatherElements,
    argReduction,
    sort,
    `where`,
  ].flatMap { $0 }
}
