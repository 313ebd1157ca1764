internal import AviaryGraph

extension OperationRow {
  package static let repetition: [OperationRow] = [
    .init(
      .tile(Tile([1, 2, 1, 3])), #"{"repeats":[1,2,1,3]}"#, [2, 3, 4, 5], gives: [2, 6, 4, 15]),
    .init(
      .tile(Tile([2, 1, 2, 1])), #"{"repeats":[2,1,2,1]}"#, [2, 3, 4, 5], gives: [4, 3, 8, 5]),
    .init(
      .expand(Expand(to: .shape([-1, 4, -1, 5]))), #"{"shape":[-1,4,-1,5]}"#, [2, 1, 3, 1],
      gives: [2, 4, 3, 5]),
    .init(
      .expand(Expand(to: .shape([3, 2, -1, -1, 6, -1]))), #"{"shape":[3,2,-1,-1,6,-1]}"#,
      [2, 3, 1, 5], gives: [3, 2, 2, 3, 6, 5]),
    .init(
      .expand(Expand(to: .shapeOfSecondInput)), "{}", [2, 3, 1, 1], [2, 3, 4, 5],
      gives: [2, 3, 4, 5]),
  ]
}

/// The value again and again.
func naiveTile(_ x: NaiveArray, _ repeats: [Int]) -> NaiveArray {
  x.gathering(zip(x.shape, repeats).map(*)) { index in
    for (dimension, size) in x.shape.enumerated() { index[dimension] %= size }
  }
}

/// The value repeated where it has one element.
func naiveExpand(_ x: NaiveArray, to shape: [Int]) -> NaiveArray {
  let added = shape.count - x.shape.count
  return x.gathering(shape) { index in
    index.removeFirst(added)
    for (dimension, size) in x.shape.enumerated() where size == 1 { index[dimension] = 0 }
  }
}
