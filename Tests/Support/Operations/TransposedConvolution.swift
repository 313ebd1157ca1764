internal import AviaryGraph

extension OperationRow {
  package static let transposedConvolution: [OperationRow] = [
    .init(
      .transposedConvolution(TransposedConvolution(outChannels: 3, kernel: 4)),
      #"{"kernel":4,"outChannels":3}"#, [1, 8, 5, 6], gives: [1, 3, 8, 9]),
    // PyTorch: (size - 1) · stride - 2 · padding + kernel + output padding; 3, 2, 1, 1 doubles.
    .init(
      .transposedConvolution(
        TransposedConvolution(
          outChannels: 3, kernel: 3, stride: 2, padding: .pytorch(padding: 1, outputPadding: 1))),
      #"{"kernel":3,"outChannels":3,"padding":[1,1,0,0],"stride":2}"#, [1, 8, 5, 6],
      gives: [1, 3, 10, 12]
    ),
    .init(
      .transposedConvolution(
        TransposedConvolution(
          outChannels: 4, kernel: Size(9, 5), stride: Size(3, 2), groups: 2,
          padding: PaddingAmounts(4, 2, 2, 1),
          bias: false)),
      #"{"bias":false,"groups":2,"kernel":[9,5],"outChannels":4,"padding":[4,2,2,"#
        + #"1],"stride":[3,2]}"#,
      [1, 2, 5, 6], gives: [1, 4, 15, 12]),
    .init(
      .transposedConvolution(
        TransposedConvolution(
          outChannels: 3, kernel: 2, stride: 4, padding: .keras(kernel: 2, stride: 4))),
      #"{"kernel":2,"outChannels":3,"padding":[0,0,-2,-2],"stride":4}"#, [1, 8, 5, 6],
      gives: [1, 3, 20, 24]),
    // Stride and dilation with a common factor: no tap meets every second row.
    .init(
      .transposedConvolution(
        TransposedConvolution(
          outChannels: 4, kernel: Size(3, 2), stride: Size(2, 3), dilation: Size(2, 4), groups: 2,
          padding: PaddingAmounts(1, 2, 1, 0))),
      #"{"dilation":[2,4],"groups":2,"kernel":[3,2],"outChannels":4,"padding":[1,2,1,0],"#
        + #""stride":[2,3]}"#, [2, 6, 5, 6], gives: [2, 4, 11, 18]),
    .init(
      .transposedConvolution(
        TransposedConvolution(
          outChannels: 3, kernel: 3, dilation: 2, padding: .pytorch(padding: 2))),
      #"{"dilation":2,"kernel":3,"outChannels":3,"padding":2}"#, [1, 8, 5, 6],
      gives: [1, 3, 5, 6]),
  ]
}

/// Every input pixel adds weight[i, o, r, s] times itself to
/// out[o, y · stride + r · dilation - top, …].
func naiveTransposedConvolution(
  _ x: NaiveArray, _ parameters: [NaiveArray], _ c: TransposedConvolution
) -> NaiveArray {
  let (channels, height, width) = (x.shape[1], x.shape[2], x.shape[3])
  let outHeight =
    (height - 1) * c.stride.height + (c.kernel.height - 1) * c.dilation.height + 1
    - c.padding.top - c.padding.bottom
  let outWidth =
    (width - 1) * c.stride.width + (c.kernel.width - 1) * c.dilation.width + 1
    - c.padding.left - c.padding.right
  let channelsOfGroup = channels / c.groups, filtersOfGroup = c.outChannels / c.groups
  let weight = parameters[0].values, bias = c.bias ? parameters[1].values : nil
  var result: [Double] = []
  for picture in 0..<x.shape[0] {
    for filter in 0..<c.outChannels {
      var sums = [Double](repeating: bias?[filter] ?? 0, count: outHeight * outWidth)
      let firstChannel = filter / filtersOfGroup * channelsOfGroup
      for i in firstChannel..<firstChannel + channelsOfGroup {
        for r in 0..<c.kernel.height {
          let down = r * c.dilation.height - c.padding.top
          let rows = inside(height, step: c.stride.height, shift: down, size: outHeight)
          for s in 0..<c.kernel.width {
            let right = s * c.dilation.width - c.padding.left
            let columns = inside(width, step: c.stride.width, shift: right, size: outWidth)
            let position =
              ((i * filtersOfGroup + filter % filtersOfGroup) * c.kernel.height + r)
              * c.kernel.width + s
            let factor = weight[position]
            for row in rows {
              let from = ((picture * channels + i) * height + row) * width
              let to = (row * c.stride.height + down) * outWidth + right
              for column in columns {
                sums[to + column * c.stride.width] += factor * x.values[from + column]
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

/// The numbers n below `count` for which n · step + shift lies in 0..<size: the only ones for which
/// the loops have anything to do.
func inside(_ count: Int, step: Int, shift: Int, size: Int) -> Range<Int> {
  let first = shift >= 0 ? 0 : (-shift + step - 1) / step
  let last = size - 1 - shift < 0 ? -1 : (size - 1 - shift) / step
  return min(first, count)..<max(min(last + 1, count), min(first, count))
}
