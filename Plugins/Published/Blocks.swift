internal import AviaryGraph

/// What published networks have in common.

/// The mean colour of DIV2K, that many networks subtract first and add last.
enum MeanColour {
  /// Of the values from 0 to 1, in the order RGB.
  static let rgb = [0.4488, 0.4371, 0.4040]

  /// What white is to a network, by the bias of the convolution that subtracts the mean: 255 or 1.
  static func range(_ weights: WeightIndex, _ name: String = "sub_mean.bias") -> Double? {
    guard let bias = weights.values[name]?.first else { return nil }
    let white = bias.magnitude / rgb[0]
    return [1.0, 255].first { (white / $0 - 1).magnitude < 0.05 }
  }
}

/// How the layers are called: a name for each role.
extension WeightIndex {
  /// The largest number N for which there is a tensor `prefix.N.weight`.
  func last(of prefix: String) -> Int? {
    let stem = prefix.isEmpty ? "" : prefix + "."
    return shapes.keys.lazy.filter { $0.hasPrefix(stem) && $0.hasSuffix(".weight") }.compactMap {
      Int($0.dropFirst(stem.count).dropLast(7))
    }.max()
  }

  /// Whether any tensor's name begins so.
  func has(_ prefix: String) -> Bool { shapes.keys.contains { $0.hasPrefix(prefix) } }
}

extension Int {
  /// The number whose square this is.
  var squareRoot: Int? { (1...64).first { $0 * $0 == self } }

  /// The exponent of 2 that this is.
  var exponentOfTwo: Int? { (0...16).first { 1 << $0 == self } }
}

extension Value {
  /// The channels from `start` on.
  func channels(_ start: Int, _ count: Int) -> Value {
    applying(.slice(ChannelSlice(start: start, count: count)))
  }

  /// Every element plus a constant, or one for each channel.
  func plus(_ values: Double...) -> Value { applying(.offset(Offset(values))) }

  /// Every channel plus its constant.
  func plus(_ values: [Double]) -> Value { applying(.offset(Offset(values))) }

  func sigmoid() -> Value { activation(.sigmoid) }

  /// Without pixels at the edges.
  func cropped(_ pixels: Int) -> Value {
    applying(.crop(Crop(PaddingAmounts(pixels))))
  }

  /// The mean of each channel over the whole image.
  func globalMean() -> Value { applying(.globalAveragePool) }

  /// Two convolutions with a ReLU between them, added to the value.
  func residual(_ first: String, _ second: String, scale: Double = 1, bias: Bool = true) -> Value {
    let branch = convolution(first, channels, kernel: 3, bias: bias).relu()
      .convolution(second, channels, kernel: 3, bias: bias)
    return self + (scale == 1 ? branch : branch * scale)
  }

  /// Enlarged by convolutions that are each followed by a pixel shuffle: by 2 as often as it takes, or
  /// by 3 once.
  ///
  /// - Parameters:
  ///   - name: of the convolution of each step, from 0.
  ///   - after: what follows each shuffle.
  func shuffled(
    by scale: Int, bias: Bool = true, name: (Int) -> String,
    after: (Value, Int) -> Value = { x, _ in x }
  ) -> Value {
    let factors = scale == 3 ? [3] : Array(repeating: 2, count: scale.exponentOfTwo ?? 0)
    var x = self
    for (step, factor) in factors.enumerated() {
      let shuffled = x.convolution(name(step), channels * factor * factor, kernel: 3, bias: bias)
        .pixelShuffle(factor)
      x = after(shuffled, step)
    }
    return x
  }

  /// Channel attention: every channel times what two 1x1 convolutions make of the means of all (Zhang et
  /// al., RCAN).
  func channelAttention(_ squeeze: String, _ excite: String, _ squeezed: Int) -> Value {
    self
      * globalMean().convolution(squeeze, squeezed, kernel: 1).relu()
      .convolution(excite, channels, kernel: 1).sigmoid()
  }

  /// Enhanced spatial attention (Liu et al., RFDN): every value times what convolutions make of the
  /// image at a sixth of its size.
  ///
  /// - Parameters:
  ///   - features: channels of the attention.
  ///   - isLong: whether three convolutions follow the pooling (RFDN) or one (RLFN).
  func spatialAttention(_ name: String, _ features: Int, isLong: Bool) -> Value {
    let thin = convolution("\(name).conv1", features, kernel: 1)
    let small = thin.convolution(
      "\(name).conv2", features, kernel: 3, stride: 2, padding: .valid
    ).maxPool(7, stride: 3)
    let deep =
      isLong
      ? small.convolution("\(name).conv_max", features, kernel: 3).relu()
        .convolution("\(name).conv3", features, kernel: 3).relu()
        .convolution("\(name).conv3_", features, kernel: 3)
      : small.convolution("\(name).conv3", features, kernel: 3)
    let large = deep.applying(.resize(Resize(.linear, to: .sizeOfSecondInput)), self)
    let skip = thin.convolution("\(name).conv_f", features, kernel: 1)
    return self * (large + skip).convolution("\(name).conv4", channels, kernel: 1).sigmoid()
  }
}

extension ImageSpec {
  /// Gray or RGB with values from 0 to 1, padded to a multiple as stated.
  static func usual(
    _ channels: Int, padding: Padding = .reflect, range: Double = 1, output: Output = .picture
  ) -> ImageSpec {
    ImageSpec(channels == 1 ? .gray : .rgb, range: 0...range, output: output, padding: padding)
  }
}
