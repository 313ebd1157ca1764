internal import AviaryGraph

/// The generator of SRGAN as published, in the forms that people have: with batch normalisation
/// (Lornatang's, leftthomas's) or instance normalisation (twtygqyy's).
///
/// Ledig et al.: Photo-Realistic Single Image Super-Resolution Using a Generative Adversarial Network.
/// References: Lornatang's SRGAN-PyTorch (Apache-2.0), leftthomas's SRGAN and twtygqyy's pytorch-SRResNet
/// (MIT).
enum SRGAN: Architecture {
  struct Configuration: ArchitectureConfiguration {
    /// Whose network.
    enum Kind: String, Codable, Sendable {
      case lornatang
      case leftthomas
      case twtygqyy
    }

    var channels = 3
    /// 2, 4 or 8.
    var scale = 4
    var features = 64
    var blocks = 16
    var kind = Kind.lornatang

    var problem: String? {
      if ![2, 4, 8].contains(scale) { return "scale: expected 2, 4 or 8, found \(scale)" }
      return (1...64).contains(blocks) ? nil : "blocks: expected 1 to 64, found \(blocks)"
    }
  }

  static let info = ArchitectureInfo(
    "srgan", summary: "The generator of SRGAN, with batch or instance normalisation",
    paper: "https://arxiv.org/abs/1609.04802", matchesStructure: false)

  static let presets: KeyValuePairs = [
    "x4": Configuration(),
    "leftthomas-x4": Configuration(blocks: 5, kind: .leftthomas),
    "twtygqyy-x4": Configuration(kind: .twtygqyy),
  ]

  static func build(_ c: Configuration, _ input: Value) -> [Value] {
    switch c.kind {
    case .lornatang: [lornatang(c, input)]
    case .leftthomas: [leftthomas(c, input)]
    case .twtygqyy: [twtygqyy(c, input)]
    }
  }

  private static func lornatang(_ c: Configuration, _ input: Value) -> Value {
    let first = input.convolution("conv1.0", c.features, kernel: 9)
      .prelu("conv1.1", perChannel: false)
    var x = first
    for i in 0..<c.blocks {
      let name = "trunk.\(i).rcb"
      x =
        x
        + x.convolution("\(name).0", c.features, kernel: 3, bias: false)
        .batchNormalization("\(name).1").prelu("\(name).2", perChannel: false)
        .convolution("\(name).3", c.features, kernel: 3, bias: false)
        .batchNormalization("\(name).4")
    }
    x =
      x.convolution("conv2.0", c.features, kernel: 3, bias: false).batchNormalization("conv2.1")
      + first
    x = x.shuffled(
      by: c.scale, name: { "upsampling.\($0).upsample_block.0" },
      after: { $0.prelu("upsampling.\($1).upsample_block.2", perChannel: false) })
    return x.convolution("conv3", c.channels, kernel: 9)
      .activation(.clamp(minimum: 0, maximum: 1))
  }

  private static func leftthomas(_ c: Configuration, _ input: Value) -> Value {
    let first = input.convolution("block1.0", c.features, kernel: 9)
      .prelu("block1.1", perChannel: false)
    var x = first
    for i in 0..<c.blocks {
      let name = "block\(i + 2)"
      x =
        x
        + x.convolution("\(name).conv1", c.features, kernel: 3).batchNormalization("\(name).bn1")
        .prelu("\(name).prelu", perChannel: false)
        .convolution("\(name).conv2", c.features, kernel: 3).batchNormalization("\(name).bn2")
    }
    let (middle, last) = ("block\(c.blocks + 2)", "block\(c.blocks + 3)")
    x =
      x.convolution("\(middle).0", c.features, kernel: 3).batchNormalization("\(middle).1") + first
    x = x.shuffled(
      by: c.scale, name: { "\(last).\($0).conv" },
      after: { $0.prelu("\(last).\($1).prelu", perChannel: false) })
    x = x.convolution("\(last).\(c.scale.exponentOfTwo ?? 0)", c.channels, kernel: 9)
    return x.activation(.tanh).plus(1) * 0.5
  }

  private static func twtygqyy(_ c: Configuration, _ input: Value) -> Value {
    let first = input.convolution("conv_input", c.features, kernel: 9, bias: false).leakyRelu(0.2)
    var x = first
    for i in 0..<c.blocks {
      let name = "residual.\(i)"
      x =
        x
        + x.convolution("\(name).conv1", c.features, kernel: 3, bias: false)
        .instanceNormalization("\(name).in1").leakyRelu(0.2)
        .convolution("\(name).conv2", c.features, kernel: 3, bias: false)
        .instanceNormalization("\(name).in2")
    }
    x =
      x.convolution("conv_mid", c.features, kernel: 3, bias: false)
      .instanceNormalization("bn_mid") + first
    x = x.shuffled(
      by: c.scale, bias: false, name: { "upscale4x.\(3 * $0)" }, after: { x, _ in x.leakyRelu(0.2) }
    )
    return x.convolution("conv_output", c.channels, kernel: 9, bias: false)
  }

  static func configurations(of weights: WeightIndex) -> [Proposal<Configuration>] {
    var c = Configuration()
    if let first = weights.convolution("conv1.0"), weights.has("trunk.0.rcb.") {
      (c.channels, c.features) = (first[1], first[0])
      c.blocks = weights.count(of: "trunk")
      c.scale = 1 << min(weights.count(of: "upsampling"), 8)
    } else if let first = weights.convolution("block1.0"), weights.has("block2.conv1.") {
      (c.channels, c.features, c.kind) = (first[1], first[0], .leftthomas)
      c.blocks = (2...66).prefix { weights.has("block\($0).conv1.") }.count
      c.scale = 1 << (0..<8).prefix { weights.has("block\(c.blocks + 3).\($0).conv.") }.count
    } else if let first = weights.convolution("conv_input"), weights.has("residual.0.conv1.") {
      (c.channels, c.features, c.kind) = (first[1], first[0], .twtygqyy)
      c.blocks = weights.count(of: "residual")
      c.scale = 1 << (0..<8).prefix { weights.has("upscale4x.\(3 * $0).") }.count
    } else {
      return []
    }
    return [Proposal(c)]
  }

  static func picture(_ c: Configuration) -> ImageSpec { .usual(c.channels) }
}

@section("aviary_architectures") @used
private let record: Registration = { unsafe register(SRGAN.self, $0) }
