internal import AviaryGraph
internal import Glibc

/// Biases of windowed attention that small networks calculate from the places of query and key, and
/// Swin Transformer V2's normalised queries and keys.

extension Value {
  /// A linear layer with the parameters of this name, of every place of a grid whose rows and columns have
  /// these coordinates: one row of the result for each place. This value does not matter.
  ///
  /// A file holds the coordinates as a buffer, which follows from the window.
  func positionProjection(
    _ name: String, _ features: Int, rows: [Double], columns: [Double]
  ) -> Value {
    let weight = learnedConstant("\(name).weight", [features, 2], start: nil)
    func along(_ coordinates: [Double], _ column: Int) -> Value {
      weight.channels(column, 1).applying(.reshape(Reshape([1, 1, features])))
        .applying(.tile(Tile([1, coordinates.count, 1])))
        .applying(.scale(Scale(coordinates)))
    }
    let down = along(rows, 0).applying(.reshape(Reshape([rows.count, 1, features])))
    let sum = down + along(columns, 1) + learnedConstant("\(name).bias", [features])
    return sum.applying(.reshape(Reshape([rows.count * columns.count, features])))
  }

  /// CrossFormer's dynamic position bias (Wang et al., 2021): a table of biases for the relative positions
  /// in a window, which four linear layers calculate.
  func dynamicPositionBias(
    _ name: String, _ features: Int, window: Size, heads: Int
  ) -> Value {
    func offsets(_ side: Int) -> [Double] { (1 - side..<side).map(Double.init) }
    var x = positionProjection(
      "\(name).pos_proj", features, rows: offsets(window.height), columns: offsets(window.width))
    for step in 1...3 {
      x = x.layerNormalization("\(name).pos\(step).0").relu()
        .linear("\(name).pos\(step).2", step == 3 ? heads : features)
    }
    return x
  }

  /// Swin Transformer V2's continuous position bias (Liu et al., 2021): a table of biases that two linear
  /// layers calculate from logarithms of the distances.
  func continuousPositionBias(_ name: String, window: Int, heads: Int, hidden: Int) -> Value {
    let distances = 1 - window...window - 1
    return continuousPositionBias(
      name, rows: distances, columns: distances, heads: heads, hidden: hidden)
  }

  /// The same for distances in these ranges, of which the longest is the last.
  func continuousPositionBias(
    _ name: String, rows: ClosedRange<Int>, columns: ClosedRange<Int>, heads: Int, hidden: Int
  ) -> Value {
    positionProjection(
      "\(name).0", hidden, rows: Value.logarithmic(rows), columns: Value.logarithmic(columns)
    ).relu().linear("\(name).2", heads, bias: false).sigmoid() * 16
  }

  /// What stands for distances in a continuous position bias: 1 for the longest.
  static func logarithmic(_ distances: ClosedRange<Int>) -> [Double] {
    distances.map { distance in
      let part = Double(distance) / Double(max(distances.upperBound, 1)) * 8
      return (part < 0 ? -1 : 1) * log2(part.magnitude + 1) / 3
    }
  }

  /// e to the power of each element, at most 100: the factors of cosine attention.
  func limitedExponential() -> Value {
    // ln 100, and a limit below that no number is under.
    activation(.clamp(minimum: -1e30, maximum: 4.605170185988092)).activation(.exp)
  }

  /// The channels of each head divided by their norm, as queries and keys of Swin Transformer V2's cosine
  /// attention, and times e to the power of a learned number for each head, up to 100.
  func cosineNormalised(heads: Int, logits: Value? = nil) -> Value {
    func split(_ shape: [Reshape.Dimension]) -> Op {
      .reshape(
        Reshape(
          dimensions: [.kept] + shape
            + [
              .input(shape.count == 2 ? 2 : 3, times: Ratio(1)),
              .input(shape.count == 2 ? 3 : 4, times: Ratio(1)),
            ]))
    }
    var x = applying(split([.size(heads), .size(channels / max(heads, 1))]))
      .applying(.layerNormalization(LayerNormalization(.l2, first: 2)))
    if let logits {
      x = x * logits.limitedExponential().applying(.reshape(Reshape([heads, 1, 1, 1])))
    }
    return x.applying(split([.size(channels)]))
  }
}

extension UnusedTensors.Buffer {
  /// The relative positions in a window that `Value.dynamicPositionBias` is calculated for.
  static func biasPlaces(_ window: Size) -> UnusedTensors.Buffer {
    let rows = (1 - window.height..<window.height).map(Double.init)
    let columns = (1 - window.width..<window.width).map(Double.init)
    return UnusedTensors.Buffer(
      [rows.count * columns.count, 2],
      rows.flatMap { row in columns.flatMap { [row, $0] } })
  }
}

extension WeightIndex {
  /// The sides of a window, the smaller first, whose attention has an index of pixels by pixels and so many
  /// relative positions.
  func sides(pixels: Int, positions: Int) -> (Int, Int)? {
    // (2a - 1)(2b - 1) = 4ab - 2(a + b) + 1.
    let twice = 4 * pixels + 1 - positions
    guard twice > 0, twice % 2 == 0 else { return nil }
    let sum = twice / 2
    guard let root = (sum * sum - 4 * pixels).nonNegativeRoot, (sum - root) % 2 == 0 else {
      return nil
    }
    return ((sum - root) / 2, (sum + root) / 2)
  }
}

extension Int {
  fileprivate var nonNegativeRoot: Int? { self < 0 ? nil : wholeRoot }
}
