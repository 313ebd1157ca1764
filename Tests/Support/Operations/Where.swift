internal import AviaryGraph

extension OperationRow {
  package static let `where`: [OperationRow] = [
    .init(.where, "{}", [2, 3, 4, 5], [2, 3, 4, 5], [2, 3, 4, 5], gives: [2, 3, 4, 5]),
    .init(.where, "{}", [2, 1, 4, 5], [2, 3, 1, 1], [1, 3, 4, 5], gives: [2, 3, 4, 5]),
  ]
}

/// The second where the first is not 0, else the third.
func naiveWhere(_ condition: NaiveArray, _ a: NaiveArray, _ b: NaiveArray) -> NaiveArray {
  let shape = naiveBroadcastShape(condition.shape, naiveBroadcastShape(a.shape, b.shape))
  let (first, second) = (a.repeated(shape), b.repeated(shape))
  return NaiveArray(
    shape, condition.repeated(shape).enumerated().map { $1 != 0 ? first[$0] : second[$0] })
}
