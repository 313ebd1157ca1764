internal import AviaryGraph

/// Blocks of Swin Transformer between convolutions.
///
/// Liang et al.: SwinIR: Image Restoration Using Swin Transformer. Reference: JingyunLiang's SwinIR
/// (Apache-2.0), by way of spandrel.
enum SwinIR: Architecture {
  struct Configuration: ArchitectureConfiguration {
    var channels = 3
    var scale = 4
    /// By what an image is made smaller first, its pixels becoming channels.
    var unshuffle = 1
    var features = 180
    /// Blocks of each layer, and heads of their attention.
    var depths = [6, 6, 6, 6, 6, 6]
    var heads = [6, 6, 6, 6, 6, 6]
    /// Side of a window.
    var window = 8
    /// Channels between the two linear layers of a block.
    var hidden = 360
    var upsampler = Upsampler.pixelShuffle
    /// Channels of the enlargement.
    var upsamplerFeatures = 64
    /// What stands at the end of each layer.
    var residual = ResidualConvolution.one
    /// What white is to the network.
    var range = 1.0

    var frame: WindowFrame {
      WindowFrame(
        channels: channels, scale: scale, unshuffle: unshuffle, features: features,
        upsampler: upsampler, upsamplerFeatures: upsamplerFeatures, residual: residual,
        range: range, multiple: window)
    }

    var problem: String? {
      if !(2...64).contains(window) { return "window: expected 2 to 64, found \(window)" }
      if !(1...8192).contains(hidden) { return "hidden: expected 1 to 8192, found \(hidden)" }
      return frame.problem ?? problemOfLayers(depths: depths, heads: heads, features: features)
    }
  }

  static let info = ArchitectureInfo(
    "swinir", summary: "Blocks of Swin Transformer between convolutions",
    paper: "https://arxiv.org/abs/2108.10257", matchesStructure: false)

  private static let light = Configuration(
    features: 60, depths: [6, 6, 6, 6], heads: [6, 6, 6, 6], hidden: 120,
    upsampler: .pixelShuffleDirect)
  private static let restoring = Configuration(scale: 1, upsampler: .none)

  static let presets: KeyValuePairs = [
    "x4": Configuration(),
    "x2": Configuration(scale: 2),
    "x3": Configuration(scale: 3),
    "x8": Configuration(scale: 8),
    "light-x4": light,
    "light-x2": light.with { $0.scale = 2 },
    "light-x3": light.with { $0.scale = 3 },
    "real-x4": Configuration(upsampler: .nearestConvolution),
    "real-x2": Configuration(scale: 2, upsampler: .nearestConvolution),
    "real-large-x4": Configuration(
      features: 240, depths: Array(repeating: 6, count: 9), heads: Array(repeating: 8, count: 9),
      hidden: 480, upsampler: .nearestConvolution, residual: .three),
    "denoising": restoring,
    "denoising-gray": restoring.with { $0.channels = 1 },
    "jpeg": restoring.with { ($0.window, $0.range) = (7, 255) },
    "jpeg-gray": restoring.with { ($0.channels, $0.window, $0.range) = (1, 7, 255) },
  ]

  static func build(_ c: Configuration, _ input: Value) -> [Value] {
    [
      input.framed(c.frame) { image in
        var x = image.asTokens().layerNormalization("patch_embed.norm")
        for (layer, (depth, heads)) in zip(c.depths, c.heads).enumerated() {
          var y = x
          for block in 0..<depth {
            y = y.swinBlock(
              "layers.\(layer).residual_group.blocks.\(block)", c.features,
              WindowAttention(heads: heads, window: c.window, isShifted: block % 2 == 1),
              hidden: c.hidden)
          }
          x =
            y.asImage().residualConvolution("layers.\(layer).conv", c.residual).asTokens() + x
        }
        return x.layerNormalization("norm").asImage()
      }
    ]
  }

  static func configurations(of weights: WeightIndex) -> [Proposal<Configuration>] {
    let first = "layers.0.residual_group.blocks.0"
    let table = "\(first).attn.relative_position_bias_table"
    guard let frame = weights.frame, let window = weights.window(ofTable: table),
      let hidden = weights["\(first).mlp.fc1.weight"]?.first
    else { return [] }
    let layers = 0..<weights.count(of: "layers")
    return [
      Proposal(
        Configuration(
          channels: frame.channels, scale: frame.scale, unshuffle: frame.unshuffle,
          features: frame.features,
          depths: layers.map { weights.count(of: "layers.\($0).residual_group.blocks") },
          heads: layers.map { layer in
            let name = "layers.\(layer).residual_group.blocks.0.attn.relative_position_bias_table"
            return weights[name]?.last ?? 0
          },
          window: window, hidden: hidden, upsampler: frame.upsampler,
          upsamplerFeatures: frame.upsamplerFeatures, residual: frame.residual,
          // The networks against JPEG's artefacts have windows of 7, and values up to 255.
          range: window == 7 ? 255 : 1),
        assumed: ["range"])
    ]
  }

  static func unused(_ c: Configuration) -> [UnusedTensors] {
    UnusedTensors.ofLayers(c.depths) { block, isShifted in
      UnusedTensors.ofWindows(block, window: c.window, isShifted: isShifted)
    }
  }

  static func picture(_ c: Configuration) -> ImageSpec { .usual(c.channels) }
}

@section("aviary_architectures") @used
private let record: Registration = { unsafe register(SwinIR.self, $0) }
