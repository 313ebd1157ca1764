internal import AviaryGraph

/// Attention of channels to channels, and the gated layer that stands beside it in many networks.

extension Value {
  /// Attention of channels to channels over all pixels (El-Nouby et al., "XCiT", 2021; Zamir et al.,
  /// "Restormer", 2022), of an image of queries, to an image.
  ///
  /// - Parameter temperature: of the products of normalised queries and keys, one for each head.
  func channelsAttention(
    heads: Int, keys: Value, values: Value, temperature: Value
  ) -> Value {
    let size = channels / max(heads, 1)
    func rows(_ image: Value) -> Value {
      image.applying(.reshape(Reshape([0, heads, size, -1])))
        .applying(.layerNormalization(LayerNormalization(.l2)))
    }
    let scores = rows(self).applying(
      .matmul, rows(keys).applying(.permute(Permute([0, 1, 3, 2]))))
    let weights = (scores * temperature).applying(.softmax(Softmax(dimension: 3)))
    // Products of matrices again, that leave the pixels where they are.
    return values.applying(
      .dynamicConvolution(DynamicConvolution(groups: heads)),
      weights.applying(.reshape(Reshape([0, values.channels, size, 1, 1]))))
  }

  /// Restormer's layer of attention of channels to channels, of an image.
  func transposedAttention(_ name: String, heads: Int, bias: Bool) -> Value {
    let all = convolution("\(name).qkv", 3 * channels, kernel: 1, bias: bias)
      .depthwise("\(name).qkv_dwconv", kernel: 3, bias: bias)
    return all.channels(0, channels).channelsAttention(
      heads: heads, keys: all.channels(channels, channels),
      values: all.channels(2 * channels, channels),
      temperature: learnedConstant("\(name).temperature", [heads, 1, 1], start: 1)
    ).convolution("\(name).project_out", channels, kernel: 1, bias: bias)
  }

  /// Restormer's U-Net of four levels, of which the first two have as many channels on the way up.
  ///
  /// - Parameters:
  ///   - features: channels of the first level.
  ///   - blocks: how many each level has, and `refinement` at the end.
  ///   - block: what one of them makes of its input, with this name and on this level.
  func transformerUNet(
    features: Int, blocks: [Int], refinement: Int, bias: Bool,
    block: (_ x: Value, _ name: String, _ level: Int) -> Value
  ) -> Value {
    func stage(_ x: Value, _ name: String, _ level: Int, count: Int? = nil) -> Value {
      (0..<(count ?? blocks[level])).reduce(x) { block($0, "\(name).\($1)", level) }
    }
    func smaller(_ x: Value, _ name: String) -> Value {
      x.convolution("\(name).body.0", x.channels / 2, kernel: 3, bias: false)
        .applying(.pixelUnshuffle(PixelUnshuffle(factor: 2)))
    }
    func larger(_ x: Value, _ name: String, _ skip: Value) -> Value {
      let large = x.convolution("\(name).body.0", 2 * x.channels, kernel: 3, bias: false)
        .pixelShuffle(2)
      return Value.concatenate([large, skip])
    }
    let first = convolution("patch_embed.proj", features, kernel: 3, bias: false)
    let one = stage(first, "encoder_level1", 0)
    let two = stage(smaller(one, "down1_2"), "encoder_level2", 1)
    let three = stage(smaller(two, "down2_3"), "encoder_level3", 2)
    var x = stage(smaller(three, "down3_4"), "latent", 3)
    x = larger(x, "up4_3", three)
      .convolution("reduce_chan_level3", 4 * features, kernel: 1, bias: bias)
    x = stage(x, "decoder_level3", 2)
    x = larger(x, "up3_2", two)
      .convolution("reduce_chan_level2", 2 * features, kernel: 1, bias: bias)
    x = stage(x, "decoder_level2", 1)
    x = stage(larger(x, "up2_1", one), "decoder_level1", 0)
    x = stage(x, "refinement", 0, count: refinement)
    return x.convolution("output", channels, kernel: 3, bias: bias) + self
  }

  /// Attention of channels to channels over the pixels of each window, of an image of queries, to an image.
  func channelsAttention(
    heads: Int, window: Int, keys: Value, values: Value, temperature: Value
  ) -> Value {
    let (area, size) = (window * window, channels / max(heads, 1))
    /// Images, rows and columns of windows, heads, channels of a head, pixels.
    func rows(_ image: Value) -> Value {
      image.windows(WindowPartition(Size(window)))
        .applying(.reshape(Reshape([0, 0, 0, area, heads, size])))
        .applying(.permute(Permute([0, 1, 2, 4, 5, 3])))
    }
    func normalised(_ image: Value) -> Value {
      rows(image).applying(.layerNormalization(LayerNormalization(.l2)))
    }
    let scores = normalised(self).applying(
      .matmul, normalised(keys).applying(.permute(Permute([0, 1, 2, 3, 5, 4]))))
    return (scores * temperature).applying(.softmax(Softmax(dimension: 5)))
      .applying(.matmul, rows(values))
      .applying(.permute(Permute([0, 1, 2, 5, 3, 4])))
      .applying(.reshape(Reshape([0, 0, 0, area, channels])))
      .image(WindowReverse(Size(window)))
  }

  /// Restormer's layer of two halves, one of which GELU makes the other's factors, of an image.
  ///
  /// - Parameter patch: side of the patches whose edges the convolution does not see beyond; nil for the
  ///   whole image.
  func gatedFeedForward(
    _ name: String, hidden: Int, bias: Bool = false, patch: Int? = nil
  ) -> Value {
    let first = convolution("\(name).project_in", 2 * hidden, kernel: 1, bias: bias)
    func mixed(_ image: Value) -> Value {
      image.depthwise("\(name).dwconv", kernel: 3, bias: bias)
    }
    let wide = patch.map { first.inPatches($0, mixed) } ?? mixed(first)
    return (wide.channels(0, hidden).gelu() * wide.channels(hidden, hidden))
      .convolution("\(name).project_out", channels, kernel: 1, bias: bias)
  }
}

extension WeightIndex {
  /// The levels of `Value.transformerUNet` on its way down.
  static let transformerLevels = ["encoder_level1", "encoder_level2", "encoder_level3", "latent"]

  /// The first factor of hundredths that gives so many channels of levels of this many, each twice as many.
  func expansion(of features: Int, to hidden: [Int]) -> Double? {
    (100...1600).map { Double($0) / 100 }.first { factor in
      hidden.indices.allSatisfy { Int(Double(features << $0) * factor) == hidden[$0] }
    }
  }
}

extension Value {
  /// What a function that sees one pixel further makes of each patch of the image, with zeros around it.
  private func inPatches(_ patch: Int, _ function: (Value) -> Value) -> Value {
    // A border of one around each patch; what the function makes of the borders is cut off again.
    func split(_ image: Value, _ side: Int) -> Value {
      image.applying(
        .reshape(
          Reshape(dimensions: [
            .kept, .kept, .input(2, times: Ratio(1, side)), .size(side),
            .input(3, times: Ratio(1, side)), .size(side),
          ])))
    }
    func joined(_ patches: Value, _ side: Int) -> Value {
      patches.applying(
        .reshape(
          Reshape(dimensions: [
            .kept, .kept, .input(2, times: Ratio(side)), .input(4, times: Ratio(side)),
          ])))
    }
    func padded(_ patches: Value, _ dimension: Int) -> Value {
      patches.applying(.padDimension(PadDimension(dimension: dimension, before: 1, after: 1)))
    }
    func cut(_ patches: Value, _ dimension: Int) -> Value {
      patches.applying(
        .stridedSlice(StridedSlice(dimension: dimension, start: 1, end: patch + 1)))
    }
    let large = joined(padded(padded(split(self, patch), 3), 5), patch + 2)
    return joined(cut(cut(split(function(large), patch + 2), 3), 5), patch)
  }
}
