import AviaryCheckpoint
import AviaryGraph
import AviaryTensor

// What moves pixels.
extension NCNNImporter {
  private static let edge = 0...GraphLimits.window

  mutating func pad(_ layer: NCNNLayer) throws(InterchangeError) {
    for number in [6, 7, 8] {
      try layer.require(number, 0, default: 0, "padding by channels")
    }
    let amounts = PaddingAmounts(
      try layer.integer(0, in: Self.edge), try layer.integer(2, in: Self.edge),
      try layer.integer(1, in: Self.edge), try layer.integer(3, in: Self.edge))
    let mode: PadMode =
      switch try layer.integer(4, in: 0...2) {
      case 0: .zero
      case 1: .edge
      default: .reflect
      }
    if mode == .zero { try layer.require(5, 0, default: 0, "padding with other than zeros") }
    try give(layer, .value(try add(.pad(Pad(amounts, mode)), layer, try values(of: layer))))
  }

  /// Only in the form of starts, ends and axes does a crop not depend on another blob.
  mutating func crop(_ layer: NCNNLayer) throws(InterchangeError) {
    var value = try values(of: layer)[0]
    let rank = shape(value).count
    guard let starts = layer.integers(9), let ends = layer.integers(10), !starts.isEmpty,
      starts.count == ends.count, rank == 4
    else { throw layer.unsupported("starts and ends of a picture expected") }
    guard let axes = layer.has(11) ? layer.integers(11) : Array(starts.indices),
      axes.count == starts.count, Set(axes).count == axes.count
    else { throw layer.unsupported("different axes expected") }
    var amounts = PaddingAmounts.none
    for (position, axis) in axes.enumerated() {
      let (start, end) = (starts[position], ends[position])
      // Positions beyond the end stand for it.
      let isOpen = end >= GraphLimits.dimension || end == -233
      switch axis < 0 ? axis + rank - 1 : axis {
      case 0:
        let channels = shape(value)[1]
        let first = start < 0 ? channels + start : start
        let last = isOpen ? channels : end <= 0 ? channels + end : min(end, channels)
        guard first >= 0, last > first else {
          throw layer.unsupported("channels \(first) to \(last) of \(channels)")
        }
        value = try add(.slice(ChannelSlice(start: first, count: last - first)), layer, [value])
      case let axis where axis == 1 || axis == 2:
        guard Self.edge.contains(start), isOpen || Self.edge.contains(-end) else {
          throw layer.unsupported("a part whose size does not follow the picture's")
        }
        let after = isOpen ? 0 : -end
        if axis == 1 {
          (amounts.top, amounts.bottom) = (start, after)
        } else {
          (amounts.left, amounts.right) = (start, after)
        }
      default: throw layer.unsupported("axis \(axis)")
      }
    }
    if amounts != .none { value = try add(.crop(Crop(amounts)), layer, [value]) }
    try give(layer, .value(value))
  }

  mutating func pool(_ layer: NCNNLayer) throws(InterchangeError) {
    let value = try values(of: layer)[0]
    let isMaximum = try layer.integer(0, in: 0...1) == 0
    try layer.require(7, 0, default: 0, "pooling to a fixed size")
    if layer.number(4) == 1 {
      // A vector, as in ncnn.
      guard !isMaximum else {
        let op = Op.reduce(Reduction(.maximum, dimensions: [2, 3], keepsDimensions: false))
        try give(layer, .value(try add(op, layer, [value])))
        return
      }
      let pooled = try add(.globalAveragePool, layer, [value])
      try give(layer, .value(try add(.reshape(Reshape([0, -1])), layer, [pooled])))
      return
    }
    let window = 1...GraphLimits.window
    let kernel = try layer.size(width: 1, height: 11, default: 0, in: window)
    let left = try layer.integer(3, in: Self.edge)
    let top = try layer.integer(13, default: left, in: Self.edge)
    let padding: Padding
    switch try layer.integer(5, in: 0...3) {
    case 1:
      padding = .explicit(
        PaddingAmounts(
          top, left, try layer.integer(15, default: top, in: Self.edge),
          try layer.integer(14, default: left, in: Self.edge)))
    case 2: padding = .same
    case 0: throw layer.unsupported("sizes rounded up (attribute 5 is 0)")
    default: throw layer.unsupported("padding 'same' with the odd row at the top")
    }
    let pool = Pool(
      kernel: kernel, stride: try layer.size(width: 2, height: 12, in: window), padding: padding)
    // Only edges that are stated are left out of the mean.
    let countsPadding = layer.number(6) == 1 || padding == .same
    try give(
      layer,
      .value(
        try add(
          isMaximum
            ? .maxPool(MaxPool(pool))
            : .averagePool(AveragePool(pool, countsPadding: countsPadding)), layer,
          [value])))
  }

  mutating func resize(_ layer: NCNNLayer) throws(InterchangeError) {
    let values = try values(of: layer, count: nil)
    let kind = try layer.integer(0, in: 1...3)
    try layer.require(3, 0, default: 0, "a fixed size of output")
    try layer.require(4, 0, default: 0, "a fixed size of output")
    let kernel: Resize.Kernel = kind == 1 ? .nearest : kind == 2 ? .linear : .cubic(a: -0.75)
    let coordinates: Resize.Coordinates =
      kind == 1 ? .asymmetric : layer.number(6) == 1 ? .alignCorners : .halfPixel
    if values.count == 2 {
      let resize = Resize(kernel, to: .sizeOfSecondInput, coordinates: coordinates)
      try give(layer, .value(try add(.resize(resize), layer, values)))
      return
    }
    let factors = [layer.number(1, default: 1), layer.number(2, default: 1)]
    guard values.count == 1, factors[0] == factors[1], let ratio = Self.ratio(factors[0]) else {
      throw layer.unsupported("one factor for height and width expected, \(factors) found")
    }
    if ratio.denominator != 1, kind != 1 {
      // ncnn takes the ratio of sizes after rounding, the operation the factor itself.
      assumed.append("\(layer.name): sizes divisible by \(ratio.denominator)")
    }
    let resize = Resize(kernel, to: .factor(ratio), coordinates: coordinates)
    try give(layer, .value(try add(.resize(resize), layer, [values[0]])))
  }

  /// A number as a ratio of small numbers; nil where it is none.
  private static func ratio(_ number: Double) -> Ratio? {
    for denominator in 1...16 {
      let numerator = (number * Double(denominator)).rounded()
      guard (1...Double(GraphLimits.window)).contains(numerator) else { continue }
      if abs(numerator / Double(denominator) - number) <= 1e-6 * number {
        return Ratio(Int(numerator), denominator)
      }
    }
    return nil
  }

  mutating func pixelShuffle(_ layer: NCNNLayer) throws(InterchangeError) {
    let factor = try layer.integer(0, default: 1, in: 1...64)
    let order: ChannelOrder = try layer.integer(1, in: 0...1) == 0 ? .pytorch : .tensorflow
    try give(
      layer,
      .value(
        try add(
          .pixelShuffle(PixelShuffle(factor: factor, order: order)), layer, try values(of: layer))))
  }
}
