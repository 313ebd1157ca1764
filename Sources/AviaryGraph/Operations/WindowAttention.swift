/// Attention of each pixel to the pixels of its window (Liu et al., "Swin Transformer", 2021; Liang
/// et al., "SwinIR", 2021), from images of queries, keys and values to an image.
///
/// The windows of a shifted attention begin `shift` pixels further to the right and below, and what a
/// cyclic shift brings together at the borders of the image is kept apart by `maskValue`. A tile that
/// begins at a multiple of the window then gives what the whole image gives, but for what pairs that
/// are kept apart add: at -100 no more than exp(-100 + d), where d is how far their score is above the
/// largest, which float32 loses for d below 80.
public struct WindowAttention: Hashable, Sendable {
  /// What is added to the scores for the place of key and query in their window.
  public enum PositionBias: String, CaseIterable, Hashable, Sendable {
    case none
    /// A learned table with a row for each relative position and a column for each head.
    case table
    /// Such a table as the last input: one that is computed.
    case input
  }

  /// How many heads the channels are divided among.
  public var heads: Int
  /// Height and width of a window.
  public var window: Size
  /// Which pixels a window has.
  public var arrangement: WindowArrangement
  /// How far windows are shifted, less than their size; for blocks without margins.
  public var shift: Size
  /// How far the keys and values of a window reach beyond it on every side (HAT's overlapping
  /// cross-attention); outside of the image they are zero. For blocks that are not shifted.
  public var keyMargin: Size
  /// The factor of the scores; nil for 1 / sqrt(channels of a head).
  public var scale: Double?
  /// What is added for relative positions.
  public var positionBias: PositionBias
  /// What is added to the score of a pair that a shift must not bring together.
  public var maskValue: Double

  /// Swin Transformer's attention unless stated otherwise.
  public init(
    heads: Int, window: Size, _ arrangement: WindowArrangement = .block, shift: Size = 0,
    keyMargin: Size = 0, scale: Double? = nil, positionBias: PositionBias = .table,
    maskValue: Double = -100
  ) {
    (self.heads, self.window, self.arrangement) = (heads, window, arrangement)
    (self.shift, self.keyMargin, self.scale) = (shift, keyMargin, scale)
    (self.positionBias, self.maskValue) = (positionBias, maskValue)
  }

  /// The pixels that keys and values are of.
  package var keys: WindowPartition {
    WindowPartition(window, arrangement, margin: keyMargin)
  }

  /// For each query and key the row of the table that has their bias.
  package var positionIndex: GatherIndex {
    keyMargin == 0
      ? .relativePosition(window: window)
      : .overlappingPosition(window: window, keyWindow: keys.reach)
  }

  /// How many rows the table has.
  package var positions: Int {
    let reach = keys.reach
    return (window.height + reach.height - 1) * (window.width + reach.width - 1)
  }
}

extension WindowAttention: Expansion {
  package static let names = ["windowAttention"]
  package var name: String { "windowAttention" }
  /// One value with the channels of queries, keys and values, or one of each; and a table.
  package var inputCount: ClosedRange<Int> { positionBias == .input ? 2...4 : 1...3 }

  package init(_ name: String, _ a: inout Attributes) throws(GraphError) {
    self.init(
      heads: try a.int("heads"), window: try a.size("window"),
      try a.word("arrangement", default: .block), shift: try a.size("shift", default: 0),
      keyMargin: try a.size("keyMargin", default: 0),
      scale: a.has("scale") ? try a.number("scale") : nil,
      positionBias: try a.word("positionBias", default: .table),
      maskValue: try a.maskValue("maskValue"))
  }

  package var attributes: [String: JSON] {
    var members = Attributes.members(
      ("heads", .int(heads), nil), ("window", window.json, nil),
      ("arrangement", .string(arrangement.rawValue), "block"), ("shift", shift.json, 0),
      ("keyMargin", keyMargin.json, 0), ("positionBias", .string(positionBias.rawValue), "table"),
      ("maskValue", ShiftMask.json(maskValue), .number(-100)))
    if let scale { members["scale"] = .number(scale) }
    return members
  }

  package func check(_ check: AttributeCheck) throws(GraphError) {
    try check("heads", heads, AttributeCheck.channels)
    try check("window", window)
    let isPlain = arrangement == .block && keyMargin == 0
    for axis in Axis.allCases {
      try check("shift", shift[axis], 0...(isPlain ? window[axis] - 1 : 0))
      try check("keyMargin", keyMargin[axis], 0...(arrangement == .block ? GraphLimits.window : 0))
    }
    if let scale { try check("scale", scale) }
    try check(maskValue: maskValue)
  }

  package func parameters(_ inputs: [[Int]]) -> [ParameterSlot] {
    positionBias == .table
      ? [
        ParameterSlot(
          suffix: "relative_position_bias_table", shape: [positions, heads], start: 0)
      ] : []
  }
  package var parameterDimensions: [String] { ["relative positions", "heads"] }

  package func outputShape(_ inputs: [[Int]]) throws(ShapeProblem) -> [Int] {
    let images = inputs.dropLast(positionBias == .input ? 1 : 0)
    for image in images { try Self.expectImage(image) }
    guard images.count != 2 else {
      throw .expected("an image of queries, keys and values, or one of each", found: "2 images")
    }
    let channels = images.count == 1 ? images[0][1] / 3 : images[0][1]
    guard images.count == 3 || images[0][1].isMultiple(of: 3) else {
      throw .notDivisible("channels", value: images[0][1], by: 3)
    }
    guard channels.isMultiple(of: heads), images.last?[1].isMultiple(of: heads) == true else {
      throw .notDivisible("channels", value: channels, by: heads)
    }
    if images.count == 3, images[0] != images[1] { throw .mismatch(images[0], images[1]) }
    if positionBias == .input, let table = inputs.last, table != [positions, heads] {
      throw .mismatch([positions, heads], table)
    }
    return try expandedShape(inputs)
  }

  package func receptiveField(_ axis: Axis) -> ReceptiveField {
    guard arrangement == .block else { return .expansion }
    let (side, shift, margin) = (window[axis], shift[axis], keyMargin[axis])
    return .window(
      ReceptiveWindow(ratio: Ratio(1), alignment: side) { input in
        // Whole windows, in which a tile keeps apart what the image does not, or the other way round.
        let first = (input.lowerBound + margin - shift).dividedRoundingUp(by: side)
        let end = (input.upperBound - margin - shift).dividedRoundingDown(by: side)
        return first * side + shift..<max(first, end) * side + shift
      })
  }

  package func expand(_ inputs: [Value], _ parameters: [String]) -> Value {
    let images = inputs.dropLast(positionBias == .input ? 1 : 0)
    var (q, k, v) = (inputs[0], inputs[0], inputs[0])
    if images.count == 3 {
      (q, k, v) = (rolled(inputs[0], by: -1), rolled(inputs[1], by: -1), rolled(inputs[2], by: -1))
    } else {
      let joined = rolled(inputs[0], by: -1)
      let channels = joined.channels / 3
      func part(_ position: Int) -> Value {
        joined.applying(.slice(ChannelSlice(start: position * channels, count: channels)))
      }
      (q, k, v) = (part(0), part(1), part(2))
    }
    let size = max(q.channels / heads, 1)
    let factor = scale ?? 1 / Double(size).squareRoot()
    var scores = split(q * factor, WindowPartition(window, arrangement), [0, 1, 2, 4, 3, 5])
      .applying(.matmul, split(k, keys, [0, 1, 2, 4, 5, 3]))
    if let table = table(inputs, parameters) {
      let bias = table.applying(.constantGather(ConstantGather(positionIndex)))
        .applying(.permute(Permute([2, 0, 1])))
      let shape = [1, 1, 1, heads, window.area, keys.reach.area]
      scores = scores + bias.applying(.reshape(Reshape(shape)))
    }
    if shift != 0 {
      scores = scores.applying(.shiftMask(ShiftMask(window, shift: shift, value: maskValue)))
    }
    let mixed = scores.applying(.softmax(Softmax(dimension: 5)))
      .applying(.matmul, split(v, keys, [0, 1, 2, 4, 3, 5]))
      .applying(.permute(Permute([0, 1, 2, 4, 3, 5])))
      .applying(.reshape(Reshape([0, 0, 0, window.area, v.channels])))
    return rolled(mixed.image(WindowReverse(window, arrangement)), by: 1)
  }

  /// The table of biases, if there is one.
  private func table(_ inputs: [Value], _ parameters: [String]) -> Value? {
    switch positionBias {
    case .none: nil
    case .table:
      inputs[0].learnedConstant(parameter: parameters[0], [positions, heads])
    case .input: inputs.last
    }
  }

  /// The image rolled by the shift, if there is one.
  private func rolled(_ image: Value, by sign: Int) -> Value {
    if shift == 0 { return image }
    return image.applying(
      .roll(Roll(shifts: [sign * shift.height, sign * shift.width], dimensions: [2, 3])))
  }

  /// The windows of an image by heads, with dimensions in the order given: images, rows and columns
  /// of windows, pixels, heads, channels of a head.
  private func split(_ image: Value, _ partition: WindowPartition, _ order: [Int]) -> Value {
    image.windows(partition)
      .applying(
        .reshape(Reshape([0, 0, 0, partition.reach.area, heads, image.channels / heads]))
      )
      .applying(.permute(Permute(order)))
  }
}

extension Value {
  /// Attention within windows, of an image of queries, keys and values.
  public func windowAttention(_ name: String, _ attention: WindowAttention) -> Value {
    builder.add(attention.op, layer: name, [self])
  }

  /// Attention within windows to other images' keys and values, and with a table of biases that is
  /// computed where the attention takes one.
  public func windowAttention(
    _ name: String, _ attention: WindowAttention, keys: Value, values: Value, table: Value? = nil
  ) -> Value {
    builder.add(attention.op, layer: name, [self, keys, values] + (table.map { [$0] } ?? []))
  }

  /// Attention within windows, of an image of queries, keys and values, with a table of biases that is
  /// computed.
  public func windowAttention(
    _ name: String, _ attention: WindowAttention, table: Value
  ) -> Value {
    builder.add(attention.op, layer: name, [self, table])
  }
}
