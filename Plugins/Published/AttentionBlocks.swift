internal import AviaryGraph

/// Attention and convolutions that several light networks have in common.

extension Value {
  func gelu() -> Value { activation(.gelu(approximate: false)) }

  /// Normalised over the channels of each pixel, as ConvNeXt's and NAFNet's `LayerNorm2d`.
  func channelsNormalized(_ name: String) -> Value {
    layerNormalization(name, LayerNormalization(dimensions: 1, first: 1, epsilon: 1e-6))
  }

  /// Times a learned number for each channel.
  func scaledPerChannel(_ name: String) -> Value {
    self * learnedConstant(name, [1, channels, 1, 1])
  }

  /// Times what two 1x1 convolutions make of the contrast of each channel: its mean and its deviation
  /// over the whole image (Hui et al., IMDN).
  func contrastAttention(_ name: String, _ squeezed: Int) -> Value {
    let contrast =
      applying(.reduce(Reduction(.variance, dimensions: [2, 3]))).activation(.sqrt) + globalMean()
    return self
      * contrast.convolution("\(name).conv_du.0", squeezed, kernel: 1).relu()
      .convolution("\(name).conv_du.2", channels, kernel: 1).sigmoid()
  }

  /// Two convolutions with fewer channels between them, and attention to channels after them (Chen et al.,
  /// HAT).
  func attendedConvolutions(_ name: String, _ compressed: Int, _ squeezed: Int) -> Value {
    convolution("\(name).0", compressed, kernel: 3).gelu()
      .convolution("\(name).2", channels, kernel: 3)
      .channelAttention("\(name).3.attention.1", "\(name).3.attention.3", squeezed)
  }

  /// A blueprint separable convolution (Haase and Amthor, "Rethinking Depthwise Separable
  /// Convolutions", 2020): a pointwise one, and then a depthwise one.
  func blueprint(
    _ name: String, _ outChannels: Int, stride: Size = 1, padding: Padding? = nil
  ) -> Value {
    convolution("\(name).pw", outChannels, kernel: 1, bias: false)
      .convolution(
        "\(name).dw", outChannels, kernel: 3, stride: stride, groups: outChannels, padding: padding)
  }

  /// A depthwise convolution.
  func depthwise(
    _ name: String, kernel: Size, dilation: Size = 1, bias: Bool = true
  ) -> Value {
    convolution(
      name, channels, kernel: kernel, dilation: dilation, groups: channels, bias: bias)
  }

  /// A convolution beyond whose edges stands the image mirrored.
  func reflected(
    _ name: String, _ outChannels: Int, kernel: Int, stride: Size = 1, dilation: Int = 1,
    groups: Int = 1
  ) -> Value {
    applying(.pad(Pad(PaddingAmounts(kernel / 2 * dilation), .reflect)))
      .convolution(
        name, outChannels, kernel: Size(kernel), stride: stride, dilation: Size(dilation),
        groups: groups, padding: .valid)
  }

  /// The product of the first and the second half of the channels (Chen et al., NAFNet).
  func gatedByHalves() -> Value {
    let half = channels / 2
    return self.channels(0, half) * self.channels(half, half)
  }
}
