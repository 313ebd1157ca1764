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
