internal import AviaryGraph

/// MoSR with depthwise convolutions of three shapes, on an image made smaller where it enlarges little.
///
/// References: umzi2's MoSRV2 (MIT), traiNNer-redux (Apache-2.0), by way of resselt (MIT).
enum MoSRv2: Architecture {
  struct Configuration: ArchitectureConfiguration {
    var channels = 3
    var scale = 4
    /// By how much the image is made smaller first, its pixels becoming channels: 2 or 4 where it
    /// enlarges by 2 or 1.
    var unshuffle = 1
    var features = 64
    var blocks = 24
    /// Channels of the gate of each block.
    var hidden = 96
    /// Whether a block normalises by the root of the mean square, and not by a layer normalisation.
    var rms = false
    var upsampler = UniformUpsampler.Kind.pixelshuffledirect
    /// Channels within the upsampler, where it has convolutions of its own (`pixelshuffle`,
    /// `dysample`).
    var middle = 32

    /// By how much the features are enlarged.
    var factor: Int { scale * unshuffle }

    var enlargement: UniformUpsampler {
      UniformUpsampler(kind: upsampler, factor: factor, channels: channels, middle: middle)
    }

    var problem: String? {
      if ![1, 2, 4].contains(unshuffle) || !(1...16).contains(scale) || factor > 16 {
        return
          "scale and unshuffle: expected 1 to 16, and 1, 2 or 4, found \(scale) and \(unshuffle)"
      }
      if let problem = enlargement.problem { return problem }
      if features < 8 { return "features: expected 8 or more, found \(features)" }
      if hidden < features { return "hidden: expected \(features) or more, found \(hidden)" }
      return (1...128).contains(blocks) ? nil : "blocks: expected 1 to 128, found \(blocks)"
    }
  }

  static let info = ArchitectureInfo(
    "mosrv2", summary: "Gated convolutions of MambaOut's kind, of three shapes",
    paper: "https://github.com/umzi2/MoSRV2", matchesStructure: false)

  static let presets: KeyValuePairs = [
    "x4": Configuration(),
    "x2": Configuration(scale: 2, unshuffle: 2),
    "x1": Configuration(scale: 1, unshuffle: 4),
    "plain-x2": Configuration(scale: 2),
    "rms-x4": Configuration(rms: true),
    "dysample-x4": Configuration(upsampler: .dysample),
  ]

  static func build(_ c: Configuration, _ input: Value) -> [Value] {
    let image =
      c.unshuffle == 1
      ? input : input.applying(.pixelUnshuffle(PixelUnshuffle(factor: c.unshuffle)))
    let start = c.unshuffle == 1 ? 0 : 1
    var x = image.convolution("gblocks.\(start)", c.features, kernel: 3)
    for block in 1...c.blocks {
      let name = "gblocks.\(start + block)"
      let normal =
        c.rms
        ? x.rootNormalized("\(name).norm", [c.features, 1, 1])
        : x.layerNormalization(
          "\(name).norm", LayerNormalization(dimensions: 1, first: 1, epsilon: 1e-6))
      let added = normal.gated(name, hidden: c.hidden, mixed: c.features) {
        $0.inception("\(name).conv")
      }
      x = added * x.learnedConstant("\(name).gamma", [1, c.features, 1, 1], start: 1) + x
    }
    let large = x.narrowed("gblocks", from: start + c.blocks + 1)
      .enlarged("to_img", c.enlargement)
    return [large + (c.scale == 1 ? input : input.resize(.linear, by: c.scale))]
  }

  static func configurations(of weights: WeightIndex) -> [Proposal<Configuration>] {
    let start = weights.convolution("gblocks.0") == nil ? 1 : 0
    let block = "gblocks.\(start + 1)"
    guard let first = weights.convolution("gblocks.\(start)"), weights["\(block).gamma"] != nil,
      let wide = weights.convolution("\(block).fc1"), weights.has("\(block).conv.dwconv_hw."),
      // One convolution says both its scale and the channels: those that the input has.
      let (upsampler, isAssumed) = weights.uniformUpsampler(
        "to_img",
        channels: start == 0 ? first[1] : (first[1] % 16 == 0 ? first[1] / 16 : first[1] / 4),
        features: first[0]),
      let unshuffle = [1, 2, 4].first(where: { $0 * $0 * upsampler.channels == first[1] }),
      (start == 0) == (unshuffle == 1), upsampler.factor % unshuffle == 0
    else { return [] }
    return [
      Proposal(
        Configuration(
          channels: upsampler.channels, scale: upsampler.factor / unshuffle, unshuffle: unshuffle,
          features: first[0],
          blocks: (1...128).prefix { weights["gblocks.\(start + $0).gamma"] != nil }.count,
          hidden: wide[0] / 2, rms: weights["\(block).norm.scale"] != nil,
          upsampler: upsampler.kind,
          middle: [.pixelshuffle, .dysample, .attention].contains(upsampler.kind)
            // Within the others there is none, and only the buffer tells.
            ? upsampler.middle : weights.statedMiddle(of: "to_img") ?? 32),
        assumed: isAssumed ? ["scale"] : [])
    ]
  }

  static let valuesRead = [WeightIndex.upsamplerFacts("to_img")]

  static func unused(_ c: Configuration) -> [UnusedTensors] {
    UnusedTensors.ofUpsampler("to_img", c.enlargement, features: c.features, version: 2)
  }

  static func picture(_ c: Configuration) -> ImageSpec { .usual(c.channels) }
}

@section("aviary_architectures") @used
private let record: Registration = { unsafe register(MoSRv2.self, $0) }
