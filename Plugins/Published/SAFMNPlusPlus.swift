internal import AviaryGraph

/// SAFMN with one window size and no normalisation, for speed.
///
/// References: sunny2109's entries to NTIRE 2024's challenge on efficient super-resolution and to AIS
/// 2024's on compressed images (Apache-2.0).
enum SAFMNPlusPlus: Architecture {
  struct Configuration: ArchitectureConfiguration {
    var channels = 3
    var scale = 4
    var features = 36
    var blocks = 6
    /// Channels within the mixer of each block.
    var hidden = 54
    /// Channels that are modulated.
    var partial = 12
    /// Whether it is AIS 2024's: blocks are not added to what came in, but their sum is to what the
    /// first convolution gives, and no enlarged image is added.
    var isLight = false
    /// Whether windows are of one size; see SAFMN.
    var evenWindows = false

    var problem: String? {
      if !(1...8).contains(scale) { return "scale: expected 1 to 8, found \(scale)" }
      if !(1..<max(features, 2)).contains(partial) {
        return "partial: expected 1 to \(features - 1), found \(partial)"
      }
      return (1...64).contains(blocks) ? nil : "blocks: expected 1 to 64, found \(blocks)"
    }
  }

  static let info = ArchitectureInfo(
    "safmn++", summary: "A part of the features modulated by maxima over windows",
    paper: "https://arxiv.org/abs/2404.10343", matchesStructure: false)

  static let presets: KeyValuePairs = [
    "x4": Configuration(),
    "x2": Configuration(scale: 2),
    "light-x4": Configuration(features: 8, blocks: 1, hidden: 16, partial: 4, isLight: true),
  ]

  static func build(_ c: Configuration, _ input: Value) -> [Value] {
    let first = input.convolution("to_feat", c.features, kernel: 3, bias: false)
    var x = first
    for block in 0..<c.blocks {
      let name = "feats.\(block)"
      let mixer = c.isLight ? ("conv.0", "conv.2") : ("conv1", "conv2")
      let mixed = x.partlyModulated("\(name).conv1", c.partial, even: c.evenWindows)
        .convolution("\(name).conv2.\(mixer.0)", c.hidden, kernel: 3, bias: false).gelu()
        .convolution("\(name).conv2.\(mixer.1)", c.features, kernel: 1, bias: false)
      x = c.isLight ? mixed : x + mixed
    }
    let last = (c.isLight ? x + first : x)
      .convolution("to_img.0", c.channels * c.scale * c.scale, kernel: 3, bias: false)
      .pixelShuffle(c.scale)
    return [
      c.isLight ? last : last + (c.scale == 1 ? input : input.resize(.linear, by: c.scale))
    ]
  }

  static func configurations(of weights: WeightIndex) -> [Proposal<Configuration>] {
    let isLight = weights.has("feats.0.conv2.conv.")
    guard let first = weights.convolution("to_feat"),
      let part = weights.convolution("feats.0.conv1.dwconv"),
      let mixer = weights.convolution("feats.0.conv2." + (isLight ? "conv.0" : "conv1")),
      let scale = weights.scale(weights.convolution("to_img.0"), first[1])
    else { return [] }
    return [
      Proposal(
        Configuration(
          channels: first[1], scale: scale, features: first[0], blocks: weights.count(of: "feats"),
          hidden: mixer[0], partial: part[0], isLight: isLight))
    ]
  }

  static func picture(_ c: Configuration) -> ImageSpec { .usual(c.channels) }
}

extension Value {
  /// A convolution, whose first channels are multiplied with what they are at an eighth of the size.
  fileprivate func partlyModulated(_ name: String, _ count: Int, even: Bool) -> Value {
    let projected = convolution("\(name).proj", channels, kernel: 3, bias: false)
    let part = projected.channels(0, count)
    let weight = part.seenSmall(8, even: even, .linear) {
      $0.depthwise("\(name).dwconv", kernel: 3, bias: false)
    }.gelu()
    return Value.concatenate([projected.channels(count, channels - count), weight * part]).gelu()
      .convolution("\(name).out", channels, kernel: 1, bias: false)
  }
}

@section("aviary_architectures") @used
private let record: Registration = { unsafe register(SAFMNPlusPlus.self, $0) }
