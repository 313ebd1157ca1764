internal import AviaryGraph

/// A chain of convolutions and a mirrored one of transposed convolutions, with skips between them.
///
/// Mao, Shen, Yang: Image Restoration Using Convolutional Auto-encoders with Symmetric Skip Connections.
/// Reference: yjn870's REDNet-pytorch, from its facts.
enum REDNet: Architecture {
  struct Configuration: ArchitectureConfiguration {
    var channels = 3
    var features = 64
    /// Convolutions, and as many transposed ones.
    var layers = 15
    /// Whether every second convolution's result is added on the way back. Those of five layers are
    /// published without.
    var skips = true
    var scale: Int { 1 }

    var problem: String? {
      (2...50).contains(layers) ? nil : "layers: expected 2 to 50, found \(layers)"
    }
  }

  static let info = ArchitectureInfo(
    "red-net", summary: "Convolutions and mirrored transposed ones, with skips",
    paper: "https://arxiv.org/abs/1606.08921", matchesStructure: false)

  static let presets: KeyValuePairs = [
    "red30": Configuration(),
    "red20": Configuration(layers: 10),
    "red10": Configuration(layers: 5, skips: false),
  ]

  static func build(_ c: Configuration, _ input: Value) -> [Value] {
    var x = input
    var kept: [Value] = []
    for layer in 0..<c.layers {
      x = x.convolution("conv_layers.\(layer).0", c.features, kernel: 3, stride: layer == 0 ? 2 : 1)
        .relu()
      if c.skips, layer % 2 == 1, kept.count < (c.layers + 1) / 2 - 1 { kept.append(x) }
    }
    for layer in 0..<c.layers - 1 {
      x = x.transposedConvolution(
        "deconv_layers.\(layer).0", c.features, kernel: 3, padding: .pytorch(padding: 1)
      ).relu()
      if (layer + 1 + c.layers) % 2 == 0, let skip = kept.popLast() { x = (x + skip).relu() }
    }
    x = x.transposedConvolution(
      "deconv_layers.\(c.layers - 1)", c.channels, kernel: 3, stride: 2,
      padding: .pytorch(padding: 1, outputPadding: 1))
    return [(x + input).relu()]
  }

  static func configurations(of weights: WeightIndex) -> [Proposal<Configuration>] {
    guard let first = weights.convolution("conv_layers.0.0") else { return [] }
    let layers = weights.count(of: "conv_layers")
    return [
      Proposal(
        Configuration(channels: first[1], features: first[0], layers: layers, skips: layers > 5),
        assumed: ["skips"])
    ]
  }

  static func picture(_ c: Configuration) -> ImageSpec { .usual(c.channels) }
}

@section("aviary_architectures") @used
private let record: Registration = { unsafe register(REDNet.self, $0) }
