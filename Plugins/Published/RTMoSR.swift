internal import AviaryGraph

/// MoSR for speed: the depthwise convolution of each block sees the image at half its size.
///
/// References: umzi2's RTMoSR (MIT), traiNNer-redux (Apache-2.0), by way of resselt (MIT). Its
/// convolutions are trained as weighted sums of several, which are folded into one on import.
enum RTMoSR: Architecture {
  struct Configuration: ArchitectureConfiguration {
    var channels = 3
    var scale = 2
    /// By how much the image is made smaller first, its pixels becoming channels: 2 or 4 where it
    /// enlarges by 2 or 1.
    var unshuffle = 1
    var features = 32
    var blocks = 2
    /// Channels of the gate of each block.
    var hidden = 64
    /// Side of the kernel that ends a block: 3 or 1.
    var kernel = 3
    /// Whether channels are weighed by their means.
    var attends = true

    var problem: String? {
      if ![1, 2, 4].contains(unshuffle) || !(1...16).contains(scale) {
        return
          "scale and unshuffle: expected 1 to 16, and 1, 2 or 4, found \(scale) and \(unshuffle)"
      }
      if kernel != 1, kernel != 3 { return "kernel: expected 1 or 3, found \(kernel)" }
      if hidden < features { return "hidden: expected \(features) or more, found \(hidden)" }
      return (1...128).contains(blocks) ? nil : "blocks: expected 1 to 128, found \(blocks)"
    }
  }

  static let info = ArchitectureInfo(
    "rtmosr", summary: "Gated convolutions at half the size, for speed",
    paper: "https://github.com/rewaifu/RTMoSR", matchesStructure: false)

  static let presets: KeyValuePairs = [
    "x2": Configuration(),
    "x4": Configuration(scale: 4),
    "large-x2": Configuration(unshuffle: 2),
    "large-x1": Configuration(scale: 1, unshuffle: 4),
    "small-x2": Configuration(hidden: 48, kernel: 1, attends: false),
    "ultra-light-x2": Configuration(unshuffle: 2, hidden: 48, kernel: 1, attends: false),
  ]

  static func build(_ c: Configuration, _ input: Value) -> [Value] {
    let image =
      c.unshuffle == 1
      ? input : input.applying(.pixelUnshuffle(PixelUnshuffle(factor: c.unshuffle)))
    var x = image.convolution(c.unshuffle == 1 ? "to_feat" : "to_feat.1", c.features, kernel: 3)
    for block in 0..<c.blocks {
      let name = "body.\(block)"
      let normal = x.rootNormalized("\(name).norm", [c.features])
      x =
        x
        + normal.gated(
          name, hidden: c.hidden, mixed: c.features, kernel: Size(c.kernel)
        ) { $0.shifted("\(name).conv", attends: c.attends) }
    }
    let factor = c.scale * c.unshuffle
    let large = x.convolution("to_img.0", c.channels * factor * factor, kernel: 3)
      .pixelShuffle(factor)
    return [large + (c.scale == 1 ? input : input.resize(.nearest, by: c.scale))]
  }

  static func configurations(of weights: WeightIndex) -> [Proposal<Configuration>] {
    guard let first = weights.convolution("to_feat") ?? weights.convolution("to_feat.1"),
      let wide = weights.convolution("body.0.fc1"), let narrow = weights.convolution("body.0.fc2"),
      weights["body.0.norm.offset"] != nil, let last = weights.convolution("to_img.0")
    else { return [] }
    var c = Configuration(features: first[0], blocks: weights.count(of: "body"))
    (c.hidden, c.kernel) = (wide[0] / 2, narrow[2])
    c.attends = weights.has("body.0.conv.2.squeezing.0.")
    let isUnshuffled = weights.convolution("to_feat") == nil
    // It has the channels that let both ends come out even: colours, or gray.
    for channels in [3, 1, 4] {
      for unshuffle in isUnshuffled ? [2, 4] : [1]
      where unshuffle * unshuffle * channels == first[1] {
        guard let factor = weights.scale(last, channels), factor % unshuffle == 0 else { continue }
        (c.channels, c.unshuffle, c.scale) = (channels, unshuffle, factor / unshuffle)
        return [Proposal(c)]
      }
    }
    return []
  }

  static func picture(_ c: Configuration) -> ImageSpec { .usual(c.channels) }
}

extension Value {
  /// A depthwise convolution of the image at half its size, its pixels being channels.
  fileprivate func shifted(_ name: String, attends: Bool) -> Value {
    var x =
      applying(.pixelUnshuffle(PixelUnshuffle(factor: 2)))
      + maxPool(2).convolution("\(name).0.poll.1", 4 * channels, kernel: 3)
    x = x.convolution("\(name).1", x.channels, kernel: 5, groups: x.channels)
    if attends {
      x =
        x
        * x.globalMean().convolution("\(name).2.squeezing.0", x.channels / 2, kernel: 1).relu()
        .convolution("\(name).2.squeezing.2", x.channels, kernel: 1).activation(.hardSigmoid)
    }
    return x.pixelShuffle(2)
  }
}

@section("aviary_architectures") @used
private let record: Registration = { unsafe register(RTMoSR.self, $0) }
