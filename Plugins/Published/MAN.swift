internal import AviaryGraph

/// Blocks of large kernels, of three sizes at once, that are depthwise and dilated.
///
/// Wang et al.: Multi-scale Attention Network for Single Image Super-Resolution. Reference: icandle's MAN,
/// by way of traiNNer-redux (Apache-2.0).
enum MAN: Architecture {
  struct Configuration: ArchitectureConfiguration {
    var channels = 3
    var scale = 4
    var features = 180
    var groups = 1
    /// Blocks of each group.
    var blocks = 36

    var problem: String? {
      if channels != 3 { return "channels: expected 3, found \(channels)" }
      if features < 3 || features % 3 != 0 {
        return "features: expected a multiple of 3, found \(features)"
      }
      if !(1...8).contains(scale) { return "scale: expected 1 to 8, found \(scale)" }
      if !(1...16).contains(groups) { return "groups: expected 1 to 16, found \(groups)" }
      return (1...64).contains(blocks) ? nil : "blocks: expected 1 to 64, found \(blocks)"
    }
  }

  static let info = ArchitectureInfo(
    "man", summary: "Attention by large kernels of three sizes",
    paper: "https://arxiv.org/abs/2209.14145", matchesStructure: false)

  static let presets: KeyValuePairs = [
    "x4": Configuration(),
    "x2": Configuration(scale: 2),
    "light-x4": Configuration(features: 60, blocks: 24),
    "tiny-x4": Configuration(features: 48, blocks: 5),
  ]

  static func build(_ c: Configuration, _ input: Value) -> [Value] {
    let first = input.meanShift("sub_mean", by: MeanColour.rgb(-1, white: 1))
      .convolution("head", c.features, kernel: 3)
    var x = first
    for group in 0..<c.groups {
      let name = "body.\(group)"
      var y = x
      for block in 0..<c.blocks {
        y = y.multiScaleAttention("\(name).body.\(block).LKA")
          .spatiallyGated("\(name).body.\(block).LFE")
      }
      let tail = y.convolution("\(name).body_t.conv0.0", c.features, kernel: 1).gelu()
      let attention = tail.largeKernel("\(name).body_t.att", 7, 9, dilation: 3)
      x = (tail * attention).convolution("\(name).body_t.conv1", c.features, kernel: 1) + x
    }
    // With one group the reference has no skip around all.
    if c.groups > 1 { x = x.convolution("body_t", c.features, kernel: 3) + first }
    return [
      x.convolution("tail.0", 3 * c.scale * c.scale, kernel: 3).pixelShuffle(c.scale)
        .meanShift("add_mean", by: MeanColour.rgb(1, white: 1))
    ]
  }

  static func configurations(of weights: WeightIndex) -> [Proposal<Configuration>] {
    guard let first = weights.convolution("head"), weights.has("body.0.body.0.LKA."),
      let scale = weights.scale(weights.convolution("tail.0"), first[1])
    else { return [] }
    return [
      Proposal(
        Configuration(
          channels: first[1], scale: scale, features: first[0], groups: weights.count(of: "body"),
          blocks: weights.count(of: "body.0.body")))
    ]
  }

  static func picture(_ c: Configuration) -> ImageSpec { .usual(c.channels) }
}

extension Value {
  /// A depthwise convolution, a dilated one and a pointwise one: a large kernel taken apart (Guo et
  /// al., "Visual Attention Network", 2022).
  fileprivate func largeKernel(
    _ name: String, _ small: Int, _ large: Int, dilation: Int
  ) -> Value {
    depthwise("\(name).0", kernel: Size(small))
      .depthwise("\(name).1", kernel: Size(large), dilation: Size(dilation))
      .convolution("\(name).2", channels, kernel: 1)
  }

  /// A third of the channels each weighed by a large kernel's result and a small one's.
  fileprivate func multiScaleAttention(_ name: String) -> Value {
    let wide = channelsNormalized("\(name).norm")
      .convolution("\(name).proj_first.0", 2 * channels, kernel: 1)
    let third = channels / 3
    let weights = [(3, 5, 2), (5, 7, 3), (7, 9, 4)].enumerated().map { position, sizes in
      let part = wide.channels(position * third, third)
      let (small, large, dilation) = sizes
      return part.largeKernel("\(name).LKA\(small)", small, large, dilation: dilation)
        * part.depthwise("\(name).X\(small)", kernel: Size(small))
    }
    return (wide.channels(channels, channels) * Value.concatenate(weights))
      .convolution("\(name).proj_last.0", channels, kernel: 1)
      .scaledPerChannel("\(name).scale") + self
  }

  /// One half of the channels weighed by a depthwise convolution of the other.
  fileprivate func spatiallyGated(_ name: String) -> Value {
    let wide = channelsNormalized("\(name).norm")
      .convolution("\(name).Conv1", 2 * channels, kernel: 1)
    let gate = wide.channels(0, channels).depthwise("\(name).DWConv1", kernel: 7)
    return (wide.channels(channels, channels) * gate)
      .convolution("\(name).Conv2", channels, kernel: 1)
      .scaledPerChannel("\(name).scale") + self
  }
}

@section("aviary_architectures") @used
private let record: Registration = { unsafe register(MAN.self, $0) }
