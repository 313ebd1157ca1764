internal import AviaryGraph

/// Plain convolutions with few connections past them, for anime.
///
/// References: Artoriuz's ArtCNN (MIT), umzi2's PyTorch form and traiNNer-redux (Apache-2.0). Those for
/// luma are trained on values in full range.
enum ArtCNN: Architecture {
  struct Configuration: ArchitectureConfiguration {
    var channels = 3
    var scale = 2
    var features = 96
    /// Blocks of three convolutions.
    var blocks = 16
    /// Side of the kernels.
    var kernel = 3

    var problem: String? {
      if !(1...16).contains(scale) { return "scale: expected 1 to 16, found \(scale)" }
      if kernel % 2 == 0 || kernel > 15 {
        return "kernel: expected an odd number below 16, found \(kernel)"
      }
      return (1...64).contains(blocks) ? nil : "blocks: expected 1 to 64, found \(blocks)"
    }
  }

  static let info = ArchitectureInfo(
    "artcnn", summary: "Residual convolutions and a pixel shuffle, for anime",
    paper: "https://github.com/Artoriuz/ArtCNN", matchesStructure: false)

  static let presets: KeyValuePairs = [
    "r16f96-x2": Configuration(),
    "r8f64-x2": Configuration(features: 64, blocks: 8),
    "r16f96-x4": Configuration(scale: 4),
    "r8f64-luma-x2": Configuration(channels: 1, features: 64, blocks: 8),
  ]

  static func build(_ c: Configuration, _ input: Value) -> [Value] {
    let side = Size(c.kernel)
    let first = input.convolution("conv0", c.features, kernel: side)
    var x = first
    for block in 0..<c.blocks {
      let name = "res_block.\(block).conv"
      x =
        x
        + x.convolution("\(name).0.0", c.features, kernel: side).relu()
        .convolution("\(name).1.0", c.features, kernel: side).relu()
        .convolution("\(name).2", c.features, kernel: side)
    }
    return [
      (x.convolution("res_block.\(c.blocks)", c.features, kernel: side) + first)
        .convolution("depth_to_space.upscale.0", c.channels * c.scale * c.scale, kernel: side)
        .pixelShuffle(c.scale)
    ]
  }

  static func configurations(of weights: WeightIndex) -> [Proposal<Configuration>] {
    guard let first = weights.convolution("conv0"), weights.has("res_block.0.conv.0.0."),
      let scale = weights.scale(weights.convolution("depth_to_space.upscale.0"), first[1])
    else { return [] }
    return [
      Proposal(
        Configuration(
          channels: first[1], scale: scale, features: first[0],
          blocks: (0..<64).prefix { weights.has("res_block.\($0).conv.0.0.") }.count,
          kernel: first[2]))
    ]
  }

  static func picture(_ c: Configuration) -> ImageSpec { .usual(c.channels) }
}

@section("aviary_architectures") @used
private let record: Registration = { unsafe register(ArtCNN.self, $0) }
