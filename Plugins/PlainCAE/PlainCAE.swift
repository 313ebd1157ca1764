internal import AviaryGraph

/// The plain convolutional autoencoder: convolutions and max pooling down, transposed convolutions
/// up, a sigmoid at the end.
///
/// The code that it was first published with leaves out `padding='same'` in the encoder, so that
/// its output is smaller than its input and its own training step cannot run; `same` is the default
/// here, and `valid` builds that network to the letter.
enum PlainCAE: Architecture {
  struct Configuration: ArchitectureConfiguration {
    enum Padding: String, Codable, Sendable { case same, valid }
    /// Whose transposed convolutions: Keras and PyTorch crop the odd row at different ends.
    enum Origin: String, Codable, Sendable { case keras, pytorch }

    var channels = 1
    /// Channels after each level of the encoder; all but the last are followed by a pooling.
    var features = [32, 64, 128]
    var kernel = 3
    var activation = Nonlinearity.relu
    /// Of the encoder's convolutions.
    var padding = Padding.same
    var origin = Origin.keras
    var scale: Int { 1 }

    var problem: String? {
      if features.isEmpty || features.count > 8 {
        return "features: expected 1 to 8 levels, found \(features.count)"
      }
      // No padding and output padding of PyTorch's make an even kernel double the size.
      return origin == .pytorch && kernel % 2 == 0
        ? "kernel: PyTorch's networks have an odd one, found \(kernel)" : nil
    }
  }

  static let info = ArchitectureInfo(
    "plain-cae", summary: "Plain autoencoder: max pooling down, transposed convolutions up")

  static let presets: KeyValuePairs = ["default": Configuration()]

  static func build(_ c: Configuration, _ input: Value) -> [Value] {
    let padding: Padding = c.padding == .same ? .same : .valid
    var x = input
    for (level, features) in c.features.enumerated() {
      // Numbered as in a sequence of convolution, activation, pooling.
      x = x.convolution("encoder.\(3 * level)", features, kernel: Size(c.kernel), padding: padding)
        .activation(c.activation.activation)
      if level < c.features.count - 1 { x = x.maxPool(2) }
    }
    for (step, features) in c.features.dropLast().reversed().enumerated() {
      x = x.transposedConvolution(
        "decoder.\(2 * step)", features, kernel: Size(c.kernel), stride: 2,
        padding: c.padding(stride: 2)
      ).activation(c.activation.activation)
    }
    return [
      x.transposedConvolution(
        "decoder.\(2 * (c.features.count - 1))", c.channels, kernel: Size(c.kernel),
        padding: c.padding(stride: 1)
      ).activation(.sigmoid)
    ]
  }

  static func configurations(of weights: WeightIndex) -> [Proposal<Configuration>] {
    var c = Configuration()
    let levels = (0..<8).compactMap { weights.convolution("encoder.\(3 * $0)") }
    guard let first = levels.first else { return [] }
    (c.channels, c.kernel) = (first[1], first[2])
    c.features = levels.map { $0[0] }
    return [
      Proposal(
        c, assumed: ["activation", "padding", "origin"], alternatives: ["activation": ["elu"]])
    ]
  }

  /// One channel is gray: the images that it was first trained on were read as gray.
  static func picture(_ c: Configuration) -> ImageSpec {
    ImageSpec(c.channels == 1 ? .gray : .rgb, enlargeFirst: .bicubic)
  }
}

extension PlainCAE.Configuration {
  fileprivate func padding(stride: Int) -> PaddingAmounts {
    switch origin {
    case .keras: .keras(kernel: kernel, stride: stride)
    // PyTorch's padding (k - 1) / 2, with the output padding that makes the size double.
    case .pytorch: .pytorch(padding: (kernel - 1) / 2, outputPadding: stride - 1)
    }
  }
}

@section("aviary_architectures") @used
private let record: Registration = { unsafe register(PlainCAE.self, $0) }
