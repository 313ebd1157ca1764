internal import AviaryGraph

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
