internal import AviaryGraph

extension OperationRow {
  package static let sort: [OperationRow] = [
    .init(
      .sort(Sort(dimension: 1)), #"{"dimension":1}"#, [2, 7, 3, 4], gives: [2, 7, 3, 4]),
    .init(
      .sort(Sort(dimension: 3, descending: true, part: .indices)),
      #"{"descending":true,"dimension":3,"part":"indices"}"#, [2, 3, 4, 9], gives: [2, 3, 4, 9]),
    .init(
      .sort(Sort(top: 3, dimension: 2)), #"{"count":3,"dimension":2}"#, [2, 3, 8, 5],
      gives: [2, 3, 3, 5]),
    .init(
      .sort(Sort(top: 2, dimension: 1, largest: false)),
      #"{"count":2,"dimension":1,"largest":false}"#, [1, 6, 3, 4], gives: [1, 2, 3, 4]),
    .init(
      .sort(Sort(top: 2, dimension: 1, part: .indices)),
      #"{"count":2,"dimension":1,"part":"indices"}"#, [1, 6, 3, 4], gives: [1, 2, 3, 4]),
  ]

  package static let argReduction: [OperationRow] = [
    .init(
      .argReduction(ArgReduction(.argmax, dimension: 1)), #"{"dimension":1}"#, [2, 7, 3, 4],
      gives: [2, 1, 3, 4]),
    .init(
      .argReduction(ArgReduction(.argmin, dimension: 3, keepsDimensions: false)),
      #"{"dimension":3,"keepsDimensions":false}"#, [2, 3, 4, 9], gives: [2, 3, 4]),
  ]

  /// Places -1 and 0 and 1, by numbers from -1 to 1.5 that are cut to integers.
  package static let gatherElements: [OperationRow] = [
    .init(
      .gatherElements(GatherElements(dimension: 1)), #"{"dimension":1}"#, [2, 3, 4, 5],
      [2, 6, 4, 5], gives: [2, 6, 4, 5], values: -1.5...1.5),
    .init(
      .gatherElements(GatherElements(dimension: 3)), #"{"dimension":3}"#, [2, 3, 4, 5],
      [2, 3, 4, 2], gives: [2, 3, 4, 2], values: -1.5...1.5),
  ]
}

/// Every line along the dimension by insertion: behind all that are not after it.
func naiveSort(_ x: NaiveArray, _ sort: Sort, _ shape: [Int]) -> NaiveArray {
  func isAfter(_ a: Double, _ b: Double) -> Bool {
    let (small, large) = sort.descending ? (a, b) : (b, a)
    return large.isNaN ? !small.isNaN : large > small
  }
  var result = NaiveArray(shape, [Double](repeating: 0, count: shape.reduce(1, *)))
  let strides = x.strides, targets = result.strides
  var heads = x.shape
  heads[sort.dimension] = 1
  forEachIndex(of: heads) { index in
    let from = zip(index, strides).reduce(0) { $0 + $1.0 * $1.1 }
    var order: [Int] = []
    func value(_ place: Int) -> Double { x.values[from + place * strides[sort.dimension]] }
    for place in 0..<x.shape[sort.dimension] {
      let spot = order.firstIndex { isAfter(value($0), value(place)) } ?? order.count
      order.insert(place, at: spot)
    }
    let to = zip(index, targets).reduce(0) { $0 + $1.0 * $1.1 }
    for i in 0..<shape[sort.dimension] {
      result.values[to + i * targets[sort.dimension]] =
        sort.part == .values ? value(order[i]) : Double(order[i])
    }
  }
  return result
}

/// The first place in the order that has the largest, or the smallest, in front.
func naiveArgReduction(
  _ x: NaiveArray, _ operation: ArgReduction, _ shape: [Int]
) -> NaiveArray {
  var first = x.shape
  first[operation.dimension] = 1
  let places = naiveSort(
    x,
    Sort(
      top: 1, dimension: operation.dimension, largest: operation.kind == .argmax, part: .indices),
    first)
  return NaiveArray(shape, places.values)
}

/// Element [i, j, …] is that of the first array whose index along the dimension is element [i, j, …]
/// of the second.
func naiveGatherElements(_ x: NaiveArray, _ places: NaiveArray, _ dimension: Int) -> NaiveArray {
  var position = 0
  return x.gathering(places.shape) { index in
    let place = Int(places.values[position])
    index[dimension] = place < 0 ? place + x.shape[dimension] : place
    position += 1
  }
}
