internal import AviaryGraph

/// Residual blocks without normalisation, and pixel shuffles.
///
/// Lim et al.: Enhanced Deep Residual Networks for Single Image Super-Resolution. References: the
/// authors' EDSR-PyTorch (MIT) and BasicSR (Apache-2.0).
enum EDSR: Architecture {
  struct Configuration: ArchitectureConfiguration {
    /// Whose layers: EDSR-PyTorch subtracts the mean colour by a convolution that the file holds,
    /// BasicSR by constants.
    enum Names: String, Codable, Sendable {
      case original
      case basicsr
    }

    var channels = 3
    var scale = 2
    var features = 64
    var blocks = 16
    /// What the result of a block is multiplied by before it is added.
    var residualScale = 1.0
    /// Whether the mean colour is subtracted first and added last. Networks of super-image hold the
    /// convolutions for that, and leave them out.
    var shiftsMean = true
    /// What white is.
    var range = 255.0
    var names = Names.original

    var problem: String? {
      if channels != 3 { return "channels: expected 3, found \(channels)" }
      if scale != 3 && !(scale <= 16 && scale.exponentOfTwo != nil) {
        return "scale: expected 1, 2, 3, 4, 8 or 16, found \(scale)"
      }
      if !(range > 0) { return "range: expected a number above 0, found \(range)" }
      return (1...256).contains(blocks) ? nil : "blocks: expected 1 to 256, found \(blocks)"
    }
  }

  static let info = ArchitectureInfo(
    "edsr", summary: "Residual blocks without normalisation, and pixel shuffles",
    paper: "https://arxiv.org/abs/1707.02921", matchesStructure: false)

  static let presets: KeyValuePairs = [
    "x2": Configuration(),
    "x3": Configuration(scale: 3),
    "x4": Configuration(scale: 4),
    "large-x4": Configuration(scale: 4, features: 256, blocks: 32, residualScale: 0.1),
    "basicsr-x4": Configuration(scale: 4, names: .basicsr),
  ]

  static func build(_ c: Configuration, _ input: Value) -> [Value] {
    let mean = MeanColour.rgb
    switch c.names {
    case .original:
      let image =
        c.shiftsMean ? input.meanShift("sub_mean", by: MeanColour.rgb(-1, white: c.range)) : input
      let head = image.convolution("head.0", c.features, kernel: 3)
      var x = head
      for i in 0..<c.blocks {
        x = x.residual("body.\(i).body.0", "body.\(i).body.2", scale: c.residualScale)
      }
      x = x.convolution("body.\(c.blocks)", c.features, kernel: 3) + head
      let last = x.shuffled(by: c.scale) { "tail.0.\(2 * $0)" }
        .convolution("tail.1", 3, kernel: 3)
      return [
        c.shiftsMean ? last.meanShift("add_mean", by: MeanColour.rgb(1, white: c.range)) : last
      ]
    case .basicsr:
      let head = (input.plus(mean.map { -$0 }) * c.range)
        .convolution("conv_first", c.features, kernel: 3)
      var x = head
      for i in 0..<c.blocks {
        x = x.residual("body.\(i).conv1", "body.\(i).conv2", scale: c.residualScale)
      }
      x = x.convolution("conv_after_body", c.features, kernel: 3) + head
      let last = x.shuffled(by: c.scale) { "upsample.\(2 * $0)" }
        .convolution("conv_last", 3, kernel: 3)
      return [(last * (1 / c.range)).plus(mean)]
    }
  }

  static func configurations(of weights: WeightIndex) -> [Proposal<Configuration>] {
    [Configuration.Names.original, .basicsr].compactMap { names in
      let isOriginal = names == .original
      let steps = isOriginal ? "tail.0" : "upsample"
      guard let first = weights.convolution(isOriginal ? "head.0" : "conv_first"),
        weights.has(isOriginal ? "body.0.body." : "body.0.conv1."),
        let scale = weights.shuffledScale(steps)
      else { return nil }
      let count = weights.count(of: "body")
      var c = Configuration(
        channels: first[1], scale: scale, features: first[0],
        blocks: isOriginal ? count - 1 : count, residualScale: first[0] >= 256 ? 0.1 : 1,
        names: names)
      var assumed = ["residualScale"] + (isOriginal ? ["shiftsMean"] : [])
      if isOriginal, let range = MeanColour.range(weights) {
        c.range = range
      } else {
        assumed.append("range")
      }
      return Proposal(c, assumed: assumed)
    }
  }

  static let valuesRead = ["sub_mean.bias"]

  static func unused(_ c: Configuration) -> [UnusedTensors] {
    let reason = "the mean colour is not subtracted"
    return c.shiftsMean || c.names == .basicsr
      ? [] : [UnusedTensors("sub_mean.*", reason), UnusedTensors("add_mean.*", reason)]
  }

  static func picture(_ c: Configuration) -> ImageSpec {
    .usual(c.channels, range: c.names == .original && c.shiftsMean ? c.range : 1)
  }
}

extension WeightIndex {
  /// The scale of convolutions `name.0`, `name.2`, … that are each followed by a pixel shuffle; 1 where
  /// there is none.
  func shuffledScale(_ name: String) -> Int? {
    var scale = 1
    for step in 0..<4 {
      guard let shape = convolution("\(name).\(2 * step)") else { return scale }
      guard shape[0] % shape[1] == 0, let factor = (shape[0] / shape[1]).squareRoot,
        (2...3).contains(factor)
      else { return nil }
      scale *= factor
    }
    return scale
  }
}

@section("aviary_architectures") @used
private let record: Registration = { unsafe register(EDSR.self, $0) }
