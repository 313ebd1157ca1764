internal import AviaryGraph

/// Inputs side by side in the channel dimension.
func naiveConcatenation(_ inputs: [NaiveArray]) -> NaiveArray {
  var shape = inputs[0].shape
  shape[1] = inputs.reduce(0) { $0 + $1.shape[1] }
  var values: [Double] = []
  for picture in 0..<shape[0] {
    for input in inputs {
      let size = input.count(from: 1)
      values += input.values[picture * size..<(picture + 1) * size]
    }
  }
  return NaiveArray(shape, values)
}

/// Channels to space: pixel (y · r + i, x · r + j) of channel c comes from the channel that `order`
/// says.
func naivePixelShuffle(_ x: NaiveArray, _ r: Int, _ order: ChannelOrder) -> NaiveArray {
  let channels = x.shape[1] / (r * r)
  return x.gathering([x.shape[0], channels, x.shape[2] * r, x.shape[3] * r]) { index in
    index[1] = order.channel(index[1], of: channels, row: index[2] % r, column: index[3] % r, r)
    index[2] /= r
    index[3] /= r
  }
}

/// Space to channels: the inverse of `naivePixelShuffle`.
func naivePixelUnshuffle(_ x: NaiveArray, _ r: Int, _ order: ChannelOrder) -> NaiveArray {
  let channels = x.shape[1]
  return x.gathering([x.shape[0], channels * r * r, x.shape[2] / r, x.shape[3] / r]) { index in
    let (channel, row, column) =
      switch order {
      case .pytorch: (index[1] / (r * r), index[1] / r % r, index[1] % r)
      case .tensorflow: (index[1] % channels, index[1] / channels / r, index[1] / channels % r)
      }
    index[1] = channel
    index[2] = index[2] * r + row
    index[3] = index[3] * r + column
  }
}

extension ChannelOrder {
  /// The channel of the small picture that holds a pixel of channel `c` of the large one.
  fileprivate func channel(_ c: Int, of channels: Int, row: Int, column: Int, _ r: Int) -> Int {
    switch self {
    case .pytorch: c * r * r + row * r + column
    case .tensorflow: (row * r + column) * channels + c
    }
  }
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
