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
    try Graph(
      inputs: inputs.enumerated().map { position, shape in
        Graph.Input("in\(position)", channels: shape[1], size: Size(shape[2], shape[3]))
      },
      nodes: [
        Graph.Node(
          "n", op, inputs: Array(inputs.indices), parameters: op.slotSuffixes.map { "n.\($0)" })
      ], outputs: [Graph.Output("out", value: inputs.count)])
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
