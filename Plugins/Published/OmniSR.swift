internal import AviaryGraph

/// Attention within windows and across them, of pixels and of channels.
///
/// Wang et al.: Omni Aggregation Networks for Lightweight Image Super-Resolution. Reference: Francis0625's
/// Omni-SR (Apache-2.0), by way of spandrel.
enum OmniSR: Architecture {
  struct Configuration: ArchitectureConfiguration {
    var channels = 3
    var scale = 4
    var features = 64
    var groups = 5
    /// Blocks of each group.
    var blocks = 1
    /// Side of a window.
    var window = 8
    /// Whether pixels have a bias for their relative position.
    var hasPositionBias = true
    /// Whether convolutions outside of the blocks have a bias.
    var bias = true

    /// Channels of the attention at the end of each group.
    var attentionFeatures: Int { max(features / 4, 16) }

    var problem: String? {
      if !(1...16).contains(scale) { return "scale: expected 1 to 16, found \(scale)" }
      if !(4...1024).contains(features) || features % 4 != 0 {
        return "features: expected a multiple of 4 up to 1024, found \(features)"
      }
      if !(1...32).contains(groups) { return "groups: expected 1 to 32, found \(groups)" }
      if !(1...32).contains(blocks) { return "blocks: expected 1 to 32, found \(blocks)" }
      return (2...32).contains(window) ? nil : "window: expected 2 to 32, found \(window)"
    }
  }

  static let info = ArchitectureInfo(
    "omnisr", summary: "Attention of pixels and of channels, within windows and across them",
    paper: "https://arxiv.org/abs/2304.10244", matchesStructure: false)

  static let presets: KeyValuePairs = [
    "x4": Configuration(),
    "x2": Configuration(scale: 2),
    "x3": Configuration(scale: 3),
  ]

  static func build(_ c: Configuration, _ input: Value) -> [Value] {
    let first = input.padded(toMultiple: Size(c.window))
      .convolution("input", c.features, kernel: 3, bias: c.bias)
    var x = first
    for group in 0..<c.groups {
      let name = "residual_layer.\(group)"
      var y = x
      for block in 0..<c.blocks {
        y = y.omniBlock("\(name).residual_layer.\(block).layer", c)
      }
      y = y.convolution("\(name).residual_layer.\(c.blocks)", c.features, kernel: 1, bias: c.bias)
      x = (y + x).spatialAttention("\(name).esa", c.attentionFeatures, isLong: false)
    }
    let last = (x.convolution("output", c.features, kernel: 3, bias: c.bias) + first)
      .convolution("up.0", c.channels * c.scale * c.scale, kernel: 3, bias: c.bias)
    return [
      (c.scale == 1 ? last : last.pixelShuffle(c.scale))
        .cropped(toSizeOf: input, times: c.scale)
    ]
  }

  static func configurations(of weights: WeightIndex) -> [Proposal<Configuration>] {
    guard let first = weights.convolution("input"),
      weights.has("residual_layer.0.residual_layer.0.layer.0.fn.0."),
      let scale = weights.scale(weights.convolution("up.0"), first[1])
    else { return [] }
    let table = "residual_layer.0.residual_layer.0.layer.2.fn.rel_pos_bias.weight"
    let window = weights.window(ofTable: table)
    return [
      Proposal(
        Configuration(
          channels: first[1], scale: scale, features: first[0],
          groups: weights.count(of: "residual_layer"),
          blocks: weights.count(of: "residual_layer.0.residual_layer") - 1, window: window ?? 8,
          hasPositionBias: window != nil, bias: weights["input.bias"] != nil),
        assumed: window == nil ? ["window"] : [])
    ]
  }

  static func picture(_ c: Configuration) -> ImageSpec { .usual(c.channels) }
}

extension Value {
  /// A block: a convolution with attention to all, and attention of pixels and of channels, first within
  /// windows and then across them.
  fileprivate func omniBlock(_ name: String, _ c: OmniSR.Configuration) -> Value {
    var x = inverted("\(name).0.fn") + self
    for (step, arrangement) in [(2, WindowArrangement.block), (8, .grid)] {
      x = x.pixelsAttended("\(name).\(step)", c, arrangement)
      x = x.normalisedFirst("\(name).\(step + 2)") { $0.gatedFeedForward($1, hidden: c.features) }
      x = x.normalisedFirst("\(name).\(step + 3)") { $0.channelsAttended($1, c, arrangement) }
      x = x.normalisedFirst("\(name).\(step + 4)") { $0.gatedFeedForward($1, hidden: c.features) }
    }
    return x
  }

  /// What a function makes of the normalised image, added.
  private func normalisedFirst(_ name: String, _ branch: (Value, String) -> Value) -> Value {
    branch(channelsNormalized("\(name).norm"), "\(name).fn") + self
  }

  /// MobileNet's inverted residual, without its skip.
  private func inverted(_ name: String) -> Value {
    let wide = convolution("\(name).0", channels, kernel: 1).gelu()
      .depthwise("\(name).2", kernel: 3).gelu()
    let gate = wide.globalMean().asTokens()
      .linear("\(name).4.gate.1", channels / 4, bias: false).activation(.silu)
      .linear("\(name).4.gate.3", channels, bias: false).sigmoid().asImage()
    return (wide * gate).convolution("\(name).5", channels, kernel: 1)
  }

  private func pixelsAttended(
    _ name: String, _ c: OmniSR.Configuration, _ arrangement: WindowArrangement
  ) -> Value {
    let all = asTokens().layerNormalization("\(name).norm")
      .linear("\(name).fn.to_qkv", 3 * c.features, bias: false).asImage()
    let attention = WindowAttention(
      heads: 4, window: Size(c.window), arrangement,
      positionBias: c.hasPositionBias ? .input : .none)
    let rows = (2 * c.window - 1) * (2 * c.window - 1)
    let attended =
      c.hasPositionBias
      ? all.windowAttention(
        "\(name).fn", attention,
        table: learnedConstant("\(name).fn.rel_pos_bias.weight", [rows, 4]))
      : all.windowAttention("\(name).fn", attention)
    return attended.asTokens().linear("\(name).fn.to_out.0", c.features, bias: false).asImage()
      + self
  }

  /// Attention of channels to channels over the pixels of each window, or over those that lie alike in all
  /// windows.
  private func channelsAttended(
    _ name: String, _ c: OmniSR.Configuration, _ arrangement: WindowArrangement
  ) -> Value {
    let all = convolution("\(name).qkv", 3 * c.features, kernel: 1, bias: false)
      .depthwise("\(name).qkv_dwconv", kernel: 3, bias: false)
    let parts = (0...2).map { all.channels($0 * c.features, c.features) }
    let temperature = learnedConstant("\(name).temperature", [4, 1, 1], start: 1)
    let attended =
      arrangement == .block
      ? parts[0].channelsAttention(
        heads: 4, window: c.window, keys: parts[1], values: parts[2], temperature: temperature)
      : parts[0].attendedAcrossWindows(c, keys: parts[1], values: parts[2], temperature)
    return attended.convolution("\(name).project_out", c.features, kernel: 1, bias: false)
  }

  private func attendedAcrossWindows(
    _ c: OmniSR.Configuration, keys: Value, values: Value, _ temperature: Value
  ) -> Value {
    // Pixels that lie alike in their windows are channels of an image of windows: those of a place are
    // a head more for each head.
    let (area, size) = (c.window * c.window, c.features / 4)
    func apart(_ image: Value) -> Value {
      image.applying(.pixelUnshuffle(PixelUnshuffle(factor: c.window)))
        .applying(
          .reshape(
            Reshape(dimensions: [
              .kept, .size(4), .size(size), .size(area), .input(2, times: Ratio(1)),
              .input(3, times: Ratio(1)),
            ]))
        )
        .applying(.permute(Permute([0, 1, 3, 2, 4, 5])))
        .applying(
          .reshape(
            Reshape(dimensions: [
              .kept, .size(4 * area * size), .input(4, times: Ratio(1)),
              .input(5, times: Ratio(1)),
            ])))
    }
    let repeated = temperature.applying(.tile(Tile([1, area, 1])))
      .applying(.reshape(Reshape([4 * area, 1, 1])))
    return apart(self).channelsAttention(
      heads: 4 * area, keys: apart(keys), values: apart(values), temperature: repeated
    )
    .applying(
      .reshape(
        Reshape(dimensions: [
          .kept, .size(4), .size(area), .size(size), .input(2, times: Ratio(1)),
          .input(3, times: Ratio(1)),
        ]))
    )
    .applying(.permute(Permute([0, 1, 3, 2, 4, 5])))
    .applying(
      .reshape(
        Reshape(dimensions: [
          .kept, .size(c.features * area), .input(4, times: Ratio(1)),
          .input(5, times: Ratio(1)),
        ]))
    )
    .pixelShuffle(c.window)
  }
}

@section("aviary_architectures") @used
private let record: Registration = { unsafe register(OmniSR.self, $0) }
