internal import AviaryGraph

/// EDSR for three scales at once: what comes before and after the blocks is each scale's own. One
/// network is that of one scale; what the file holds for the others is passed over.
///
/// Lim et al.: Enhanced Deep Residual Networks for Single Image Super-Resolution. Reference: the authors'
/// EDSR-PyTorch (MIT).
enum MDSR: Architecture {
  struct Configuration: ArchitectureConfiguration {
    var channels = 3
    var scale = 2
    /// The scale's place among those that the network was trained for.
    var position = 0
    var features = 64
    var blocks = 80
    /// What white is.
    var range = 255.0

    var problem: String? {
      if channels != 3 { return "channels: expected 3, found \(channels)" }
      if ![2, 3, 4, 8].contains(scale) { return "scale: expected 2, 3, 4 or 8, found \(scale)" }
      if !(range > 0) { return "range: expected a number above 0, found \(range)" }
      return (1...256).contains(blocks) ? nil : "blocks: expected 1 to 256, found \(blocks)"
    }
  }

  static let info = ArchitectureInfo(
    "mdsr", summary: "Residual blocks that several scales share",
    paper: "https://arxiv.org/abs/1707.02921", matchesStructure: false)

  static let presets: KeyValuePairs = [
    "x2": Configuration(),
    "x3": Configuration(scale: 3, position: 1),
    "x4": Configuration(scale: 4, position: 2),
    "baseline-x2": Configuration(blocks: 16),
  ]

  static func build(_ c: Configuration, _ input: Value) -> [Value] {
    var x = input.meanShift("sub_mean", by: MeanColour.rgb(-1, white: c.range)).convolution(
      "head.0", c.features, kernel: 3)
    for block in 0...1 {
      let stem = "pre_process.\(c.position).\(block).body"
      x =
        x
        + x.convolution("\(stem).0", c.features, kernel: 5).relu()
        .convolution("\(stem).2", c.features, kernel: 5)
    }
    let start = x
    for i in 0..<c.blocks { x = x.residual("body.\(i).body.0", "body.\(i).body.2") }
    x = x.convolution("body.\(c.blocks)", c.features, kernel: 3) + start
    return [
      x.shuffled(by: c.scale) { "upsample.\(c.position).\(2 * $0)" }
        .convolution("tail.0", 3, kernel: 3).meanShift(
          "add_mean", by: MeanColour.rgb(1, white: c.range))
    ]
  }

  static func configurations(of weights: WeightIndex) -> [Proposal<Configuration>] {
    guard let first = weights.convolution("head.0"), weights.has("pre_process.") else {
      return []
    }
    let range = MeanColour.range(weights)
    return (0..<8).compactMap { position in
      guard weights.has("pre_process.\(position)."),
        let scale = weights.shuffledScale("upsample.\(position)"), scale > 1
      else { return nil }
      return Proposal(
        Configuration(
          channels: first[1], scale: scale, position: position, features: first[0],
          blocks: weights.count(of: "body") - 1, range: range ?? 255),
        assumed: ["scale", "position"] + (range == nil ? ["range"] : []))
    }
  }

  static let valuesRead = ["sub_mean.bias"]

  static func unused(_ c: Configuration) -> [UnusedTensors] {
    (0..<8).filter { $0 != c.position }.flatMap { position in
      [
        UnusedTensors("pre_process.\(position).*", "another scale's"),
        UnusedTensors("upsample.\(position).*", "another scale's"),
      ]
    }
  }

  static func picture(_ c: Configuration) -> ImageSpec { .usual(c.channels, range: c.range) }
}

@section("aviary_architectures") @used
private let record: Registration = { unsafe register(MDSR.self, $0) }
