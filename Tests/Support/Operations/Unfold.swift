internal import AviaryGraph

extension OperationRow {
  package static let unfold: [OperationRow] = [
    .init(.unfold(Unfold(kernel: 3)), #"{"kernel":3}"#, [2, 3, 5, 6], gives: [2, 27, 3, 4]),
    .init(
      .unfold(
        Unfold(
          kernel: Size(2, 3), stride: Size(2, 1), dilation: Size(1, 2),
          padding: .explicit(PaddingAmounts(1, 0, 2, 3)))),
      #"{"dilation":[1,2],"kernel":[2,3],"padding":[1,0,2,3],"stride":[2,1]}"#, [1, 2, 6, 5],
      gives: [1, 12, 4, 4]),
    // Rows that no window reaches, and TensorFlow's padding.
    .init(
      .unfold(Unfold(kernel: 2, stride: 3)), #"{"kernel":2,"stride":3}"#, [1, 2, 7, 9],
      gives: [1, 8, 2, 3]),
    .init(
      .unfold(Unfold(kernel: 3, stride: 2, padding: .same)),
      #"{"kernel":3,"padding":"same","stride":2}"#, [1, 2, 7, 8], gives: [1, 18, 4, 4]),
  ]

  package static let fold: [OperationRow] = [
    .init(.fold(Fold(kernel: 3)), #"{"kernel":3}"#, [2, 27, 3, 4], gives: [2, 3, 5, 6]),
    .init(
      .fold(
        Fold(
          kernel: Size(2, 3), stride: Size(2, 1), dilation: Size(1, 2),
          padding: PaddingAmounts(1, 0, 2, 3))),
      #"{"dilation":[1,2],"kernel":[2,3],"padding":[1,0,2,3],"stride":[2,1]}"#, [1, 12, 4, 4],
      gives: [1, 2, 5, 5]),
    .init(
      .fold(Fold(kernel: 2, stride: 3, padding: PaddingAmounts(0, 0, -2, -1))),
      #"{"kernel":2,"padding":[0,0,-2,-1],"stride":3}"#, [1, 8, 2, 3], gives: [1, 2, 7, 9]),
  ]
}

/// Channel (c, r, s) at (y, x) is pixel (y · stride + r · dilation - top, …) of channel c, zero
/// beyond the edges.
func naiveUnfold(_ x: NaiveArray, _ operation: Unfold, _ shape: [Int]) -> NaiveArray {
  let (height, width) = (x.shape[2], x.shape[3])
  let amounts = operation.padding.amounts(
    size: Size(height, width), kernel: operation.kernel, stride: operation.stride,
    dilation: operation.dilation)
  var result: [Double] = []
  forEachIndex(of: shape) { index in
    let area = operation.kernel.height * operation.kernel.width
    let (channel, element) = index[1].quotientAndRemainder(dividingBy: area)
    let row =
      index[2] * operation.stride.height
      + element / operation.kernel.width * operation.dilation.height - amounts.top
    let column =
      index[3] * operation.stride.width
      + element % operation.kernel.width * operation.dilation.width - amounts.left
    let isInside = (0..<height).contains(row) && (0..<width).contains(column)
    let plane = index[0] * x.shape[1] + channel
    result.append(isInside ? x.values[(plane * height + row) * width + column] : 0)
  }
  return NaiveArray(shape, result)
}

/// Channel (c, r, s) at (y, x) is added to pixel (y · stride + r · dilation - top, …) of channel c.
func naiveFold(_ x: NaiveArray, _ operation: Fold, _ shape: [Int]) -> NaiveArray {
  var result = [Double](repeating: 0, count: shape.reduce(1, *))
  var position = 0
  forEachIndex(of: x.shape) { index in
    let area = operation.kernel.height * operation.kernel.width
    let (channel, element) = index[1].quotientAndRemainder(dividingBy: area)
    let row =
      index[2] * operation.stride.height
      + element / operation.kernel.width * operation.dilation.height - operation.padding.top
    let column =
      index[3] * operation.stride.width
      + element % operation.kernel.width * operation.dilation.width - operation.padding.left
    if (0..<shape[2]).contains(row), (0..<shape[3]).contains(column) {
      let plane = index[0] * shape[1] + channel
      result[(plane * shape[2] + row) * shape[3] + column] += x.values[position]
    }
    position += 1
  }
  return NaiveArray(shape, result)
}
