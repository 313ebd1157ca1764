internal import AviaryGraph

#if canImport(Glibc)
  internal import Glibc
#elseif canImport(Musl)
  internal import Musl
#endif

extension OperationRow {
  package static let softmax: [OperationRow] = [
    .init(.softmax(Softmax(dimension: 1)), "{}", [2, 3, 4, 5], gives: [2, 3, 4, 5]),
    .init(
      .softmax(Softmax(dimension: 3)), #"{"dimension":3}"#, [2, 3, 4, 5], gives: [2, 3, 4, 5]),
    .init(
      .softmax(Softmax(dimension: 1, logarithm: true)), "{}", [2, 17, 4, 5],
      gives: [2, 17, 4, 5], values: -4...4),
    .init(
      .softmax(Softmax(dimension: 3, logarithm: true)), #"{"dimension":3}"#, [2, 3, 2, 35],
      gives: [2, 3, 2, 35], values: -4...4),
  ]
}

/// exp(x) / Σ exp(x) along a dimension, or its logarithm; the largest is subtracted first, so that nothing overflows.
func naiveSoftmax(_ x: NaiveArray, _ softmax: Softmax) -> NaiveArray {
  let size = x.shape[softmax.dimension], step = x.strides[softmax.dimension]
  var result = x
  for first in x.values.indices where first / step % size == 0 {
    let positions = (0..<size).map { first + $0 * step }
    let largest = positions.map { x.values[$0] }.max() ?? 0
    let powers = positions.map { exp(x.values[$0] - largest) }
    let sum = powers.reduce(0, +)
    for (position, power) in zip(positions, powers) {
      result.values[position] =
        softmax.logarithm ? x.values[position] - largest - log(sum) : power / sum
    }
  }
  return result
}
