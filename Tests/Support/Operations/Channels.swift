internal import AviaryGraph

extension OperationRow {
  package static let channels: [OperationRow] = [
    .init(
      .concatenate, "{}", [2, 3, 4, 5], [2, 1, 4, 5], [2, 8, 4, 5], gives: [2, 12, 4, 5]),
    .init(.concatenate, "{}", [2, 3, 4, 5], gives: [2, 3, 4, 5]),
    .init(
      .slice(ChannelSlice(start: 2, count: 3)), #"{"count":3,"start":2}"#, [1, 5, 4, 6],
      gives: [1, 3, 4, 6]),
  ]
}

/// Inputs side by side in the channel dimension.
func naiveConcatenation(_ inputs: [NaiveArray]) -> NaiveArray {
  var shape = inputs[0].shape
  shape[1] = inputs.reduce(0) { $0 + $1.shape[1] }
  var values: [Double] = []
  for picture in 0..<shape[0] {
    for input in inputs {
      let size = input.count(from: 1)
      values += input.values[picture * size..<(picture + 1) * size]
    }
  }
  return NaiveArray(shape, values)
}
