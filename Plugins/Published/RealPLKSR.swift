internal import AviaryGraph

/// PLKSR with a normalisation in each block, as people train it.
///
/// Lee, Yun, Ro: Partial Large Kernel CNNs for Efficient Super-Resolution. Reference: neosr (Apache-2.0), by
/// way of spandrel (MIT).
enum RealPLKSR: Architecture {
  struct Configuration: ArchitectureConfiguration {
    var channels = 3
    var scale = 4
    var features = 64
    var blocks = 28
    /// Side of the large kernel.
    var kernel = 17
    /// Channels that it is for.
    var partial = 16
    /// Groups of the normalisation at the end of each block; 0 for a layer normalisation at its
    /// beginning.
    var groups = 4
    /// Whether a block has an attention to each of its values.
    var attends = true
    /// Whether it enlarges by sampling at learned places (DySample) instead of a pixel shuffle.
    var dysample = false

    /// Groups of channels that DySample has places for.
    var samplingGroups: Int { scale % 2 == 0 ? 4 : channels }

    var problem: String? {
      if !(1...16).contains(scale) { return "scale: expected 1 to 16, found \(scale)" }
      if kernel % 2 == 0 || kernel > 63 {
        return "kernel: expected an odd number below 64, found \(kernel)"
      }
      if !(1..<max(features, 2)).contains(partial) {
        return "partial: expected 1 to \(features - 1), found \(partial)"
      }
      if dysample, channels * scale * scale % samplingGroups != 0 {
        return "dysample: expected channels for \(samplingGroups) groups, found \(channels)"
      }
      return (1...128).contains(blocks) ? nil : "blocks: expected 1 to 128, found \(blocks)"
    }
  }

  static let info = ArchitectureInfo(
    "realplksr", summary: "Large kernels on a part of the channels, normalised",
    paper: "https://arxiv.org/abs/2404.11848", matchesStructure: false)

  static let presets: KeyValuePairs = [
    "x4": Configuration(),
    "x2": Configuration(scale: 2),
    "dysample-x4": Configuration(dysample: true),
    "large-x4": Configuration(features: 96, partial: 24),
    "tiny-x4": Configuration(blocks: 12, kernel: 13, groups: 0, attends: false),
  ]

  static func build(_ c: Configuration, _ input: Value) -> [Value] {
    var x = input.convolution("feats.0", c.features, kernel: 3)
    for block in 1...c.blocks {
      let name = "feats.\(block)"
      var y = x
      if c.groups == 0 {
        y = y.layerNormalization(
          "\(name).layer_norm", LayerNormalization(dimensions: 1, first: 1, epsilon: 1e-6))
      }
      y = y.convolution("\(name).channel_mixer.0", 2 * c.features, kernel: 3).activation(.mish)
        .convolution("\(name).channel_mixer.2", c.features, kernel: 3)
      y = Value.concatenate([
        y.channels(0, c.partial)
          .convolution("\(name).lk.conv", c.partial, kernel: Size(c.kernel)),
        y.channels(c.partial, c.features - c.partial),
      ])
      if c.attends {
        y = y * y.convolution("\(name).attn.f.0", c.features, kernel: 3).sigmoid()
      }
      y = y.convolution("\(name).refine", c.features, kernel: 1)
      if c.groups > 0 {
        y = y.groupNormalization("\(name).norm", GroupNormalization(groups: c.groups))
      }
      x = x + y
    }
    // Between the blocks and the last convolution there is a dropout in training.
    let last = x.convolution("feats.\(c.blocks + 2)", c.channels * c.scale * c.scale, kernel: 3)
    if c.dysample {
      // Each channel as often as a pixel becomes pixels.
      let repeated = (0..<c.channels).flatMap { channel in
        Array(repeating: input.channels(channel, 1), count: c.scale * c.scale)
      }
      return [
        (last + Value.concatenate(repeated)).dySample(
          "to_img", by: c.scale, groups: c.samplingGroups, outputs: c.scale == 1 ? nil : c.channels)
      ]
    }
    return [
      c.scale == 1
        ? last + input : last.pixelShuffle(c.scale) + input.resize(.nearest, by: c.scale)
    ]
  }

  static func configurations(of weights: WeightIndex) -> [Proposal<Configuration>] {
    guard let first = weights.convolution("feats.0"), let number = weights.last(of: "feats"),
      let last = weights.convolution("feats.\(number)"), last[0] % first[1] == 0,
      let scale = (last[0] / first[1]).squareRoot,
      let large = weights.convolution("feats.1.lk.conv"),
      weights.has("feats.1.channel_mixer.")
    else { return [] }
    let isGrouped = weights.has("feats.1.norm.")
    return [
      Proposal(
        Configuration(
          channels: first[1], scale: scale, features: first[0], blocks: number - 2,
          kernel: large[2], partial: large[0], groups: isGrouped ? 4 : 0,
          attends: weights.has("feats.1.attn.f.0."), dysample: weights.has("to_img.offset.")),
        assumed: isGrouped ? ["groups"] : [])
    ]
  }

  static func unused(_ c: Configuration) -> [UnusedTensors] {
    c.dysample ? [.initialPositions("to_img", by: c.scale, groups: c.samplingGroups)] : []
  }

  static func picture(_ c: Configuration) -> ImageSpec { .usual(c.channels) }
}

@section("aviary_architectures") @used
private let record: Registration = { unsafe register(RealPLKSR.self, $0) }
