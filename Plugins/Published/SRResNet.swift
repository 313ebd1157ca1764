internal import AviaryGraph

/// The generator of SRGAN without batch normalisation, as BasicSR and KAIR train it (MSRResNet).
///
/// Ledig et al.: Photo-Realistic Single Image Super-Resolution Using a Generative Adversarial Network.
/// References: BasicSR (Apache-2.0), cszn's KAIR (MIT).
enum SRResNet: Architecture {
  struct Configuration: ArchitectureConfiguration {
    var channels = 3
    var scale = 4
    var features = 64
    var blocks = 16

    var problem: String? {
      if ![2, 3, 4].contains(scale) { return "scale: expected 2, 3 or 4, found \(scale)" }
      return (1...256).contains(blocks) ? nil : "blocks: expected 1 to 256, found \(blocks)"
    }
  }

  static let info = ArchitectureInfo(
    "srresnet", summary: "Residual blocks and pixel shuffles, added to a bilinear enlargement",
    paper: "https://arxiv.org/abs/1609.04802", matchesStructure: false)

  static let presets: KeyValuePairs = [
    "x4": Configuration(),
    "x2": Configuration(scale: 2),
    "x3": Configuration(scale: 3),
  ]

  static func build(_ c: Configuration, _ input: Value) -> [Value] {
    var x = input.convolution("conv_first", c.features, kernel: 3).leakyRelu(0.1)
    for i in 0..<c.blocks { x = x.residual("body.\(i).conv1", "body.\(i).conv2") }
    x = x.shuffled(by: c.scale, name: { "upconv\($0 + 1)" }, after: { x, _ in x.leakyRelu(0.1) })
    return [
      x.convolution("conv_hr", c.features, kernel: 3).leakyRelu(0.1)
        .convolution("conv_last", c.channels, kernel: 3) + input.resize(.linear, by: c.scale)
    ]
  }

  static func configurations(of weights: WeightIndex) -> [Proposal<Configuration>] {
    guard let first = weights.convolution("conv_first"), let up = weights.convolution("upconv1"),
      weights.has("body.0.conv1.")
    else { return [] }
    let scale = up[0] == 9 * up[1] ? 3 : weights.has("upconv2.") ? 4 : 2
    return [
      Proposal(
        Configuration(
          channels: first[1], scale: scale, features: first[0], blocks: weights.count(of: "body")))
    ]
  }

  static let publishedNames = [
    NameMap("cszn/KAIR", ["recon_trunk.{i}.conv{j}": "body.{i}.conv{j}", "HRconv": "conv_hr"])
  ]

  static func picture(_ c: Configuration) -> ImageSpec { .usual(c.channels) }
}

@section("aviary_architectures") @used
private let record: Registration = { unsafe register(SRResNet.self, $0) }
