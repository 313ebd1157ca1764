internal import AviaryGraph

/// The fast successor of SRCNN: it works on the small image, shrinks its features, maps them, and
/// enlarges last, by a transposed convolution.
///
/// Dong, Loy, Tang: Accelerating the Super-Resolution Convolutional Neural Network.
enum FSRCNN: Architecture {
  struct Configuration: ArchitectureConfiguration {
    /// Whose transposed convolution: PyTorch's padding 4, or Keras's 'same'.
    enum Origin: String, Codable, Sendable { case keras, pytorch }

    var channels = 1
    var scale = 2
    /// The published d, s and m.
    var features = 56
    var shrunk = 12
    var mapping = 4
    /// Whether each mapping layer has a PReLU, as published, or only the last.
    var mappingActivations = true
    var origin = Origin.pytorch

    var problem: String? {
      (1...8).contains(scale) ? nil : "scale: expected 1 to 8, found \(scale)"
    }
  }

  static let info = ArchitectureInfo(
    "fsrcnn", summary: "Shrinks, maps, expands; enlarges by a transposed convolution",
    paper: "https://arxiv.org/abs/1608.00367")

  static let presets: KeyValuePairs = [
    "x2": Configuration(),
    "x3": Configuration(scale: 3),
    "x4": Configuration(scale: 4),
    "small": Configuration(features: 32, shrunk: 5, mapping: 1),
  ]

  static func build(_ c: Configuration, _ input: Value) -> [Value] {
    var x = input.convolution("feature", c.features, kernel: 5).prelu("feature_prelu")
      .convolution("shrink", c.shrunk, kernel: 1).prelu("shrink_prelu")
    for i in 0..<c.mapping {
      x = x.convolution("map.\(i)", c.shrunk, kernel: 3)
      if c.mappingActivations { x = x.prelu("map_prelu.\(i)") }
    }
    if !c.mappingActivations { x = x.prelu("map_prelu") }
    x = x.convolution("expand", c.features, kernel: 1).prelu("expand_prelu")
    let padding: PaddingAmounts =
      switch c.origin {
      case .keras: .keras(kernel: 9, stride: c.scale)
      case .pytorch: .pytorch(padding: 4, outputPadding: c.scale - 1)
      }
    return [
      x.transposedConvolution(
        "deconv", c.channels, kernel: 9, stride: Size(c.scale), padding: padding)
    ]
  }

  static func configurations(of weights: WeightIndex) -> [Proposal<Configuration>] {
    guard let feature = weights.convolution("feature"), let shrink = weights.convolution("shrink")
    else { return [] }
    var c = Configuration(
      channels: feature[1], features: feature[0], shrunk: shrink[0],
      mapping: weights.count(of: "map"))
    c.mappingActivations = weights["map_prelu.weight"] == nil
    // The kernel has nine pixels at every scale.
    return [Proposal(c, assumed: ["scale", "origin"])]
  }

  static let publishedNames = [
    NameMap(
      "Nhat-Thanh/FSRCNN-Pytorch",
      [
        "feature_extract": "feature", "activation_1": "feature_prelu",
        "activation_2": "shrink_prelu", "map_{i+1}": "map.{i}", "activation_3": "map_prelu",
        "activation_4": "expand_prelu",
      ])
  ]
}

@section("aviary_architectures") @used
private let record: Registration = { unsafe register(FSRCNN.self, $0) }
