internal import AviaryGraph

/// A chain of convolutions that finds the noise of an image.
///
/// Zhang et al.: Beyond a Gaussian Denoiser: Residual Learning of Deep CNN for Image Denoising. Reference:
/// cszn's KAIR (MIT), whose published files have batch normalisation merged into the convolutions.
enum DnCNN: Architecture {
  struct Configuration: ArchitectureConfiguration {
    var channels = 1
    var features = 64
    /// Convolutions in all.
    var layers = 17
    /// Whether the convolutions between the first and the last have a batch normalisation.
    var normalises = false
    /// Whether all convolutions have a bias, or only the first.
    var bias = true
    /// Whether the first convolution has a bias.
    var firstBias = true
    /// What a batch normalisation adds to the variance.
    var epsilon = 1e-4
    var activation = Nonlinearity.relu
    var scale: Int { 1 }

    // A chain of seven is IRCNN's.
    var problem: String? {
      if epsilon <= 0 { return "epsilon: expected a number above 0, found \(epsilon)" }
      if !normalises, !bias || !firstBias {
        return "bias: expected true without a batch normalisation, found false"
      }
      return (8...200).contains(layers) ? nil : "layers: expected 8 to 200, found \(layers)"
    }

    /// The place of a convolution in the list of modules.
    func place(_ layer: Int) -> Int {
      if layer == 0 { return 0 }
      return normalises ? 3 * layer - 1 : 2 * layer
    }
  }

  static let info = ArchitectureInfo(
    "dncnn", summary: "A chain of convolutions that finds an image's noise",
    paper: "https://arxiv.org/abs/1608.03981")

  static let presets: KeyValuePairs = [
    "gray": Configuration(),
    "blind-gray": Configuration(layers: 20),
    "blind-colour": Configuration(channels: 3, layers: 20),
    "normalised-gray": Configuration(normalises: true),
    "training-gray": Configuration(normalises: true, bias: false),
    "unbiased-gray": Configuration(
      normalises: true, bias: false, firstBias: false, epsilon: 1e-5),
  ]

  static func build(_ c: Configuration, _ input: Value) -> [Value] {
    let activation = c.activation.activation
    var x = input.convolution("model.0", c.features, kernel: 3, bias: c.firstBias)
      .activation(activation)
    for layer in 1..<c.layers - 1 {
      let place = c.place(layer)
      x = x.convolution("model.\(place)", c.features, kernel: 3, bias: c.bias)
      if c.normalises {
        x = x.batchNormalization("model.\(place + 1)", BatchNormalization(epsilon: c.epsilon))
      }
      x = x.activation(activation)
    }
    return [x.convolution("model.\(c.place(c.layers - 1))", c.channels, kernel: 3, bias: c.bias)]
  }

  static func configurations(of weights: WeightIndex) -> [Proposal<Configuration>] {
    guard let first = weights.convolution("model.0"), let number = weights.last(of: "model"),
      weights.convolution("model.\(number)")?[0] == first[1]
    else { return [] }
    let normalises = weights["model.3.running_mean"] != nil
    guard number % (normalises ? 3 : 2) == (normalises ? 2 : 0) else { return [] }
    var c = Configuration(
      channels: first[1], features: first[0],
      layers: normalises ? (number + 1) / 3 + 1 : number / 2 + 1, normalises: normalises,
      bias: weights["model.2.bias"] != nil)
    c.firstBias = weights["model.0.bias"] != nil
    // Networks without it follow SaoYan's source, with PyTorch's own epsilon.
    if normalises, !c.firstBias { c.epsilon = 1e-5 }
    return [
      Proposal(
        c, assumed: ["activation"] + (normalises ? ["epsilon"] : []),
        alternatives: ["activation": ["tanh"]])
    ]
  }

  static let publishedNames = [NameMap("cszn/DnCNN", ["dncnn.{i}": "model.{i}"])]

  static func picture(_ c: Configuration) -> ImageSpec { .usual(c.channels, output: .noise) }
}

@section("aviary_architectures") @used
private let record: Registration = { unsafe register(DnCNN.self, $0) }
