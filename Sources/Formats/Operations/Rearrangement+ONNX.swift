import AviaryGraph

/// Shapes, orders of dimensions and rolls, as ONNX says them.
extension ONNXReader {
  /// For each dimension of a squeezed or unsqueezed value, that of the input; nil for a new one.
  func sources(_ input: Int) throws(InterchangeError) -> [Int?] {
    let (shapes, rank) = (shapes[input], rank(input))
    if node.kind == "Squeeze" {
      var axes = Set<Int>()
      for axis in try integers(1, "axes") ?? [] { axes.insert(try self.axis(axis, rank: rank)) }
      if axes.isEmpty { axes = Set((0..<rank).filter { i in shapes.allSatisfy { $0[i] == 1 } }) }
      guard axes.allSatisfy({ i in shapes.allSatisfy { $0[i] == 1 } }) else {
        throw unsupported("expected dimensions of 1")
      }
      return (0..<rank).filter { !axes.contains($0) }
    }
    guard let axes = try integers(1, "axes"), rank + axes.count <= GraphLimits.rank else {
      throw unsupported("expected constant axes")
    }
    var places = Set<Int>()
    for axis in axes { places.insert(try self.axis(axis, rank: rank + axes.count)) }
    var next = 0
    return (0..<rank + axes.count).map { place in
      if places.contains(place) { return nil }
      next += 1
      return next - 1
    }
  }

  /// The value without dimensions of one element.
  mutating func dropping(_ dimensions: [Int], of input: Int) throws(InterchangeError) -> Int {
    try refitted(input, (0..<rank(input)).filter { !dimensions.contains($0) })
  }

  /// The value with some of its dimensions, in their order, and new ones of one element.
  mutating func refitted(
    _ input: Int, _ sources: [Int?]
  ) throws(InterchangeError) -> Int {
    let shapes = shapes[input]
    let target = sources.enumerated().map { place, source -> Reshape.Dimension in
      guard let source else { return .size(1) }
      if source == place { return .kept }
      return shapes.allSatisfy { $0[source] == shapes[0][source] }
        ? .size(shapes[0][source]) : .input(source, times: Ratio(1))
    }
    return target == shapes[0].map { _ in .kept }
      ? input : try add(.reshape(Reshape(dimensions: target)), [input])
  }

  mutating func transpose() throws(InterchangeError) -> ONNXOperand {
    let input = try value(0)
    return .value(
      try permuted(input, node.integers("perm") ?? Array((0..<rank(input)).reversed())))
  }

  /// A value with its dimensions in another order.
  mutating func permuted(_ input: Int, _ order: [Int]) throws(InterchangeError) -> Int {
    if order == Array(0..<rank(input)) { return input }
    // Turned back at once.
    if let source = source(input), case .permute(let before) = source.op,
      before.order.count == order.count, order.allSatisfy(before.order.indices.contains),
      order.map({ before.order[$0] }) == Array(order.indices)
    {
      return source.inputs[0]
    }
    return try add(.permute(Permute(order)), [input])
  }
}

extension ONNXWriter {
  /// A shape of which some dimensions are those of the node's inputs times ratios.
  mutating func sizes(_ node: Graph.Node, _ dimensions: [Reshape.Dimension]) -> String {
    var parts: [String] = []
    for dimension in dimensions {
      switch dimension {
      case .size(let size): parts.append(integers(node, "size", [size]))
      case .kept: parts.append(integers(node, "kept", [0]))
      case .rest: parts.append(integers(node, "rest", [-1]))
      case .input(let source, let ratio):
        parts.append(size(of: name(node.inputs[0]), source..<source + 1, times: ratio, node))
      case .other(let source, let ratio):
        parts.append(size(of: name(node.inputs[1]), source..<source + 1, times: ratio, node))
      }
    }
    return step("Concat", node, parts, [("axis", .integer(0))])
  }

  /// Some dimensions of a value times a ratio, rounded down.
  mutating func size(
    of value: String, _ dimensions: Range<Int>, times ratio: Ratio, _ node: Graph.Node
  ) -> String {
    var size = step(
      "Shape", node, [value],
      [("start", .integer(dimensions.lowerBound)), ("end", .integer(dimensions.upperBound))])
    if ratio.numerator != 1 {
      size = step("Mul", node, [size, integers(node, "times", [ratio.numerator])])
    }
    if ratio.denominator != 1 {
      size = step("Div", node, [size, integers(node, "by", [ratio.denominator])])
    }
    return size
  }

  /// What leaves on one side comes in on the other: two slices, the other way round.
  mutating func roll(
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
