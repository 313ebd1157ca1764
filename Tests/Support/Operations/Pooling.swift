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
    .init(.globalAveragePool, "{}", [2, 3, 7, 9], gives: [2, 3, 1, 1]),
  ]
}

/// Every window's pixels that lie in the picture, made into one by `combine`, which is also told
/// how many pixels the window has with its padding.
func naivePool(
  _ x: NaiveArray, _ pool: Pool, _ combine: ([Double], Int) -> Double
) -> NaiveArray {
  let (height, width) = (x.shape[2], x.shape[3])
  let amounts = pool.padding.amounts(
    size: Size(height, width), kernel: pool.kernel, stride: pool.stride)
  let outHeight =
    (height + amounts.top + amounts.bottom - pool.kernel.height) / pool.stride.height + 1
  let outWidth = (width + amounts.left + amounts.right - pool.kernel.width) / pool.stride.width + 1
  var result: [Double] = []
  for plane in 0..<x.shape[0] * x.shape[1] {
    for row in 0..<outHeight {
      for column in 0..<outWidth {
        let top = row * pool.stride.height - amounts.top
        let left = column * pool.stride.width - amounts.left
        var window: [Double] = []
        for down in max(top, 0)..<min(top + pool.kernel.height, height) {
          for across in max(left, 0)..<min(left + pool.kernel.width, width) {
            window.append(x.values[(plane * height + down) * width + across])
          }
        }
        result.append(combine(window, pool.kernel.height * pool.kernel.width))
      }
    }
  }
  return NaiveArray([x.shape[0], x.shape[1], outHeight, outWidth], result)
}
