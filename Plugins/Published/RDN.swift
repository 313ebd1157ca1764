internal import AviaryGraph

/// Dense blocks, each added to what came in, all fused.
///
/// Zhang et al.: Residual Dense Network for Image Super-Resolution. Reference: yjn870's RDN-pytorch (MIT).
enum RDN: Architecture {
  struct Configuration: ArchitectureConfiguration {
    var channels = 3
    var scale = 2
    var features = 64
    /// Channels that each convolution of a block adds.
    var growth = 64
    var blocks = 16
    /// Convolutions of each block.
    var layers = 8

    var problem: String? {
      if ![2, 3, 4].contains(scale) { return "scale: expected 2, 3 or 4, found \(scale)" }
      if !(1...64).contains(layers) { return "layers: expected 1 to 64, found \(layers)" }
      return (1...64).contains(blocks) ? nil : "blocks: expected 1 to 64, found \(blocks)"
    }
  }

  static let info = ArchitectureInfo(
    "rdn", summary: "Residual dense blocks, all fused", paper: "https://arxiv.org/abs/1802.08797",
    matchesStructure: false)

  static let presets: KeyValuePairs = [
    "x2": Configuration(),
    "x3": Configuration(scale: 3),
    "x4": Configuration(scale: 4),
  ]

  static func build(_ c: Configuration, _ input: Value) -> [Value] {
    let first = input.convolution("sfe1", c.features, kernel: 3)
    var x = first.convolution("sfe2", c.features, kernel: 3)
    var all: [Value] = []
    for block in 0..<c.blocks {
      let name = "rdbs.\(block)"
      var dense = x
      for layer in 0..<c.layers {
        let new = dense.convolution("\(name).layers.\(layer).conv", c.growth, kernel: 3).relu()
        dense = Value.concatenate([dense, new])
      }
      x = x + dense.convolution("\(name).lff", c.features, kernel: 1)
      all.append(x)
    }
    x =
      Value.concatenate(all).convolution("gff.0", c.features, kernel: 1)
      .convolution("gff.1", c.features, kernel: 3) + first
    for (step, factor) in (c.scale == 3 ? [3] : Array(repeating: 2, count: c.scale / 2))
      .enumerated()
    {
      x = x.convolution("upscale.\(2 * step)", c.growth * factor * factor, kernel: 3)
        .pixelShuffle(factor)
    }
    return [x.convolution("output", c.channels, kernel: 3)]
  }

  static func configurations(of weights: WeightIndex) -> [Proposal<Configuration>] {
    guard let first = weights.convolution("sfe1"), let up = weights.convolution("upscale.0"),
      let growth = weights.convolution("rdbs.0.layers.0.conv")
    else { return [] }
    let scale = up[0] == 9 * growth[0] ? 3 : weights.has("upscale.2.") ? 4 : 2
    return [
      Proposal(
        Configuration(
          channels: first[1], scale: scale,
          features: first[0], growth: growth[0], blocks: weights.count(of: "rdbs"),
          layers: weights.count(of: "rdbs.0.layers")))
    ]
  }

  static func picture(_ c: Configuration) -> ImageSpec { .usual(c.channels) }
}

@section("aviary_architectures") @used
private let record: Registration = { unsafe register(RDN.self, $0) }
