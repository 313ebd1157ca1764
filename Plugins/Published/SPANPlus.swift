internal import AviaryGraph

/// SPAN's blocks in groups, each with the connections that SPAN as a whole has.
///
/// After Wan et al.: Swift Parameter-free Attention Network for Efficient Super-Resolution. References:
/// umzi2's SPANPlus and neosr (Apache-2.0), by way of resselt (MIT). Its convolutions are trained as
/// several branches, which are folded into one on import.
enum SPANPlus: Architecture {
  struct Configuration: ArchitectureConfiguration {
    var channels = 3
    var scale = 4
    var features = 48
    /// For each group, how many blocks there are between the first and the last.
    var blocks = [4]
    var upsampler = Upsampler.dysample

    /// How it enlarges.
    enum Upsampler: String, Codable, Sendable {
      case dysample
      case pixelshuffle
      /// Not at all.
      case conv
    }

    var problem: String? {
      if !(1...16).contains(scale) { return "scale: expected 1 to 16, found \(scale)" }
      if upsampler == .conv, scale != 1 { return "scale: expected 1 with 'conv', found \(scale)" }
      if upsampler == .dysample, features < 4 || features % 4 != 0 {
        return "features: expected a multiple of 4 with 'dysample', found \(features)"
      }
      if !(1...16).contains(blocks.count) {
        return "blocks: expected 1 to 16 groups, found \(blocks.count)"
      }
      return blocks.first { $0 > 64 }.map { "blocks: expected 0 to 64, found \($0)" }
    }
  }

  static let info = ArchitectureInfo(
    "spanplus", summary: "Groups of blocks weighed by parameter-free attention",
    paper: "https://github.com/umzi2/SPANPlus", matchesStructure: false)

  static let presets: KeyValuePairs = [
    "x4": Configuration(),
    "x2": Configuration(scale: 2),
    "st-x4": Configuration(upsampler: .pixelshuffle),
    "s-x4": Configuration(features: 32, blocks: [2]),
    "sts-x4": Configuration(features: 32, blocks: [2], upsampler: .pixelshuffle),
    "sts-x2": Configuration(scale: 2, features: 32, blocks: [2], upsampler: .pixelshuffle),
    "x1": Configuration(scale: 1, upsampler: .conv),
  ]

  static func build(_ c: Configuration, _ input: Value) -> [Value] {
    var x = input.convolution("feats.0", c.features, kernel: 3)
    for (group, blocks) in c.blocks.enumerated() {
      let name = "feats.\(group + 1)"
      let (first, _) = x.parameterFree("\(name).block_1", .mish)
      let middle = (0..<blocks).reduce(first) { $0.parameterFree("\(name).block_n.\($1)", .mish).0 }
      let (end, inner) = middle.parameterFree("\(name).block_end", .mish)
      let last = end.convolution("\(name).conv_2", c.features, kernel: 3)
      x = Value.concatenate([x, last, first, inner])
        .convolution("\(name).conv_cat", c.features, kernel: 1)
    }
    return switch c.upsampler {
    case .dysample: [x.dySample("upsampler", by: c.scale, outputs: c.channels)]
    case .pixelshuffle:
      [
        x.convolution("upsampler.0", c.channels * c.scale * c.scale, kernel: 3)
          .pixelShuffle(c.scale)
      ]
    case .conv: [x.convolution("upsampler", c.channels, kernel: 3)]
    }
  }

  static func configurations(of weights: WeightIndex) -> [Proposal<Configuration>] {
    guard let first = weights.convolution("feats.0"), weights.has("feats.1.block_1.c1_r.") else {
      return []
    }
    var c = Configuration(channels: first[1], features: first[0])
    c.blocks = (1..<max(weights.count(of: "feats"), 1)).map { group in
      weights.count(of: "feats.\(group).block_n")
    }
    if let scale = weights.dySampleScale("upsampler") {
      c.scale = scale
    } else if let scale = weights.scale(weights.convolution("upsampler.0"), first[1]) {
      (c.scale, c.upsampler) = (scale, .pixelshuffle)
    } else if weights.convolution("upsampler") != nil {
      (c.scale, c.upsampler) = (1, .conv)
    } else {
      return []
    }
    return [Proposal(c)]
  }

  static func unused(_ c: Configuration) -> [UnusedTensors] {
    c.upsampler == .dysample ? [.initialPositions("upsampler", by: c.scale)] : []
  }

  static func picture(_ c: Configuration) -> ImageSpec { .usual(c.channels) }
}

@section("aviary_architectures") @used
private let record: Registration = { unsafe register(SPANPlus.self, $0) }
