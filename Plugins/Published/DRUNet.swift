internal import AviaryGraph

/// A U-Net of residual blocks without biases, which is told the noise level.
///
/// Zhang et al.: Plug-and-Play Image Restoration with Deep Denoiser Prior. Reference: cszn's KAIR and DPIR
/// (MIT).
enum DRUNet: Architecture {
  struct Configuration: ArchitectureConfiguration {
    var channels = 3
    /// Channels of each level.
    var features = [64, 128, 256, 512]
    /// Residual blocks of each level, down and again up.
    var blocks = 4
    /// The standard deviation of the noise, of values from 0 to 255.
    var noise = 15.0
    var scale: Int { 1 }

    var problem: String? {
      if !(0...255).contains(noise) { return "noise: expected 0 to 255, found \(noise)" }
      if features.count != 4 { return "features: expected 4, found \(features.count)" }
      return (1...32).contains(blocks) ? nil : "blocks: expected 1 to 32, found \(blocks)"
    }
  }

  static let info = ArchitectureInfo(
    "drunet", summary: "A U-Net of residual blocks that is told the noise level",
    paper: "https://arxiv.org/abs/2008.13751", matchesStructure: false)

  static let presets: KeyValuePairs = [
    "colour": Configuration(),
    "gray": Configuration(channels: 1),
  ]

  static func build(_ c: Configuration, _ input: Value) -> [Value] {
    func blocks(_ x: Value, _ name: String, from first: Int) -> Value {
      (first..<first + c.blocks).reduce(x) {
        $0.residual("\(name).\($1).res.0", "\(name).\($1).res.2", bias: false)
      }
    }
    var x = input.withNoise(c.noise, input)
      .convolution("m_head", c.features[0], kernel: 3, bias: false)
    var skips = [x]
    for level in 1...3 {
      let name = "m_down\(level)"
      x = blocks(x, name, from: 0).convolution(
        "\(name).\(c.blocks)", c.features[level], kernel: 2, stride: 2, padding: .valid, bias: false
      )
      skips.append(x)
    }
    x = blocks(x, "m_body", from: 0)
    for level in (1...3).reversed() {
      let name = "m_up\(level)"
      x = (x + skips[level]).transposedConvolution(
        "\(name).0", c.features[level - 1], kernel: 2, stride: 2, bias: false)
      x = blocks(x, name, from: 1)
    }
    return [(x + skips[0]).convolution("m_tail", c.channels, kernel: 3, bias: false)]
  }

  static func configurations(of weights: WeightIndex) -> [Proposal<Configuration>] {
    guard let head = weights.convolution("m_head"), head[1] >= 2 else { return [] }
    let blocks = weights.count(of: "m_body")
    let deeper = (1...3).compactMap { weights.convolution("m_down\($0).\(blocks)")?[0] }
    return [
      Proposal(
        Configuration(channels: head[1] - 1, features: [head[0]] + deeper, blocks: blocks),
        assumed: ["noise"])
    ]
  }

  static func picture(_ c: Configuration) -> ImageSpec { .usual(c.channels, padding: .edge) }
}

@section("aviary_architectures") @used
private let record: Registration = { unsafe register(DRUNet.self, $0) }
