internal import AviaryGraph

extension OperationRow {
  package static let shiftMask: [OperationRow] = [
    .init(
      ShiftMask(2, shift: 1).op, #"{"shift":1,"window":2}"#, [1, 2, 3, 2, 4, 4],
      gives: [1, 2, 3, 2, 4, 4]),
    .init(
      ShiftMask(Size(2, 3), shift: Size(0, 2), value: -10).op,
      #"{"shift":[0,2],"value":-10,"window":[2,3]}"#, [2, 1, 2, 6, 6], gives: [2, 1, 2, 6, 6]),
  ]
}

/// Adds the mask as its paper says: pixels of the rolled image are numbered by the stretch of rows and
/// of columns that they lie in, and pairs of different numbers are kept apart.
func naiveShiftMask(_ x: NaiveArray, _ mask: ShiftMask) -> NaiveArray {
  /// The stretch along an axis of the pixel of a window.
  func stretch(_ axis: Axis, _ window: Int, _ windows: Int, _ pixel: Int) -> Int {
    let side = mask.window[axis], length = windows * side, shift = mask.shift[axis]
    let position = window * side + pixel
    if shift == 0 { return 0 }
    return position < length - side ? 0 : position < length - shift ? 1 : 2
  }
  func label(_ index: [Int], _ pixel: Int) -> Int {
    3 * stretch(.vertical, index[1], x.shape[1], pixel / mask.window.width)
      + stretch(.horizontal, index[2], x.shape[2], pixel % mask.window.width)
  }
  var result = x
  var position = 0
  forEachIndex(of: x.shape) { index in
    let rank = index.count
    if label(index, index[rank - 2]) != label(index, index[rank - 1]) {
      result.values[position] += mask.value
    }
    position += 1
  }
  return result
}
