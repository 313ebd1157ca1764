internal import AviaryGraph

extension OperationRow {
  package static let channels: [OperationRow] = [
    .init(
      .concatenate(Concatenate()), "{}", [2, 3, 4, 5], [2, 1, 4, 5], [2, 8, 4, 5],
      gives: [2, 12, 4, 5]),
    .init(.concatenate(Concatenate()), "{}", [2, 3, 4, 5], gives: [2, 3, 4, 5]),
    .init(
      .concatenate(Concatenate(dimension: 0)), #"{"dimension":0}"#, [2, 3, 4, 5], [1, 3, 4, 5],
      gives: [3, 3, 4, 5]),
    .init(
      .concatenate(Concatenate(dimension: 2)), #"{"dimension":2}"#, [2, 3, 4, 5], [2, 3, 1, 5],
      gives: [2, 3, 5, 5]),
    .init(
      .concatenate(Concatenate(dimension: 3)), #"{"dimension":3}"#, [2, 3, 4, 5], [2, 3, 4, 2],
      [2, 3, 4, 1], gives: [2, 3, 4, 8]),
    .init(
      .slice(ChannelSlice(start: 2, count: 3)), #"{"count":3,"start":2}"#, [1, 5, 4, 6],
      gives: [1, 3, 4, 6]),
  ]
}

/// Inputs side by side along a dimension.
func naiveConcatenation(_ inputs: [NaiveArray], _ dimension: Int) -> NaiveArray {
  var shape = inputs[0].shape
  shape[dimension] = inputs.reduce(0) { $0 + $1.shape[dimension] }
  var values: [Double] = []
  for outer in 0..<shape[..<dimension].reduce(1, *) {
    for input in inputs {
      let size = input.count(from: dimension)
      values += input.values[outer * size..<(outer + 1) * size]
    }
  }
  return NaiveArray(shape, values)
}
