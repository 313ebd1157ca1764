internal import AviaryGraph

/// A plain chain of convolutions on the small image, added to its enlargement: SRVGGNetCompact of
/// Real-ESRGAN, "Compact" to those who train it.
///
/// Wang et al.: Real-ESRGAN. Reference: xinntao's Real-ESRGAN (BSD-3-Clause).
enum Compact: Architecture {
  struct Configuration: ArchitectureConfiguration {
    enum Nonlinearity: String, Codable, Sendable {
      case prelu
      case relu
      /// With a slope of 0.1.
      case leakyRelu = "leaky-relu"
    }

    var channels = 3
    var scale = 4
    var features = 64
    /// Convolutions between the first and the last.
    var convolutions = 16
    var activation = Nonlinearity.prelu

    var problem: String? {
      if !(1...16).contains(scale) { return "scale: expected 1 to 16, found \(scale)" }
      return (0...256).contains(convolutions)
        ? nil : "convolutions: expected 0 to 256, found \(convolutions)"
    }
  }

  static let info = ArchitectureInfo(
    "compact", summary: "A chain of convolutions on the small image (SRVGGNetCompact)",
    paper: "https://arxiv.org/abs/2107.10833", matchesStructure: false)

  static let presets: KeyValuePairs = [
    "x4": Configuration(),
    "x2": Configuration(scale: 2),
    "x1": Configuration(scale: 1),
    "general-x4": Configuration(convolutions: 32),
    "ultra-x2": Configuration(scale: 2, convolutions: 8),
    "super-ultra-x2": Configuration(scale: 2, features: 24, convolutions: 8),
  ]

  static func build(_ c: Configuration, _ input: Value) -> [Value] {
    var x = input
    for i in 0...c.convolutions {
      x = x.convolution("body.\(2 * i)", c.features, kernel: 3)
      switch c.activation {
      case .prelu: x = x.prelu("body.\(2 * i + 1)")
      case .relu: x = x.relu()
      case .leakyRelu: x = x.leakyRelu(0.1)
      }
    }
    x = x.convolution("body.\(2 * c.convolutions + 2)", c.channels * c.scale * c.scale, kernel: 3)
    return [
      c.scale == 1 ? x + input : x.pixelShuffle(c.scale) + input.resize(.nearest, by: c.scale)
    ]
  }

  static func configurations(of weights: WeightIndex) -> [Proposal<Configuration>] {
    guard let first = weights.convolution("body.0"), let number = weights.last(of: "body"),
      number >= 2, number % 2 == 0, let last = weights.convolution("body.\(number)"),
      last[0] % first[1] == 0, let scale = (last[0] / first[1]).squareRoot
    else { return [] }
    let isPReLU = weights["body.1.weight"] != nil
    return [
      Proposal(
        Configuration(
          channels: first[1], scale: scale, features: first[0], convolutions: number / 2 - 1,
          activation: isPReLU ? .prelu : .relu), assumed: isPReLU ? [] : ["activation"])
    ]
  }

  static func picture(_ c: Configuration) -> ImageSpec { .usual(c.channels) }
}

@section("aviary_architectures") @used
private let record: Registration = { unsafe register(Compact.self, $0) }
