internal import AviaryGraph

/// Blocks of three convolutions, and spatial attention: RFDN without distillation.
///
/// Kong et al.: Residual Local Feature Network for Efficient Super-Resolution. Reference: ByteDance's
/// RLFN (Apache-2.0).
enum RLFN: Architecture {
  struct Configuration: ArchitectureConfiguration {
    var channels = 3
    var scale = 4
    var features = 52
    /// Channels between the convolutions of a block.
    var inner = 52
    var blocks = 6
    /// Channels of the attention.
    var attention = 16

    var problem: String? {
      if !(1...8).contains(scale) { return "scale: expected 1 to 8, found \(scale)" }
      return (1...32).contains(blocks) ? nil : "blocks: expected 1 to 32, found \(blocks)"
    }
  }

  static let info = ArchitectureInfo(
    "rlfn", summary: "Residual blocks of three convolutions with spatial attention",
    paper: "https://arxiv.org/abs/2205.07514", matchesStructure: false)

  static let presets: KeyValuePairs = [
    "x4": Configuration(),
    "x2": Configuration(scale: 2),
    "ntire-x4": Configuration(features: 46, inner: 48, blocks: 4),
  ]

  static func build(_ c: Configuration, _ input: Value) -> [Value] {
    let first = input.convolution("conv_1", c.features, kernel: 3)
    var x = first
    for block in 1...c.blocks {
      let name = "block_\(block)"
      let branch = x.convolution("\(name).c1_r", c.inner, kernel: 3).leakyRelu(0.05)
        .convolution("\(name).c2_r", c.inner, kernel: 3).leakyRelu(0.05)
        .convolution("\(name).c3_r", c.features, kernel: 3).leakyRelu(0.05)
      x = (branch + x).convolution("\(name).c5", c.features, kernel: 1)
        .spatialAttention("\(name).esa", c.attention, isLong: false)
    }
    return [
      (x.convolution("conv_2", c.features, kernel: 3) + first)
        .convolution("upsampler.0", c.channels * c.scale * c.scale, kernel: 3)
        .pixelShuffle(c.scale)
    ]
  }

  static func configurations(of weights: WeightIndex) -> [Proposal<Configuration>] {
    guard let first = weights.convolution("conv_1"),
      let inner = weights.convolution("block_1.c1_r"),
      let attention = weights.convolution("block_1.esa.conv1"),
      let last = weights.convolution("upsampler.0"), last[0] % first[1] == 0,
      let scale = (last[0] / first[1]).squareRoot
    else { return [] }
    return [
      Proposal(
        Configuration(
          channels: first[1], scale: scale, features: first[0], inner: inner[0],
          blocks: (1...32).prefix { weights.has("block_\($0).c1_r.") }.count,
          attention: attention[0]), assumed: ["picture.range"])
    ]
  }

  /// Its published files were trained on values up to 255.
  static func picture(_ c: Configuration) -> ImageSpec { .usual(c.channels, range: 255) }
}

@section("aviary_architectures") @used
private let record: Registration = { unsafe register(RLFN.self, $0) }
