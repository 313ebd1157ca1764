internal import AviaryGraph

extension OperationRow {
  package static let pooling: [OperationRow] = [
    .init(
      .maxPool(MaxPool(Pool(kernel: 2))), #"{"kernel":2}"#, [1, 3, 7, 8], gives: [1, 3, 3, 4]),
    .init(
      .maxPool(MaxPool(Pool(kernel: 3, stride: 2, padding: .explicit(1)))),
      #"{"kernel":3,"padding":1,"stride":2}"#, [1, 3, 7, 8], gives: [1, 3, 4, 4]),
    .init(
      .maxPool(MaxPool(Pool(kernel: Size(2, 3), stride: Size(1, 2), padding: .same))),
      #"{"kernel":[2,3],"padding":"same","stride":[1,2]}"#, [1, 3, 7, 9], gives: [1, 3, 7, 5]),
    .init(
      .averagePool(AveragePool(Pool(kernel: Size(2, 3)), countsPadding: true)),
      #"{"countsPadding":true,"kernel":[2,3]}"#, [1, 3, 7, 9], gives: [1, 3, 3, 3]),
    .init(
      .averagePool(AveragePool(Pool(kernel: 3, stride: 1, padding: .same), countsPadding: false)),
      #"{"countsPadding":false,"kernel":3,"padding":"same","stride":1}"#, [1, 3, 7, 9],
      gives: [1, 3, 7, 9]),
    .init(
      .maxPool(MaxPool(Pool(kernel: 3, stride: 2, roundsUp: true))),
      #"{"kernel":3,"roundsUp":true,"stride":2}"#, [1, 3, 8, 9], gives: [1, 3, 4, 4]),
    .init(
      .maxPool(MaxPool(Pool(kernel: 2, stride: 3, padding: .explicit(1), roundsUp: true))),
      #"{"kernel":2,"padding":1,"roundsUp":true,"stride":3}"#, [1, 3, 5, 6], gives: [1, 3, 2, 3]),
    .init(
      .averagePool(
        AveragePool(
          Pool(kernel: 3, stride: 2, padding: .explicit(1), roundsUp: true), countsPadding: true)),
      #"{"countsPadding":true,"kernel":3,"padding":1,"roundsUp":true,"stride":2}"#, [2, 3, 8, 9],
      gives: [2, 3, 5, 5]),
    .init(
      .averagePool(
        AveragePool(
          Pool(kernel: 3, stride: 2, padding: .explicit(1), roundsUp: true), countsPadding: false)),
      #"{"countsPadding":false,"kernel":3,"padding":1,"roundsUp":true,"stride":2}"#, [2, 3, 8, 9],
      gives: [2, 3, 5, 5]),
    .init(.globalAveragePool, "{}", [2, 3, 7, 9], gives: [2, 3, 1, 1]),
  ]
}

/// Every window's pixels that lie in the image, made into one by `combine`, which is also told
/// how many pixels the window has with its padding; what lies beyond that is none of either.
func naivePool(
  _ x: NaiveArray, _ pool: Pool, _ combine: ([Double], Int) -> Double
) -> NaiveArray {
  let (height, width) = (x.shape[2], x.shape[3])
  let amounts = pool.padding.amounts(
    size: Size(height, width), kernel: pool.kernel, stride: pool.stride)
  /// The places at which windows begin along an axis.
  func starts(_ size: Int, _ axis: Axis) -> [Int] {
    let end = size + amounts.after(axis)
    return stride(from: -amounts.before(axis), to: end, by: pool.stride[axis]).filter { start in
      pool.roundsUp && start < size
        // Rounding up adds the one that follows the last that fits.
        ? start - pool.stride[axis] + pool.kernel[axis] < end || start + pool.kernel[axis] <= end
        : start + pool.kernel[axis] <= end
    }
  }
  let rows = starts(height, .vertical), columns = starts(width, .horizontal)
  var result: [Double] = []
  for plane in 0..<x.shape[0] * x.shape[1] {
    for top in rows {
      for left in columns {
        var window: [Double] = []
        for down in max(top, 0)..<min(top + pool.kernel.height, height) {
          for across in max(left, 0)..<min(left + pool.kernel.width, width) {
            window.append(x.values[(plane * height + down) * width + across])
          }
        }
        let counted = Size(
          min(top + pool.kernel.height, height + amounts.bottom) - top,
          min(left + pool.kernel.width, width + amounts.right) - left)
        result.append(combine(window, counted.height * counted.width))
      }
    }
  }
  return NaiveArray([x.shape[0], x.shape[1], rows.count, columns.count], result)
}
