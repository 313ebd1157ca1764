/// Which channel goes to which pixel in a pixel shuffle by r.
public enum ChannelOrder: String, CaseIterable, Hashable, Sendable {
  /// Channel c · r² + i · r + j holds row i, column j of output channel c (PyTorch, ONNX's CRD).
  case pytorch
  /// Channel (i · r + j) · C + c (TensorFlow's depth_to_space, ONNX's DCR).
  case tensorflow
}

/// Channels to space: r² · C channels become C, r times as high and wide.
public struct PixelShuffle: Hashable, Sendable {
  /// How many times as high and wide the output is.
  public var factor: Int
  /// Which channel goes to which pixel.
  public var order: ChannelOrder

  /// A shuffle in PyTorch's order unless stated.
  public init(factor: Int, order: ChannelOrder = .pytorch) {
    (self.factor, self.order) = (factor, order)
  }
}

/// Space to channels: the inverse of `PixelShuffle`.
public struct PixelUnshuffle: Hashable, Sendable {
  /// How many times as high and wide the input is.
  public var factor: Int
  /// Which pixel goes to which channel.
  public var order: ChannelOrder

  /// The inverse of a shuffle in PyTorch's order unless stated.
  public init(factor: Int, order: ChannelOrder = .pytorch) {
    (self.factor, self.order) = (factor, order)
  }
}

/// What both have alike.
private protocol Shuffle: Operation {
  var factor: Int { get }
  var order: ChannelOrder { get }
  init(factor: Int, order: ChannelOrder)
}

extension Shuffle {
  package var name: String { Self.names[0] }
  package var inputCount: ClosedRange<Int> { 1...1 }

  package init(_ name: String, _ a: inout Attributes) throws(GraphError) {
    self.init(
      factor: try a.int("factor"), order: try a.word("order", default: ChannelOrder.pytorch))
  }
  package var attributes: [String: JSON] {
    Attributes.members(
      ("factor", .int(factor), nil), ("order", .string(order.rawValue), "pytorch"))
  }

  package func check(_ check: AttributeCheck) throws(GraphError) {
    try check("factor", factor, 1...64)
  }
  package func multiplyAdds(_ inputs: [[Int]], _ output: [Int]) -> Double { 0 }
}

extension PixelShuffle: Shuffle {
  package static let names = ["pixelShuffle"]
  package var op: Op { .pixelShuffle(self) }

  package func outputShape(_ inputs: [[Int]]) throws(ShapeProblem) -> [Int] {
    let input = inputs[0], r = factor
    try Self.expectImage(input)
    guard input[1] % (r * r) == 0 else {
      throw .notDivisible("channels", value: input[1], by: r * r)
    }
    return [input[0], input[1] / (r * r), input[2] * r, input[3] * r]
  }

  package func receptiveField(_ axis: Axis) -> ReceptiveField {
    let factor = factor
    return .window(
      ReceptiveWindow(ratio: Ratio(factor)) {
        $0.lowerBound * factor..<$0.upperBound * factor
      })
  }
}

extension PixelUnshuffle: Shuffle {
  package static let names = ["pixelUnshuffle"]
  package var op: Op { .pixelUnshuffle(self) }

  package func outputShape(_ inputs: [[Int]]) throws(ShapeProblem) -> [Int] {
    let input = inputs[0], r = factor
    try Self.expectImage(input)
    for axis in Axis.allCases where input[axis.dimension] % r != 0 {
      throw .notDivisible(
        axis == .vertical ? "height" : "width", value: input[axis.dimension], by: r)
    }
    return [input[0], input[1] * r * r, input[2] / r, input[3] / r]
  }

  package func receptiveField(_ axis: Axis) -> ReceptiveField {
    let factor = factor
    return .window(
      ReceptiveWindow(ratio: Ratio(1, factor)) { input in
        let first = input.lowerBound.dividedRoundingUp(by: factor)
        return first..<max(input.upperBound / factor, first)
      })
  }
}

extension Value {
  /// Channels to space.
  public func pixelShuffle(_ factor: Int, order: ChannelOrder = .pytorch) -> Value {
    applying(.pixelShuffle(PixelShuffle(factor: factor, order: order)))
  }
}
