internal import AviaryGraph

extension OperationRow {
  package static let convolution: [OperationRow] = [
    .init(
      .convolution(Convolution(outChannels: 8, kernel: 3)), #"{"kernel":3,"outChannels":8}"#,
      [2, 3, 7, 9], gives: [2, 8, 5, 7]),
    .init(
      .convolution(Convolution(outChannels: 8, kernel: 3, padding: .same)),
      #"{"kernel":3,"outChannels":8,"padding":"same"}"#, [1, 3, 7, 9], gives: [1, 8, 7, 9]),
    // TensorFlow's rule at stride 2: sizes are rounded up.
    .init(
      .convolution(Convolution(outChannels: 8, kernel: 3, stride: 2, padding: .same)),
      #"{"kernel":3,"outChannels":8,"padding":"same","#
        + #""stride":2}"#, [1, 3, 7, 10], gives: [1, 8, 4, 5]),
    // PyTorch: floor((size + 2 · padding - dilation · (kernel - 1) - 1) / stride) + 1.
    .init(
      .convolution(
        Convolution(
          outChannels: 6, kernel: Size(3, 5), stride: Size(2, 1), dilation: Size(2, 3), groups: 3,
          padding: .explicit(PaddingAmounts(1)), bias: false)),
      #"{"bias":false,"dilation":[2,3],"groups":3,"kernel":[3,5],"outChannels":6,"#
        + #""padding":1,"stride":[2,1]}"#, [1, 9, 12, 14], gives: [1, 6, 5, 4]),
    .init(
      .convolution(
        Convolution(outChannels: 4, kernel: 2, padding: .explicit(PaddingAmounts(0, 1, 2, 3)))),
      #"{"kernel":2,"outChannels":4,"padding":[0,1,2,3]}"#, [1, 1, 5, 6], gives: [1, 4, 6, 9]),
    // A kernel smaller than the stride.
    .init(
      .convolution(Convolution(outChannels: 4, kernel: 1, stride: 3, padding: .same)),
      #"{"kernel":1,"outChannels":4,"padding":"same","#
        + #""stride":3}"#, [1, 1, 7, 9], gives: [1, 4, 3, 3]),
  ]
}

/// out[o, y, x] = bias[o] + Σ weight[o, i, r, s] · in[i, y · stride + r · dilation - top, …]
func naiveConvolution(
  _ x: NaiveArray, _ parameters: [NaiveArray], _ c: Convolution
) -> NaiveArray {
  let (height, width) = (x.shape[2], x.shape[3])
  let amounts = c.padding.amounts(
    size: Size(height, width), kernel: c.kernel, stride: c.stride, dilation: c.dilation)
  func outputs(_ axis: Axis) -> Int {
    (x.shape[axis.dimension] + amounts.total(axis) - (c.kernel[axis] - 1) * c.dilation[axis] - 1)
      / c.stride[axis] + 1
  }
  let outHeight = outputs(.vertical), outWidth = outputs(.horizontal)
  let channels = x.shape[1], channelsOfGroup = channels / c.groups
  let weight = parameters[0].values, bias = c.bias ? parameters[1].values : nil
  var result: [Double] = []
  for picture in 0..<x.shape[0] {
    for filter in 0..<c.outChannels {
      var sums = [Double](repeating: bias?[filter] ?? 0, count: outHeight * outWidth)
      let firstChannel = filter / (c.outChannels / c.groups) * channelsOfGroup
      for i in 0..<channelsOfGroup {
        let plane = (picture * channels + firstChannel + i) * height
        for r in 0..<c.kernel.height {
          let down = r * c.dilation.height - amounts.top
          let rows = inside(outHeight, step: c.stride.height, shift: down, size: height)
          for s in 0..<c.kernel.width {
            let right = s * c.dilation.width - amounts.left
            let columns = inside(outWidth, step: c.stride.width, shift: right, size: width)
            let position =
              ((filter * channelsOfGroup + i) * c.kernel.height + r) * c.kernel.width + s
            let factor = weight[position]
            for row in rows {
              let from = (plane + row * c.stride.height + down) * width + right
              for column in columns {
                sums[row * outWidth + column] +=
                  factor * x.values[from + column * c.stride.width]
              }
            }
          }
        }
      }
      result.append(contentsOf: sums)
    }
  }
  return NaiveArray([x.shape[0], c.outChannels, outHeight, outWidth], result)
}
