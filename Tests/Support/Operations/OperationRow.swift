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

  package var description: String { "\(op.name) \(json) of \(inputs)" }

  init(_ op: Op, _ json: String, _ inputs: [Int]..., gives output: [Int]) {
    (self.op, self.json, self.inputs, self.output) = (op, json, inputs, output)
  }

  /// Every operation.
  package static let all: [OperationRow] = [
    activation,
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
    pixelShuffle,
    pooling,
    rearrangement,
    reduction,
    resize,
    scaleOffset,
    softmax,
    transposedConvolution,
  ].flatMap { $0 }
}
