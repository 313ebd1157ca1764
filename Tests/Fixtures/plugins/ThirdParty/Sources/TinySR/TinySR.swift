import AviaryGraph

/// A network that no one published: depthwise and pointwise convolutions on the small image, then
/// pixel shuffle, added to the nearest neighbours.
enum TinySR: Architecture {
  struct Configuration: ArchitectureConfiguration {
    var channels = 3
    var scale = 2
    var features = 12
    var blocks = 2

    var problem: String? { blocks < 1 ? "blocks: expected at least 1, found \(blocks)" : nil }
  }

  static let info = ArchitectureInfo(
    "tiny-sr", summary: "Depthwise convolutions, then pixel shuffle", licence: "MIT")

  static let presets: KeyValuePairs = [
    "x2": Configuration(), "x3": Configuration(scale: 3),
  ]

  static func build(_ c: Configuration, _ input: Value) -> [Value] {
    var x = input.convolution("head", c.features, kernel: 3)
    for i in 0..<c.blocks {
      x = x.convolution("blocks.\(i).depth", c.features, kernel: 3, groups: c.features, bias: false)
        .convolution("blocks.\(i).point", c.features, kernel: 1).activation(.silu)
    }
    let detail = x.convolution("tail", c.channels * c.scale * c.scale, kernel: 3)
    return [detail.pixelShuffle(c.scale) + input.resize(.nearest, by: c.scale)]
  }

  static func configurations(of weights: WeightIndex) -> [Proposal<Configuration>] {
    guard let head = weights.convolution("head"), let tail = weights.convolution("tail"),
      let scale = (1...8).first(where: { $0 * $0 * head[1] == tail[0] })
    else { return [] }
    let blocks = weights.count(of: "blocks")
    return [
      Proposal(Configuration(channels: head[1], scale: scale, features: head[0], blocks: blocks))
    ]
  }

  static let publishedNames = [
    NameMap(
      "third-party/tiny-sr",
      ["first": "head", "depth{i+1}": "blocks.{i}.depth", "point{i+1}": "blocks.{i}.point"])
  ]
}

@section("aviary_architectures") @used
private let record: Registration = { unsafe register(TinySR.self, $0) }
