/// Rows and columns added at the bottom and at the right, as many as make height and width a
/// multiple: what networks of windows do with an image first.
public struct PadToMultiple: Hashable, Sendable {
  /// What height and width become a multiple of.
  public var multiple: Size
  /// What the rows and columns hold.
  public var mode: PadMode

  /// Padding, with zeros unless stated.
  public init(_ multiple: Size, _ mode: PadMode = .zero) {
    (self.multiple, self.mode) = (multiple, mode)
  }
}

/// The rows and columns at the top and left of the first input, as many as the second one has times
/// a scale: what networks do last that padded an image to a multiple.
public struct CropToSize: Hashable, Sendable {
  /// What the height and width of the second input are multiplied by, and then rounded down.
  public var scale: Ratio
  /// The axes that are cut.
  public var axes: Set<Axis>

  /// A crop to the size of another value times a scale, along both axes unless stated.
  public init(scale: Ratio = Ratio(1), axes: Set<Axis> = [.vertical, .horizontal]) {
    (self.scale, self.axes) = (scale, axes)
  }
}

extension PadToMultiple {
  /// How many rows and columns are added to an image.
  package func amounts(_ input: [Int]) -> PaddingAmounts {
    func missing(_ axis: Axis) -> Int {
      let rest = input[axis.dimension] % multiple[axis]
      return rest == 0 ? 0 : multiple[axis] - rest
    }
    return PaddingAmounts(0, 0, missing(.vertical), missing(.horizontal))
  }
}

extension PadToMultiple: Operation {
  package static let names = ["padToMultiple"]
  package var name: String { "padToMultiple" }
  package var op: Op { .padToMultiple(self) }
  package var inputCount: ClosedRange<Int> { 1...1 }

  package init(_ name: String, _ a: inout Attributes) throws(GraphError) {
    self.init(try a.size("multiple"), try a.word("mode", default: PadMode.zero))
  }
  package var attributes: [String: JSON] {
    Attributes.members(
      ("multiple", multiple.json, nil), ("mode", .string(mode.rawValue), "zero"))
  }

  package func check(_ check: AttributeCheck) throws(GraphError) {
    try check("multiple", multiple)
  }
  package func outputShape(_ inputs: [[Int]]) throws(ShapeProblem) -> [Int] {
    let input = inputs[0]
    try Self.expectImage(input)
    return try Pad(amounts(input), mode).outputShape(inputs)
  }
  package func receptiveField(_ axis: Axis) -> ReceptiveField {
    let multiple = multiple[axis]
    guard mode != .circular || multiple == 1 else {
      return .whole(reason: "circular padding takes pixels from the other end", size: .same)
    }
    let mirrored: Int? =
      switch mode {
      case .zero, .circular: nil
      case .edge: 1
      case .reflect: multiple
      case .symmetric: max(multiple - 1, 1)
      }
    var window = ReceptiveWindow.shifted(by: 0, mirrored: mirrored)
    // Only from there on has a tile as much missing as the whole.
    window.alignment = multiple
    return .window(window)
  }
  package func multiplyAdds(_ inputs: [[Int]], _ output: [Int]) -> Double { 0 }
}

extension CropToSize: Operation {
  package static let names = ["cropToSize"]
  package var name: String { "cropToSize" }
  package var op: Op { .cropToSize(self) }
  package var inputCount: ClosedRange<Int> { 2...2 }

  package init(_ name: String, _ a: inout Attributes) throws(GraphError) {
    self.init(
      scale: try a.ratio("scale", default: Ratio(1)),
      axes: try a.take(
        "dimensions", "2, 3 or both in an array", default: [.vertical, .horizontal]
      ) { json in
        guard let numbers = json.ints, !numbers.isEmpty, numbers.allSatisfy((2...3).contains) else {
          return nil
        }
        return Set(numbers.map { $0 == 2 ? Axis.vertical : .horizontal })
      })
  }
  package var attributes: [String: JSON] {
    Attributes.members(
      ("scale", scale.json, 1), ("dimensions", .ints(dimensions), .ints([2, 3])))
  }

  /// The dimensions that are cut, in order.
  package var dimensions: [Int] { axes.map(\.dimension).sorted() }

  package func check(_ check: AttributeCheck) throws(GraphError) {
    try check("scale", scale.numerator, 1...GraphLimits.window)
    try check("scale", scale.denominator, 1...GraphLimits.window)
    guard !axes.isEmpty else {
      throw .attribute(
        node: check.node, "dimensions", expected: "2, 3 or both in an array", found: "[]")
    }
  }
  package func outputShape(_ inputs: [[Int]]) throws(ShapeProblem) -> [Int] {
    let input = inputs[0]
    try Self.expectImage(input)
    try Self.expectImage(inputs[1])
    var shape = input
    for dimension in dimensions {
      shape[dimension] = inputs[1][dimension] * scale.numerator / scale.denominator
      guard shape[dimension] > 0, shape[dimension] <= input[dimension] else {
        throw .tooSmall(
          needed: "\(max(shape[dimension], 1)) pixels along dimension \(dimension)", found: input)
      }
    }
    return shape
  }
  package func receptiveField(_ axis: Axis) -> ReceptiveField { .window(.shifted(by: 0)) }
  package func multiplyAdds(_ inputs: [[Int]], _ output: [Int]) -> Double { 0 }
  package var inputsOfSizeOnly: Set<Int> { [1] }
}

extension Value {
  /// Rows and columns added at the bottom and right until height and width are multiples.
  public func padded(toMultiple multiple: Size, _ mode: PadMode = .zero) -> Value {
    applying(.padToMultiple(PadToMultiple(multiple, mode)))
  }

  /// The rows and columns at the top and left, as many as another value has times a scale.
  public func cropped(toSizeOf other: Value, times scale: Int = 1) -> Value {
    guard (1...GraphLimits.window).contains(scale) else {
      builder.fail(
        .attribute(
          node: "cropToSize", "scale", expected: "1 to \(GraphLimits.window)", found: "\(scale)"))
      return self
    }
    return applying(.cropToSize(CropToSize(scale: Ratio(scale))), other)
  }
}
