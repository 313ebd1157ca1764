import AviaryCheckpoint
import AviaryGraph
import AviaryTensor

extension NCNNImporter {
  private static let window = 1...GraphLimits.window

  mutating func convolution(_ layer: NCNNLayer) throws(InterchangeError) {
    let (outChannels, groups, bias) = try common(layer)
    let padding = try padding(layer)
    if padding != .valid { try layer.require(18, 0, default: 0, "padding with other than zeros") }
    let op = Op.convolution(
      Convolution(
        outChannels: outChannels, kernel: try layer.size(width: 1, height: 11, in: Self.window),
        stride: try layer.size(width: 3, height: 13, in: Self.window),
        dilation: try layer.size(width: 2, height: 12, in: Self.window), groups: groups,
        padding: padding, bias: bias))
    try finish(layer, op, bias: bias)
  }

  mutating func transposedConvolution(_ layer: NCNNLayer) throws(InterchangeError) {
    let (outChannels, groups, bias) = try common(layer)
    guard try layer.size(width: 2, height: 12, in: Self.window) == 1 else {
      throw layer.unsupported("a transposed convolution with dilation")
    }
    try layer.require(20, 0, default: 0, "a fixed size of output")
    try layer.require(21, 0, default: 0, "a fixed size of output")
    guard case .explicit(let amounts) = try padding(layer) else {
      throw layer.unsupported("a border that depends on the size")
    }
    // Rows and columns that are added before the edges are cut.
    let right = try layer.integer(18, in: 0...GraphLimits.window)
    let bottom = try layer.integer(19, default: right, in: 0...GraphLimits.window)
    let op = Op.transposedConvolution(
      TransposedConvolution(
        outChannels: outChannels, kernel: try layer.size(width: 1, height: 11, in: Self.window),
        stride: try layer.size(width: 3, height: 13, in: Self.window), groups: groups,
        padding: PaddingAmounts(
          amounts.top, amounts.left, amounts.bottom - bottom, amounts.right - right),
        bias: bias))
    try finish(layer, op, bias: bias)
  }

  private func common(
    _ layer: NCNNLayer
  ) throws(InterchangeError) -> (outChannels: Int, groups: Int, bias: Bool) {
    for number in [19, 28] where !layer.type.hasPrefix("Deconvolution") || number == 28 {
      try layer.require(number, 0, default: 0, "weights from another layer")
    }
    let outChannels = try layer.integer(0, in: 1...GraphLimits.channels)
    let groups =
      layer.type.hasSuffix("DepthWise")
      ? try layer.integer(7, default: 1, in: 1...GraphLimits.channels) : 1
    guard outChannels.isMultiple(of: groups) else { throw layer.unsupported("\(groups) groups") }
    return (outChannels, groups, try layer.integer(5, in: 0...1) == 1)
  }

  private mutating func finish(
    _ layer: NCNNLayer, _ op: Op, bias: Bool
  ) throws(InterchangeError) {
    let value = try add(
      op, layer, try values(of: layer), parameters: bias ? ["weight", "bias"] : ["weight"])
    try give(layer, .value(try fused(layer, value)))
  }

  /// Left, right, top and bottom, each that of an earlier one where it is not stated; -233 is
  /// TensorFlow's rule.
  private func padding(_ layer: NCNNLayer) throws(InterchangeError) -> Padding {
    let range = -234...GraphLimits.window
    let left = try layer.integer(4, in: range)
    let right = try layer.integer(15, default: left, in: range)
    let top = try layer.integer(14, default: left, in: range)
    let bottom = try layer.integer(16, default: top, in: range)
    if [left, right, top, bottom].contains(-233) { return .same }
    guard [left, right, top, bottom].allSatisfy({ $0 >= 0 }) else {
      throw layer.unsupported("padding 'same' with the odd row at the top")
    }
    return .explicit(PaddingAmounts(top, left, bottom, right))
  }

  /// The activation that ncnn's optimiser moved into a layer (attributes 9 and 10).
  mutating func fused(_ layer: NCNNLayer, _ value: Int) throws(InterchangeError) -> Int {
    let numbers = layer.numbers(10)
    func number(_ position: Int) throws(InterchangeError) -> Double {
      guard position < numbers.count else {
        throw layer.unsupported("an activation without its numbers")
      }
      return numbers[position]
    }
    switch try layer.integer(9, in: 0...100) {
    case 0: return value
    case 1: return try add(.activation(.relu), layer, [value])
    case 2: return try add(.activation(.leakyRelu(slope: try number(0))), layer, [value])
    case 3: return try add(try clamp(layer, try number(0), try number(1)), layer, [value])
    case 4: return try add(.activation(.sigmoid), layer, [value])
    case 6:
      let gate = try hardSigmoid(layer, value, try number(0), try number(1))
      return try add(.binary(.multiply), layer, [value, gate])
    case let other: throw layer.unsupported("a fused activation of kind \(other)")
    }
  }

  /// min(max(alpha · x + beta, 0), 1)
  mutating func hardSigmoid(
    _ layer: NCNNLayer, _ value: Int, _ alpha: Double, _ beta: Double
  ) throws(InterchangeError) -> Int {
    let scaled = try add(.scale(Scale([alpha])), layer, [value])
    let moved = try add(.offset(Offset([beta])), layer, [scaled])
    return try add(.activation(.clamp(minimum: 0, maximum: 1)), layer, [moved])
  }

  func clamp(
    _ layer: NCNNLayer, _ minimum: Double, _ maximum: Double
  ) throws(InterchangeError) -> Op {
    guard minimum <= maximum else { throw layer.unsupported("from \(minimum) to \(maximum)") }
    return .activation(.clamp(minimum: minimum, maximum: maximum))
  }
}
