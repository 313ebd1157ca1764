internal import AviaryGraph

#if canImport(Glibc)
  internal import Glibc
#elseif canImport(Musl)
  internal import Musl
#endif

extension OperationRow {
  package static let binary: [OperationRow] = [
    .init(.binary(.add), "{}", [2, 3, 4, 5], [2, 3, 4, 5], gives: [2, 3, 4, 5]),
    .init(.binary(.add), "{}", [2, 3, 4, 5], [1, 3, 1, 1], gives: [2, 3, 4, 5]),
    .init(.binary(.subtract), "{}", [2, 1, 4, 5], [2, 3, 4, 5], gives: [2, 3, 4, 5]),
    .init(.binary(.multiply), "{}", [2, 3, 1, 1], [2, 1, 4, 5], gives: [2, 3, 4, 5]),
    .init(
      .binary(.divide), "{}", [2, 3, 4, 5], [2, 3, 4, 5], gives: [2, 3, 4, 5], values: 0.5...2),
    .init(
      .binary(.divide), "{}", [1, 3, 1, 1], [2, 1, 4, 5], gives: [2, 3, 4, 5], values: 0.5...2),
    .init(
      .binary(.power), "{}", [2, 3, 4, 5], [2, 3, 4, 5], gives: [2, 3, 4, 5], values: 0.25...3),
    .init(
      .binary(.power), "{}", [2, 3, 4, 5], [1, 3, 1, 1], gives: [2, 3, 4, 5], values: 0.25...3),
    .init(.binary(.minimum), "{}", [2, 3, 4, 5], [2, 3, 4, 5], gives: [2, 3, 4, 5]),
    .init(.binary(.minimum), "{}", [2, 3, 1, 5], [2, 1, 4, 5], gives: [2, 3, 4, 5]),
    .init(.binary(.maximum), "{}", [2, 3, 4, 5], [2, 3, 4, 5], gives: [2, 3, 4, 5]),
    .init(.binary(.maximum), "{}", [1, 3, 4, 1], [2, 3, 4, 5], gives: [2, 3, 4, 5]),
    .init(.binary(.equal), "{}", [2, 3, 4, 5], [2, 3, 4, 5], gives: [2, 3, 4, 5]),
    .init(.binary(.less), "{}", [2, 3, 4, 5], [2, 3, 4, 5], gives: [2, 3, 4, 5]),
    .init(.binary(.lessOrEqual), "{}", [2, 3, 4, 5], [2, 3, 4, 5], gives: [2, 3, 4, 5]),
    .init(.binary(.greater), "{}", [2, 3, 4, 5], [1, 1, 4, 5], gives: [2, 3, 4, 5]),
    .init(.binary(.greaterOrEqual), "{}", [2, 3, 4, 5], [2, 3, 4, 5], gives: [2, 3, 4, 5]),
  ]
}

extension Binary {
  /// The function itself.
  func naive(_ a: Double, _ b: Double) -> Double {
    switch self {
    case .add: a + b
    case .subtract: a - b
    case .multiply: a * b
    case .divide: a / b
    case .power: toThePower(a, b)
    case .minimum: a.isNaN || b.isNaN ? .nan : min(a, b)
    case .maximum: a.isNaN || b.isNaN ? .nan : max(a, b)
    case .equal: a == b ? 1 : 0
    case .less: a < b ? 1 : 0
    case .lessOrEqual: a <= b ? 1 : 0
    case .greater: a > b ? 1 : 0
    case .greaterOrEqual: a >= b ? 1 : 0
    }
  }
}

/// The function of the C library.
private func toThePower(_ a: Double, _ b: Double) -> Double { pow(a, b) }

/// An operation on two arrays, in which a dimension of 1 repeats, and one that is not there.
func naiveBroadcast(
  _ a: NaiveArray, _ b: NaiveArray, _ combine: (Double, Double) -> Double
) -> NaiveArray {
  let shape = naiveBroadcastShape(a.shape, b.shape)
  return NaiveArray(shape, zip(a.repeated(shape), b.repeated(shape)).map(combine))
}

/// The shape that two arrays have together.
func naiveBroadcastShape(_ a: [Int], _ b: [Int]) -> [Int] {
  let rank = max(a.count, b.count)
  return (0..<rank).map { dimension in
    let first = dimension - (rank - a.count), second = dimension - (rank - b.count)
    return max(first < 0 ? 1 : a[first], second < 0 ? 1 : b[second])
  }
}

extension NaiveArray {
  /// The values, as often as they stand in a shape that the array is repeated to.
  func repeated(_ shape: [Int]) -> [Double] {
    let missing = shape.count - self.shape.count
    let array = NaiveArray([Int](repeating: 1, count: missing) + self.shape, values)
    return array.gathering(shape) { index in
      for dimension in shape.indices where array.shape[dimension] == 1 { index[dimension] = 0 }
    }.values
  }
}
