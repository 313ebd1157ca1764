internal import AviaryGraph

/// Residual blocks whose results cascade: each sees those of all before it, within a block and among
/// blocks. The mobile form (CARN-M) has grouped convolutions, and uses each block three times.
///
/// Ahn, Kang, Sohn: Fast, Accurate, and Lightweight Super-Resolution with Cascading Residual Network.
/// Reference: nmhkahn's CARN-pytorch (MIT). A file of several scales gives the network of one; what it
/// holds for the others is passed over.
enum CARN: Architecture {
  struct Configuration: ArchitectureConfiguration {
    var channels = 3
    var scale = 2
    var features = 64
    /// Groups of the 3x3 convolutions of blocks.
    var groups = 1
    /// Whether a block is used three times, and ends in a 1x1 convolution.
    var mobile = false
    /// Whether the file holds the upsampling of several scales.
    var multiScale = true

    var problem: String? {
      if channels != 3 { return "channels: expected 3, found \(channels)" }
      return [2, 3, 4].contains(scale) ? nil : "scale: expected 2, 3 or 4, found \(scale)"
    }
  }

  static let info = ArchitectureInfo(
    "carn", summary: "Cascading residual blocks; CARN-M shares and groups them",
    paper: "https://arxiv.org/abs/1803.08664", matchesStructure: false)

  static let presets: KeyValuePairs = [
    "x2": Configuration(),
    "x3": Configuration(scale: 3),
    "x4": Configuration(scale: 4),
    "m-x2": Configuration(groups: 4, mobile: true),
    "m-x4": Configuration(scale: 4, groups: 4, mobile: true),
  ]

  static func build(_ c: Configuration, _ input: Value) -> [Value] {
    var x = input.meanShift("sub_mean.shifter", by: MeanColour.rgb(-1, white: 1))
      .convolution("entry", c.features, kernel: 3)
    x = x.cascade("") { value, i in value.cascade("b\(i).") { $0.block(c, "b\(i)", $1) } }
    let stem = c.multiScale ? "upsample.up\(c.scale)" : "upsample.up"
    let factors = c.scale == 3 ? [3] : Array(repeating: 2, count: c.scale / 2)
    for (step, factor) in factors.enumerated() {
      x = x.convolution(
        "\(stem).body.\(3 * step)", c.features * factor * factor, kernel: 3, groups: c.groups
      ).relu().pixelShuffle(factor)
    }
    return [
      x.convolution("exit", 3, kernel: 3).meanShift(
        "add_mean.shifter", by: MeanColour.rgb(1, white: 1))
    ]
  }

  static func configurations(of weights: WeightIndex) -> [Proposal<Configuration>] {
    guard let entry = weights.convolution("entry"),
      let mobile = weights.convolution("b1.b1.body.0")
    else { return [] }
    let c = Configuration(
      channels: entry[1], features: entry[0], groups: entry[0] / max(mobile[1], 1),
      mobile: weights["b1.b1.body.4.weight"] != nil)
    if weights.has("upsample.up.body.") {
      guard let up = weights.convolution("upsample.up.body.0") else { return [] }
      let scale = up[0] == 9 * c.features ? 3 : weights.has("upsample.up.body.3.") ? 4 : 2
      return [Proposal(c.with(scale: scale, multiScale: false))]
    }
    return [2, 3, 4].filter { weights.has("upsample.up\($0).") }
      .map { Proposal(c.with(scale: $0, multiScale: true), assumed: ["scale"]) }
  }

  static func unused(_ c: Configuration) -> [UnusedTensors] {
    guard c.multiScale else { return [] }
    return [2, 3, 4].filter { $0 != c.scale }
      .map { UnusedTensors("upsample.up\($0).*", "the upsampling of scale \($0)") }
  }

  static func picture(_ c: Configuration) -> ImageSpec { .usual(c.channels) }
}

extension CARN.Configuration {
  fileprivate func with(scale: Int, multiScale: Bool) -> Self {
    var copy = self
    (copy.scale, copy.multiScale) = (scale, multiScale)
    return copy
  }
}

extension Value {
  /// Three stages, each fused with what came in and all stages before it.
  fileprivate func cascade(_ stem: String, _ stage: (Value, Int) -> Value) -> Value {
    var values = [self]
    var x = self
    for i in 1...3 {
      values.append(stage(x, i))
      x = Value.concatenate(values).convolution("\(stem)c\(i).body.0", channels, kernel: 1).relu()
    }
    return x
  }

  fileprivate func block(_ c: CARN.Configuration, _ stem: String, _ i: Int) -> Value {
    // The mobile form has one block, which is used again.
    let name = "\(stem).b\(c.mobile ? 1 : i).body"
    let isShared = c.mobile && i > 1
    func convolution(_ x: Value, _ place: Int, kernel: Size, groups: Int) -> Value {
      x.convolution(
        "\(name).\(place)", channels, kernel: kernel, groups: groups, shared: isShared)
    }
    var x = convolution(self, 0, kernel: 3, groups: c.groups).relu()
    x = convolution(x, 2, kernel: 3, groups: c.groups)
    if c.mobile { x = convolution(x.relu(), 4, kernel: 1, groups: 1) }
    return (x + self).relu()
  }
}

@section("aviary_architectures") @used
private let record: Registration = { unsafe register(CARN.self, $0) }
