internal import AviaryGraph

/// Blocks that weigh their own result by attention without parameters.
///
/// Wan et al.: Swift Parameter-free Attention Network for Efficient Super-Resolution. Reference:
/// hongyuanyu's SPAN (Apache-2.0). Its convolutions are trained as several branches, which are folded
/// into one on import.
enum SPAN: Architecture {
  struct Configuration: ArchitectureConfiguration {
    var channels = 3
    var scale = 4
    var features = 48
    var blocks = 6
    /// Whether the mean colour is subtracted first and values are scaled to 255. Files that do without
    /// say so by a tensor `no_norm`.
    var normalises = true

    var problem: String? {
      if normalises, channels != 3 { return "normalises: expected 3 channels, found \(channels)" }
      if !(1...16).contains(scale) { return "scale: expected 1 to 16, found \(scale)" }
      return (1...64).contains(blocks) ? nil : "blocks: expected 1 to 64, found \(blocks)"
    }
  }

  static let info = ArchitectureInfo(
    "span", summary: "Convolutions weighed by parameter-free attention",
    paper: "https://arxiv.org/abs/2311.12770", matchesStructure: false)

  static let presets: KeyValuePairs = [
    "x4": Configuration(),
    "x2": Configuration(scale: 2),
    "plain-x4": Configuration(features: 52, normalises: false),
    "plain-x2": Configuration(scale: 2, normalises: false),
    "plain-x1": Configuration(scale: 1, normalises: false),
  ]

  static func build(_ c: Configuration, _ input: Value) -> [Value] {
    let image = c.normalises ? input.plus(MeanColour.rgb.map { -$0 }) * 255 : input
    let first = image.convolution("conv_1", c.features, kernel: 3)
    var x = first
    var outer: [Value] = []
    var inner = first
    for block in 1...c.blocks {
      (x, inner) = x.parameterFree("block_\(block)", .silu)
      outer.append(x)
    }
    let last = x.convolution("conv_2", c.features, kernel: 3)
    return [
      Value.concatenate([first, last, outer[0], inner])
        .convolution("conv_cat", c.features, kernel: 1)
        .convolution("upsampler.0", c.channels * c.scale * c.scale, kernel: 3)
        .pixelShuffle(c.scale)
    ]
  }

  static func configurations(of weights: WeightIndex) -> [Proposal<Configuration>] {
    guard let first = weights.convolution("conv_1"), weights.has("block_1.c1_r."),
      let last = weights.convolution("upsampler.0"),
      // A network of three colours from one is none of ours.
      last[0] % first[1] == 0, let scale = (last[0] / first[1]).squareRoot
    else { return [] }
    let isPlain = weights["no_norm"] != nil
    let blocks = (1...64).prefix { weights.has("block_\($0).c1_r.") }.count
    return [
      Proposal(
        Configuration(
          channels: first[1], scale: scale, features: first[0], blocks: blocks,
          normalises: !isPlain && first[1] == 3),
        assumed: isPlain || first[1] != 3 ? [] : ["normalises"])
    ]
  }

  static func unused(_ c: Configuration) -> [UnusedTensors] {
    [.flag("no_norm", if: !c.normalises, "it only says that the mean colour is not subtracted")]
  }

  static func picture(_ c: Configuration) -> ImageSpec { .usual(c.channels) }
}

@section("aviary_architectures") @used
private let record: Registration = { unsafe register(SPAN.self, $0) }
