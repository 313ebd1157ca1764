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
    .init(
      .pad(Pad(PaddingAmounts(4, 0, 2, 5), .symmetric)),
      #"{"mode":"symmetric","padding":[4,0,2,5]}"#, [1, 3, 4, 5], gives: [1, 3, 10, 10]),
    .init(
      .pad(Pad(PaddingAmounts(1, 5, 4, 2), .circular)),
      #"{"mode":"circular","padding":[1,5,4,2]}"#, [1, 3, 4, 5], gives: [1, 3, 9, 12]),
    .init(
      .pad(Pad(PaddingAmounts(1, 0, 0, 2), value: -0.5)),
      #"{"padding":[1,0,0,2],"value":-0.5}"#, [2, 3, 4, 5], gives: [2, 3, 5, 7]),
    .init(.crop(Crop(1)), #"{"cropping":1}"#, [1, 3, 4, 5], gives: [1, 3, 2, 3]),
    .init(
      .crop(Crop(PaddingAmounts(0, 1, 3, 2))), #"{"cropping":[0,1,3,2]}"#, [1, 3, 4, 5],
      gives: [1, 3, 1, 2]),
  ]
}

/// Rows and columns added at the edges.
func naivePad(_ x: NaiveArray, _ pad: Pad) -> NaiveArray {
  var result = x
  for axis in Axis.allCases {
    let dimension = axis.dimension
    result = naivePad(
      result,
      PadDimension(
        dimension: dimension, before: pad.amounts.before(axis), after: pad.amounts.after(axis),
        pad.mode, value: pad.value))
  }
  return result
}

/// Elements added at the ends of a dimension.
func naivePad(_ x: NaiveArray, _ pad: PadDimension) -> NaiveArray {
  let size = x.shape[pad.dimension]
  var shape = x.shape
  shape[pad.dimension] += pad.before + pad.after
  // Walked from the first element outwards: mirrors turn round at the ends.
  func source(_ position: Int) -> Int {
    var position = position
    while !(0..<size).contains(position) {
      switch pad.mode {
      case .zero, .edge: position = position < 0 ? 0 : size - 1
      case .reflect: position = position < 0 ? -position : 2 * size - 2 - position
      case .symmetric: position = position < 0 ? -1 - position : 2 * size - 1 - position
      case .circular: position += position < 0 ? size : -size
      }
    }
    return position
  }
  var result = x.gathering(shape) { index in
    index[pad.dimension] = source(index[pad.dimension] - pad.before)
  }
  guard pad.mode == .zero else { return result }
  var next = 0
  forEachIndex(of: shape) { index in
    if !(0..<size).contains(index[pad.dimension] - pad.before) { result.values[next] = pad.value }
    next += 1
  }
  return result
}
