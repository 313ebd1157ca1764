internal import AviaryGraph

/// The generator of SRGAN of separable convolutions.
///
/// Krishnan et al.: SwiftSRGAN. Reference: Koushik0901's Swift-SRGAN (CC0).
enum SwiftSRGAN: Architecture {
  struct Configuration: ArchitectureConfiguration {
    var channels = 3
    var scale = 4
    var features = 64
    var blocks = 16

    var problem: String? {
      if scale > 16 || scale.exponentOfTwo == nil {
        return "scale: expected 1, 2, 4, 8 or 16, found \(scale)"
      }
      return (1...64).contains(blocks) ? nil : "blocks: expected 1 to 64, found \(blocks)"
    }
  }

  static let info = ArchitectureInfo(
    "swift-srgan", summary: "The generator of SRGAN of separable convolutions",
    paper: "https://arxiv.org/abs/2111.14320", matchesStructure: false)

  static let presets: KeyValuePairs = ["x4": Configuration(), "x2": Configuration(scale: 2)]

  static func build(_ c: Configuration, _ input: Value) -> [Value] {
    let initial = input.separable("initial.cnn", c.features, kernel: 9).prelu("initial.act")
    var x = initial
    for i in 0..<c.blocks {
      let name = "residual.\(i)"
      x =
        x
        + x.separable("\(name).block1.cnn", c.features, kernel: 3, bias: false)
        .batchNormalization("\(name).block1.bn").prelu("\(name).block1.act")
        .separable("\(name).block2.cnn", c.features, kernel: 3, bias: false)
        .batchNormalization("\(name).block2.bn")
    }
    x =
      x.separable("convblock.cnn", c.features, kernel: 3, bias: false)
      .batchNormalization("convblock.bn") + initial
    for step in 0..<(c.scale.exponentOfTwo ?? 0) {
      x = x.separable("upsampler.\(step).conv", 4 * c.features, kernel: 3).pixelShuffle(2)
        .prelu("upsampler.\(step).act")
    }
    let last = x.separable("final_conv", c.channels, kernel: 9).activation(.tanh)
    return [last.plus(1) * 0.5]
  }

  static func configurations(of weights: WeightIndex) -> [Proposal<Configuration>] {
    guard let first = weights.convolution("initial.cnn.pointwise"),
      weights.has("residual.0.block1.cnn.")
    else { return [] }
    return [
      Proposal(
        Configuration(
          channels: first[1], scale: 1 << min(weights.count(of: "upsampler"), 8),
          features: first[0], blocks: weights.count(of: "residual")))
    ]
  }

  static func unused(_ c: Configuration) -> [UnusedTensors] {
    let reason = "an activation that is not applied"
    return [
      UnusedTensors("residual.{i}.block2.act.weight", reason),
      UnusedTensors("convblock.act.weight", reason),
    ]
  }

  static func picture(_ c: Configuration) -> ImageSpec { .usual(c.channels) }
}

extension Value {
  /// A convolution of each channel by itself, then one across the channels.
  fileprivate func separable(
    _ name: String, _ features: Int, kernel: Size, bias: Bool = true
  ) -> Value {
    convolution("\(name).depthwise", channels, kernel: kernel, groups: channels, bias: bias)
      .convolution("\(name).pointwise", features, kernel: 1, bias: bias)
  }
}

@section("aviary_architectures") @used
private let record: Registration = { unsafe register(SwiftSRGAN.self, $0) }
