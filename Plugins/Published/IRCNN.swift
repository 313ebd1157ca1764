internal import AviaryGraph

/// Seven dilated convolutions that find the noise of an image of one noise level.
///
/// Zhang et al.: Learning Deep CNN Denoiser Prior for Image Restoration. Reference: cszn's KAIR (MIT).
enum IRCNN: Architecture {
  struct Configuration: ArchitectureConfiguration {
    var channels = 1
    var features = 64
    var scale: Int { 1 }
  }

  static let info = ArchitectureInfo(
    "ircnn", summary: "Seven dilated convolutions that find an image's noise",
    paper: "https://arxiv.org/abs/1704.03264", matchesStructure: false)

  static let presets: KeyValuePairs = [
    "gray": Configuration(),
    "colour": Configuration(channels: 3),
  ]

  static func build(_ c: Configuration, _ input: Value) -> [Value] {
    var x = input
    for (layer, dilation) in [1, 2, 3, 4, 3, 2].enumerated() {
      x = x.convolution("model.\(2 * layer)", c.features, kernel: 3, dilation: Size(dilation))
        .relu()
    }
    return [x.convolution("model.12", c.channels, kernel: 3)]
  }

  static func configurations(of weights: WeightIndex) -> [Proposal<Configuration>] {
    guard let first = weights.convolution("model.0"), weights.last(of: "model") == 12,
      weights.convolution("model.12")?[0] == first[1]
    else { return [] }
    return [Proposal(Configuration(channels: first[1], features: first[0]))]
  }

  static func picture(_ c: Configuration) -> ImageSpec { .usual(c.channels, output: .noise) }
}

@section("aviary_architectures") @used
private let record: Registration = { unsafe register(IRCNN.self, $0) }
