internal import AviaryGraph

extension OperationRow {
  package static let reduction: [OperationRow] = [
    .init(
      .reduce(Reduction(.mean, dimensions: [2, 3])), #"{"dimensions":[2,3],"kind":"mean"}"#,
      [2, 3, 4, 5], gives: [2, 3, 1, 1]),
    .init(
      .reduce(Reduction(.sum, dimensions: [1], keepsDimensions: false)),
      #"{"dimensions":[1],"keepsDimensions":false,"kind":"sum"}"#, [2, 3, 4, 5], gives: [2, 4, 5]),
    .init(
      .reduce(Reduction(.maximum, dimensions: [3, 0])), #"{"dimensions":[3,0],"kind":"maximum"}"#,
      [2, 3, 4, 5], gives: [1, 3, 4, 1]),
    .init(
      .reduce(Reduction(.minimum, dimensions: [1, 2])), #"{"dimensions":[1,2],"kind":"minimum"}"#,
      [2, 3, 4, 5], gives: [2, 1, 1, 5]),
    .init(
      .reduce(Reduction(.product, dimensions: [1, 3], keepsDimensions: false)),
      #"{"dimensions":[1,3],"keepsDimensions":false,"kind":"product"}"#, [2, 3, 4, 5],
      gives: [2, 4], values: 0.5...1.5),
    .init(
      .reduce(Reduction(.variance, dimensions: [1])), #"{"dimensions":[1],"kind":"variance"}"#,
      [2, 6, 4, 5], gives: [2, 1, 4, 5]),
    .init(
      .reduce(Reduction(.unbiasedVariance, dimensions: [2, 3])),
      #"{"dimensions":[2,3],"kind":"unbiasedVariance"}"#, [2, 3, 4, 5], gives: [2, 3, 1, 1]),
    .init(
      .reduce(Reduction(.l1, dimensions: [0, 2])), #"{"dimensions":[0,2],"kind":"l1"}"#,
      [2, 3, 4, 5], gives: [1, 3, 1, 5]),
    .init(
      .reduce(Reduction(.l2, dimensions: [3])), #"{"dimensions":[3],"kind":"l2"}"#, [2, 3, 4, 35],
      gives: [2, 3, 4, 1]),
    .init(
      .reduce(Reduction(.sumOfSquares, dimensions: [1, 2, 3], keepsDimensions: false)),
      #"{"dimensions":[1,2,3],"keepsDimensions":false,"kind":"sumOfSquares"}"#, [2, 3, 4, 5],
      gives: [2]),
  ]
}

/// A mean, sum, maximum or the like over some dimensions.
func naiveReduction(_ x: NaiveArray, _ reduction: Reduction) -> NaiveArray {
  let kept = x.shape.enumerated().map { reduction.dimensions.contains($0) ? 1 : $1 }
  let strides = NaiveArray(kept, []).strides
  var groups = [[Double]](repeating: [], count: kept.reduce(1, *))
  var next = 0
  forEachIndex(of: x.shape) { index in
    var group = 0
    for dimension in index.indices where kept[dimension] != 1 {
      group += index[dimension] * strides[dimension]
    }
    groups[group].append(x.values[next])
    next += 1
  }
  let values = groups.map { group -> Double in
    let count = Double(group.count)
    let mean = group.reduce(0, +) / count
    let distances = group.reduce(0) { $0 + ($1 - mean) * ($1 - mean) }
    return switch reduction.kind {
    case .sum: group.reduce(0, +)
    case .mean: mean
    case .maximum: group.max() ?? -.infinity
    case .minimum: group.min() ?? .infinity
    case .product: group.reduce(1, *)
    case .variance: distances / count
    case .unbiasedVariance: distances / (count - 1)
    case .l1: group.reduce(0) { $0 + abs($1) }
    case .l2: group.reduce(0) { $0 + $1 * $1 }.squareRoot()
    case .sumOfSquares: group.reduce(0) { $0 + $1 * $1 }
    }
  }
  let shape = kept.enumerated()
    .filter { reduction.keepsDimensions || !reduction.dimensions.contains($0.offset) }
    .map(\.element)
  return NaiveArray(shape, values)
}
