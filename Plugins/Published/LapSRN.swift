internal import AviaryGraph

/// A pyramid: each level doubles the image by a transposed convolution, and adds what a chain of
/// convolutions finds.
///
/// Lai et al.: Deep Laplacian Pyramid Networks for Fast and Accurate Super-Resolution. Reference:
/// twtygqyy's pytorch-LapSRN (MIT).
enum LapSRN: Architecture {
  struct Configuration: ArchitectureConfiguration {
    var channels = 1
    /// 2, 4 or 8.
    var scale = 4
    var features = 64
    /// Convolutions of each level.
    var layers = 10

    var problem: String? {
      if ![2, 4, 8].contains(scale) { return "scale: expected 2, 4 or 8, found \(scale)" }
      return (1...100).contains(layers) ? nil : "layers: expected 1 to 100, found \(layers)"
    }
  }

  static let info = ArchitectureInfo(
    "lapsrn", summary: "A pyramid that doubles the image level by level",
    paper: "https://arxiv.org/abs/1704.03915", matchesStructure: false)

  static let presets: KeyValuePairs = ["x4": Configuration(), "x2": Configuration(scale: 2)]

  static func build(_ c: Configuration, _ input: Value) -> [Value] {
    var image = input
    var x = input.convolution("conv_input", c.features, kernel: 3, bias: false).leakyRelu(0.2)
    for level in 1...(c.scale.exponentOfTwo ?? 1) {
      let name = "convt_F\(level).0.cov_block"
      for layer in 0..<c.layers {
        x = x.convolution("\(name).\(2 * layer)", c.features, kernel: 3, bias: false).leakyRelu(0.2)
      }
      x = x.doubled("\(name).\(2 * c.layers)", c.features).leakyRelu(0.2)
      image =
        image.doubled("convt_I\(level)", c.channels)
        + x.convolution("convt_R\(level)", c.channels, kernel: 3, bias: false)
    }
    return [image]
  }

  static func configurations(of weights: WeightIndex) -> [Proposal<Configuration>] {
    guard let first = weights.convolution("conv_input"),
      let last = weights.last(of: "convt_F1.0.cov_block")
    else { return [] }
    let levels = (1...3).prefix { weights.has("convt_I\($0).") }.count
    return [
      Proposal(
        Configuration(
          channels: first[1], scale: 1 << levels, features: first[0], layers: last / 2))
    ]
  }

  static let publishedNames = [
    NameMap(
      "muneebaadil/sisr-irl",
      [
        "head.0": "conv_input", "feat_branch_{i}.body.{j}": "convt_F{i}.0.cov_block.{j}",
        "img_branch_{i}": "convt_I{i}", "residual_branch_{i}": "convt_R{i}",
      ])
  ]

  static func picture(_ c: Configuration) -> ImageSpec { ImageSpec(channels: c.channels) }
}

extension Value {
  fileprivate func doubled(_ name: String, _ features: Int) -> Value {
    transposedConvolution(
      name, features, kernel: 4, stride: 2, padding: .pytorch(padding: 1), bias: false)
  }
}

@section("aviary_architectures") @used
private let record: Registration = { unsafe register(LapSRN.self, $0) }
