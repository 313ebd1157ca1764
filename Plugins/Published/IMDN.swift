internal import AviaryGraph

/// Blocks that set a part of their features aside after each convolution, and attention to the contrast
/// of each channel.
///
/// Hui et al.: Lightweight Image Super-Resolution with Information Multi-distillation Network. References:
/// Zheng222's IMDN, from its facts, and cszn's KAIR (MIT).
enum IMDN: Architecture {
  struct Configuration: ArchitectureConfiguration {
    /// Which of three networks, each with names of its own.
    enum Variant: String, Codable, Sendable {
      /// The paper's.
      case original
      /// That for real-time communication: without attention, and without joining what all blocks
      /// give.
      case rtc
      /// KAIR's, and AIM 2019's winner: as `rtc`, with a larger last convolution.
      case kair
    }

    var channels = 3
    var scale = 2
    var features = 64
    var blocks = 6
    var variant = Variant.original

    var problem: String? {
      let least = variant == .original ? 16 : 4
      if features < least || features % 4 != 0 {
        return "features: expected a multiple of 4 from \(least) on, found \(features)"
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
    "rtc-x2": Configuration(features: 12, blocks: 5, variant: .rtc),
    "kair-x4": Configuration(scale: 4, blocks: 8, variant: .kair),
  ]

  static func build(_ c: Configuration, _ input: Value) -> [Value] {
    let outputs = c.channels * c.scale * c.scale
    guard c.variant == .original else {
      let first = input.convolution("model.0", c.features, kernel: 3)
      var x = first
      for block in 0..<c.blocks { x = x + x.distilled("model.1.sub.\(block)", c.variant) }
      x = x.convolution(
        "model.1.sub.\(c.blocks)", c.features, kernel: c.variant == .rtc ? 1 : 3)
      return [
        (first + x).convolution("model.2", outputs, kernel: 3).pixelShuffle(c.scale)
      ]
    }
    let first = input.convolution("fea_conv", c.features, kernel: 3)
    var x = first
    var all: [Value] = []
    for block in 1...c.blocks {
      x = x + x.distilled("IMDB\(block)", c.variant)
      all.append(x)
    }
    return [
      (Value.concatenate(all).convolution("c.0", c.features, kernel: 1).leakyRelu(0.05)
        .convolution("LR_conv", c.features, kernel: 3) + first)
        .convolution("upsampler.0", outputs, kernel: 3).pixelShuffle(c.scale)
    ]
  }

  static func configurations(of weights: WeightIndex) -> [Proposal<Configuration>] {
    let variant: Configuration.Variant? =
      if weights.has("IMDB1.cca.") {
        .original
      } else if weights.has("model.1.sub.0.c1.") {
        .rtc
      } else if weights.has("model.1.sub.0.conv1x1.") {
        .kair
      } else {
        nil
      }
    guard let variant else { return [] }
    let isOriginal = variant == .original
    guard let first = weights.convolution(isOriginal ? "fea_conv" : "model.0"),
      let scale = weights.scale(
        weights.convolution(isOriginal ? "upsampler.0" : "model.2"), first[1])
    else { return [] }
    return [
      Proposal(
        Configuration(
          channels: first[1], scale: scale, features: first[0],
          blocks: isOriginal
            ? (1...32).prefix { weights.has("IMDB\($0).c1.") }.count
            : weights.count(of: "model.1.sub") - 1, variant: variant))
    ]
  }

  static func picture(_ c: Configuration) -> ImageSpec { .usual(c.channels) }
}

extension Value {
  /// Three convolutions, of which each gives a quarter to the end and the rest to the next.
  fileprivate func distilled(_ name: String, _ variant: IMDN.Configuration.Variant) -> Value {
    let isKAIR = variant == .kair
    let part = channels / 4
    var kept: [Value] = []
    var x = self
    for i in 1...3 {
      let y = x.convolution(
        isKAIR ? "\(name).conv\(i).0" : "\(name).c\(i)", channels, kernel: 3
      ).leakyRelu(0.05)
      kept.append(y.channels(0, part))
      x = y.channels(part, channels - part)
    }
    kept.append(x.convolution(isKAIR ? "\(name).conv4" : "\(name).c4", part, kernel: 3))
    var joined = Value.concatenate(kept)
    if variant == .original {
      joined = joined.contrastAttention("\(name).cca", channels / 16)
    }
    return joined.convolution(isKAIR ? "\(name).conv1x1" : "\(name).c5", channels, kernel: 1)
  }
}

@section("aviary_architectures") @used
private let record: Registration = { unsafe register(IMDN.self, $0) }
