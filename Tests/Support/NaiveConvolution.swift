internal import AviaryGraph

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

/// Every input pixel adds weight[i, o, r, s] times itself to out[o, y · stride + r - top, …].
func naiveTransposedConvolution(
  _ x: NaiveArray, _ parameters: [NaiveArray], _ c: TransposedConvolution
) -> NaiveArray {
  let (channels, height, width) = (x.shape[1], x.shape[2], x.shape[3])
  let outHeight =
    (height - 1) * c.stride.height + c.kernel.height - c.padding.top - c.padding.bottom
  let outWidth = (width - 1) * c.stride.width + c.kernel.width - c.padding.left - c.padding.right
  let channelsOfGroup = channels / c.groups, filtersOfGroup = c.outChannels / c.groups
  let weight = parameters[0].values, bias = c.bias ? parameters[1].values : nil
  var result: [Double] = []
  for picture in 0..<x.shape[0] {
    for filter in 0..<c.outChannels {
      var sums = [Double](repeating: bias?[filter] ?? 0, count: outHeight * outWidth)
      let firstChannel = filter / filtersOfGroup * channelsOfGroup
      for i in firstChannel..<firstChannel + channelsOfGroup {
        for r in 0..<c.kernel.height {
          let down = r - c.padding.top
          let rows = inside(height, step: c.stride.height, shift: down, size: outHeight)
          for s in 0..<c.kernel.width {
            let right = s - c.padding.left
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
private func inside(_ count: Int, step: Int, shift: Int, size: Int) -> Range<Int> {
  let first = shift >= 0 ? 0 : (-shift + step - 1) / step
  let last = size - 1 - shift < 0 ? -1 : (size - 1 - shift) / step
  return min(first, count)..<max(min(last + 1, count), min(first, count))
}
