internal import AviaryGraph

/// Attention within large windows, whose keys are those of a smaller image with more channels.
///
/// Zhou et al.: SRFormer: Permuted Self-Attention for Single Image Super-Resolution. Written from the paper;
/// the reference, HVision-NKU's SRFormer, is CC-BY-NC-4.0.
enum SRFormer: Architecture {
  struct Configuration: ArchitectureConfiguration {
    var channels = 3
    var scale = 4
    var features = 180
    /// Blocks of each layer, and heads of their attention.
    var depths = [6, 6, 6, 6, 6, 6]
    var heads = [6, 6, 6, 6, 6, 6]
    /// Side of a window.
    var window = 24
    /// Channels between the two linear layers of a block, and side of the convolution between them.
    var hidden = 360
    var kernel = 5
    var upsampler = Upsampler.pixelShuffle
    /// Channels of the enlargement.
    var upsamplerFeatures = 64
    /// What stands at the end of each layer.
    var residual = ResidualConvolution.one

    var frame: WindowFrame {
      WindowFrame(
        channels: channels, scale: scale, features: features, upsampler: upsampler,
        upsamplerFeatures: upsamplerFeatures, residual: residual, multiple: window)
    }

    var problem: String? {
      if !(4...64).contains(window) || window % 4 != 0 {
        return "window: expected a multiple of 4 up to 64, found \(window)"
      }
      if features % 4 != 0 { return "features: expected a multiple of 4, found \(features)" }
      if !(1...8192).contains(hidden) { return "hidden: expected 1 to 8192, found \(hidden)" }
      if !(1...31).contains(kernel) || kernel % 2 == 0 {
        return "kernel: expected an odd number up to 31, found \(kernel)"
      }
      return frame.problem ?? problemOfLayers(depths: depths, heads: heads, features: features)
    }
  }

  static let info = ArchitectureInfo(
    "srformer", summary: "Large windows whose keys are fewer and wider",
    paper: "https://arxiv.org/abs/2303.09735", matchesStructure: false)

  private static let light = Configuration(
    features: 60, depths: [6, 6, 6, 6], heads: [6, 6, 6, 6], window: 16, hidden: 120,
    upsampler: .pixelShuffleDirect)

  static let presets: KeyValuePairs = [
    "x4": Configuration(),
    "x2": Configuration(scale: 2),
    "x3": Configuration(scale: 3),
    "light-x4": light,
    "light-x2": light.with { $0.scale = 2 },
    "light-x3": light.with { $0.scale = 3 },
    "real-x4": Configuration(upsampler: .nearestConvolution),
  ]

  static func build(_ c: Configuration, _ input: Value) -> [Value] {
    [
      input.framed(c.frame) { image in
        var x = image.asTokens().layerNormalization("patch_embed.norm")
        for (layer, (depth, heads)) in zip(c.depths, c.heads).enumerated() {
          var y = x
          for block in 0..<depth {
            let name = "layers.\(layer).residual_group.blocks.\(block)"
            y =
              y
              + y.layerNormalization("\(name).norm1")
              .permutedAttention("\(name).attn", c, heads, isShifted: block % 2 == 1)
            y =
              y
              + y.layerNormalization("\(name).norm2").convolvedPerceptron(
                "\(name).mlp", c.features, hidden: c.hidden, kernel: c.kernel)
          }
          x = y.asImage().residualConvolution("layers.\(layer).conv", c.residual).asTokens() + x
        }
        return x.layerNormalization("norm").asImage()
      }
    ]
  }

  static func configurations(of weights: WeightIndex) -> [Proposal<Configuration>] {
    let first = "layers.0.residual_group.blocks.0"
    let table = "\(first).attn.relative_position_bias_table"
    guard let frame = weights.frame, let half = weights.window(ofTable: table),
      weights.has("\(first).attn.kv."), let hidden = weights["\(first).mlp.fc1.weight"]?.first,
      let kernel = weights.convolution("\(first).mlp.dwconv.depthwise_conv.0")?[2]
    else { return [] }
    let layers = 0..<weights.count(of: "layers")
    return [
      Proposal(
        Configuration(
          channels: frame.channels, scale: frame.scale, features: frame.features,
          depths: layers.map { weights.count(of: "layers.\($0).residual_group.blocks") },
          heads: layers.map { layer in
            let name = "layers.\(layer).residual_group.blocks.0.attn.relative_position_bias_table"
            return weights[name]?.last ?? 0
          },
          window: 2 * half, hidden: hidden, kernel: kernel, upsampler: frame.upsampler,
          upsamplerFeatures: frame.upsamplerFeatures, residual: frame.residual))
    ]
  }

  static func unused(_ c: Configuration) -> [UnusedTensors] {
    UnusedTensors.ofLayers(c.depths) { block, isShifted in
      UnusedTensors.ofWindows(
        block, window: c.window, isShifted: isShifted, index: "aligned_relative_position_index",
        keyStep: 2)
    }
  }

  static func picture(_ c: Configuration) -> ImageSpec { .usual(c.channels) }
}

extension Value {
  /// Permuted self-attention: the keys and values of four neighbouring pixels are one with four times the
  /// channels.
  ///
  /// The four pixels lie alike in the small image and have the same biases to its pixels. So it is attention
  /// within windows of the small image, in which each of the four has heads of its own, with the same keys,
  /// values and biases.
  fileprivate func permutedAttention(
    _ name: String, _ c: SRFormer.Configuration, _ heads: Int, isShifted: Bool
  ) -> Value {
    func joined(_ image: Value) -> Value {
      image.applying(.pixelUnshuffle(PixelUnshuffle(factor: 2, order: .tensorflow)))
    }
    func repeated(_ image: Value) -> Value {
      Value.concatenate(Array(repeating: image, count: 4))
    }
    let both = linear("\(name).kv", c.features / 2).asImage()
    let keys = joined(both.channels(0, c.features / 4))
    let values = joined(both.channels(c.features / 4, c.features / 4))
    let half = c.window / 2
    let rows = (2 * half - 1) * (2 * half - 1)
    let table = learnedConstant("\(name).relative_position_bias_table", [rows, heads])
    let attention = WindowAttention(
      heads: 4 * heads, window: Size(half), shift: isShifted ? Size(half / 2) : 0,
      positionBias: .input)
    return joined(linear("\(name).q", c.features).asImage())
      .windowAttention(
        name, attention, keys: repeated(keys), values: repeated(values),
        table: Value.concatenate(Array(repeating: table, count: 4))
      )
      .pixelShuffle(2, order: .tensorflow).asTokens().linear("\(name).proj", c.features)
  }
}

@section("aviary_architectures") @used
private let record: Registration = { unsafe register(SRFormer.self, $0) }
