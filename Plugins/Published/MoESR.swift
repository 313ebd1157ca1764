internal import AviaryGraph

/// Groups of MoSRv2's blocks, each with some more on an image of half the size.
///
/// References: rewaifu's resselt (MIT), by way of spandrel.
enum MoESR: Architecture {
  struct Configuration: ArchitectureConfiguration {
    var channels = 3
    var scale = 4
    var features = 64
    var groups = 9
    /// Blocks of each group.
    var blocks = 4
    /// Channels of the gates of blocks, and of those on half the size.
    var hidden = 170
    var smallHidden = 96
    var upsampler = UniformUpsampler.Kind.pixelshuffledirect
    /// Channels within the upsampler, where it has convolutions of its own.
    var middle = 64

    var enlargement: UniformUpsampler {
      UniformUpsampler(
        kind: upsampler, factor: scale, channels: channels,
        middle: upsampler == .dysample ? features : middle)
    }

    var problem: String? {
      if !(1...16).contains(scale) { return "scale: expected 1 to 16, found \(scale)" }
      if !(8...1024).contains(features) || features % 4 != 0 {
        return "features: expected a multiple of 4 from 8 to 1024, found \(features)"
      }
      if hidden < features || smallHidden < features {
        return "hidden and smallHidden: expected \(features) or more, found \(hidden) and "
          + "\(smallHidden)"
      }
      for (name, value) in [("groups", groups), ("blocks", blocks)]
      where !(1...64).contains(value) {
        return "\(name): expected 1 to 64, found \(value)"
      }
      return enlargement.problem
    }
  }

  static let info = ArchitectureInfo(
    "moesr", summary: "Gated convolutions of MambaOut's kind, also on half the size",
    paper: "https://github.com/rewaifu/resselt", matchesStructure: false)

  static let presets: KeyValuePairs = [
    "x4": Configuration(),
    "x2": Configuration(scale: 2),
    "x1": Configuration(scale: 1, upsampler: .conv),
  ]

  static func build(_ c: Configuration, _ input: Value) -> [Value] {
    let first = input.padded(toMultiple: 2, .reflect)
      .convolution("in_to_dim", c.features, kernel: 3)
    var x = first
    for group in 0..<c.groups {
      let name = "blocks.\(group)"
      for block in 0..<c.blocks {
        x = x.excited("\(name).blocks.\(block)", hidden: c.hidden)
      }
      var small = x.convolution("\(name).msg.down.0", c.features / 4, kernel: 3)
        .applying(.pixelUnshuffle(PixelUnshuffle(factor: 2))).leakyRelu(0.1)
      for block in 0..<3 {
        small = small.excited("\(name).msg.gated.\(block)", hidden: c.smallHidden)
      }
      x =
        small.convolution("\(name).msg.up.0", 4 * c.features, kernel: 3).pixelShuffle(2)
        .leakyRelu(0.1) + x
    }
    return [
      (x + first).enlarged("upscale", c.enlargement).cropped(toSizeOf: input, times: c.scale)
    ]
  }

  static func configurations(of weights: WeightIndex) -> [Proposal<Configuration>] {
    guard let first = weights.convolution("in_to_dim"),
      let wide = weights.convolution("blocks.0.blocks.0.fc1"),
      let small = weights.convolution("blocks.0.msg.gated.0.fc1"),
      let (upsampler, isAssumed) = weights.uniformUpsampler(
        "upscale", channels: first[1], features: first[0])
    else { return [] }
    return [
      Proposal(
        Configuration(
          channels: first[1], scale: upsampler.factor, features: first[0],
          groups: weights.count(of: "blocks"), blocks: weights.count(of: "blocks.0.blocks"),
          hidden: wide[0] / 2, smallHidden: small[0] / 2, upsampler: upsampler.kind,
          middle: upsampler.kind == .pixelshuffle ? upsampler.middle : 64),
        assumed: isAssumed ? ["scale"] : [])
    ]
  }

  static let valuesRead = [WeightIndex.upsamplerFacts("upscale")]

  static func unused(_ c: Configuration) -> [UnusedTensors] {
    UnusedTensors.ofUpsampler("upscale", c.enlargement, features: c.features)
  }

  static func picture(_ c: Configuration) -> ImageSpec { .usual(c.channels) }
}

extension Value {
  fileprivate func excited(_ name: String, hidden: Int) -> Value {
    channelsNormalized("\(name).norm").gated(name, hidden: hidden, mixed: channels) {
      $0.inception("\(name).conv")
    } * learnedConstant("\(name).gamma", [1, channels, 1, 1], start: 1) + self
  }
}

@section("aviary_architectures") @used
private let record: Registration = { unsafe register(MoESR.self, $0) }
