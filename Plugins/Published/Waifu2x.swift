internal import AviaryGraph

/// Seven convolutions without padding: the first networks of waifu2x. One that enlarges ends in a
/// transposed convolution.
///
/// References: nagadomi's nunif (MIT), tsurumeso's waifu2x-chainer (MIT).
enum Waifu2x: Architecture {
  struct Configuration: ArchitectureConfiguration {
    var channels = 3
    /// 1 (`vgg_7`) or 2 (`upconv_7`).
    var scale = 2
    /// Channels of all layers but the last.
    var features = [16, 32, 64, 128, 128, 256]
    /// Whether the last layer has a bias: that of Chainer's `UpConv7` has none.
    var bias = true

    var problem: String? {
      if !(1...2).contains(scale) { return "scale: expected 1 or 2, found \(scale)" }
      return features.count == 6 ? nil : "features: expected 6, found \(features.count)"
    }
  }

  static let info = ArchitectureInfo(
    "waifu2x", summary: "Seven convolutions without padding, for anime",
    paper: "https://github.com/nagadomi/nunif", matchesStructure: false)

  static let presets: KeyValuePairs = [
    "upconv7-x2": Configuration(),
    "upconv7-chainer-x2": Configuration(bias: false),
    "vgg7": Configuration(scale: 1, features: [32, 32, 64, 64, 128, 128]),
  ]

  static func build(_ c: Configuration, _ input: Value) -> [Value] {
    var x = input
    for (layer, features) in c.features.enumerated() {
      x = x.convolution("net.\(2 * layer)", features, kernel: 3, padding: .valid).leakyRelu(0.1)
    }
    let last =
      c.scale == 1
      ? x.convolution("net.12", c.channels, kernel: 3, padding: .valid, bias: c.bias)
      : x.transposedConvolution(
        "net.12", c.channels, kernel: 4, stride: 2, padding: .pytorch(padding: 3), bias: c.bias)
    return [last.activation(.clamp(minimum: 0, maximum: 1))]
  }

  static func configurations(of weights: WeightIndex) -> [Proposal<Configuration>] {
    let layers = (0...6).compactMap { weights.convolution("net.\(2 * $0)") }
    guard layers.count == 7 else { return [] }
    return [
      Proposal(
        Configuration(
          channels: layers[0][1], scale: layers[6][2] == 4 ? 2 : 1,
          features: layers.dropLast().map { $0[0] }, bias: weights["net.12.bias"] != nil))
    ]
  }

  static let publishedNames = [NameMap("tsurumeso/waifu2x-chainer", ["conv{i}": "net.{2i}"])]

  static func picture(_ c: Configuration) -> ImageSpec { .usual(c.channels, padding: .edge) }
}

@section("aviary_architectures") @used
private let record: Registration = { unsafe register(Waifu2x.self, $0) }
