internal import AviaryGraph

/// Few narrow convolutions, trained wide and collapsed.
///
/// Bhardwaj et al.: Collapsible Linear Blocks for Super-Efficient Super Resolution. Reference: AIMET's
/// model zoo (BSD-3-Clause), from its facts. A file holds the convolutions as they are trained, which are
/// folded on import, or collapsed, with what a block adds to its input already within.
enum SESR: Architecture {
  struct Configuration: ArchitectureConfiguration {
    var channels = 3
    var scale = 2
    var features = 16
    var blocks = 5
    /// Whether the file was collapsed by its own code: then the convolutions have other names, and
    /// those of the blocks hold the identity.
    var collapsed = false

    var problem: String? {
      if !(1...16).contains(scale) { return "scale: expected 1 to 16, found \(scale)" }
      return (1...64).contains(blocks) ? nil : "blocks: expected 1 to 64, found \(blocks)"
    }

    /// The name of a convolution.
    func name(_ layer: String) -> String { collapsed ? "\(layer).conv_expand" : layer }
  }

  static let info = ArchitectureInfo(
    "sesr", summary: "Few narrow convolutions, trained wide",
    paper: "https://arxiv.org/abs/2103.09404", matchesStructure: false)

  static let presets: KeyValuePairs = [
    "m5-x2": Configuration(),
    "m3-x2": Configuration(blocks: 3),
    "m7-x2": Configuration(blocks: 7),
    "m11-x2": Configuration(blocks: 11),
    "xl-x2": Configuration(features: 32, blocks: 11),
    "m5-x4": Configuration(scale: 4),
    "xl-x4": Configuration(scale: 4, features: 32, blocks: 11),
  ]

  static func build(_ c: Configuration, _ input: Value) -> [Value] {
    let first = input.convolution(c.name("conv_first"), c.features, kernel: 5).relu()
    var x = first
    for block in 0..<c.blocks {
      let y = x.convolution(c.name("residual_block.\(block)"), c.features, kernel: 3)
      x = (c.collapsed ? y : x + y).relu()
    }
    let count = c.channels * c.scale * c.scale
    // Its convolution repeats each channel, and is kept as the file has it.
    let repeated = input.convolution("anchor.net", count, kernel: 1)
    return [
      ((x + first).convolution(c.name("conv_last"), count, kernel: 5) + repeated)
        .pixelShuffle(c.scale)
    ]
  }

  static func configurations(of weights: WeightIndex) -> [Proposal<Configuration>] {
    [false, true].compactMap { collapsed in
      var c = Configuration(collapsed: collapsed)
      guard let first = weights.convolution(c.name("conv_first")),
        weights.convolution(c.name("residual_block.0")) != nil,
        let scale = weights.scale(weights.convolution("anchor.net"), first[1])
      else { return nil }
      (c.channels, c.features, c.scale) = (first[1], first[0], scale)
      c.blocks = weights.count(of: "residual_block")
      return Proposal(c)
    }
  }

  static func picture(_ c: Configuration) -> ImageSpec { .usual(c.channels) }
}

@section("aviary_architectures") @used
private let record: Registration = { unsafe register(SESR.self, $0) }
