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
  ]
}

/// A mean, sum or maximum over some dimensions.
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
  let values = groups.map { group in
    switch reduction.kind {
    case .sum: group.reduce(0, +)
    case .mean: group.reduce(0, +) / Double(group.count)
    case .maximum: group.max() ?? -.infinity
    }
  }
  let shape = kept.enumerated()
    .filter { reduction.keepsDimensions || !reduction.dimensions.contains($0.offset) }
    .map(\.element)
  return NaiveArray(shape, values)
}
