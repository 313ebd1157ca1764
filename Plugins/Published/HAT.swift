internal import AviaryGraph

/// Blocks of Swin Transformer beside convolutions with attention to channels, and windows that see beyond
/// their edges.
///
/// Chen et al.: Activating More Pixels in Image Super-Resolution Transformer. Reference: XPixelGroup's HAT
/// (MIT), by way of spandrel.
enum HAT: Architecture {
  struct Configuration: ArchitectureConfiguration {
    var channels = 3
    var scale = 4
    var features = 180
    /// Blocks of each layer, and heads of their attention.
    var depths = [6, 6, 6, 6, 6, 6]
    var heads = [6, 6, 6, 6, 6, 6]
    /// Side of a window.
    var window = 16
    /// How far the windows at the end of each layer see beyond their edges.
    var margin = 4
    /// Channels between the two convolutions of a block, and of their attention.
    var compressed = 60
    var squeezed = 6
    /// Channels between the two linear layers of a block.
    var hidden = 360
    /// What the convolutions of a block are multiplied with.
    var convolutionScale = 0.01
    /// Channels of the enlargement.
    var upsamplerFeatures = 64
    /// What stands at the end of each layer.
    var residual = ResidualConvolution.one

    var frame: WindowFrame {
      WindowFrame(
        channels: channels, scale: scale, features: features,
        upsamplerFeatures: upsamplerFeatures, residual: residual, multiple: window)
    }

    var problem: String? {
      if !(2...64).contains(window) { return "window: expected 2 to 64, found \(window)" }
      if !(0...64).contains(margin) { return "margin: expected 0 to 64, found \(margin)" }
      for (name, value) in [
        ("compressed", compressed), ("squeezed", squeezed), ("hidden", hidden),
      ] where !(1...8192).contains(value) {
        return "\(name): expected 1 to 8192, found \(value)"
      }
      return frame.problem ?? problemOfLayers(depths: depths, heads: heads, features: features)
    }
  }

  static let info = ArchitectureInfo(
    "hat", summary: "Windows that see beyond their edges, and attention to channels",
    paper: "https://arxiv.org/abs/2205.04437", matchesStructure: false)

  private static let small = Configuration(
    features: 144, compressed: 6, squeezed: 6, hidden: 288)
  private static let large = Configuration(
    depths: Array(repeating: 6, count: 12), heads: Array(repeating: 6, count: 12))

  static let presets: KeyValuePairs = [
    "x4": Configuration(),
    "x2": Configuration(scale: 2),
    "x3": Configuration(scale: 3),
    "small-x4": small,
    "small-x2": small.with { $0.scale = 2 },
    "small-x3": small.with { $0.scale = 3 },
    "large-x4": large,
    "large-x2": large.with { $0.scale = 2 },
    "large-x3": large.with { $0.scale = 3 },
  ]

  static func build(_ c: Configuration, _ input: Value) -> [Value] {
    [
      input.framed(c.frame) { image in
        var x = image.asTokens().layerNormalization("patch_embed.norm")
        for (layer, (depth, heads)) in zip(c.depths, c.heads).enumerated() {
          let name = "layers.\(layer).residual_group"
          var y = x
          for block in 0..<depth {
            y = y.hybridBlock(
              "\(name).blocks.\(block)", c,
              WindowAttention(heads: heads, window: c.window, isShifted: block % 2 == 1))
          }
          y = y.overlappingBlock("\(name).overlap_attn", c, heads)
          x = y.asImage().residualConvolution("layers.\(layer).conv", c.residual).asTokens() + x
        }
        return x.layerNormalization("norm").asImage()
      }
    ]
  }

  static func configurations(of weights: WeightIndex) -> [Proposal<Configuration>] {
    let first = "layers.0.residual_group.blocks.0"
    let overlap = "layers.0.residual_group.overlap_attn.relative_position_bias_table"
    guard let frame = weights.frame, frame.upsampler == .pixelShuffle,
      let window = weights.window(ofTable: "\(first).attn.relative_position_bias_table"),
      let side = weights[overlap]?.first?.wholeRoot, side >= 2 * window - 1, side % 2 == 1,
      let compressed = weights.convolution("\(first).conv_block.cab.0"),
      let squeezed = weights.convolution("\(first).conv_block.cab.3.attention.1"),
      let hidden = weights["\(first).mlp.fc1.weight"]?.first
    else { return [] }
    let layers = 0..<weights.count(of: "layers")
    return [
      Proposal(
        Configuration(
          channels: frame.channels, scale: frame.scale, features: frame.features,
          depths: layers.map { weights.count(of: "layers.\($0).residual_group.blocks") },
          heads: layers.map { layer in
            let name = "layers.\(layer).residual_group.overlap_attn.relative_position_bias_table"
            return weights[name]?.last ?? 0
          },
          // The table has (window + window with margins - 1)² rows.
          window: window, margin: (side + 1 - 2 * window) / 2, compressed: compressed[0],
          squeezed: squeezed[0], hidden: hidden, upsamplerFeatures: frame.upsamplerFeatures,
          residual: frame.residual),
        assumed: ["convolutionScale"])
    ]
  }

  static func unused(_ c: Configuration) -> [UnusedTensors] {
    let window = Size(c.window)
    let reach = Size(c.window + 2 * c.margin)
    return [
      UnusedTensors(
        "relative_position_index_SA", "it follows from the window",
        buffer: UnusedTensors.Buffer(.relativePosition(window: window))),
      UnusedTensors(
        "relative_position_index_OCA", "it follows from the window",
        buffer: UnusedTensors.Buffer(.overlappingPosition(window: window, keyWindow: reach))),
    ]
  }

  static func picture(_ c: Configuration) -> ImageSpec { .usual(c.channels) }
}

extension Value {
  fileprivate func hybridBlock(
    _ name: String, _ c: HAT.Configuration, _ attention: WindowAttention
  ) -> Value {
    let normal = layerNormalization("\(name).norm1")
    let convolved = normal.asImage()
      .attendedConvolutions("\(name).conv_block.cab", c.compressed, c.squeezed)
    let x =
      self + normal.windowedAttention("\(name).attn", c.features, attention)
      + convolved.asTokens() * c.convolutionScale
    return x
      + x.layerNormalization("\(name).norm2")
      .perceptron("\(name).mlp", c.features, hidden: c.hidden)
  }

  /// Attention of the pixels of a window to those of a larger one around it.
  fileprivate func overlappingBlock(
    _ name: String, _ c: HAT.Configuration, _ heads: Int
  ) -> Value {
    let attention = WindowAttention(
      heads: heads, window: Size(c.window), keyMargin: Size(c.margin))
    let x =
      self
      + layerNormalization("\(name).norm1").windowedAttention(name, c.features, attention)
    return x
      + x.layerNormalization("\(name).norm2")
      .perceptron("\(name).mlp", c.features, hidden: c.hidden)
  }
}

@section("aviary_architectures") @used
private let record: Registration = { unsafe register(HAT.self, $0) }
