import AviaryGraph

extension PadMode {
  /// ONNX's word; nil where its operators of version 17 have none.
  var onnx: String? {
    switch self {
    case .zero: "constant"
    case .reflect: "reflect"
    case .edge: "edge"
    case .symmetric, .circular: nil
    }
  }

  /// The mode as an argument of `F.pad`; nil where that has none.
  func pytorch(value: Double = 0) -> String? {
    switch self {
    case .zero: value == 0 ? "" : ", value=\(value)"
    case .reflect: ", mode=\"reflect\""
    case .edge: ", mode=\"replicate\""
    case .circular: ", mode=\"circular\""
    case .symmetric: nil
    }
  }
}

/// The lines at an end of an image that are as many as it lacks to a multiple: behind it they make it
/// one.
struct ONNXMissingLines {
  var image: Int
  var axis: Axis
  var multiple: Int
  /// Which lines they are.
  var mode: PadMode
}

extension ONNXWriter {
  /// Adds a Pad of one of ONNX's modes, by numbers for each dimension.
  mutating func pad(
    _ node: Graph.Node, _ value: Int, before: [Int], after: [Int], _ mode: PadMode,
    filling: Double
  ) {
    let pads = integers(node, "pads", before + after)
    pad(node, value, pads, mode, filling: filling)
  }

  /// Adds a Pad of one of ONNX's modes, by calculated numbers.
  mutating func pad(
    _ node: Graph.Node, _ value: Int, _ pads: String, _ mode: PadMode, filling: Double
  ) {
    let number = filling == 0 ? [] : [floats(node, "filling", [filling], rank: 0)]
    emit(
      "Pad", node, [name(node.inputs[0]), pads] + number, value,
      [("mode", .text(mode.onnx ?? "constant"))])
  }

  /// A dimension padded by slices of itself, for the modes that ONNX has no word for.
  mutating func padded(
    _ input: String, _ dimension: Int, before: Int, after: Int, _ mode: PadMode, _ node: Graph.Node
  ) -> String {
    let axis = integers(node, "axis", [dimension])
    func slice(_ start: Int, _ end: Int, _ step: Int) -> String {
      self.step(
        "Slice", node,
        [
          input, integers(node, "start", [start]), integers(node, "end", [end]), axis,
          integers(node, "step", [step]),
        ])
    }
    var parts = [input]
    if mode == .symmetric {
      if before > 0 { parts.insert(slice(before - 1, .min + 1, -1), at: 0) }
      if after > 0 { parts.append(slice(-1, -after - 1, -1)) }
    } else {
      if before > 0 { parts.insert(slice(-before, .max, 1), at: 0) }
      if after > 0 { parts.append(slice(0, after, 1)) }
    }
    return parts.count == 1
      ? input : step("Concat", node, parts, [("axis", .integer(dimension))])
  }
}

extension ONNXReader {
  mutating func pad() throws(InterchangeError) -> ONNXOperand {
    let input = try value(0)
    let rank = rank(input)
    let (mode, filling) = try padMode()
    let given =
      try numbers(1) ?? node.integers("paddings").map {
        ONNXNumbers($0.map(Double.init), isInteger: true)
      } ?? node.integers("pads").map { ONNXNumbers($0.map(Double.init), isInteger: true) }
    guard let given else { throw unsupported("expected pads that follow from sizes") }
    let axes = try padAxes(rank)
    // All at the beginning, then all at the end; for each image.
    var rows: [[Int]] = []
    let window = -GraphLimits.window...GraphLimits.window
    for sample in shapes[input].indices {
      guard let row = given.row(sample).wholeNumbers, row.count == 2 * axes.count,
        row.allSatisfy(window.contains)
      else { throw unsupported("pads \(given.row(sample))") }
      var all = [Int](repeating: 0, count: 2 * rank)
      for (i, dimension) in axes.enumerated() {
        (all[dimension], all[rank + dimension]) = (row[i], row[axes.count + i])
      }
      rows.append(all)
    }
    guard rows.allSatisfy({ $0 == rows[0] }) else {
      guard filling == 0 else { throw unsupported("expected padding to a multiple with 0") }
      return .value(try paddedToMultiple(input, rows, mode))
    }
    return .value(try padded(input, rows[0], mode, filling))
  }

  private func padMode() throws(InterchangeError) -> (PadMode, filling: Double) {
    switch node.text("mode") ?? "constant" {
    case "constant":
      let filling = try numbers(2)?.constant ?? [node.number("value") ?? 0]
      guard node.input(2) == nil || filling.count == 1 else {
        throw unsupported("expected a constant number to pad with")
      }
      guard filling[0].isFinite else { throw unsupported("padding with \(filling[0])") }
      return (.zero, filling[0])
    case "reflect": return (.reflect, 0)
    case "edge": return (.edge, 0)
    case "wrap": return (.circular, 0)
    case let mode: throw unsupported("mode \(mode)")
    }
  }

  /// The dimensions for which there are pads.
  private func padAxes(_ rank: Int) throws(InterchangeError) -> [Int] {
    guard let axes = try integers(3, "axes") else { return Array(0..<rank) }
    var dimensions: [Int] = []
    for axis in axes { dimensions.append(try self.axis(axis, rank: rank)) }
    guard Set(dimensions).count == axes.count else { throw unsupported("expected different axes") }
    return dimensions
  }

  /// Padding by the same amounts for every image; negative ones cut.
  private mutating func padded(
    _ input: Int, _ pads: [Int], _ mode: PadMode, _ filling: Double
  ) throws(InterchangeError) -> Int {
    let rank = rank(input)
    var result = input
    for dimension in 0..<rank where rank != 4 || dimension < 2 {
      let (before, after) = (pads[dimension], pads[rank + dimension])
      if before < 0 || after < 0 {
        result = try add(
          .stridedSlice(
            StridedSlice(
              dimension: dimension, start: before < 0 ? -before : nil,
              end: after < 0 ? after : nil)), [result])
      }
      if before > 0 || after > 0 {
        result = try add(
          .padDimension(
            PadDimension(
              dimension: dimension, before: max(before, 0), after: max(after, 0), mode,
              value: filling)), [result])
      }
    }
    guard rank == 4 else { return result }
    let amounts = [pads[2], pads[3], pads[6], pads[7]]
    if amounts.contains(where: { $0 < 0 }) {
      let cut = amounts.map { max(-$0, 0) }
      result = try add(.crop(Crop(PaddingAmounts(cut[0], cut[1], cut[2], cut[3]))), [result])
    }
    if amounts.contains(where: { $0 > 0 }) {
      let added = amounts.map { max($0, 0) }
      result = try add(
        .pad(
          Pad(PaddingAmounts(added[0], added[1], added[2], added[3]), mode, value: filling)),
        [result])
    }
    return result
  }

  /// The lines at one end of an image that are as many as it lacks to a multiple; nil where the places
  /// are others.
  ///
  /// - Parameter places: for each image the first line, and how many there are.
  func missingLines(
    _ input: Int, _ dimension: Int, _ places: [[Int]], step: Int
  ) -> ONNXMissingLines? {
    let isAtEnd = zip(shapes[input], places).allSatisfy { shape, places in
      places[1] == 0 || places[0] == (step == 1 ? 0 : shape[dimension] - 1)
    }
    let counts = places.map { $0[1] }
    guard isAtEnd, step.magnitude == 1, rank(input) == 4, (2...3).contains(dimension),
      let multiple = multiple(shapes[input].map { $0[dimension] }, counts), multiple > 1
    else { return nil }
    return ONNXMissingLines(
      image: input, axis: dimension == 2 ? .vertical : .horizontal, multiple: multiple,
      mode: step == 1 ? .circular : .symmetric)
  }

  /// An image behind which its own lines are put until it is a multiple; nil where the node is another.
  mutating func lengthened() throws(InterchangeError) -> Int? {
    guard node.inputs.count == 2, case .value(let image) = try given(0),
      case .part(.missing(let lines)) = try given(1), lines.image == image,
      try axis(node.integer("axis") ?? 0, rank: 4) == lines.axis.dimension
    else { return nil }
    let multiple =
      lines.axis == .vertical ? Size(lines.multiple, 1) : Size(1, lines.multiple)
    return try add(.padToMultiple(PadToMultiple(multiple, lines.mode)), [image])
  }

  /// The multiple that asks for so many lines more of sizes, if there is but one up to 512.
  private func multiple(_ sizes: [Int], _ missing: [Int]) -> Int? {
    let found = (1...512).filter { multiple in
      zip(sizes, missing).allSatisfy { $1 == (multiple - $0 % multiple) % multiple }
    }
    // An axis that is never padded says nothing, and a multiple of 1 is one of any.
    return found.count == 1 || found.first == 1 ? found[0] : nil
  }

  /// Padding at the bottom and right that is what a multiple asks for, whatever the image.
  private mutating func paddedToMultiple(
    _ input: Int, _ rows: [[Int]], _ mode: PadMode
  ) throws(InterchangeError) -> Int {
    let shapes = shapes[input]
    let isAtEnds = rows.allSatisfy { $0.count == 8 && $0.prefix(6).allSatisfy { $0 == 0 } }
    guard isAtEnds else {
      throw unsupported("padding that depends on the size, at other ends than bottom and right")
    }
    // Several multiples may ask for the same of some sizes: only one that is alone is known.
    func multiple(_ dimension: Int) -> Int? {
      self.multiple(shapes.map { $0[dimension] }, rows.map { $0[4 + dimension] })
    }
    guard let vertical = multiple(2), let horizontal = multiple(3) else {
      throw unsupported("expected padding to one multiple of pixels, found \(rows)")
    }
    let multiple = Size(vertical, horizontal)
    return try add(.padToMultiple(PadToMultiple(multiple, mode)), [input])
  }
}
