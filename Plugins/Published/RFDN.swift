internal import AviaryGraph

/// Blocks that set a part of their features aside after each convolution, and spatial attention.
///
/// Liu, Tang, Wu: Residual Feature Distillation Network for Lightweight Image Super-Resolution. Reference:
/// njulj's RFDN (MIT).
enum RFDN: Architecture {
  struct Configuration: ArchitectureConfiguration {
    var channels = 3
    var scale = 4
    var features = 50
    var blocks = 4

    var problem: String? {
      if features < 4 { return "features: expected 4 or more, found \(features)" }
      if !(1...8).contains(scale) { return "scale: expected 1 to 8, found \(scale)" }
      return (1...32).contains(blocks) ? nil : "blocks: expected 1 to 32, found \(blocks)"
    }
  }

  static let info = ArchitectureInfo(
    "rfdn", summary: "Residual feature distillation with spatial attention",
    paper: "https://arxiv.org/abs/2009.11551", matchesStructure: false)

  static let presets: KeyValuePairs = [
    "x4": Configuration(),
    "x2": Configuration(scale: 2),
    "wide-x4": Configuration(features: 52, blocks: 6),
  ]

  static func build(_ c: Configuration, _ input: Value) -> [Value] {
    let first = input.convolution("fea_conv", c.features, kernel: 3)
    var x = first
    var all: [Value] = []
    for block in 1...c.blocks {
      x = x.distilled("B\(block)")
      all.append(x)
    }
    return [
      (Value.concatenate(all).convolution("c.0", c.features, kernel: 1).leakyRelu(0.05)
        .convolution("LR_conv", c.features, kernel: 3) + first)
        .convolution("upsampler.0", c.channels * c.scale * c.scale, kernel: 3)
        .pixelShuffle(c.scale)
    ]
  }

  static func configurations(of weights: WeightIndex) -> [Proposal<Configuration>] {
    guard let first = weights.convolution("fea_conv"), weights.has("B1.c1_d."),
      let last = weights.convolution("upsampler.0"), last[0] % first[1] == 0,
      let scale = (last[0] / first[1]).squareRoot
    else { return [] }
    return [
      Proposal(
        Configuration(
          channels: first[1], scale: scale, features: first[0],
          blocks: (1...32).prefix { weights.has("B\($0).c1_d.") }.count),
        assumed: ["picture.range"])
    ]
  }

  /// Its published files were trained on values up to 255.
  static func picture(_ c: Configuration) -> ImageSpec { .usual(c.channels, range: 255) }
}

extension Value {
  fileprivate func distilled(_ name: String) -> Value {
    var kept: [Value] = []
    var x = self
    for i in 1...3 {
      kept.append(x.convolution("\(name).c\(i)_d", channels / 2, kernel: 1).leakyRelu(0.05))
      x = (x.convolution("\(name).c\(i)_r", channels, kernel: 3) + x).leakyRelu(0.05)
    }
    kept.append(x.convolution("\(name).c4", channels / 2, kernel: 3).leakyRelu(0.05))
    return Value.concatenate(kept).convolution("\(name).c5", channels, kernel: 1)
      .spatialAttention("\(name).esa", channels / 4, isLong: true)
  }
}

@section("aviary_architectures") @used
private let record: Registration = { unsafe register(RFDN.self, $0) }
