internal import AviaryGraph

/// The U-Net that most people write: two convolutions a level, max pooling down, transposed convolutions
/// up, and what each level had before pooling joined to what comes up.
///
/// Ronneberger, Fischer, Brox: U-Net: Convolutional Networks for Biomedical Image Segmentation, with
/// borders kept, for an image in and an image out. Files under the names of its best-known source are
/// `autoencoder`'s; others are told by the order and the shapes of their layers.
enum PlainUNet: Architecture {
  struct Configuration: ArchitectureConfiguration {
    enum Ending: String, Codable, Sendable { case none, sigmoid }

    var channels = 3
    /// Channels of the levels, from the largest image to the smallest.
    var features = [64, 128, 256, 512, 1024]
    /// Whether each 3x3 convolution is followed by a batch normalisation.
    var normalises = true
    /// Whether the 3x3 convolutions have a bias.
    var bias = false
    /// What a batch normalisation adds to the variance.
    var epsilon = 1e-5
    var activation = Nonlinearity.relu
    /// What follows the last convolution.
    var ending = Ending.none
    /// Whether the channels of the way down come before those of the way up where they are joined.
    var skipsFirst = true
    /// Whether the input is added to the output.
    var residual = false
    var scale: Int { 1 }

    var problem: String? {
      if epsilon <= 0 { return "epsilon: expected a number above 0, found \(epsilon)" }
      return (2...6).contains(features.count)
        ? nil : "features: expected 2 to 6 levels, found \(features.count)"
    }
  }

  static let info = ArchitectureInfo(
    "plain-unet", summary: "The common U-Net: two convolutions a level, skips joined",
    paper: "https://arxiv.org/abs/1505.04597")

  static let presets: KeyValuePairs = [
    "colour": Configuration(),
    "gray": Configuration(channels: 1),
    "unnormalised": Configuration(features: [32, 64, 128, 256], normalises: false, bias: true),
  ]

  static func build(_ c: Configuration, _ input: Value) -> [Value] {
    func two(_ x: Value, _ name: String, _ features: Int) -> Value {
      var x = x
      for step in 0..<2 {
        x = x.convolution("\(name).conv\(step)", features, kernel: 3, bias: c.bias)
        if c.normalises {
          x = x.batchNormalization(
            "\(name).norm\(step)", BatchNormalization(epsilon: c.epsilon))
        }
        x = x.activation(c.activation.activation)
      }
      return x
    }
    var x = two(input, "down0", c.features[0])
    var skips: [Value] = []
    for (level, features) in c.features.enumerated().dropFirst() {
      skips.append(x)
      x = two(x.maxPool(2), "down\(level)", features)
    }
    for (step, skip) in skips.reversed().enumerated() {
      let up = x.transposedConvolution("up\(step).up", skip.channels, kernel: 2, stride: 2)
      let joined = Value.concatenate(c.skipsFirst ? [skip, up] : [up, skip])
      x = two(joined, "up\(step)", skip.channels)
    }
    x = x.convolution("last", c.channels, kernel: 1)
    if c.ending == .sigmoid { x = x.sigmoid() }
    return [c.residual ? x + input : x]
  }

  static func configurations(of weights: WeightIndex) -> [Proposal<Configuration>] {
    guard let first = weights.convolution("down0.conv0") else { return [] }
    let lower = (1..<6).prefix { weights.has("down\($0).") }.compactMap {
      weights.convolution("down\($0).conv0")?[0]
    }
    let c = Configuration(
      channels: first[1], features: [first[0]] + lower,
      normalises: weights["down0.norm0.running_mean"] != nil,
      bias: weights["down0.conv0.bias"] != nil)
    return [
      Proposal(
        c, assumed: ["activation", "ending", "skipsFirst", "residual"],
        alternatives: [
          "activation": ["elu"], "ending": ["sigmoid"], "skipsFirst": [false], "residual": [true],
        ])
    ]
  }

  static func picture(_ c: Configuration) -> ImageSpec { .usual(c.channels) }
}

@section("aviary_architectures") @used
private let record: Registration = { unsafe register(PlainUNet.self, $0) }
