internal import AviaryGraph

/// DnCNN that is told the noise level, as one more channel, and gives the image itself.
///
/// Zhang et al.: Beyond a Gaussian Denoiser. Reference: cszn's KAIR (MIT).
enum FDnCNN: Architecture {
  struct Configuration: ArchitectureConfiguration {
    var channels = 1
    var features = 64
    /// Convolutions in all.
    var layers = 20
    /// The standard deviation of the noise, of values from 0 to 255.
    var noise = 15.0
    var scale: Int { 1 }

    var problem: String? {
      // With four it would have FFDNet's layers, which sees an image as four of half its size.
      if channels != 1 && channels != 3 {
        return "channels: expected 1 or 3, found \(channels)"
      }
      if !(0...255).contains(noise) { return "noise: expected 0 to 255, found \(noise)" }
      return (2...200).contains(layers) ? nil : "layers: expected 2 to 200, found \(layers)"
    }
  }

  static let info = ArchitectureInfo(
    "fdncnn", summary: "A chain of convolutions that is told the noise level",
    paper: "https://arxiv.org/abs/1608.03981", matchesStructure: false)

  static let presets: KeyValuePairs = [
    "gray": Configuration(),
    "colour": Configuration(channels: 3),
  ]

  static func build(_ c: Configuration, _ input: Value) -> [Value] {
    var x = input.withNoise(c.noise, input)
    for layer in 0..<c.layers - 1 {
      x = x.convolution("model.\(2 * layer)", c.features, kernel: 3).relu()
    }
    return [x.convolution("model.\(2 * c.layers - 2)", c.channels, kernel: 3)]
  }

  static func configurations(of weights: WeightIndex) -> [Proposal<Configuration>] {
    guard let first = weights.convolution("model.0"), let number = weights.last(of: "model"),
      number >= 2, number % 2 == 0, let last = weights.convolution("model.\(number)"),
      last[0] + 1 == first[1], [1, 3].contains(last[0])
    else { return [] }
    return [
      Proposal(
        Configuration(channels: last[0], features: first[0], layers: number / 2 + 1),
        assumed: ["noise"])
    ]
  }

  static func picture(_ c: Configuration) -> ImageSpec { .usual(c.channels) }
}

extension Value {
  /// The value with one more channel, which holds the noise level everywhere.
  ///
  /// - Parameter image: a value of the same size, whose values do not matter.
  func withNoise(_ level: Double, _ image: Value) -> Value {
    Value.concatenate([self, (image.channels(0, 1) * 0).plus(level / 255)])
  }
}

@section("aviary_architectures") @used
private let record: Registration = { unsafe register(FDnCNN.self, $0) }
