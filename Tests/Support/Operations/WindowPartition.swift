internal import AviaryGraph

extension OperationRow {
  package static let windowPartition: [OperationRow] = [
    .init(
      WindowPartition(2).op, #"{"window":2}"#, [2, 3, 4, 6], gives: [2, 2, 3, 4, 3]),
    .init(
      WindowPartition(Size(2, 3), .grid).op, #"{"arrangement":"grid","window":[2,3]}"#,
      [1, 2, 4, 6], gives: [1, 2, 2, 6, 2]),
    .init(
      WindowPartition(Size(2, 3), margin: Size(1, 2)).op, #"{"margin":[1,2],"window":[2,3]}"#,
      [2, 2, 4, 6], gives: [2, 2, 2, 28, 2]),
    .init(
      WindowReverse(2).op, #"{"window":2}"#, [2, 2, 3, 4, 3], gives: [2, 3, 4, 6]),
    .init(
      WindowReverse(Size(2, 3), .grid).op, #"{"arrangement":"grid","window":[2,3]}"#,
      [1, 2, 2, 6, 2], gives: [1, 2, 4, 6]),
  ]
}

/// Where a window's pixel lies in the image, which has so many windows along both axes.
private func naivePixel(
  _ partition: WindowPartition, _ windows: Size, _ row: Int, _ column: Int, _ pixel: Int
) -> (y: Int, x: Int) {
  let y = pixel / partition.reach.width, x = pixel % partition.reach.width
  return switch partition.arrangement {
  case .block:
    (
      row * partition.window.height + y - partition.margin.height,
      column * partition.window.width + x - partition.margin.width
    )
  case .grid: (y * windows.height + row, x * windows.width + column)
  }
}

/// An image cut into windows; what lies outside of it is 0.
func naiveWindows(_ x: NaiveArray, _ partition: WindowPartition, _ shape: [Int]) -> NaiveArray {
  let strides = x.strides
  var result: [Double] = []
  forEachIndex(of: shape) { index in
    let place = naivePixel(partition, Size(shape[1], shape[2]), index[1], index[2], index[3])
    let isInside = (0..<x.shape[2]).contains(place.y) && (0..<x.shape[3]).contains(place.x)
    let at = zip([index[0], index[4], place.y, place.x], strides).reduce(0) { $0 + $1.0 * $1.1 }
    result.append(isInside ? x.values[at] : 0)
  }
  return NaiveArray(shape, result)
}

/// Windows put together to an image.
func naiveWindowReverse(
  _ x: NaiveArray, _ reverse: WindowReverse, _ shape: [Int]
) -> NaiveArray {
  var result = NaiveArray(shape, [Double](repeating: .nan, count: shape.reduce(1, *)))
  let strides = result.strides
  let partition = WindowPartition(reverse.window, reverse.arrangement)
  var position = 0
  forEachIndex(of: x.shape) { index in
    let place = naivePixel(partition, Size(x.shape[1], x.shape[2]), index[1], index[2], index[3])
    let at = zip([index[0], index[4], place.y, place.x], strides).reduce(0) { $0 + $1.0 * $1.1 }
    result.values[at] = x.values[position]
    position += 1
  }
  return result
}
