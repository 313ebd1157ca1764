/// Entries of a value along one dimension, by an index that is the same for every image: rows of a
/// table of biases. PyTorch's `table[index]`, ONNX's `Gather` by a constant.
///
/// A negative index counts from the end, as in PyTorch and ONNX.
public struct ConstantGather: Hashable, Sendable {
  /// Which entries.
  public var index: GatherIndex
  /// The dimension that the index replaces by its own.
  public var dimension: Int

  /// Entries along a dimension, the first unless stated.
  public init(_ index: GatherIndex, dimension: Int = 0) {
    (self.index, self.dimension) = (index, dimension)
  }
}

/// An index of a constant gather: a formula wherever there is one, so that it is stored nowhere.
public enum GatherIndex: Hashable, Sendable {
  /// These entries, in this shape.
  case list([Int], shape: [Int])
  /// The position of each pixel of a window relative to each, as Swin Transformer counts it (Liu et
  /// al., "Swin Transformer", 2021): (ya - yb + height - 1) · (2 · width - 1) + xa - xb + width - 1,
  /// in the shape [pixels, pixels].
  case relativePosition(window: Size)
  /// The position of each pixel of a larger window relative to each of a smaller one, as HAT's
  /// overlapping cross-attention counts it (Chen et al., "Activating More Pixels in Image
  /// Super-Resolution Transformer", 2023): (yk - yq + height - key height + 1) · (width + key width -
  /// 1) + xk - xq + width - key width + 1, in the shape [pixels, key pixels]. Many are negative.
  case overlappingPosition(window: Size, keyWindow: Size)
}

extension GatherIndex {
  /// The largest number of entries that a list may have.
  package static let listLimit = 1 << 16

  /// The dimensions.
  package var shape: [Int] {
    switch self {
    case .list(_, let shape): shape
    case .relativePosition(let window): [window.area, window.area]
    case .overlappingPosition(let window, let keys): [window.area, keys.area]
    }
  }

  /// The index at a position, counted in row-major order.
  package subscript(position: Int) -> Int {
    switch self {
    case .list(let entries, _): return entries[position]
    case .relativePosition(let window):
      let (a, b) = position.quotientAndRemainder(dividingBy: window.area)
      let (down, right) = window.offset(from: b, in: window, to: a)
      return (down + window.height - 1) * (2 * window.width - 1) + right + window.width - 1
    case .overlappingPosition(let window, let keys):
      let (query, key) = position.quotientAndRemainder(dividingBy: keys.area)
      let (down, right) = keys.offset(from: query, in: window, to: key)
      return (down + window.height - keys.height + 1) * (window.width + keys.width - 1)
        + right + window.width - keys.width + 1
    }
  }

  /// The smallest and the largest index.
  fileprivate var range: ClosedRange<Int> {
    switch self {
    case .list(let entries, _): return (entries.min() ?? 0)...(entries.max() ?? 0)
    case .relativePosition(let window):
      return 0...((2 * window.height - 1) * (2 * window.width - 1) - 1)
    case .overlappingPosition(let window, let keys):
      let row = window.width + keys.width - 1
      return (2 - keys.height) * row + 2 - keys.width...window.height * row + window.width
    }
  }
}

extension Size {
  /// The number of pixels.
  package var area: Int { height * width }

  /// How far a pixel of this window lies below and to the right of a pixel of another.
  fileprivate func offset(from other: Int, in window: Size, to own: Int) -> (Int, Int) {
    (own / width - other / window.width, own % width - other % window.width)
  }
}

extension ConstantGather: Operation {
  package static let names = ["constantGather"]
  package var name: String { "constantGather" }
  package var op: Op { .constantGather(self) }
  package var inputCount: ClosedRange<Int> { 1...1 }

  /// The names of the formulas in JSON.
  private enum Formula: String { case relativePosition, overlappingPosition }

  package init(_ name: String, _ a: inout Attributes) throws(GraphError) {
    let (entries, formula) = try a.take(
      "index", "an array of integers, 'relativePosition' or 'overlappingPosition'"
    ) { json -> ([Int], Formula?)? in
      if let entries = json.ints { return (entries, nil) }
      return json.string.flatMap(Formula.init).map { ([], $0) }
    }
    let index: GatherIndex
    switch formula {
    case nil: index = .list(entries, shape: a.has("shape") ? try a.ints("shape") : [entries.count])
    case .relativePosition: index = .relativePosition(window: try a.size("window"))
    case .overlappingPosition:
      index = .overlappingPosition(
        window: try a.size("window"), keyWindow: try a.size("keyWindow"))
    }
    self.init(index, dimension: try a.int("dimension", default: 0))
  }

  package var attributes: [String: JSON] {
    var members = Attributes.members(("dimension", .int(dimension), 0))
    switch index {
    case .list(let entries, let shape):
      members["index"] = .ints(entries)
      if shape != [entries.count] { members["shape"] = .ints(shape) }
    case .relativePosition(let window):
      members["index"] = .string(Formula.relativePosition.rawValue)
      members["window"] = window.json
    case .overlappingPosition(let window, let keys):
      members["index"] = .string(Formula.overlappingPosition.rawValue)
      members["window"] = window.json
      members["keyWindow"] = keys.json
    }
    return members
  }

  package func check(_ check: AttributeCheck) throws(GraphError) {
    try check("dimension", dimension, 0...(GraphLimits.rank - 1))
    switch index {
    case .list(let entries, let shape):
      try check("index", entries.count, 1...GatherIndex.listLimit)
      for entry in entries {
        try check("index", entry, -GraphLimits.dimension...GraphLimits.dimension)
      }
      try check("shape", shape.count, 0...GraphLimits.rank)
      for size in shape { try check("shape", size, 1...GatherIndex.listLimit) }
      guard shape.reduce(1.0, { $0 * Double($1) }) == Double(entries.count) else {
        throw .attribute(
          node: check.node, "shape", expected: "\(entries.count) elements", found: "\(shape)")
      }
    case .relativePosition(let window): try check("window", window)
    case .overlappingPosition(let window, let keys):
      try check("window", window)
      try check("keyWindow", keys)
    }
  }

  package func outputShape(_ inputs: [[Int]]) throws(ShapeProblem) -> [Int] {
    let input = inputs[0]
    try Self.expectRank(dimension + 1, input)
    let size = input[dimension], range = index.range
    guard range.upperBound < size, range.lowerBound >= -size else {
      let needed = max(range.upperBound + 1, -range.lowerBound)
      throw .expected(
        "at least \(needed) entries along dimension \(dimension)", found: "\(size)")
    }
    let shape = input[..<dimension] + index.shape + input[(dimension + 1)...]
    guard shape.count <= GraphLimits.rank else {
      throw .rank(expected: "a result of at most \(GraphLimits.rank) dimensions", found: input)
    }
    return Array(shape)
  }

  package func receptiveField(_ axis: Axis) -> ReceptiveField {
    dimension == 1 && index.shape.count == 1
      ? .pointwise : .whole(reason: "\(name) takes the whole image", size: .unrelated)
  }
  package func outputDimension(of given: Int, input: Int, _ inputs: [[Int]]) -> Int? {
    given == dimension
      ? nil : given < dimension ? given : given + index.shape.count - 1
  }
  package func multiplyAdds(_ inputs: [[Int]], _ output: [Int]) -> Double { 0 }
}
