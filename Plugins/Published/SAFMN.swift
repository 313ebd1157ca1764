internal import AviaryGraph

/// Blocks that modulate their features by maxima over windows of several sizes.
///
/// Sun et al.: Spatially-Adaptive Feature Modulation for Efficient Image Super-Resolution. Reference:
/// sunny2109's SAFMN (Apache-2.0).
enum SAFMN: Architecture {
  struct Configuration: ArchitectureConfiguration {
    var channels = 3
    var scale = 4
    var features = 36
    var blocks = 8
    /// Channels within the mixer of each block.
    var hidden = 72
    /// Whether windows are of one size, so that an image must be padded to a multiple of 8. On
    /// multiples that is the same; on others the reference's windows depend on the size, which neither
    /// ONNX nor ncnn can say, and which tiles cannot follow.
    var evenWindows = false

    var problem: String? {
      if features < 4 || features % 4 != 0 {
        return "features: expected a multiple of 4, found \(features)"
      }
      if !(1...8).contains(scale) { return "scale: expected 1 to 8, found \(scale)" }
      return (1...64).contains(blocks) ? nil : "blocks: expected 1 to 64, found \(blocks)"
    }
  }

  static let info = ArchitectureInfo(
    "safmn", summary: "Features modulated by maxima over windows of several sizes",
    paper: "https://arxiv.org/abs/2302.13800", matchesStructure: false)

  static let presets: KeyValuePairs = [
    "x4": Configuration(),
    "x2": Configuration(scale: 2),
    "x3": Configuration(scale: 3),
    "large-x4": Configuration(features: 128, blocks: 16, hidden: 256),
    "large-x2": Configuration(scale: 2, features: 128, blocks: 16, hidden: 256),
  ]

  static func build(_ c: Configuration, _ input: Value) -> [Value] {
    let first = input.convolution("to_feat", c.features, kernel: 3)
    var x = first
    for block in 0..<c.blocks {
      let name = "feats.\(block)"
      x = x + x.channelsNormalized("\(name).norm1").modulated("\(name).safm", even: c.evenWindows)
      x =
        x
        + x.channelsNormalized("\(name).norm2")
        .convolution("\(name).ccm.ccm.0", c.hidden, kernel: 3).gelu()
        .convolution("\(name).ccm.ccm.2", c.features, kernel: 1)
    }
    return [
      (x + first).convolution("to_img.0", c.channels * c.scale * c.scale, kernel: 3)
        .pixelShuffle(c.scale)
    ]
  }

  static func configurations(of weights: WeightIndex) -> [Proposal<Configuration>] {
    guard let first = weights.convolution("to_feat"),
      let mixer = weights.convolution("feats.0.ccm.ccm.0"),
      let scale = weights.scale(weights.convolution("to_img.0"), first[1])
    else { return [] }
    return [
      Proposal(
        Configuration(
          channels: first[1], scale: scale, features: first[0], blocks: weights.count(of: "feats"),
          hidden: mixer[0]))
    ]
  }

  static func picture(_ c: Configuration) -> ImageSpec { .usual(c.channels) }
}

extension Value {
  /// What a layer makes of the maxima of windows, enlarged to the size of this value again: windows of
  /// `side` pixels, or as many as the size divided by that gives, rounded down.
  func seenSmall(
    _ side: Int, even: Bool, _ kernel: Resize.Kernel, _ layer: (Value) -> Value
  ) -> Value {
    if even { return layer(maxPool(Size(side))).resize(kernel, by: side) }
    let small = layer(adaptivePool(.maximum, to: .factor(Ratio(1, side))))
    // PyTorch's 'nearest' takes the pixel at an asymmetric coordinate.
    let resize = Resize(
      kernel, to: .sizeOfSecondInput, coordinates: kernel == .nearest ? .asymmetric : .halfPixel)
    return small.applying(.resize(resize), self)
  }

  /// Four parts of the channels, each seen at half the size of the one before; joined, they weigh the
  /// value.
  fileprivate func modulated(_ name: String, even: Bool) -> Value {
    let part = channels / 4
    let levels = (0..<4).map { level in
      let own = channels(level * part, part)
      guard level > 0 else { return own.depthwise("\(name).mfr.0", kernel: 3) }
      return own.seenSmall(1 << level, even: even, .nearest) {
        $0.depthwise("\(name).mfr.\(level)", kernel: 3)
      }
    }
    return Value.concatenate(levels).convolution("\(name).aggr", channels, kernel: 1).gelu() * self
  }
}

@section("aviary_architectures") @used
private let record: Registration = { unsafe register(SAFMN.self, $0) }
