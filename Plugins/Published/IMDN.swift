internal import AviaryGraph

/// Blocks that set a part of their features aside after each convolution, and attention to the contrast
/// of each channel.
///
/// Hui et al.: Lightweight Image Super-Resolution with Information Multi-distillation Network. Reference:
/// Zheng222's IMDN, from its facts.
enum IMDN: Architecture {
  struct Configuration: ArchitectureConfiguration {
    var channels = 3
    var scale = 2
    var features = 64
    var blocks = 6

    var problem: String? {
      if features < 16 || features % 4 != 0 {
        return "features: expected a multiple of 4 from 16 on, found \(features)"
      }
      if !(1...8).contains(scale) { return "scale: expected 1 to 8, found \(scale)" }
      return (1...32).contains(blocks) ? nil : "blocks: expected 1 to 32, found \(blocks)"
    }
  }

  static let info = ArchitectureInfo(
    "imdn", summary: "Information multi-distillation with attention to contrast",
    paper: "https://arxiv.org/abs/1909.11856", matchesStructure: false)

  static let presets: KeyValuePairs = [
    "x2": Configuration(),
    "x3": Configuration(scale: 3),
    "x4": Configuration(scale: 4),
  ]

  static func build(_ c: Configuration, _ input: Value) -> [Value] {
    let first = input.convolution("fea_conv", c.features, kernel: 3)
    var x = first
    var all: [Value] = []
    for block in 1...c.blocks {
      x = x + x.distilled("IMDB\(block)", c.features / 4)
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
    guard let first = weights.convolution("fea_conv"), weights.has("IMDB1.cca."),
      let last = weights.convolution("upsampler.0"), last[0] % first[1] == 0,
      let scale = (last[0] / first[1]).squareRoot
    else { return [] }
    return [
      Proposal(
        Configuration(
          channels: first[1], scale: scale, features: first[0],
          blocks: (1...32).prefix { weights.has("IMDB\($0).c1.") }.count))
    ]
  }

  static func picture(_ c: Configuration) -> ImageSpec { .usual(c.channels) }
}

extension Value {
  /// Three convolutions, of which each gives a part to the end and the rest to the next.
  fileprivate func distilled(_ name: String, _ part: Int) -> Value {
    var kept: [Value] = []
    var x = self
    for i in 1...3 {
      let y = x.convolution("\(name).c\(i)", channels, kernel: 3).leakyRelu(0.05)
      kept.append(y.channels(0, part))
      x = y.channels(part, channels - part)
    }
    kept.append(x.convolution("\(name).c4", part, kernel: 3))
    let joined = Value.concatenate(kept)
    let contrast =
      joined.applying(.reduce(Reduction(.variance, dimensions: [2, 3]))).activation(.sqrt)
      + joined.globalMean()
    let attention = contrast.convolution("\(name).cca.conv_du.0", channels / 16, kernel: 1).relu()
      .convolution("\(name).cca.conv_du.2", channels, kernel: 1).sigmoid()
    return (joined * attention).convolution("\(name).c5", channels, kernel: 1)
  }
}

@section("aviary_architectures") @used
private let record: Registration = { unsafe register(IMDN.self, $0) }
