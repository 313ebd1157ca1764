internal import AviaryGraph

extension OperationRow {
  package static let pixelShuffle: [OperationRow] = [
    .init(
      .pixelShuffle(PixelShuffle(factor: 3, order: .pytorch)), #"{"factor":3}"#, [1, 18, 4, 5],
      gives: [1, 2, 12, 15]),
    .init(
      .pixelShuffle(PixelShuffle(factor: 2, order: .tensorflow)),
      #"{"factor":2,"order":"tensorflow"}"#,
      [1, 8, 4, 5], gives: [1, 2, 8, 10]),
    .init(
      .pixelUnshuffle(PixelUnshuffle(factor: 2, order: .pytorch)), #"{"factor":2}"#, [1, 3, 4, 6],
      gives: [1, 12, 2, 3]),
    .init(
      .pixelUnshuffle(PixelUnshuffle(factor: 3, order: .tensorflow)),
      #"{"factor":3,"order":"tensorflow"}"#,
      [1, 1, 6, 9], gives: [1, 9, 2, 3]),
  ]
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
  /// The channel of the small image that holds a pixel of channel `c` of the large one.
  fileprivate func channel(_ c: Int, of channels: Int, row: Int, column: Int, _ r: Int) -> Int {
    switch self {
    case .pytorch: c * r * r + row * r + column
    case .tensorflow: (row * r + column) * channels + c
    }
  }
}
