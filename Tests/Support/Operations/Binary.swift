internal import AviaryGraph

extension OperationRow {
  package static let binary: [OperationRow] = [
    .init(.binary(.add), "{}", [2, 3, 4, 5], [2, 3, 4, 5], gives: [2, 3, 4, 5]),
    .init(.binary(.add), "{}", [2, 3, 4, 5], [1, 3, 1, 1], gives: [2, 3, 4, 5]),
    .init(.binary(.subtract), "{}", [2, 1, 4, 5], [2, 3, 4, 5], gives: [2, 3, 4, 5]),
    .init(.binary(.multiply), "{}", [2, 3, 1, 1], [2, 1, 4, 5], gives: [2, 3, 4, 5]),
  ]
}

/// An operation on two arrays of one rank, in which a dimension of 1 repeats.
func naiveBroadcast(
  _ a: NaiveArray, _ b: NaiveArray, _ combine: (Double, Double) -> Double
) -> NaiveArray {
  let shape = zip(a.shape, b.shape).map(max)
  func repeated(_ array: NaiveArray) -> [Double] {
    array.gathering(shape) { index in
      for dimension in shape.indices where array.shape[dimension] == 1 { index[dimension] = 0 }
    }.values
  }
  return NaiveArray(
    shape, zip(repeated(a), repeated(b)).map(combine))
}
