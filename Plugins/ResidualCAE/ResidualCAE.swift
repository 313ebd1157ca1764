internal import AviaryGraph

/// The residual convolutional autoencoder (CAEResNet): one level down and one up, with a residual
/// block before and after each step. Layers are named as PyTorch's `nn.Sequential` numbers them, so
/// that its state dicts load as they are.
///
/// It works on images of their final size: an enlarged image is refined.
enum ResidualCAE: Architecture {
  struct Configuration: ArchitectureConfiguration {
    /// Whose borders at stride 2: Keras and PyTorch begin one pixel apart.
    enum Origin: String, Codable, Sendable { case keras, pytorch }

    var channels = 3
    /// Channels of the two levels.
    var features = [64, 128]
    /// Whether the input is added to the output, so that only what it lacks is learned.
    var residual = false
    var origin = Origin.pytorch
    var scale: Int { 1 }

    var problem: String? {
      features.count == 2 ? nil : "features: expected 2 levels, found \(features.count)"
    }
  }

  static let info = ArchitectureInfo(
    "residual-cae", summary: "Residual autoencoder: strided down, transposed up, residual blocks")

  static let presets: KeyValuePairs = [
    "default": Configuration(),
    "end-to-end": Configuration(residual: true),
  ]

  static func build(_ c: Configuration, _ input: Value) -> [Value] {
    let encoded = input.convolution("encoder.0", c.features[0], kernel: 3).relu()
      .residualBlock("encoder.2")
      .convolution(
        "encoder.3", c.features[1], kernel: 3, stride: 2,
        padding: c.origin == .keras ? .same : nil
      ).relu()
      .residualBlock("encoder.5")
    let decoded = encoded.transposedConvolution(
      "decoder.0", c.features[0], kernel: 3, stride: 2,
      padding: c.origin == .keras ? .keras(kernel: 3, stride: 2) : nil
    ).relu()
      .residualBlock("decoder.2")
      .transposedConvolution("decoder.3", c.channels, kernel: 3)
    return [c.residual ? decoded + input : decoded]
  }

  static func configurations(of weights: WeightIndex) -> [Proposal<Configuration>] {
    guard let first = weights.convolution("encoder.0"),
      let second = weights.convolution("encoder.3")
    else { return [] }
    let c = Configuration(channels: first[1], features: [first[0], second[0]])
    return [Proposal(c, assumed: ["residual", "origin"])]
  }

  static func picture(_ c: Configuration) -> ImageSpec {
    ImageSpec(c.channels == 1 ? .luma : .rgb, enlargeFirst: .bicubic)
  }
}

extension Value {
  /// x + conv2(relu(conv1(x))), as in https://arxiv.org/abs/1707.02921 (without normalisation).
  fileprivate func residualBlock(_ name: String) -> Value {
    self
      + convolution("\(name).conv1", channels, kernel: 3).relu()
      .convolution("\(name).conv2", channels, kernel: 3)
  }
}

@section("aviary_architectures") @used
private let record: Registration = { unsafe register(ResidualCAE.self, $0) }
