import AviaryGraph

/// Other shapes for the same elements. ONNX calculates a shape for each image; a graph of ours states
/// one for all of them.
extension ONNXReader {
  mutating func reshape() throws(InterchangeError) -> ONNXOperand {
    let input = try value(0)
    var rows = try targets(input)
    if let group = try regrouped(input, rows) { return .value(group) }
    if samples.letsSizeGo, node.kind == "Reshape" { letGo(&rows, input) }
    return .value(try reshaped(input, to: rows))
  }

  /// A value in these shapes, one for each image; at most one size of each may be -1.
  mutating func reshaped(_ input: Int, to rows: [[Int]]) throws(InterchangeError) -> Int {
    let shapes = shapes[input]
    var full: [[Int]] = []
    for (shape, row) in zip(shapes, rows) {
      full.append(try filled(row, count: shape.reduce(1, *)))
    }
    if full == shapes { return input }
    if let result = try shuffled(input, to: full) { return result }
    // Reshapes that follow one another are one.
    let origin = origins[input] ?? input
    if self.shapes[origin] == full { return origin }
    let result: Int
    if let target = target(full, origin) {
      result = try add(.reshape(Reshape(dimensions: target)), [origin])
    } else if let target = target(full, input) {
      result = try add(.reshape(Reshape(dimensions: target)), [input])
    } else {
      result = try regathered(input, to: full)
    }
    origins[result] = origin
    return result
  }

  /// A shape with its -1 replaced by what is left.
  private func filled(_ row: [Int], count: Int) throws(InterchangeError) -> [Int] {
    let known = row.reduce(1) {
      $1 == -1 ? $0 : $0.multipliedReportingOverflow(by: $1).partialValue
    }
    guard known > 0, count % known == 0, row.contains(-1) || known == count else {
      throw unsupported("\(count) elements do not fill shape \(row)")
    }
    return row.map { $0 == -1 ? count / known : $0 }
  }

  /// A shape for any image, from those for some; nil where several sizes depend on the image and no
  /// dimension of the input tells them.
  private func target(_ rows: [[Int]], _ input: Int) -> [Reshape.Dimension]? {
    var target: [Reshape.Dimension] = []
    for i in rows[0].indices {
      let sizes = rows.map { $0[i] }
      let own = shapes[input].map { i < $0.count ? $0[i] : 0 }
      if sizes == own {
        target.append(.kept)
      } else {
        target.append(sizes.allSatisfy { $0 == sizes[0] } ? .size(sizes[0]) : .rest)
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
    return target.count(where: { $0 == .rest }) <= 1 ? target : nil
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

  /// A reshape in which several sizes depend on the image: dimensions are taken apart or put together
  /// one after the other, each as the last, where what is left over tells its size.
  private mutating func regathered(
    _ input: Int, to rows: [[Int]]
  ) throws(InterchangeError) -> Int {
    guard let groups = groups(shapes[input], rows) else {
      throw unsupported(
        "a shape in which several sizes depend on the image in a way that no other size tells")
    }
    var current = input
    // For every dimension of the current value, its group.
    var order = groups.enumerated().flatMap { group, ranges in ranges.from.map { _ in group } }
    for (group, ranges) in groups.enumerated() {
      let isSame = samples.shapes.indices.allSatisfy {
        shapes[input][$0][ranges.from] == rows[$0][ranges.to]
      }
      if isSame { continue }
      current = try permuted(
        current,
        order.indices.filter { order[$0] != group }
          + order.indices.filter { order[$0] == group })
      order.removeAll { $0 == group }
      let rest = order.count
      order += ranges.to.map { _ in group }
      var wanted: [[Int]] = []
      for (sample, row) in rows.enumerated() {
        wanted.append(Array(shapes[current][sample].prefix(rest)) + row[ranges.to])
      }
      guard let target = target(wanted, current) else {
        throw unsupported(
          "a dimension is taken apart into several that depend on the size of the image")
      }
      current = try add(.reshape(Reshape(dimensions: target)), [current])
    }
    return try permuted(current, order.indices.sorted { (order[$0], $0) < (order[$1], $1) })
  }

  /// The dimensions of two shapes that have the same elements, in the smallest groups that have as many
  /// elements on either side for every image; nil where there are none.
  private func groups(
    _ from: [[Int]], _ to: [[Int]]
  ) -> [(from: Range<Int>, to: Range<Int>)]? {
    var groups: [(from: Range<Int>, to: Range<Int>)] = []
    var (i, j) = (0, 0)
    let (m, n) = (from[0].count, to[0].count)
    while i < m, j < n {
      let start = (i, j)
      i += 1
      j += 1
      while true {
        let counts = zip(from, to).map {
          ($0[start.0..<i].reduce(1, *), $1[start.1..<j].reduce(1, *))
        }
        if counts.allSatisfy({ $0.0 == $0.1 }) { break }
        if counts.allSatisfy({ $0.0 <= $0.1 }), i < m {
          i += 1
        } else if counts.allSatisfy({ $0.0 >= $0.1 }), j < n {
          j += 1
        } else {
          return nil
        }
      }
      groups.append((start.0..<i, start.1..<j))
    }
    guard let last = groups.popLast() else { return nil }
    // Sizes of 1 may be left.
    groups.append((last.from.lowerBound..<m, last.to.lowerBound..<n))
    return groups
  }

  /// Constants that the file has for an example, as sizes of other images: a size that the example's
  /// shape has at the same place, or that it is taken apart into, depends on the image.
  private func letGo(_ rows: inout [[Int]], _ input: Int) {
    let shapes = shapes[input]
    let isConstant = rows.allSatisfy { $0 == rows[0] }
    guard isConstant, let example = try? filled(rows[0], count: shapes[0].reduce(1, *)),
      let groups = groups([shapes[0]], [example])
    else { return }
    for sample in rows.indices.dropFirst() {
      var row = example
      for group in groups {
        // All but the first size of a group are constants of the network.
        let count = shapes[sample][group.from].reduce(1, *)
        let rest = example[group.to.dropFirst()].reduce(1, *)
        guard let first = group.to.first, rest > 0, count % rest == 0 else { continue }
        row[first] = count / rest
      }
      rows[sample] = row
    }
    rows[0] = example
  }

  /// The dimensions that the node asks for, for each image; at most one -1 in each.
  private func targets(_ input: Int) throws(InterchangeError) -> [[Int]] {
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
    else { throw unsupported("the shape is neither constant nor calculated from sizes") }
    var rows: [[Int]] = []
    for (sample, shape) in shapes.enumerated() {
      guard var row = numbers.row(sample).wholeNumbers else {
        throw unsupported("the shape is not of whole numbers")
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
}
