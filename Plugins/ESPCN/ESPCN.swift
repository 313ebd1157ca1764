internal import AviaryGraph

/// The network that introduced pixel shuffle: convolutions on the small image, whose last one
/// gives a channel for each pixel of the enlarged one.
///
/// Shi et al.: Real-Time Single Image and Video Super-Resolution Using an Efficient Sub-Pixel
/// Convolutional Neural Network.
enum ESPCN: Architecture {
  struct Configuration: ArchitectureConfiguration {
    enum Nonlinearity: String, Codable, Sendable { case tanh, relu }

    var channels = 1
    var scale = 3
    /// Channels of all layers but the last, of which the first has a kernel of 5, the others of 3.
    var features = [64, 32]
    var activation = Nonlinearity.tanh

    var problem: String? {
      features.isEmpty ? "features: expected at least 1 layer, found none" : nil
    }
  }

  static let info = ArchitectureInfo(
    "espcn", summary: "Convolutions on the small image, then pixel shuffle",
    paper: "https://arxiv.org/abs/1609.05158")

  static let presets: KeyValuePairs = [
    "x3": Configuration(),
    "x2": Configuration(scale: 2),
    "x4": Configuration(scale: 4),
  ]

  static func build(_ c: Configuration, _ input: Value) -> [Value] {
    var x = input
    for (layer, features) in c.features.enumerated() {
      x = x.convolution("conv\(layer + 1)", features, kernel: layer == 0 ? 5 : 3)
        .activation(c.activation == .tanh ? .tanh : .relu)
    }
    return [
      x.convolution("conv\(c.features.count + 1)", c.channels * c.scale * c.scale, kernel: 3)
        .pixelShuffle(c.scale)
    ]
  }

  static func configurations(of weights: WeightIndex) -> [Proposal<Configuration>] {
    let layers = (1...32).compactMap { weights.convolution("conv\($0)") }
    // At scale 1 the weights could be another network's: there is nothing to shuffle.
    guard layers.count >= 2, let first = layers.first, let last = layers.last,
      let scale = (2...8).first(where: { $0 * $0 * first[1] == last[0] })
    else { return [] }
    // PyTorch's own example has one layer more than the paper, and ReLU; of three layers there are
    // networks with tanh, as published, and as many with ReLU.
    let c = Configuration(
      channels: first[1], scale: scale, features: layers.dropLast().map { $0[0] },
      activation: layers.count == 4 ? .relu : .tanh)
    return [
      Proposal(
        c, assumed: ["activation"],
        alternatives: ["activation": [layers.count == 4 ? "tanh" : "relu"]],
        asked: layers.count == 4 ? [] : ["activation"])
    ]
  }

  static let publishedNames = [
    NameMap("Nhat-Thanh/ESPCN-Pytorch", ["conv_{i}": "conv{i}"])
  ]
}

@section("aviary_architectures") @used
private let record: Registration = { unsafe register(ESPCN.self, $0) }
