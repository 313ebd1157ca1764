internal import AviaryGraph

/// Four convolutions at half the size of the image, as fast as bicubic interpolation.
///
/// Bilecen, Ayazoglu: Bicubic++: Slim, Slimmer, Slimmest. Reference: aselsan's bicubic-plusplus, which
/// states no licence; from its facts.
enum BicubicPlusPlus: Architecture {
  struct Configuration: ArchitectureConfiguration {
    var channels = 3
    var scale = 3
    var features = 32

    var problem: String? {
      (1...8).contains(scale) ? nil : "scale: expected 1 to 8, found \(scale)"
    }
  }

  static let info = ArchitectureInfo(
    "bicubic++", summary: "Four convolutions at half the size, as fast as bicubic",
    paper: "https://arxiv.org/abs/2305.02126", matchesStructure: false)

  static let presets: KeyValuePairs = [
    "x3": Configuration(),
    "x2": Configuration(scale: 2),
    "x4": Configuration(scale: 4),
  ]

  static func build(_ c: Configuration, _ input: Value) -> [Value] {
    func layer(_ x: Value, _ name: String, stride: Size = 1) -> Value {
      x.convolution(
        name, c.features, kernel: 3, stride: stride, padding: .explicit(PaddingAmounts(1)),
        bias: false
      )
      .leakyRelu(0.1)
    }
    let first = layer(input, "conv0", stride: 2)
    let x = layer(layer(first, "conv1"), "conv2") + first
    return [
      x.convolution("conv_out", 4 * c.channels * c.scale * c.scale, kernel: 3, bias: false)
        .pixelShuffle(2 * c.scale)
    ]
  }

  static func configurations(of weights: WeightIndex) -> [Proposal<Configuration>] {
    guard let first = weights.convolution("conv0"), weights.convolution("conv2") != nil,
      let scale = weights.scale(weights.convolution("conv_out"), 4 * first[1])
    else { return [] }
    return [Proposal(Configuration(channels: first[1], scale: scale, features: first[0]))]
  }

  static func picture(_ c: Configuration) -> ImageSpec { .usual(c.channels) }
}

@section("aviary_architectures") @used
private let record: Registration = { unsafe register(BicubicPlusPlus.self, $0) }
