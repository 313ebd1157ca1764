import AviaryGraph

/// Dimensions taken apart, joined and put in another order.
extension ONNXReader {
  mutating func reshape() throws(InterchangeError) -> ONNXOperand {
    if case .shuffle(let source, let move) = try given(0) { return try shuffled(source, move) }
    let input = try value(0)
    var rows = try targets(input)
    if rows[0].count == 6, rank(input) == 4 { return .split(input, rows) }
    // What the file writes down of the example's size stands for the picture's.
    if samples.letsSizeGo, rows.count == shapes[input].count {
      for i in rows[0].indices where i < rank(input) && rows.allSatisfy({ $0[i] == rows[0][i] }) {
        guard shapes[input][0][i] == rows[0][i] else { continue }
        for sample in rows.indices { rows[sample][i] = shapes[input][sample][i] }
      }
    }
    let target = try target(rows, input)
    let isSame = target.count == rank(input) && target.allSatisfy { $0 == 0 }
    return .value(isSame ? input : try add(.reshape(Reshape(target)), [input]))
  }

  /// The dimensions that the node asks for, for each picture; at most one -1 in each.
  private func targets(_ input: Int) throws(InterchangeError) -> [[Int]] {
    let shapes = shapes[input]
    let rank = rank(input)
    switch node.kind {
    case "Flatten":
      let dimension = node.integer("axis") ?? 1
      guard (-rank...rank).contains(dimension) else { throw unsupported("axis \(dimension)") }
      let split = dimension < 0 ? dimension + rank : dimension
      return shapes.map { [$0[..<split].reduce(1, *), $0[split...].reduce(1, *)] }
    case "Squeeze":
      var axes = Set<Int>()
      for axis in try integers(1, "axes") ?? [] { axes.insert(try self.axis(axis, rank: rank)) }
      if axes.isEmpty { axes = Set((0..<rank).filter { i in shapes.allSatisfy { $0[i] == 1 } }) }
      guard axes.allSatisfy({ i in shapes.allSatisfy { $0[i] == 1 } }) else {
        throw unsupported("dimensions of 1 expected")
      }
      return shapes.map { shape in (0..<rank).filter { !axes.contains($0) }.map { shape[$0] } }
    case "Unsqueeze":
      guard let axes = try integers(1, "axes"), rank + axes.count <= GraphLimits.rank else {
        throw unsupported("constant axes expected")
      }
      var places = Set<Int>()
      for axis in axes { places.insert(try self.axis(axis, rank: rank + axes.count)) }
      return shapes.map { shape in
        var left = shape[...]
        return (0..<rank + axes.count).map { places.contains($0) ? 1 : left.popFirst() ?? 1 }
      }
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

  /// A shape for any picture, from those for some: 0 for a dimension that stays, -1 for what is left.
  private func target(_ rows: [[Int]], _ input: Int) throws(InterchangeError) -> [Int] {
    var target: [Int] = []
    for i in rows[0].indices {
      let sizes = rows.map { $0[i] }
      let own = shapes[input].map { i < $0.count ? $0[i] : 0 }
      if sizes == own {
        target.append(0)
      } else if sizes.allSatisfy({ $0 == sizes[0] }) {
        target.append(sizes[0])
      } else {
        target.append(-1)
      }
    }
    // What stays need not be left over; one -1 at most can be told.
    guard target.count(where: { $0 == -1 }) <= 1 else {
      throw unsupported("a shape with several dimensions that depend on the picture's size")
    }
    return target
  }

  mutating func transpose() throws(InterchangeError) -> ONNXOperand {
    if case .split(let source, let rows) = try given(0) { return try move(source, rows) }
    let input = try value(0)
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

  // MARK: - Pixel shuffles

  /// The pixel shuffle that taking a picture apart in this way and turning the parts amounts to.
  private func move(_ source: Int, _ rows: [[Int]]) throws(InterchangeError) -> ONNXOperand {
    let order = node.integers("perm") ?? []
    let shape = shapes[source]
    // How the six dimensions come of N, C, H and W, by what stands where.
    func fits(_ dimensions: (_ n: Int, _ c: Int, _ h: Int, _ w: Int, _ r: Int) -> [Int], _ r: Int)
      -> Bool
    {
      guard (2...64).contains(r) else { return false }
      // Constants are those of the stated size.
      let isConstant = rows.allSatisfy { $0 == rows[0] }
      let known = samples.letsSizeGo && isConstant ? 1 : rows.count
      return zip(shape, rows).prefix(known).allSatisfy { shape, row in
        let expected = dimensions(shape[0], shape[1], shape[2], shape[3], r)
        return zip(expected, row).allSatisfy { $0 == $1 || $1 == -1 }
      }
    }
    // A -1 stands where the factor does in no file of an exporter.
    let row = rows[0]
    switch order {
    case [0, 1, 4, 2, 5, 3] where fits({ n, c, h, w, r in [n, c / (r * r), r, r, h, w] }, row[2]):
      return .shuffle(source, .init(factor: row[2], isTensorFlow: false, isInverse: false))
    case [0, 3, 4, 1, 5, 2] where fits({ n, c, h, w, r in [n, r, r, c / (r * r), h, w] }, row[1]):
      return .shuffle(source, .init(factor: row[1], isTensorFlow: true, isInverse: false))
    case [0, 1, 3, 5, 2, 4] where fits({ n, c, h, w, r in [n, c, h / r, r, w / r, r] }, row[3]):
      return .shuffle(source, .init(factor: row[3], isTensorFlow: false, isInverse: true))
    case [0, 3, 5, 1, 2, 4] where fits({ n, c, h, w, r in [n, c, h / r, r, w / r, r] }, row[3]):
      return .shuffle(source, .init(factor: row[3], isTensorFlow: true, isInverse: true))
    default: throw unsupported("a shape of six dimensions that is no pixel shuffle")
    }
  }

  /// The end of a pixel shuffle: its parts joined to a picture.
  private mutating func shuffled(
    _ source: Int, _ move: ONNXOperand.PixelMove
  ) throws(InterchangeError) -> ONNXOperand {
    let order: ChannelOrder = move.isTensorFlow ? .tensorflow : .pytorch
    let op: Op =
      move.isInverse
      ? .pixelUnshuffle(PixelUnshuffle(factor: move.factor, order: order))
      : .pixelShuffle(PixelShuffle(factor: move.factor, order: order))
    let result = try add(op, [source])
    guard node.kind == "Reshape" else { throw unsupported("Reshape expected behind a shuffle") }
    // It must ask for the picture that the shuffle gives, at the stated size at least.
    let rows = try targets(result)
    guard zip(rows[0], shapes[result][0]).allSatisfy({ $0 == $1 || $0 == -1 }), rows[0].count == 4
    else { throw unsupported("shape \(shapes[result][0]) expected, \(rows[0]) found") }
    return .value(result)
  }
}
