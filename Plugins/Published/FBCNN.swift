internal import AviaryGraph

/// A U-Net that first predicts the quality of a JPEG image, and restores it accordingly.
///
/// Jiang, Zhang, Timofte: Towards Flexible Blind JPEG Artifacts Removal. Reference: jiaxi-jiang's FBCNN
/// (Apache-2.0).
enum FBCNN: Architecture {
  struct Configuration: ArchitectureConfiguration {
    var channels = 3
    /// Channels of each level.
    var features = [64, 128, 256, 512]
    /// Residual blocks of each level, down and again up.
    var blocks = 4
    var scale: Int { 1 }

    var problem: String? {
      if features.count != 4 { return "features: expected 4, found \(features.count)" }
      return (2...32).contains(blocks) ? nil : "blocks: expected 2 to 32, found \(blocks)"
    }
  }

  static let info = ArchitectureInfo(
    "fbcnn", summary: "A U-Net that predicts a JPEG image's quality, and restores it",
    paper: "https://arxiv.org/abs/2109.14573", matchesStructure: false)

  static let presets: KeyValuePairs = [
    "colour": Configuration(),
    "gray": Configuration(channels: 1),
  ]

  /// The width of the layers that make the quality.
  private static let embedding = 512

  static func build(_ c: Configuration, _ input: Value) -> [Value] {
    func blocks(_ x: Value, _ name: String) -> Value {
      (0..<c.blocks).reduce(x) { $0.residual("\(name).\($1).res.0", "\(name).\($1).res.2") }
    }
    var x = input.convolution("m_head", c.features[0], kernel: 3)
    var skips = [x]
    for level in 1...3 {
      let name = "m_down\(level)"
      x = blocks(x, name).convolution(
        "\(name).\(c.blocks)", c.features[level], kernel: 2, stride: 2, padding: .valid)
      skips.append(x)
    }
    x = blocks(x, "m_body_encoder")
    // Behind the blocks come the mean, which keeps a place of its own, and a flattening.
    var quality = blocks(x, "qf_pred").globalMean().applying(.reshape(Reshape([0, -1])))
    for (place, size) in [(2, embedding), (4, embedding), (6, 1)] {
      quality = quality.linear("qf_pred.\(c.blocks + place)", size)
      quality = size == 1 ? quality.sigmoid() : quality.relu()
    }
    for place in [0, 2, 4] { quality = quality.linear("qf_embed.\(place)", embedding).relu() }
    x = blocks(x, "m_body_decoder")
    for level in (1...3).reversed() {
      let name = "m_up\(level)", features = c.features[level - 1]
      func modulation(_ name: String, _ activation: Activation) -> Value {
        quality.linear("\(name)_\(level).0", features).activation(activation)
          .applying(.reshape(Reshape([0, -1, 1, 1])))
      }
      let gamma = modulation("to_gamma", .sigmoid), beta = modulation("to_beta", .tanh)
      x = (x + skips[level]).transposedConvolution(
        "\(name).0", features, kernel: 2, stride: 2)
      for block in 1...c.blocks {
        let branch = x.convolution("\(name).\(block).res.0", features, kernel: 3).relu()
          .convolution("\(name).\(block).res.2", features, kernel: 3)
        x = x + branch * gamma + beta
      }
    }
    return [(x + skips[0]).convolution("m_tail", c.channels, kernel: 3)]
  }

  static func configurations(of weights: WeightIndex) -> [Proposal<Configuration>] {
    guard let head = weights.convolution("m_head"), weights.has("qf_pred.0.res.") else { return [] }
    let blocks = weights.count(of: "m_body_encoder")
    let deeper = (1...3).compactMap { weights.convolution("m_down\($0).\(blocks)")?[0] }
    return [
      Proposal(
        Configuration(channels: head[1], features: [head[0]] + deeper, blocks: blocks))
    ]
  }

  static func picture(_ c: Configuration) -> ImageSpec { .usual(c.channels, padding: .edge) }
}

@section("aviary_architectures") @used
private let record: Registration = { unsafe register(FBCNN.self, $0) }
