internal import AviaryGraph

/// Linear attention within windows, connected densely.
///
/// Zeng et al.: Densely Connected Transformer with Linear Self-Attention for Lightweight Image
/// Super-Resolution. Reference: zengkun301's DCTLSA (MIT), by way of spandrel.
enum DCTLSA: Architecture {
  struct Configuration: ArchitectureConfiguration {
    var channels = 3
    var scale = 4
    var features = 55
    var heads = 5
    /// Side of a window.
    var window = 16
    /// Channels between the two linear layers of a block.
    var hidden = 110

    var problem: String? {
      if !(1...16).contains(scale) { return "scale: expected 1 to 16, found \(scale)" }
      if !(2...64).contains(window) { return "window: expected 2 to 64, found \(window)" }
      if !(1...8192).contains(hidden) { return "hidden: expected 1 to 8192, found \(hidden)" }
      return features <= 1024 && heads > 0 && features % heads == 0
        ? nil : "heads: expected a divisor of \(features), found \(heads)"
    }
  }

  static let info = ArchitectureInfo(
    "dctlsa", summary: "Linear attention within windows, connected densely",
    paper: "https://doi.org/10.1109/TIM.2023.3304672", matchesStructure: false)

  static let presets: KeyValuePairs = [
    "x4": Configuration(),
    "x2": Configuration(scale: 2),
    "x3": Configuration(scale: 3),
  ]

  static func build(_ c: Configuration, _ input: Value) -> [Value] {
    let first = input.convolution("fea_conv", c.features, kernel: 3)
    var parts = [first]
    var x = first
    for block in 1...6 {
      let y = (0..<2).reduce(x) {
        $0.linearLayer("B\(block).body.\($1).transformer_body.0", c)
      }
      parts.append(y)
      if block < 6 {
        x = Value.concatenate(parts).convolution("c\(block).0", c.features, kernel: 1)
          .leakyRelu(0.05)
      }
    }
    let joined = Value.concatenate(Array(parts[1...]))
      .convolution("c.0", c.features, kernel: 1).leakyRelu(0.05)
    let last = (joined.convolution("LR_conv", c.features, kernel: 3) + first)
      .convolution("upsampler.0", c.channels * c.scale * c.scale, kernel: 3)
    return [c.scale == 1 ? last : last.pixelShuffle(c.scale)]
  }

  static func configurations(of weights: WeightIndex) -> [Proposal<Configuration>] {
    let block = "B1.body.0.transformer_body.0.blocks.0"
    guard let first = weights.convolution("fea_conv"),
      let hidden = weights["\(block).mlp.fc1.weight"]?.first,
      weights.has("\(block).attn.local.pointwise_prenorm_1."),
      let scale = weights.scale(weights.convolution("upsampler.0"), first[1])
    else { return [] }
    return [
      Proposal(
        Configuration(
          channels: first[1], scale: scale, features: first[0], hidden: hidden),
        assumed: ["heads", "window"])
    ]
  }

  static func picture(_ c: Configuration) -> ImageSpec { .usual(c.channels) }
}

extension Value {
  /// Two blocks on an image that is padded to whole windows, the second of them shifted.
  fileprivate func linearLayer(_ name: String, _ c: DCTLSA.Configuration) -> Value {
    var x = padded(toMultiple: Size(c.window), .reflect).asTokens()
      .layerNormalization("\(name).patch_embed.norm").asImage()
    for block in 0..<2 {
      let shift = block == 1 ? c.window / 2 : 0
      func rolled(_ image: Value, _ sign: Int) -> Value {
        shift == 0
          ? image
          : image.applying(
            .roll(Roll(shifts: [sign * shift, sign * shift], dimensions: [2, 3])))
      }
      // Nothing keeps apart what a shift brings together.
      let attended = rolled(
        rolled(x, -1).linearAttention("\(name).blocks.\(block).attn", c), 1
      ).asTokens()
      x =
        (attended
        + attended.perceptron("\(name).blocks.\(block).mlp", c.features, hidden: c.hidden))
        .asImage()
    }
    return x.cropped(toSizeOf: self)
  }

  private func linearAttention(_ name: String, _ c: DCTLSA.Configuration) -> Value {
    let (area, size) = (c.window * c.window, c.features / c.heads)
    let local =
      batchNormalization("\(name).local.pointwise_prenorm_0")
      .convolution("\(name).local.pointwise_conv_0", c.features, kernel: 1, bias: false)
      .depthwise("\(name).local.depthwise_conv", kernel: 3, bias: false)
      .batchNormalization("\(name).local.pointwise_prenorm_1")
      .convolution("\(name).local.pointwise_conv_1", c.features, kernel: 1, bias: false) + self
    let all = local.asTokens().linear("\(name).qkv", 3 * c.features).asImage()
    /// Images, rows and columns of windows, heads, and then pixels or channels.
    func part(_ position: Int, isTransposed: Bool = false) -> Value {
      all.channels(position * c.features, c.features).windows(WindowPartition(Size(c.window)))
        .applying(.reshape(Reshape([0, 0, 0, area, c.heads, size])))
        .applying(.permute(Permute([0, 1, 2, 4] + (isTransposed ? [5, 3] : [3, 5]))))
    }
    let keys = part(1, isTransposed: true).applying(.softmax(Softmax(dimension: 5)))
    let factor = 1 / Double(size).squareRoot()
    let attended = (part(0) * factor).applying(.matmul, keys.applying(.matmul, part(2)))
      .applying(.permute(Permute([0, 1, 2, 4, 3, 5])))
      .applying(.reshape(Reshape([0, 0, 0, area, c.features])))
      .image(WindowReverse(Size(c.window)))
    return attended.asTokens().linear("\(name).proj", c.features).asImage() + local
  }
}

@section("aviary_architectures") @used
private let record: Registration = { unsafe register(DCTLSA.self, $0) }
