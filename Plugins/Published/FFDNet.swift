internal import AviaryGraph

/// A chain of convolutions at half the size, which is told the noise level.
///
/// Zhang, Zuo, Zhang: FFDNet: Toward a Fast and Flexible Solution for CNN-Based Image Denoising.
/// Reference: cszn's KAIR (MIT).
enum FFDNet: Architecture {
  struct Configuration: ArchitectureConfiguration {
    var channels = 1
    var features = 64
    /// Convolutions in all.
    var layers = 15
    /// The standard deviation of the noise, of values from 0 to 255.
    var noise = 15.0
    var scale: Int { 1 }

    var problem: String? {
      if !(0...255).contains(noise) { return "noise: expected 0 to 255, found \(noise)" }
      return (2...200).contains(layers) ? nil : "layers: expected 2 to 200, found \(layers)"
    }
  }

  static let info = ArchitectureInfo(
    "ffdnet", summary: "A chain of convolutions at half the size, told the noise level",
    paper: "https://arxiv.org/abs/1710.04026", matchesStructure: false)

  static let presets: KeyValuePairs = [
    "gray": Configuration(),
    "colour": Configuration(channels: 3, features: 96, layers: 12),
  ]

  static func build(_ c: Configuration, _ input: Value) -> [Value] {
    let small = input.applying(.pixelUnshuffle(PixelUnshuffle(factor: 2)))
    var x = small.withNoise(c.noise, small)
    for layer in 0..<c.layers - 1 {
      x = x.convolution("model.\(2 * layer)", c.features, kernel: 3).relu()
    }
    return [
      x.convolution("model.\(2 * c.layers - 2)", 4 * c.channels, kernel: 3).pixelShuffle(2)
    ]
  }

  static func configurations(of weights: WeightIndex) -> [Proposal<Configuration>] {
    guard let first = weights.convolution("model.0"), let number = weights.last(of: "model"),
      number >= 2, number % 2 == 0, let last = weights.convolution("model.\(number)"),
      last[0] % 4 == 0, last[0] + 1 == first[1]
    else { return [] }
    return [
      Proposal(
        Configuration(channels: last[0] / 4, features: first[0], layers: number / 2 + 1),
        assumed: ["noise"])
    ]
  }

  static func picture(_ c: Configuration) -> ImageSpec { .usual(c.channels, padding: .edge) }
}

@section("aviary_architectures") @used
private let record: Registration = { unsafe register(FFDNet.self, $0) }
