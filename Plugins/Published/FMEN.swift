internal import AviaryGraph

/// Blocks of two convolutions, each followed by an attention that is a small network of such blocks.
///
/// Du et al.: Fast and Memory-Efficient Network Towards Efficient Image Super-Resolution. Reference: NJU-Jet's
/// FMEN, from its facts. Its convolutions are trained as three in a row with skips, and the attention with
/// batch normalisations; both forms are networks here.
enum FMEN: Architecture {
  struct Configuration: ArchitectureConfiguration {
    var channels = 3
    var scale = 4
    var features = 50
    /// Blocks of each attention, that behind the first convolutions before the others.
    var attentions = [2, 1, 1, 1, 1]
    /// Channels of the first attention, and of the others.
    var inner = [12, 16]
    /// Of the form in which it is trained: by how much a block's first convolution widens the trunk,
    /// and the attentions. Empty for the form without.
    var expansions: [Int] = []

    var isTraining: Bool { !expansions.isEmpty }

    var problem: String? {
      if !(1...8).contains(scale) { return "scale: expected 1 to 8, found \(scale)" }
      if !(2...33).contains(attentions.count) || !attentions.allSatisfy((1...16).contains) {
        return "attentions: expected 2 to 33 numbers from 1 to 16, found \(attentions)"
      }
      if inner.count != 2 || !inner.allSatisfy((1...1024).contains) {
        return "inner: expected 2 numbers from 1 to 1024, found \(inner)"
      }
      return expansions.isEmpty || expansions.count == 2 && expansions.allSatisfy((1...8).contains)
        ? nil : "expansions: expected none, or 2 numbers from 1 to 8, found \(expansions)"
    }
  }

  static let info = ArchitectureInfo(
    "fmen", summary: "Plain convolutions with attention to high frequencies",
    paper: "https://arxiv.org/abs/2204.08397", matchesStructure: false)

  /// The source has the small one; the widths of the others follow from the published counts of
  /// parameters, which no others have.
  static let presets: KeyValuePairs = [
    "small-x4": Configuration(),
    "small-x2": Configuration(scale: 2),
    "x4": Configuration(features: 64, attentions: [2, 2, 2, 2, 2], inner: [32, 32]),
    "x2": Configuration(scale: 2, features: 64, attentions: [2, 2, 2, 2, 2], inner: [32, 32]),
    "training-small-x4": Configuration(expansions: [2, 2]),
  ]

  static func build(_ c: Configuration, _ input: Value) -> [Value] {
    let first = input.convolution("head", c.features, kernel: 3)
    var x = first.convolution("warmup.0", c.features, kernel: 3)
      .attended("warmup.1", c.inner[0], c.attentions[0], c)
    for (block, count) in c.attentions.dropFirst().enumerated() {
      x = x.enhanced("ERBs.\(block)", c.expansions.first)
        .attended("HFABs.\(block)", c.inner[1], count, c)
    }
    return [
      (x.convolution("lr_conv", c.features, kernel: 3) + first)
        .convolution("tail.0", c.channels * c.scale * c.scale, kernel: 3).pixelShuffle(c.scale)
    ]
  }

  static func configurations(of weights: WeightIndex) -> [Proposal<Configuration>] {
    guard let first = weights.convolution("head"),
      let scale = weights.scale(weights.convolution("tail.0"), first[1]),
      let own = weights.convolution("warmup.1.squeeze"),
      let others = weights.convolution("HFABs.0.squeeze")
    else { return [] }
    let widened = ["ERBs.0.conv1", "HFABs.0.convs.0.conv1"].compactMap {
      weights.convolution("\($0).expand_conv").map { $0[0] / max($0[1], 1) }
    }
    return [
      Proposal(
        Configuration(
          channels: first[1], scale: scale, features: first[0],
          attentions: [weights.count(of: "warmup.1.convs")]
            + (0..<weights.count(of: "HFABs")).map { weights.count(of: "HFABs.\($0).convs") },
          inner: [own[0], others[0]], expansions: widened), assumed: ["picture.range"])
    ]
  }

  /// It was trained on values up to 255.
  static func picture(_ c: Configuration) -> ImageSpec { .usual(c.channels, range: 255) }
}

extension Value {
  /// Two convolutions.
  fileprivate func enhanced(_ name: String, _ expansion: Int?) -> Value {
    func convolved(_ x: Value, _ name: String) -> Value {
      guard let expansion else {
        return x.convolution("\(name).rep_conv", x.channels, kernel: 3)
      }
      let wide = expansion * x.channels
      // Beyond the edges stands what the first convolution makes of zeros: its bias.
      let framed = x.framed().convolution("\(name).expand_conv", wide, kernel: 1)
      return
        (framed.convolution("\(name).fea_conv", wide, kernel: 3, padding: .valid)
        + framed.cropped(1)).convolution("\(name).reduce_conv", x.channels, kernel: 1) + x
    }
    return convolved(convolved(self, "\(name).conv1").leakyRelu(0.1), "\(name).conv2")
  }

  /// Times what few channels make of it.
  fileprivate func attended(
    _ name: String, _ inner: Int, _ blocks: Int, _ c: FMEN.Configuration
  ) -> Value {
    /// A convolution, in training behind a normalisation that the edges' zeros go through too.
    func normalized(_ x: Value, _ norm: String, _ name: String, _ outChannels: Int) -> Value {
      c.isTraining
        ? x.framed().batchNormalization(norm)
          .convolution(name, outChannels, kernel: 3, padding: .valid)
        : x.convolution(name, outChannels, kernel: 3)
    }
    var x = normalized(self, "\(name).bn1", "\(name).squeeze", inner).leakyRelu(0.1)
    for block in 0..<blocks { x = x.enhanced("\(name).convs.\(block)", c.expansions.last) }
    x = normalized(x.leakyRelu(0.1), "\(name).bn2", "\(name).excitate", channels)
    if c.isTraining { x = x.batchNormalization("\(name).bn3") }
    return x.sigmoid() * self
  }

  /// With a row and a column of zeros at each edge.
  private func framed() -> Value { applying(.pad(Pad(PaddingAmounts(1)))) }
}

@section("aviary_architectures") @used
private let record: Registration = { unsafe register(FMEN.self, $0) }
