import AviaryCheckpoint
import AviaryGraph

/// What is cut, joined and added at the edges.
extension ONNXReader {
  mutating func concatenation() throws(InterchangeError) -> ONNXOperand {
    var values: [Int] = []
    for input in node.inputs.indices { values.append(try value(input)) }
    guard let first = values.first, let axis = node.integer("axis") else {
      throw unsupported("inputs and an axis expected")
    }
    let dimension = try self.axis(axis, rank: rank(first))
    if dimension == 1 { return .value(try add(.concatenate, values)) }
    // Another dimension changes places with the channels for the time being.
    var order = Array(0..<rank(first))
    guard order.count >= 2 else { throw unsupported("at least 2 dimensions expected") }
    order.swapAt(1, dimension)
    var turned: [Int] = []
    for value in values { turned.append(try add(.permute(Permute(order)), [value])) }
    return .value(try add(.permute(Permute(order)), [try add(.concatenate, turned)]))
  }

  mutating func slice() throws(InterchangeError) -> ONNXOperand {
    var result = try value(0)
    for range in try sliceRanges() {
      guard range.step == 1 else { throw unsupported("steps of 1 expected, \(range.step) found") }
      let dimension = try axis(range.axis, rank: rank(result))
      var (before, after): (Int?, Int?) = (nil, nil)
      for shape in shapes[result] {
        let size = shape[dimension]
        func bounded(_ position: Int) -> Int {
          min(max(position < 0 ? position &+ size : position, 0), size)
        }
        let (start, end) = (bounded(range.start), bounded(range.end))
        guard before ?? start == start, after ?? (size - end) == size - end, start < end else {
          throw unsupported("a slice whose edges depend on the size of the picture")
        }
        (before, after) = (start, size - end)
      }
      guard let before, let after, before > 0 || after > 0 else { continue }
      let size = shapes[result][0][dimension]
      switch dimension {
      case 1:
        result = try add(
          .slice(ChannelSlice(start: before, count: size - before - after)), [result])
      case 2 where rank(result) == 4:
        result = try add(.crop(Crop(PaddingAmounts(before, 0, after, 0))), [result])
      case 3 where rank(result) == 4:
        result = try add(.crop(Crop(PaddingAmounts(0, before, 0, after))), [result])
      default: throw unsupported("a slice of dimension \(dimension) of \(rank(result))")
      }
    }
    return .value(result)
  }

  mutating func split() throws(InterchangeError) -> ONNXOperand {
    let input = try value(0)
    guard rank(input) >= 2, try axis(node.integer("axis") ?? 0, rank: rank(input)) == 1 else {
      throw unsupported("a split of the channels expected")
    }
    let channels = shapes[input][0][1]
    let count = node.outputs.count
    let part = (channels + count - 1) / max(count, 1)
    let sizes =
      try integers(1, "split") ?? (0..<count).map { min(part, max(channels - $0 * part, 0)) }
    guard sizes.count == count, sizes.allSatisfy({ $0 > 0 && $0 <= channels }),
      sizes.reduce(0, +) == channels
    else { throw unsupported("parts of \(channels) channels expected, \(sizes) found") }
    var start = 0
    var first: ONNXOperand?
    for (output, size) in zip(node.outputs, sizes) {
      let part = ONNXOperand.value(
        try add(.slice(ChannelSlice(start: start, count: size)), [input]))
      operands[output] = part
      first = first ?? part
      start += size
    }
    guard let first else { throw unsupported("outputs expected") }
    return first
  }

  /// Channels picked by number.
  mutating func gather() throws(InterchangeError) -> ONNXOperand {
    let input = try value(0)
    guard rank(input) >= 2, try axis(node.integer("axis") ?? 0, rank: rank(input)) == 1,
      let indices = try numbers(1), indices.shape.count == 1, let picked = indices.integers
    else { throw unsupported("constant numbers of channels expected") }
    let channels = shapes[input][0][1]
    let places = picked.map { $0 < 0 ? $0 &+ channels : $0 }
    guard !places.isEmpty, places.allSatisfy((0..<channels).contains) else {
      throw unsupported("numbers of \(channels) channels expected")
    }
    // TensorFlow's order of channels turned into PyTorch's.
    if let source = source(input), case .pixelUnshuffle(let unshuffle) = source.op,
      unshuffle.order == .tensorflow
    {
      let factor = unshuffle.factor
      let (area, depth) = (factor * factor, channels / (factor * factor))
      if places == (0..<channels).map({ $0 % area * depth + $0 / area }) {
        return .value(
          try add(.pixelUnshuffle(PixelUnshuffle(factor: factor, order: .pytorch)), source.inputs))
      }
    }
    // Runs of neighbours, side by side.
    var runs: [(start: Int, count: Int)] = []
    for place in places {
      if let last = runs.last, last.start + last.count == place {
        runs[runs.count - 1].count += 1
      } else {
        runs.append((place, 1))
      }
    }
    guard runs.count <= 64 else { throw unsupported("\(runs.count) runs of channels") }
    if runs.count == 1, runs[0] == (0, channels) { return .value(input) }
    var parts: [Int] = []
    for run in runs {
      parts.append(try add(.slice(ChannelSlice(start: run.start, count: run.count)), [input]))
    }
    return .value(parts.count == 1 ? parts[0] : try add(.concatenate, parts))
  }

  mutating func pad() throws(InterchangeError) -> ONNXOperand {
    let input = try picture()
    guard var pads = try integers(1, "pads") ?? node.integers("paddings") else {
      throw unsupported("constant pads expected")
    }
    if let axes = try integers(3, "axes") {
      guard pads.count == 2 * axes.count, axes.count <= 4 else { throw unsupported("pads \(pads)") }
      var all = [Int](repeating: 0, count: 8)
      for (i, axis) in axes.enumerated() {
        let dimension = try self.axis(axis, rank: 4)
        (all[dimension], all[4 + dimension]) = (pads[i], pads[axes.count + i])
      }
      pads = all
    }
    let window = -GraphLimits.window...GraphLimits.window
    guard pads.count == 8, pads.allSatisfy(window.contains), pads[0] == 0, pads[1] == 0,
      pads[4] == 0, pads[5] == 0
    else { throw unsupported("pads of rows and columns expected, \(pads) found") }
    let mode: PadMode
    switch node.text("mode") ?? "constant" {
    case "constant":
      let filling = try numbers(2)?.constant ?? [node.number("value") ?? 0]
      guard filling == [0] || filling.isEmpty else {
        throw unsupported("padding with 0 expected, with \(filling[0]) found")
      }
      mode = .zero
    case "reflect": mode = .reflect
    case "edge": mode = .edge
    case let mode: throw unsupported("mode \(mode)")
    }
    let amounts = [pads[2], pads[3], pads[6], pads[7]]
    var result = input
    // Negative numbers cut.
    if amounts.contains(where: { $0 < 0 }) {
      let cut = amounts.map { max(-$0, 0) }
      result = try add(.crop(Crop(PaddingAmounts(cut[0], cut[1], cut[2], cut[3]))), [result])
    }
    if amounts.contains(where: { $0 > 0 }) {
      let added = amounts.map { max($0, 0) }
      result = try add(
        .pad(Pad(PaddingAmounts(added[0], added[1], added[2], added[3]), mode)), [result])
    }
    return .value(result)
  }

  mutating func depthToSpace() throws(InterchangeError) -> ONNXOperand {
    let input = try picture()
    guard let factor = node.integer("blocksize") else { throw unsupported("a blocksize expected") }
    if node.kind == "SpaceToDepth" {
      return .value(
        try add(.pixelUnshuffle(PixelUnshuffle(factor: factor, order: .tensorflow)), [input]))
    }
    let order: ChannelOrder
    switch node.text("mode") ?? "DCR" {
    case "DCR": order = .tensorflow
    case "CRD": order = .pytorch
    case let mode: throw unsupported("mode \(mode)")
    }
    return .value(try add(.pixelShuffle(PixelShuffle(factor: factor, order: order)), [input]))
  }
}
