internal import AviaryGraph

extension OperationRow {
  package static let padCrop: [OperationRow] = [
    .init(.pad(Pad(2, .zero)), #"{"padding":2}"#, [1, 3, 4, 5], gives: [1, 3, 8, 9]),
    .init(
      .pad(Pad(PaddingAmounts(1, 2, 3, 4), .reflect)), #"{"mode":"reflect","padding":[1,2,3,4]}"#,
      [1, 3, 4, 5],
      gives: [1, 3, 8, 11]),
    .init(
      .pad(Pad(PaddingAmounts(0, 9, 0, 0), .edge)), #"{"mode":"edge","padding":[0,9,0,0]}"#,
      [1, 3, 4, 5],
      gives: [1, 3, 4, 14]),
    .init(.crop(Crop(1)), #"{"cropping":1}"#, [1, 3, 4, 5], gives: [1, 3, 2, 3]),
    .init(
      .crop(Crop(PaddingAmounts(0, 1, 3, 2))), #"{"cropping":[0,1,3,2]}"#, [1, 3, 4, 5],
      gives: [1, 3, 1, 2]),
  ]
}

/// Rows and columns added at the edges.
func naivePad(_ x: NaiveArray, _ amounts: PaddingAmounts, _ mode: PadMode) -> NaiveArray {
  let (height, width) = (x.shape[2], x.shape[3])
  let shape = [
    x.shape[0], x.shape[1], height + amounts.top + amounts.bottom,
    width + amounts.left + amounts.right,
  ]
  func source(_ position: Int, _ size: Int) -> Int {
    switch mode {
    case .zero, .edge: min(max(position, 0), size - 1)
    case .reflect:
      position < 0 ? -position : position >= size ? 2 * (size - 1) - position : position
    }
  }
  var result = x.gathering(shape) { index in
    index[2] = source(index[2] - amounts.top, height)
    index[3] = source(index[3] - amounts.left, width)
  }
  guard mode == .zero else { return result }
  var next = 0
  forEachIndex(of: shape) { index in
    let row = index[2] - amounts.top, column = index[3] - amounts.left
    if !(0..<height).contains(row) || !(0..<width).contains(column) { result.values[next] = 0 }
    next += 1
  }
  return result
}
