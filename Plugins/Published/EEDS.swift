internal import AviaryGraph

/// The sum of a deep network and a shallow one, each of which enlarges by a transposed convolution of 14
/// pixels.
///
/// Wang, Huang et al.: End-to-End Image Super-Resolution via Deep and Shallow Convolutional Networks.
/// Reference: the paper, and MarkPrecursor's EEDS-keras for what it leaves open.
enum EEDS: Architecture {
  struct Configuration: ArchitectureConfiguration {
    /// Whose transposed convolutions: Keras and PyTorch crop the odd row at different ends.
    enum Origin: String, Codable, Sendable { case keras, pytorch }

    var channels = 1
    var scale = 2
    /// Channels of the deep network.
    var features = 64
    /// Channels in which it is enlarged.
    var squeezed = 4
    /// Channels of each of its branches of 1, 3, 5 and 7 pixels.
    var branch = 16
    /// Channels of the shallow network, before and after it is enlarged.
    var shallow = [8, 16]
    var kernel = 14
    var origin = Origin.keras

    var problem: String? {
      if !(2...4).contains(scale) { return "scale: expected 2 to 4, found \(scale)" }
      if kernel < scale { return "kernel: expected \(scale) or more, found \(kernel)" }
      return shallow.count == 2 ? nil : "shallow: expected 2, found \(shallow.count)"
    }
  }

  static let info = ArchitectureInfo(
    "eeds", summary: "The sum of a deep and a shallow network",
    paper: "https://arxiv.org/abs/1607.07680", matchesStructure: false)

  static let presets: KeyValuePairs = [
    "x2": Configuration(),
    "x3": Configuration(scale: 3),
    "x4": Configuration(scale: 4),
  ]

  static func build(_ c: Configuration, _ input: Value) -> [Value] {
    func enlarged(_ x: Value, _ name: String, _ width: Int) -> Value {
      x.transposedConvolution(
        name, width, kernel: Size(c.kernel), stride: Size(c.scale),
        padding: c.origin == .keras ? .keras(kernel: c.kernel, stride: c.scale) : nil
      ).relu()
    }
    let shallow = enlarged(
      input.convolution("shallow.conv1", c.shallow[0], kernel: 3).relu(), "shallow.up",
      c.shallow[1]
    ).convolution("shallow.conv2", c.channels, kernel: 5).relu()

    let extracted = input.convolution("deep.conv1", c.features, kernel: 3).relu()
      .rectifiedResidual("deep.block1")
    let large = enlarged(
      extracted.convolution("deep.squeeze", c.squeezed, kernel: 1).relu(), "deep.up", c.squeezed
    ).convolution("deep.expand", c.features, kernel: 1).relu()
    let x = large.rectifiedResidual("deep.block2").rectifiedResidual("deep.block3")
      .convolution("deep.reduce", c.branch, kernel: 1).relu()
    let branches =
      [x.convolution("deep.branch1", c.branch, kernel: 1).relu()]
      + [3, 5, 7].map { side in
        x.convolution("deep.branch\(side)a", c.branch, kernel: Size(1, side)).relu()
          .convolution("deep.branch\(side)b", c.branch, kernel: Size(side, 1)).relu()
      }
    let deep = Value.concatenate(branches).convolution("deep.conv2", c.channels, kernel: 1).relu()
    return [deep + shallow]
  }

  static func configurations(of weights: WeightIndex) -> [Proposal<Configuration>] {
    guard let first = weights.convolution("deep.conv1"), let up = weights.convolution("deep.up"),
      let branch = weights.convolution("deep.branch1"),
      let shallow = weights.convolution("shallow.conv1"),
      let wide = weights.convolution("shallow.up")
    else { return [] }
    return [
      Proposal(
        Configuration(
          channels: first[1], features: first[0], squeezed: up[1], branch: branch[0],
          shallow: [shallow[0], wide[1]], kernel: up[2]),
        assumed: ["scale", "origin"])
    ]
  }

  /// One channel is luma.
  static func picture(_ c: Configuration) -> ImageSpec {
    ImageSpec(channels: c.channels)
  }
}

extension Value {
  /// Two convolutions with a ReLU between them, added to the value, and a ReLU.
  fileprivate func rectifiedResidual(_ name: String) -> Value {
    residual("\(name).conv1", "\(name).conv2").relu()
  }
}

@section("aviary_architectures") @used
private let record: Registration = { unsafe register(EEDS.self, $0) }
