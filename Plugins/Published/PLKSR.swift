internal import AviaryGraph

/// Blocks with a large kernel on a part of their channels.
///
/// Lee, Yun, Ro: Partial Large Kernel CNNs for Efficient Super-Resolution. Reference: dslisleedh's PLKSR
/// (MIT), with one dense kernel; its sparse kernels were made for a comparison.
enum PLKSR: Architecture {
  struct Configuration: ArchitectureConfiguration {
    var channels = 3
    var scale = 4
    var features = 64
    var blocks = 28
    /// Sides of the two kernels that mix the channels.
    var mixer = [3, 1]
    /// Side of the large kernel.
    var kernel = 17
    /// Channels that it is for.
    var partial = 16
    /// Whether its input is added to its result.
    var identity = false
    /// Whether a block has an attention to each of its values.
    var attends = true

    var problem: String? {
      if !(1...16).contains(scale) { return "scale: expected 1 to 16, found \(scale)" }
      if mixer.count != 2 { return "mixer: expected 2 kernels, found \(mixer.count)" }
      if !(mixer + [kernel]).allSatisfy({ $0 % 2 == 1 && $0 < 64 }) {
        return "mixer and kernel: expected odd numbers below 64, found \(mixer) and \(kernel)"
      }
      if !(1..<max(features, 2)).contains(partial) {
        return "partial: expected 1 to \(features - 1), found \(partial)"
      }
      return (1...128).contains(blocks) ? nil : "blocks: expected 1 to 128, found \(blocks)"
    }
  }

  static let info = ArchitectureInfo(
    "plksr", summary: "Large kernels on a part of the channels",
    paper: "https://arxiv.org/abs/2404.11848", matchesStructure: false)

  static let presets: KeyValuePairs = [
    "x4": Configuration(),
    "x2": Configuration(scale: 2),
    "tiny-x4": Configuration(blocks: 12, mixer: [3, 3], kernel: 13, attends: false),
  ]

  static func build(_ c: Configuration, _ input: Value) -> [Value] {
    var x = input.convolution("feats.0", c.features, kernel: 3)
    for block in 1...c.blocks {
      let name = "feats.\(block)"
      var y = x.convolution("\(name).channe_mixer.0", 2 * c.features, kernel: Size(c.mixer[0]))
        .activation(.gelu(approximate: false))
        .convolution("\(name).channe_mixer.2", c.features, kernel: Size(c.mixer[1]))
      let part = y.channels(0, c.partial)
      let large = part.convolution("\(name).lk.conv", c.partial, kernel: Size(c.kernel))
      y = Value.concatenate([
        c.identity ? large + part : large, y.channels(c.partial, c.features - c.partial),
      ])
      if c.attends {
        y = y * y.convolution("\(name).attn.f.0", c.features, kernel: 3).sigmoid()
      }
      x = x + y.convolution("\(name).refine", c.features, kernel: 1)
    }
    let last = x.convolution(
      "feats.\(c.blocks + 1)", c.channels * c.scale * c.scale, kernel: 3)
    return [
      c.scale == 1
        ? last + input : last.pixelShuffle(c.scale) + input.resize(.nearest, by: c.scale)
    ]
  }

  static func configurations(of weights: WeightIndex) -> [Proposal<Configuration>] {
    guard let first = weights.convolution("feats.0"), let number = weights.last(of: "feats"),
      let last = weights.convolution("feats.\(number)"), last[0] % first[1] == 0,
      let scale = (last[0] / first[1]).squareRoot,
      let large = weights.convolution("feats.1.lk.conv"),
      let one = weights.convolution("feats.1.channe_mixer.0"),
      let two = weights.convolution("feats.1.channe_mixer.2")
    else { return [] }
    return [
      Proposal(
        Configuration(
          channels: first[1], scale: scale, features: first[0], blocks: number - 1,
          mixer: [one[2], two[2]], kernel: large[2], partial: large[0],
          attends: weights.has("feats.1.attn.f.0.")), assumed: ["identity"])
    ]
  }

  static func picture(_ c: Configuration) -> ImageSpec { .usual(c.channels) }
}

@section("aviary_architectures") @used
private let record: Registration = { unsafe register(PLKSR.self, $0) }
