internal import AviaryGraph

/// RFDN of blueprint separable convolutions, with attention to contrast and to places.
///
/// Li et al.: Blueprint Separable Residual Network for Efficient Image Super-Resolution. Reference:
/// xiaom233's BSRN (MIT), with the convolutions and the pixel shuffle that its files have.
enum BSRN: Architecture {
  struct Configuration: ArchitectureConfiguration {
    var channels = 3
    var scale = 4
    var features = 64
    var blocks = 8
    /// Whether a block has an attention to the contrast of its channels.
    var attendsToContrast = true

    var problem: String? {
      if features < (attendsToContrast ? 16 : 4) || features % 2 != 0 {
        return "features: expected an even number from \(attendsToContrast ? 16 : 4) on, "
          + "found \(features)"
      }
      if !(1...8).contains(scale) { return "scale: expected 1 to 8, found \(scale)" }
      return (1...32).contains(blocks) ? nil : "blocks: expected 1 to 32, found \(blocks)"
    }
  }

  static let info = ArchitectureInfo(
    "bsrn", summary: "Feature distillation by blueprint separable convolutions",
    paper: "https://arxiv.org/abs/2205.05996", matchesStructure: false)

  static let presets: KeyValuePairs = [
    "x4": Configuration(),
    "x2": Configuration(scale: 2),
    "x3": Configuration(scale: 3),
  ]

  /// How often the image is laid beside itself before the first convolution.
  private static let repeats = 4

  static func build(_ c: Configuration, _ input: Value) -> [Value] {
    let first = Value.concatenate(Array(repeating: input, count: repeats))
      .blueprint("fea_conv", c.features)
    var x = first
    var all: [Value] = []
    for block in 1...c.blocks {
      x = x + x.separablyDistilled("B\(block)", attendsToContrast: c.attendsToContrast)
      all.append(x)
    }
    return [
      (Value.concatenate(all).convolution("c1", c.features, kernel: 1).gelu()
        .blueprint("c2", c.features) + first)
        .convolution(
          "upsampler.upsampleOneStep.0", c.channels * c.scale * c.scale, kernel: 3
        )
        .pixelShuffle(c.scale)
    ]
  }

  static func configurations(of weights: WeightIndex) -> [Proposal<Configuration>] {
    guard let first = weights.convolution("fea_conv.pw"), first[1] % repeats == 0,
      let scale = weights.scale(
        weights.convolution("upsampler.upsampleOneStep.0"), first[1] / repeats)
    else { return [] }
    return [
      Proposal(
        Configuration(
          channels: first[1] / repeats, scale: scale, features: first[0],
          blocks: (1...32).prefix { weights.has("B\($0).c1_d.") }.count,
          attendsToContrast: weights.has("B1.cca.")))
    ]
  }

  static func picture(_ c: Configuration) -> ImageSpec { .usual(c.channels) }
}

extension Value {
  fileprivate func separablyDistilled(_ name: String, attendsToContrast: Bool) -> Value {
    var kept: [Value] = []
    var x = self
    for i in 1...3 {
      kept.append(x.convolution("\(name).c\(i)_d", channels / 2, kernel: 1).gelu())
      x = (x.blueprint("\(name).c\(i)_r", channels) + x).gelu()
    }
    kept.append(x.blueprint("\(name).c4", channels / 2).gelu())
    let placed = Value.concatenate(kept).convolution("\(name).c5", channels, kernel: 1)
      .spatialAttention("\(name).esa", channels / 4, isLong: true, isSeparable: true)
    return attendsToContrast ? placed.contrastAttention("\(name).cca", channels / 16) : placed
  }
}

@section("aviary_architectures") @used
private let record: Registration = { unsafe register(BSRN.self, $0) }
