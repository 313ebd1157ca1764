import AviaryGraph

/// Shapes, orders of dimensions and rolls, as ONNX says them.
extension ONNXReader {
  mutating func reshape() throws(InterchangeError) -> ONNXOperand {
    if case .shuffle(let source, let move) = try given(0) { return try shuffled(source, move) }
    let input = try value(0)
    var rows = try targets(input)
    if let group = try regrouped(input, rows) { return .value(group) }
    if rows[0].count == 6, rank(input) == 4 { return .split(input, rows) }
    if node.kind == "Squeeze" || node.kind == "Unsqueeze" {
      return .value(try refitted(input, try sources(input)))
    }
    // What the file writes down of the example's size stands for the picture's.
    if samples.letsSizeGo, rows.count == shapes[input].count {
      for i in rows[0].indices where i < rank(input) && rows.allSatisfy({ $0[i] == rows[0][i] }) {
        guard shapes[input][0][i] == rows[0][i] else { continue }
        for sample in rows.indices { rows[sample][i] = shapes[input][sample][i] }
      }
    }
    let target = try target(rows, input)
    let isSame = target.count == rank(input) && target.allSatisfy { $0 == .kept }
    return .value(isSame ? input : try add(.reshape(Reshape(dimensions: target)), [input]))
  }

  /// For each dimension of a squeezed or unsqueezed value, that of the input; nil for a new one.
  private func sources(_ input: Int) throws(InterchangeError) -> [Int?] {
    let (shapes, rank) = (shapes[input], rank(input))
    if node.kind == "Squeeze" {
      var axes = Set<Int>()
      for axis in try integers(1, "axes") ?? [] { axes.insert(try self.axis(axis, rank: rank)) }
      if axes.isEmpty { axes = Set((0..<rank).filter { i in shapes.allSatisfy { $0[i] == 1 } }) }
      guard axes.allSatisfy({ i in shapes.allSatisfy { $0[i] == 1 } }) else {
        throw unsupported("dimensions of 1 expected")
      }
      return (0..<rank).filter { !axes.contains($0) }
    }
    guard let axes = try integers(1, "axes"), rank + axes.count <= GraphLimits.rank else {
      throw unsupported("constant axes expected")
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
  private mutating func refitted(
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

  /// The dimensions that the node asks for, for each picture; at most one -1 in each.
  func targets(_ input: Int) throws(InterchangeError) -> [[Int]] {
    let shapes = shapes[input]
    let rank = rank(input)
    switch node.kind {
    case "Flatten":
      let dimension = node.integer("axis") ?? 1
      guard (-rank...rank).contains(dimension) else { throw unsupported("axis \(dimension)") }
      let split = dimension < 0 ? dimension + rank : dimension
      return shapes.map { [$0[..<split].reduce(1, *), $0[split...].reduce(1, *)] }
    case "Squeeze", "Unsqueeze":
      let sources = try sources(input)
      return shapes.map { shape in sources.map { $0.map { shape[$0] } ?? 1 } }
    default: break
    }
    guard
      let numbers = try node.input(1) == nil
        ? node.integers("shape").map({ ONNXNumbers($0.map(Double.init), isInteger: true) })
        : numbers(1), numbers.count <= GraphLimits.rank
    else { throw unsupported("a known shape expected") }
    var rows: [[Int]] = []
    for (sample, shape) in shapes.enumerated() {
      guard var row = numbers.row(sample).wholeNumbers else {
        throw unsupported("a shape expected")
      }
      for (i, size) in row.enumerated() where size == 0 {
        guard i < shape.count, node.integer("allowzero") ?? 0 == 0 else {
          throw unsupported("shape \(row)")
        }
        row[i] = shape[i]
      }
      guard row.allSatisfy({ $0 == -1 || $0 > 0 }), row.count(where: { $0 == -1 }) <= 1 else {
        throw unsupported("shape \(row)")
      }
      rows.append(row)
    }
    return rows
  }

  /// A shape for any image, from those for some.
  func target(_ rows: [[Int]], _ input: Int) throws(InterchangeError) -> [Reshape.Dimension] {
    var target: [Reshape.Dimension] = []
    for i in rows[0].indices {
      let sizes = rows.map { $0[i] }
      let own = shapes[input].map { i < $0.count ? $0[i] : 0 }
      if sizes == own {
        target.append(.kept)
      } else if sizes.allSatisfy({ $0 == sizes[0] }) {
        target.append(sizes[0] == -1 ? .rest : .size(sizes[0]))
      } else {
        target.append(.rest)
      }
    }
    // One at most can be what is left: others must be in proportion to a dimension of the input.
    var taken = Set<Int>()
    for i in target.indices
    where target[i] == .rest && target.count(where: { $0 == .rest }) > 1 {
      guard let found = proportion(rows.map { $0[i] }, input, besides: taken) else { continue }
      target[i] = .input(found.dimension, times: found.ratio)
      taken.insert(found.dimension)
    }
    guard target.count(where: { $0 == .rest }) <= 1 else {
      throw unsupported("a shape with several dimensions that depend on the image's size")
    }
    return target
  }

  /// The dimension of a value that sizes are in one proportion to for every image.
  private func proportion(
    _ sizes: [Int], _ input: Int, besides taken: Set<Int>
  ) -> (dimension: Int, ratio: Ratio)? {
    let shapes = shapes[input]
    for dimension in shapes[0].indices where !taken.contains(dimension) {
      guard sizes[0] > 0, shapes[0][dimension] > 0 else { continue }
      let ratio = Ratio(sizes[0], shapes[0][dimension])
      let fits = zip(sizes, shapes).allSatisfy { size, shape in
        size.multipliedReportingOverflow(by: ratio.denominator)
          == shape[dimension].multipliedReportingOverflow(by: ratio.numerator)
      }
      if fits, max(ratio.numerator, ratio.denominator) <= GraphLimits.window {
        return (dimension, ratio)
      }
    }
    return nil
  }

  mutating func transpose() throws(InterchangeError) -> ONNXOperand {
    let input: Int
    if case .split(let source, let rows) = try given(0) {
      if let shuffle = try? move(source, rows) { return shuffle }
      input = try add(.reshape(Reshape(dimensions: try target(rows, source))), [source])
    } else {
      input = try value(0)
    }
    let order = node.integers("perm") ?? Array((0..<rank(input)).reversed())
    if order == Array(0..<rank(input)) { return .value(input) }
    // Turned back at once.
    if let source = source(input), case .permute(let before) = source.op,
      before.order.count == order.count, order.allSatisfy(before.order.indices.contains),
      order.map({ before.order[$0] }) == Array(order.indices)
    {
      return .value(source.inputs[0])
    }
    return .value(try add(.permute(Permute(order)), [input]))
  }
}

extension ONNXWriter {
  /// A shape of which some dimensions are those of the node's input times ratios.
  mutating func sizes(_ node: Graph.Node, _ dimensions: [Reshape.Dimension]) -> String {
    var parts: [String] = []
    for dimension in dimensions {
      switch dimension {
      case .size(let size): parts.append(integers(node, "size", [size]))
      case .kept: parts.append(integers(node, "kept", [0]))
      case .rest: parts.append(integers(node, "rest", [-1]))
      case .input(let source, let ratio):
        parts.append(size(of: name(node.inputs[0]), source..<source + 1, times: ratio, node))
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
