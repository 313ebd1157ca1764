internal import AviaryGraph

/// Five small convolutions that estimate haze and light together, in one number for each value.
///
/// Li et al.: AOD-Net: All-in-One Dehazing Network. Reference: MayankSingal's PyTorch-Image-Dehazing, from
/// its facts.
enum AODNet: Architecture {
  struct Configuration: ArchitectureConfiguration {
    var channels = 3
    /// Channels of each convolution but the last.
    var features = 3
    var scale: Int { 1 }
  }

  static let info = ArchitectureInfo(
    "aod-net", summary: "Dehazing by one estimated number for each value",
    paper: "https://arxiv.org/abs/1707.06543", matchesStructure: false)

  static let presets: KeyValuePairs = ["colour": Configuration()]

  static func build(_ c: Configuration, _ input: Value) -> [Value] {
    let one = input.convolution("e_conv1", c.features, kernel: 1).relu()
    let two = one.convolution("e_conv2", c.features, kernel: 3).relu()
    let three = Value.concatenate([one, two])
      .convolution("e_conv3", c.features, kernel: 5).relu()
    let four = Value.concatenate([two, three])
      .convolution("e_conv4", c.features, kernel: 7).relu()
    let k = Value.concatenate([one, two, three, four])
      .convolution("e_conv5", c.channels, kernel: 3).relu()
    return [(k * input - k).plus(1).relu()]
  }

  static func configurations(of weights: WeightIndex) -> [Proposal<Configuration>] {
    guard let first = weights.convolution("e_conv1"), weights.has("e_conv5.") else { return [] }
    return [Proposal(Configuration(channels: first[1], features: first[0]))]
  }

  static func picture(_ c: Configuration) -> ImageSpec { .usual(c.channels) }
}

@section("aviary_architectures") @used
private let record: Registration = { unsafe register(AODNet.self, $0) }
