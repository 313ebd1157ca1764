internal import AviaryGraph

/// Experts of low rank, of which an image chooses one, beside long thin convolutions.
///
/// Zamfir et al.: See More Details: Efficient Image Super-Resolution by Experts Mining. Reference:
/// eduardzamfir's seemoredetails, by way of spandrel (MIT).
enum SeemoRe: Architecture {
  struct Configuration: ArchitectureConfiguration {
    var channels = 3
    var scale = 4
    var features = 36
    var groups = 6
    /// The rank of each expert.
    var experts = [2, 4, 8]
    /// How many of them an image chooses in each group.
    var chosen = 1
    /// Length of the long thin convolutions.
    var kernel = 11
    /// How often an image is made a quarter as wide and high to calibrate it.
    var reductions = 2
    /// Whether channels are shuffled before they are divided.
    var shuffles = true

    var problem: String? {
      if channels != 3 { return "channels: expected 3, found \(channels)" }
      if !(1...16).contains(scale) { return "scale: expected 1 to 16, found \(scale)" }
      if experts.isEmpty || experts.count > 16 || !experts.allSatisfy((1...1024).contains) {
        return "experts: expected 1 to 16 numbers of 1 to 1024, found \(experts)"
      }
      if !(1...experts.count).contains(chosen) {
        return "chosen: expected 1 to \(experts.count), found \(chosen)"
      }
      if !(1...63).contains(kernel) || kernel % 2 == 0 {
        return "kernel: expected an odd number up to 63, found \(kernel)"
      }
      for (name, value, most) in [
        ("features", features, 1024), ("groups", groups, 64), ("reductions", reductions, 4),
      ] where !(1...most).contains(value) {
        return "\(name): expected 1 to \(most), found \(value)"
      }
      return nil
    }
  }

  static let info = ArchitectureInfo(
    "seemore", summary: "Experts of low rank, of which an image chooses one",
    paper: "https://arxiv.org/abs/2402.03412", matchesStructure: false)

  private static let big = Configuration(features: 48, groups: 8, experts: [2, 4, 8])
  private static let large = Configuration(
    features: 48, groups: 16, experts: [2, 4, 8, 16], reductions: 1, shuffles: false)

  static let presets: KeyValuePairs = [
    "tiny-x4": Configuration(),
    "tiny-x2": Configuration(scale: 2),
    "tiny-x3": Configuration(scale: 3),
    "big-x4": big,
    "big-x2": big.with { $0.scale = 2 },
    "large-x4": large,
    "large-x2": large.with { $0.scale = 2 },
  ]

  static func build(_ c: Configuration, _ input: Value) -> [Value] {
    let first = input.plus(MeanColour.rgb.map { -$0 })
      .convolution("conv_1", c.features, kernel: 3)
    var x = first
    for group in 0..<c.groups {
      let local = "body.\(group).local_block"
      let whole = "body.\(group).global_block"
      x = x.channelsNormalized("\(local).norm_1").expertBlock("\(local).block", c) + x
      x = x.channelsNormalized("\(local).norm_2").halfGated("\(local).ffn") + x
      x = x.channelsNormalized("\(whole).norm_1").striped("\(whole).block", c) + x
      x = x.channelsNormalized("\(whole).norm_2").halfGated("\(whole).ffn") + x
    }
    let last =
      (x.channelsNormalized("norm").convolution("conv_2", c.features, kernel: 3) + first)
      .convolution("upsampler.0", 3 * c.scale * c.scale, kernel: 3)
    return [(c.scale == 1 ? last : last.pixelShuffle(c.scale)).plus(MeanColour.rgb)]
  }

  static func configurations(of weights: WeightIndex) -> [Proposal<Configuration>] {
    let experts = "body.0.local_block.block.moe_layer.experts"
    guard let first = weights.convolution("conv_1"), weights.has("\(experts).0.conv_1."),
      let scale = weights.scale(weights.convolution("upsampler.0"), first[1]),
      let thin = weights.convolution("body.0.global_block.block.attn.conv.0")
    else { return [] }
    let groups = weights.count(of: "body")
    // The large network alone does neither.
    let isLarge = groups == 16 && first[0] == 48
    return [
      Proposal(
        Configuration(
          channels: first[1], scale: scale, features: first[0], groups: groups,
          experts: (0..<weights.count(of: experts)).map {
            weights.convolution("\(experts).\($0).conv_1")?[0] ?? 0
          },
          kernel: thin[3], reductions: isLarge ? 1 : 2, shuffles: !isLarge),
        assumed: ["chosen", "reductions", "shuffles"])
    ]
  }

  static func picture(_ c: Configuration) -> ImageSpec { .usual(c.channels) }
}

extension Value {
  /// Two depthwise convolutions, a wide one and a high one.
  private func thin(_ name: String, _ kernel: Int) -> Value {
    depthwise("\(name).conv.0", kernel: Size(1, kernel))
      .depthwise("\(name).conv.1", kernel: Size(kernel, 1))
  }

  fileprivate func striped(_ name: String, _ c: SeemoRe.Configuration) -> Value {
    let both = convolution("\(name).to_qv.0", 2 * channels, kernel: 1).gelu()
    return
      (both.channels(0, channels).thin("\(name).attn", c.kernel)
      * both.channels(channels, channels))
      .convolution("\(name).proj", channels, kernel: 1)
  }

  /// One half of what GELU gives, times a depthwise convolution of the other.
  fileprivate func halfGated(_ name: String) -> Value {
    let wide = convolution("\(name).fn_1.0", 2 * channels, kernel: 1).gelu()
    return
      (wide.channels(0, channels)
      * wide.channels(channels, channels).depthwise("\(name).gate", kernel: 3))
      .convolution("\(name).fn_2.0", channels, kernel: 1).gelu()
  }

  fileprivate func expertBlock(_ name: String, _ c: SeemoRe.Configuration) -> Value {
    var both = convolution("\(name).conv_1.0", channels, kernel: 3).gelu()
      .convolution("\(name).conv_1.2", 2 * channels, kernel: 1)
    if c.shuffles {
      // Channels of the two halves in turn.
      let order = (0..<2 * channels).map { $0 % 2 * channels + $0 / 2 }
      both = both.applying(
        .constantGather(ConstantGather(.list(order, shape: [order.count]), dimension: 1)))
    }
    let x = both.channels(0, channels).thin("\(name).conv_2.0", 3).gelu()
    let other = both.channels(channels, channels)
    var small = other
    for step in 0..<c.reductions {
      small = small.convolution(
        "\(name).agg_conv.0", channels, kernel: 4, stride: 4, groups: channels, padding: .valid,
        shared: step > 0
      ).gelu()
    }
    small = small.depthwise("\(name).conv.0", kernel: 3)
      .convolution("\(name).conv.1", channels, kernel: 1)
    let calibrated =
      other + small.applying(.resize(Resize(.linear, to: .sizeOfSecondInput)), other)
    return x.mixed("\(name).moe_layer", calibrated, c)
      .convolution("\(name).proj", channels, kernel: 1)
  }

  /// The value and what the chosen experts make of it, each times its weight.
  private func mixed(_ name: String, _ other: Value, _ c: SeemoRe.Configuration) -> Value {
    let weights = globalMean().asTokens()
      .linear("\(name).gate.body.2", c.experts.count, bias: false)
      .applying(.softmax(Softmax(dimension: 3)))
    // The smallest weight that is chosen.
    let least = weights.applying(.sort(Sort(top: c.chosen, dimension: 3)))
      .applying(.stridedSlice(StridedSlice(dimension: 3, start: c.chosen - 1, end: c.chosen)))
    let chosen = (weights * weights.applying(.binary(.greaterOrEqual), least)).asImage()
    return c.experts.enumerated().reduce(self) { sum, expert in
      let layer = "\(name).experts.\(expert.offset)"
      let low =
        convolution("\(layer).conv_1", expert.element, kernel: 1)
        * other.convolution("\(layer).conv_2", expert.element, kernel: 1)
      return sum
        + low.convolution("\(layer).conv_3", channels, kernel: 1)
        * chosen.channels(expert.offset, 1)
    }
  }
}

@section("aviary_architectures") @used
private let record: Registration = { unsafe register(SeemoRe.self, $0) }
