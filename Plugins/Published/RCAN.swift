internal import AviaryGraph

/// Groups of residual blocks that end in channel attention.
///
/// Zhang et al.: Image Super-Resolution Using Very Deep Residual Channel Attention Networks. References:
/// yulunzhang's RCAN, in EDSR-PyTorch's text (MIT), and BasicSR (Apache-2.0).
enum RCAN: Architecture {
  struct Configuration: ArchitectureConfiguration {
    /// Whose layers: the authors', with or without the convolutions that subtract and add the mean
    /// colour, or BasicSR's, where constants do.
    enum Names: String, Codable, Sendable {
      case original
      case plain
      case basicsr
    }

    var channels = 3
    var scale = 4
    /// By how much the image is made smaller first, its pixels becoming channels.
    var unshuffle = 1
    var features = 64
    var groups = 10
    /// Blocks in each group.
    var blocks = 20
    /// Channels within the attention.
    var squeezed = 4
    /// What white is.
    var range = 255.0
    var names = Names.original

    var problem: String? {
      if channels != 3, names != .plain { return "channels: expected 3, found \(channels)" }
      let steps = scale * unshuffle
      if ![1, 2, 3, 4].contains(unshuffle)
        || steps != 3 && (steps > 16 || steps.exponentOfTwo == nil)
      {
        return "scale and unshuffle: expected a product of 1, 2, 3, 4, 8 or 16, found \(steps)"
      }
      if unshuffle > 1, names != .plain { return "unshuffle: expected 1, found \(unshuffle)" }
      if !(range > 0) { return "range: expected a number above 0, found \(range)" }
      if !(1...64).contains(groups) { return "groups: expected 1 to 64, found \(groups)" }
      return (1...64).contains(blocks) ? nil : "blocks: expected 1 to 64, found \(blocks)"
    }
  }

  static let info = ArchitectureInfo(
    "rcan", summary: "Groups of residual blocks with channel attention",
    paper: "https://arxiv.org/abs/1807.02758", matchesStructure: false)

  static let presets: KeyValuePairs = [
    "x4": Configuration(),
    "x2": Configuration(scale: 2),
    "x3": Configuration(scale: 3),
    "plain-x4": Configuration(range: 1, names: .plain),
    "plain-x2": Configuration(scale: 2, unshuffle: 2, range: 1, names: .plain),
    "basicsr-x4": Configuration(names: .basicsr),
  ]

  static func build(_ c: Configuration, _ input: Value) -> [Value] {
    let mean = MeanColour.rgb
    let image =
      switch c.names {
      case .original: input.meanShift("sub_mean", by: MeanColour.rgb(-1, white: c.range))
      case .plain:
        c.unshuffle == 1
          ? input : input.applying(.pixelUnshuffle(PixelUnshuffle(factor: c.unshuffle)))
      case .basicsr: input.plus(mean.map { -$0 }) * c.range
      }
    let isBasic = c.names == .basicsr
    let head = image.convolution(
      isBasic ? "conv_first" : c.unshuffle == 1 ? "head.0" : "head.1", c.features, kernel: 3)
    var x = head
    for group in 0..<c.groups {
      let start = x
      for block in 0..<c.blocks {
        let stem =
          isBasic
          ? "body.\(group).residual_group.\(block).rcab" : "body.\(group).body.\(block).body"
        let attention = isBasic ? "\(stem).3.attention" : "\(stem).3.conv_du"
        let branch = x.convolution("\(stem).0", c.features, kernel: 3).relu()
          .convolution("\(stem).2", c.features, kernel: 3)
        x =
          x
          + branch.channelAttention(
            "\(attention).\(isBasic ? 1 : 0)", "\(attention).\(isBasic ? 3 : 2)", c.squeezed)
      }
      x =
        x.convolution(
          isBasic ? "body.\(group).conv" : "body.\(group).body.\(c.blocks)", c.features, kernel: 3)
        + start
    }
    x =
      x.convolution(isBasic ? "conv_after_body" : "body.\(c.groups)", c.features, kernel: 3) + head
    let last = x.shuffled(by: c.scale * c.unshuffle) {
      "\(isBasic ? "upsample" : "tail.0").\(2 * $0)"
    }
    .convolution(isBasic ? "conv_last" : "tail.1", c.channels, kernel: 3)
    switch c.names {
    case .original: return [last.meanShift("add_mean", by: MeanColour.rgb(1, white: c.range))]
    case .plain: return [last]
    case .basicsr: return [(last * (1 / c.range)).plus(mean)]
    }
  }

  static func configurations(of weights: WeightIndex) -> [Proposal<Configuration>] {
    let isBasic = weights.convolution("conv_first") != nil
    guard
      let first = weights.convolution(isBasic ? "conv_first" : "head.0")
        ?? weights.convolution("head.1"),
      let squeeze = weights.convolution(
        isBasic ? "body.0.residual_group.0.rcab.3.attention.1" : "body.0.body.0.body.3.conv_du.0"),
      let last = weights.convolution(isBasic ? "conv_last" : "tail.1"),
      let scale = weights.shuffledScale(isBasic ? "upsample" : "tail.0"),
      first[1] % last[0] == 0, let unshuffle = (first[1] / last[0]).squareRoot,
      scale % unshuffle == 0
    else { return [] }
    let groups = weights.count(of: "body"), blocks = weights.count(of: "body.0.body")
    var c = Configuration(
      channels: last[0], scale: scale / unshuffle, unshuffle: unshuffle, features: first[0],
      groups: isBasic ? groups : groups - 1,
      blocks: isBasic ? weights.count(of: "body.0.residual_group") : blocks - 1,
      squeezed: squeeze[0],
      names: isBasic ? .basicsr : weights.has("sub_mean.") ? .original : .plain)
    if let range = MeanColour.range(weights) {
      c.range = range
      return [Proposal(c)]
    }
    if c.names == .plain { c.range = 1 }
    return [Proposal(c, assumed: ["range"])]
  }

  static let valuesRead = ["sub_mean.bias"]

  static func picture(_ c: Configuration) -> ImageSpec {
    .usual(c.channels, range: c.names == .basicsr ? 1 : c.range)
  }
}

@section("aviary_architectures") @used
private let record: Registration = { unsafe register(RCAN.self, $0) }
