internal import AviaryGraph

extension OperationRow {
  package static let stridedSlice: [OperationRow] = [
    .init(
      .stridedSlice(.flip(3)), #"{"dimension":3,"step":-1}"#, [2, 3, 4, 5], gives: [2, 3, 4, 5]),
    .init(
      .stridedSlice(StridedSlice(dimension: 2, start: 1, step: 2)),
      #"{"dimension":2,"start":1,"step":2}"#, [2, 3, 6, 5], gives: [2, 3, 3, 5]),
    .init(
      .stridedSlice(StridedSlice(dimension: 1, start: -2, end: 0, step: -3)),
      #"{"dimension":1,"end":0,"start":-2,"step":-3}"#, [2, 9, 2, 3], gives: [2, 3, 2, 3]),
    .init(
      .stridedSlice(StridedSlice(dimension: 3, start: 2, end: -1)),
      #"{"dimension":3,"end":-1,"start":2}"#, [2, 3, 4, 6], gives: [2, 3, 4, 3]),
    .init(
      .stridedSlice(StridedSlice(dimension: 0, start: -9, end: 1)),
      #"{"dimension":0,"end":1,"start":-9}"#, [3, 3, 4, 5], gives: [1, 3, 4, 5]),
  ]
}

/// Some of the elements along a dimension, as Python takes them.
func naiveStridedSlice(_ x: NaiveArray, _ slice: StridedSlice) -> NaiveArray {
  let size = x.shape[slice.dimension]
  func place(_ place: Int) -> Int { place < 0 ? place + size : place }
  var places: [Int] = []
  var next: Int
  if slice.step > 0 {
    next = max(place(slice.start ?? 0), 0)
    let end = slice.end.map(place) ?? size
    while next < min(end, size) {
      places.append(next)
      next += slice.step
    }
  } else {
    next = min(slice.start.map(place) ?? size - 1, size - 1)
    let end = slice.end.map(place) ?? -1
    while next > max(end, -1) {
      places.append(next)
      next += slice.step
    }
  }
  var shape = x.shape
  shape[slice.dimension] = places.count
  return x.gathering(shape) { index in
    index[slice.dimension] = places[index[slice.dimension]]
  }
}
