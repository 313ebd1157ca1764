internal import AviaryGraph

/// Residual blocks that are wide before their activation, trained with weight normalisation, which is
/// folded on import.
///
/// Yu et al.: Wide Activation for Efficient and Accurate Image Super-Resolution. Reference: yjn870's
/// WDSR-pytorch, from its facts.
enum WDSR: Architecture {
  struct Configuration: ArchitectureConfiguration {
    var channels = 3
    var scale = 2
    var features = 32
    var blocks = 16
    /// Channels before the activation.
    var wide = 128
    /// Channels between the 1x1 convolutions and the 3x3 convolution (WDSR-B); 0 for two 3x3
    /// convolutions (WDSR-A).
    var narrow = 0

    var problem: String? {
      if channels != 3 { return "channels: expected 3, found \(channels)" }
      if !(1...8).contains(scale) { return "scale: expected 1 to 8, found \(scale)" }
      return (1...128).contains(blocks) ? nil : "blocks: expected 1 to 128, found \(blocks)"
    }
  }

  static let info = ArchitectureInfo(
    "wdsr", summary: "Residual blocks that are wide before the activation",
    paper: "https://arxiv.org/abs/1808.08718", matchesStructure: false)

  static let presets: KeyValuePairs = [
    "a-x2": Configuration(),
    "a-x4": Configuration(scale: 4),
    "b-x2": Configuration(wide: 192, narrow: 25),
  ]

  static func build(_ c: Configuration, _ input: Value) -> [Value] {
    let mean = MeanColour.rgb.map { $0 * 255 }
    let image = input.plus(mean.map { -$0 }) * (1 / 127.5)
    let out = c.channels * c.scale * c.scale
    var x = image.convolution("head.0", c.features, kernel: 3)
    for block in 0..<c.blocks {
      let name = "body.\(block).module"
      let branch = x.convolution("\(name).0", c.wide, kernel: c.narrow > 0 ? 1 : 3).relu()
      x =
        x
        + (c.narrow > 0
          ? branch.convolution("\(name).2", c.narrow, kernel: 1)
            .convolution("\(name).3", c.features, kernel: 3)
          : branch.convolution("\(name).2", c.features, kernel: 3))
    }
    let sum =
      x.convolution("tail.0", out, kernel: 3).pixelShuffle(c.scale)
      + image.convolution("skip.0", out, kernel: 5).pixelShuffle(c.scale)
    return [(sum * 127.5).plus(mean)]
  }

  static func configurations(of weights: WeightIndex) -> [Proposal<Configuration>] {
    guard let first = weights.convolution("head.0"), let skip = weights.convolution("skip.0"),
      let wide = weights.convolution("body.0.module.0"), skip[0] % first[1] == 0,
      let scale = (skip[0] / first[1]).squareRoot
    else { return [] }
    let isB = weights.has("body.0.module.3.")
    return [
      Proposal(
        Configuration(
          channels: first[1], scale: scale, features: first[0], blocks: weights.count(of: "body"),
          wide: wide[0], narrow: isB ? weights.convolution("body.0.module.2")?[0] ?? 0 : 0))
    ]
  }

  static func picture(_ c: Configuration) -> ImageSpec { .usual(c.channels, range: 255) }
}

@section("aviary_architectures") @used
private let record: Registration = { unsafe register(WDSR.self, $0) }
