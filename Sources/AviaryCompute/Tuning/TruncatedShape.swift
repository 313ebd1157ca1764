import AviaryGraph

/// The shapes of a part of a fused op's work: fewer pictures, then fewer rows.
struct TruncatedShape {
  private(set) var inputs: [[Int]]
  private(set) var output: [Int]
  /// How much more work the whole is.
  private(set) var factor = 1.0

  /// - Parameters:
  ///   - share: the part that is enough; the whole where it is 1 or more, or where the work cannot
  ///     be divided.
  init(_ fusedOp: FusedOp, of ir: IRGraph, share: Double) {
    inputs = fusedOp.inputs.map { ir.values[$0].shape }
    output = ir.values[fusedOp.output].shape
    guard share < 1 else { return }
    let count = Double(output.reduce(1, *))
    switch fusedOp.kind {
    case .convolution(let c, _): cut(.convolution(c), share)
    case .transposedConvolution(let c): cut(.transposedConvolution(c), share)
    case .gradient(.convolutionInput):
      let pictures = output[0]
      output[0] = TruncatedShape.part(of: pictures, share)
      inputs[0][0] = output[0]
      factor = Double(pictures) / Double(output[0])
      return
    case .gradient(.convolutionWeights):
      let pictures = inputs[0][0], fewer = TruncatedShape.part(of: pictures, share)
      for i in inputs.indices { inputs[i][0] = fewer }
      factor = Double(pictures) / Double(fewer)
      return
    case .scaleShift, .reorder, .gradient, .other: return
    }
    factor = count / Double(output.reduce(1, *))
  }

  /// For copies of a value.
  init(_ shape: [Int], share: Double) {
    output = shape
    inputs = [shape]
    guard share < 1, shape.count == 4 else { return }
    output = TruncatedShape.fewer(shape, share)
    inputs = [output]
    factor = Double(shape.reduce(1, *)) / Double(output.reduce(1, *))
  }

  private mutating func cut(_ op: Op, _ share: Double) {
    let part = TruncatedShape.fewer(inputs[0], share)
    guard let result = try? op.outputShape([part]) else { return }
    inputs[0] = part
    output = result
  }

  private static func fewer(_ shape: [Int], _ share: Double) -> [Int] {
    var shape = shape
    let pictures = part(of: shape[0], share)
    let left = share * Double(shape[0]) / Double(pictures)
    shape[0] = pictures
    // As many rows as hide what happens at their ends.
    shape[2] = min(shape[2], max(part(of: shape[2], left).roundedUp(to: 16), 64))
    return shape
  }

  private static func part(of count: Int, _ share: Double) -> Int {
    min(count, max(1, Int((Double(count) * share).rounded(.up))))
  }
}
