internal import AviaryGraph

/// What published networks have in common.

/// The mean colour of DIV2K, that many networks subtract first and add last.
enum MeanColour {
  /// Of the values from 0 to 1, in the order RGB.
  static let rgb = [0.4488, 0.4371, 0.4040]

  /// The mean where white is so much, times -1 to subtract it.
  static func rgb(_ sign: Double, white: Double) -> [Double] { rgb.map { sign * $0 * white } }

  /// What white is to a network, by the bias of the convolution that subtracts the mean: 255 or 1.
  static func range(_ weights: WeightIndex, _ name: String = "sub_mean.bias") -> Double? {
    guard let bias = weights.values[name]?.first else { return nil }
    let white = bias.magnitude / rgb[0]
    return [1.0, 255].first { (white / $0 - 1).magnitude < 0.05 }
  }
}

extension Value {
  /// Every channel plus its constant, by a 1x1 convolution that files hold and training leaves as it is.
  func meanShift(_ name: String, by offsets: [Double]) -> Value {
    let identity = (0..<channels * channels).map { $0 % (channels + 1) == 0 ? 1.0 : 0 }
    return convolution(name, channels, kernel: 1)
      .frozen(at: ["weight": identity, "bias": offsets])
  }
}

/// How the layers are called: a name for each role.
extension WeightIndex {
  /// By what a network enlarges whose last convolution has so many channels for each of the image's.
  func scale(_ last: [Int]?, _ channels: Int) -> Int? {
    guard let last, channels > 0, last[0] % channels == 0 else { return nil }
    return (last[0] / channels).squareRoot
  }

  /// The scale of `Value.dySample`.
  func dySampleScale(_ name: String, groups: Int = 4) -> Int? {
    guard let offset = convolution("\(name).offset"), offset[0] % (2 * groups) == 0 else {
      return nil
    }
    return (offset[0] / (2 * groups)).squareRoot
  }

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

  /// The mean of each channel in squares that do not overlap.
  func averagePool(_ side: Int) -> Value {
    applying(.averagePool(AveragePool(Pool(kernel: Size(side)), countsPadding: true)))
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
  ///   - isSeparable: whether its convolutions are blueprint separable ones, with GELU (BSRN).
  func spatialAttention(
    _ name: String, _ features: Int, isLong: Bool, isSeparable: Bool = false
  ) -> Value {
    func convolved(
      _ x: Value, _ word: String, stride: Size = 1, padding: Padding? = nil
    ) -> Value {
      isSeparable
        ? x.blueprint("\(name).\(word)", features, stride: stride, padding: padding)
        : x.convolution("\(name).\(word)", features, kernel: 3, stride: stride, padding: padding)
    }
    func activated(_ x: Value) -> Value { isSeparable ? x.gelu() : x.relu() }
    let thin = convolution("\(name).conv1", features, kernel: 1)
    let small = convolved(thin, "conv2", stride: 2, padding: .valid).maxPool(7, stride: 3)
    let deep =
      isLong
      ? convolved(
        activated(convolved(activated(convolved(small, "conv_max")), "conv3")), "conv3_")
      : convolved(small, "conv3")
    let large = deep.applying(.resize(Resize(.linear, to: .sizeOfSecondInput)), self)
    let skip = thin.convolution("\(name).conv_f", features, kernel: 1)
    return self * (large + skip).convolution("\(name).conv4", channels, kernel: 1).sigmoid()
  }
}

extension Value {
  /// A block of SPAN (Wan et al.): three convolutions, and what came in and what came out times how far
  /// from zero the latter is.
  ///
  /// - Returns: the block's value, and the first convolution's after its activation.
  func parameterFree(_ name: String, _ function: Activation) -> (Value, inner: Value) {
    let one = convolution("\(name).c1_r", channels, kernel: 3).activation(function)
    let two = one.convolution("\(name).c2_r", channels, kernel: 3).activation(function)
    let three = two.convolution("\(name).c3_r", channels, kernel: 3)
    return ((three + self) * three.sigmoid().plus(-0.5), one)
  }

  /// Enlarged by sampling at places that the value itself tells (Liu et al., "Learning to Upsample by
  /// Learning to Sample", 2023). A file holds the places that these are relative to as `init_pos`, which
  /// follow from the scale.
  ///
  /// - Parameters:
  ///   - groups: of channels, each with places of its own.
  ///   - outputs: channels of a last convolution; nil for none.
  func dySample(_ name: String, by scale: Int, groups: Int = 4, outputs: Int?) -> Value {
    let count = 2 * groups * scale * scale
    let places =
      (convolution("\(name).offset", count, kernel: 1)
      * convolution("\(name).scope", count, kernel: 1, bias: false).sigmoid() * 0.5)
      .pixelShuffle(scale)
    let size = channels / max(groups, 1)
    let sampled = (0..<groups).map { group in
      // All distances to the right come before those down.
      let grid = Value.concatenate([places.channels(group, 1), places.channels(groups + group, 1)])
      return channels(group * size, size).gridSample(
        grid.applying(.permute(Permute([0, 2, 3, 1]))),
        GridSample(paddingMode: .border, coordinates: .offsets))
    }
    let image = Value.concatenate(sampled)
    return outputs.map { image.convolution("\(name).end_conv", $0, kernel: 1) } ?? image
  }

  /// Divided by the root of the mean square of each pixel's channels, with a learned scale and offset
  /// of these dimensions, as MoSRv2 and RTMoSR have it.
  func rootNormalized(_ name: String, _ shape: [Int]) -> Value {
    func constant(_ word: String, start: Double) -> Value {
      let value = learnedConstant("\(name).\(word)", shape, start: start)
      return shape.count == 3 ? value : value.applying(.reshape(Reshape([0, 1, 1])))
    }
    let normal = applying(
      .layerNormalization(
        LayerNormalization(
          .rms, dimensions: 1, first: 1, epsilon: 1e-6, scale: false, center: false,
          addsEpsilonToRoot: true)))
    return normal * constant("scale", start: 1) + constant("offset", start: 0)
  }

  /// Three convolutions with mish between them, the first twice as wide: what MoSR's blocks end in.
  func narrowed(_ name: String, from number: Int) -> Value {
    convolution("\(name).\(number)", 2 * channels, kernel: 3).activation(.mish)
      .convolution("\(name).\(number + 2)", channels, kernel: 3).activation(.mish)
      .convolution("\(name).\(number + 4)", channels, kernel: 1)
  }

  /// A part of the channels as it is, and an eighth each through depthwise convolutions that are
  /// square, wide and high (Yu et al., "InceptionNeXt", 2023).
  func inception(_ name: String) -> Value {
    let part = channels / 8
    let kernels: [(String, Size)] = [
      ("dwconv_hw", 3), ("dwconv_w", Size(1, 11)), ("dwconv_h", Size(11, 1)),
    ]
    let rest = channels - 3 * part
    return Value.concatenate(
      [channels(0, rest)]
        + kernels.enumerated().map { position, kernel in
          channels(rest + position * part, part)
            .convolution("\(name).\(kernel.0)", part, kernel: kernel.1, groups: part)
        })
  }

  /// What a block of MoSR adds: MambaOut's gated unit (Yu and Wang, "MambaOut: Do We Really Need Mamba
  /// for Vision?", 2024), of a value that is normalised.
  ///
  /// - Parameters:
  ///   - hidden: channels of the gate.
  ///   - mixed: how many of those that it is multiplied with are mixed first.
  ///   - kernel: of the last convolution.
  func gated(
    _ name: String, hidden: Int, mixed: Int, kernel: Size = 3, mixing: (Value) -> Value
  ) -> Value {
    let wide = convolution("\(name).fc1", 2 * hidden, kernel: 3)
    let rest = mixing(wide.channels(2 * hidden - mixed, mixed))
    let values =
      mixed == hidden
      ? rest : Value.concatenate([wide.channels(hidden, hidden - mixed), rest])
    return (wide.channels(0, hidden).activation(.mish) * values)
      .convolution("\(name).fc2", channels, kernel: kernel).activation(.mish)
  }
}

extension UnusedTensors {
  /// The places that `Value.dySample`'s distances are from.
  static func initialPositions(
    _ name: String, by scale: Int, groups: Int = 4
  ) -> UnusedTensors {
    let places = (0..<scale).map { (Double($0) - Double(scale - 1) / 2) / Double(scale) }
    // For each group the places from left to right, then those from top to bottom.
    let right = places.indices.flatMap { _ in places }
    let down = places.flatMap { place in places.map { _ in place } }
    let values = [right, down].flatMap { values in (0..<groups).flatMap { _ in values } }
    return UnusedTensors(
      "\(name).init_pos", "they follow from the scale",
      buffer: UnusedTensors.Buffer([1, values.count, 1, 1], values))
  }

  /// A tensor whose being there says something; its value says nothing.
  static func flag(_ name: String, if isSet: Bool, _ reason: String) -> UnusedTensors {
    UnusedTensors(name, reason, buffer: isSet ? UnusedTensors.Buffer([1], [0]) : nil)
  }
}

extension ImageSpec {
  /// Gray, RGB or RGBA with values from 0 to 1, padded to a multiple as stated.
  static func usual(
    _ channels: Int, padding: Padding = .reflect, range: Double = 1, output: Output = .picture
  ) -> ImageSpec {
    ImageSpec(
      channels == 1 ? .gray : channels == 4 ? .rgba : .rgb, range: 0...range, output: output,
      padding: padding)
  }
}
