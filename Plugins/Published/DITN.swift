internal import AviaryGraph

/// Attention of channels to channels within patches, and depthwise convolutions of the whole, without
/// normalisations.
///
/// Liu et al.: Unfolding Once is Enough: A Deployment-Friendly Transformer Unit for Super-Resolution.
/// Reference: yongliuy's DITN (Apache-2.0), by way of spandrel.
enum DITN: Architecture {
  struct Configuration: ArchitectureConfiguration {
    var channels = 3
    var scale = 4
    var features = 60
    var units = 1
    /// Blocks of each unit within patches, and then of the whole.
    var patchBlocks = 4
    var wholeBlocks = 4
    /// Side of a patch.
    var patch = 8
    /// Channels of the gated layer of a block.
    var hidden = 120
    /// Whether convolutions of attention and gated layer have a bias.
    var bias = false

    var problem: String? {
      if channels != 3 { return "channels: expected 3, found \(channels)" }
      if !(1...16).contains(scale) { return "scale: expected 1 to 16, found \(scale)" }
      if !(2...64).contains(patch) { return "patch: expected 2 to 64, found \(patch)" }
      for (name, value, range) in [
        ("features", features, 1...1024), ("hidden", hidden, 1...4096), ("units", units, 1...32),
        ("patchBlocks", patchBlocks, 1...64), ("wholeBlocks", wholeBlocks, 1...64),
      ] where !range.contains(value) {
        return "\(name): expected \(range.lowerBound) to \(range.upperBound), found \(value)"
      }
      return nil
    }
  }

  static let info = ArchitectureInfo(
    "ditn", summary: "Attention of channels within patches, and large depthwise convolutions",
    paper: "https://arxiv.org/abs/2308.02794", matchesStructure: false)

  static let presets: KeyValuePairs = [
    "real-x4": Configuration(),
    "real-x2": Configuration(scale: 2),
    "real-x3": Configuration(scale: 3),
  ]

  static func build(_ c: Configuration, _ input: Value) -> [Value] {
    let first = input.padded(toMultiple: Size(c.patch), .reflect)
      .convolution("sft", c.features, kernel: 3)
    var x = first
    for unit in 0..<c.units {
      for block in 0..<c.patchBlocks {
        let name = "UFONE.\(unit).ITLs.\(block)"
        x = x.adding("\(name).conv1") { $0.patchAttention("\(name).attn", c) }
        x = x.adding("\(name).conv2") {
          $0.gatedFeedForward("\(name).ffn", hidden: c.hidden, bias: c.bias, patch: c.patch)
        }
      }
      for block in 0..<c.wholeBlocks {
        let name = "UFONE.\(unit).SALs.\(block)"
        x = x.adding("\(name).conv1") { $0.depthwiseAttention("\(name).SDA") }
        x = x.adding("\(name).conv2") {
          $0.gatedFeedForward("\(name).ffn", hidden: c.hidden, bias: c.bias)
        }
      }
    }
    let last = (x.convolution("conv_after_body", c.features, kernel: 3) + first)
      .convolution("upsample.0", 3 * c.scale * c.scale, kernel: 3)
    return [
      (c.scale == 1 ? last : last.pixelShuffle(c.scale))
        .cropped(toSizeOf: input, times: c.scale)
    ]
  }

  static func configurations(of weights: WeightIndex) -> [Proposal<Configuration>] {
    guard let first = weights.convolution("sft"), weights.has("UFONE.0.ITLs.0.attn.temperature"),
      let scale = weights.scale(weights.convolution("upsample.0"), 3),
      let hidden = weights.convolution("UFONE.0.ITLs.0.ffn.project_out")?[1]
    else { return [] }
    return [
      Proposal(
        Configuration(
          channels: first[1], scale: scale, features: first[0], units: weights.count(of: "UFONE"),
          patchBlocks: weights.count(of: "UFONE.0.ITLs"),
          wholeBlocks: weights.count(of: "UFONE.0.SALs"), hidden: hidden,
          bias: weights["UFONE.0.ITLs.0.attn.project_out.bias"] != nil),
        assumed: ["patch"])
    ]
  }

  static func picture(_ c: Configuration) -> ImageSpec { .usual(c.channels) }
}

extension Value {
  /// What a branch makes of a 1x1 convolution of the value's hyperbolic tangent, added.
  fileprivate func adding(_ name: String, _ branch: (Value) -> Value) -> Value {
    self + branch(activation(.tanh).convolution(name, channels, kernel: 1))
  }

  fileprivate func patchAttention(_ name: String, _ c: DITN.Configuration) -> Value {
    let all = asTokens().linear("\(name).qkv", 3 * c.features).asImage()
    return all.channels(0, c.features).channelsAttention(
      heads: 1, window: c.patch, keys: all.channels(c.features, c.features),
      values: all.channels(2 * c.features, c.features),
      temperature: learnedConstant("\(name).temperature", [1, 1, 1], start: 1)
    ).convolution("\(name).project_out", c.features, kernel: 1, bias: c.bias)
  }

  fileprivate func depthwiseAttention(_ name: String) -> Value {
    let both = convolution("\(name).proj_first.0", 2 * channels, kernel: 1)
    let weight = both.channels(0, channels).depthwise("\(name).DConvs.0", kernel: 5)
      .depthwise("\(name).DConvs.1", kernel: 7, dilation: 3)
      .convolution("\(name).DConvs.2", channels, kernel: 1)
    return (both.channels(channels, channels) * weight)
      .convolution("\(name).proj_last.0", channels, kernel: 1).scaledPerChannel("\(name).scale")
  }
}

@section("aviary_architectures") @used
private let record: Registration = { unsafe register(DITN.self, $0) }
