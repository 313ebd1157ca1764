internal import AviaryGraph

/// Blocks of Swin Transformer V2 between convolutions.
///
/// Conde et al.: Swin2SR: SwinV2 Transformer for Compressed Image Super-Resolution and Restoration.
/// Reference: mv-lab's swin2sr (Apache-2.0), by way of spandrel.
enum Swin2SR: Architecture {
  struct Configuration: ArchitectureConfiguration {
    var channels = 3
    var scale = 4
    var features = 180
    /// Blocks of each layer, and heads of their attention.
    var depths = [6, 6, 6, 6, 6, 6]
    var heads = [6, 6, 6, 6, 6, 6]
    /// Side of a window.
    var window = 8
    /// Channels between the two linear layers of a block, and of the one that calculates biases.
    var hidden = 360
    var biasHidden = 512
    /// Whether queries and values have a bias.
    var qkvBias = true
    var upsampler = Upsampler.pixelShuffle
    /// Whether the small image is made first, and enlarged then beside its bicubic enlargement: the
    /// reference's `pixelshuffle_aux`.
    var isAuxiliary = false
    /// Channels of the enlargement.
    var upsamplerFeatures = 64
    /// What stands at the end of each layer.
    var residual = ResidualConvolution.one
    /// What white is to the network.
    var range = 1.0

    var frame: WindowFrame {
      WindowFrame(
        channels: channels, scale: scale, features: features, upsampler: upsampler,
        upsamplerFeatures: upsamplerFeatures, residual: residual, range: range, multiple: window)
    }

    var problem: String? {
      if !(2...64).contains(window) { return "window: expected 2 to 64, found \(window)" }
      for (name, value) in [("hidden", hidden), ("biasHidden", biasHidden)]
      where !(1...8192).contains(value) {
        return "\(name): expected 1 to 8192, found \(value)"
      }
      if isAuxiliary, upsampler != .pixelShuffle || channels != 3 {
        return "isAuxiliary: expected 3 channels and the upsampler 'pixelshuffle', "
          + "found \(channels) and '\(upsampler.rawValue)'"
      }
      return frame.problem ?? problemOfLayers(depths: depths, heads: heads, features: features)
    }
  }

  static let info = ArchitectureInfo(
    "swin2sr", summary: "Blocks of Swin Transformer V2 between convolutions",
    paper: "https://arxiv.org/abs/2209.11345", matchesStructure: false)

  private static let light = Configuration(
    scale: 2, features: 60, depths: [6, 6, 6, 6], heads: [6, 6, 6, 6], hidden: 120,
    upsampler: .pixelShuffleDirect)

  static let presets: KeyValuePairs = [
    "x4": Configuration(),
    "x2": Configuration(scale: 2),
    "light-x2": light,
    "real-x4": Configuration(upsampler: .nearestConvolution),
    "compressed-x4": Configuration(isAuxiliary: true),
    "jpeg": Configuration(scale: 1, window: 7, upsampler: .none, range: 255),
    "jpeg-gray": Configuration(channels: 1, scale: 1, window: 7, upsampler: .none, range: 255),
  ]

  static func build(_ c: Configuration, _ input: Value) -> [Value] {
    func blocks(_ image: Value) -> Value {
      var x = image.embedded("patch_embed.proj").layerNormalization("patch_embed.norm")
      for (layer, (depth, heads)) in zip(c.depths, c.heads).enumerated() {
        var y = x
        for block in 0..<depth {
          y = y.cosineBlock(
            "layers.\(layer).residual_group.blocks.\(block)", c, heads, isShifted: block % 2 == 1)
        }
        x =
          y.asImage().residualConvolution("layers.\(layer).conv", c.residual)
          .embedded("layers.\(layer).patch_embed.proj") + x
      }
      return x.layerNormalization("norm").asImage()
    }
    let frame = c.frame
    if !c.isAuxiliary { return [input.framed(frame, blocks)] }
    let small = input.framedInput(frame)
    let auxiliary = small.framedBody(frame, blocks)
      .convolution("conv_before_upsample.0", c.upsamplerFeatures, kernel: 3).leakyRelu(0.01)
      .convolution("conv_aux", c.channels, kernel: 3)
    let enlarged = auxiliary.convolution("conv_after_aux.0", c.upsamplerFeatures, kernel: 3)
      .leakyRelu(0.01).shuffled(by: c.scale) { "upsample.\(2 * $0)" }
    // The reference enlarges the padded image to the size that belongs to the image without padding.
    let size = input.resize(.nearest, by: c.scale)
    let bicubic = small.applying(.resize(Resize(.cubic(a: -0.75), to: .sizeOfSecondInput)), size)
      .convolution("conv_bicubic", c.upsamplerFeatures, kernel: 3)
    return [
      (enlarged.cropped(toSizeOf: input, times: c.scale) + bicubic)
        .convolution("conv_last", c.channels, kernel: 3).framedOutput(frame, like: input)
    ]
  }

  static func configurations(of weights: WeightIndex) -> [Proposal<Configuration>] {
    let first = "layers.0.residual_group.blocks.0"
    guard let frame = weights.frame, weights.has("patch_embed.proj."),
      let hidden = weights["\(first).mlp.fc1.weight"]?.first,
      let biasHidden = weights["\(first).attn.cpb_mlp.0.weight"]?.first
    else { return [] }
    // The window shows in tables alone, which follow from it and may be left out.
    let table = weights["\(first).attn.relative_coords_table"]
    let pixels = weights["\(first).attn.relative_position_index"]?.first?.wholeRoot
    let known = pixels ?? table.flatMap { $0.count == 4 ? ($0[1] + 1) / 2 : nil }
    let window = known ?? (frame.upsampler == .none ? 7 : 8)
    let layers = 0..<weights.count(of: "layers")
    return [
      Proposal(
        Configuration(
          channels: frame.channels, scale: frame.scale, features: frame.features,
          depths: layers.map { weights.count(of: "layers.\($0).residual_group.blocks") },
          heads: layers.map { layer in
            weights["layers.\(layer).residual_group.blocks.0.attn.logit_scale"]?.first ?? 0
          },
          window: window, hidden: hidden, biasHidden: biasHidden,
          qkvBias: weights["\(first).attn.q_bias"] != nil, upsampler: frame.upsampler,
          isAuxiliary: weights.has("conv_aux."), upsamplerFeatures: frame.upsamplerFeatures,
          residual: frame.residual, range: window == 7 ? 255 : 1),
        assumed: ["range"] + (known == nil ? ["window"] : []))
    ]
  }

  static func unused(_ c: Configuration) -> [UnusedTensors] {
    let side = 2 * c.window - 1
    let coordinates = Value.logarithmic(1 - c.window...max(c.window, 1) - 1)
    let table = UnusedTensors.Buffer(
      [1, side, side, 2], coordinates.flatMap { row in coordinates.flatMap { [row, $0] } })
    return UnusedTensors.ofLayers(c.depths) { block, isShifted in
      UnusedTensors.ofWindows(block, window: c.window, isShifted: isShifted) + [
        UnusedTensors(
          "\(block).attn.relative_coords_table", "it follows from the window", buffer: table)
      ]
    }
  }

  static func picture(_ c: Configuration) -> ImageSpec { .usual(c.channels) }
}

extension Value {
  /// A 1x1 convolution of an image, to tokens.
  fileprivate func embedded(_ name: String) -> Value {
    convolution(name, channels, kernel: 1).asTokens()
  }

  fileprivate func cosineBlock(
    _ name: String, _ c: Swin2SR.Configuration, _ heads: Int, isShifted: Bool
  ) -> Value {
    let attended = cosineAttended("\(name).attn", c, heads, isShifted: isShifted)
    let x = self + attended.layerNormalization("\(name).norm1")
    return x
      + x.perceptron("\(name).mlp", c.features, hidden: c.hidden)
      .layerNormalization("\(name).norm2")
  }

  private func cosineAttended(
    _ name: String, _ c: Swin2SR.Configuration, _ heads: Int, isShifted: Bool
  ) -> Value {
    let all = linear("\(name).qkv", 3 * c.features, bias: false).asImage()
    func part(_ position: Int, bias: String?) -> Value {
      let part = all.channels(position * c.features, c.features)
      guard c.qkvBias, let bias else { return part }
      return part
        + learnedConstant("\(name).\(bias)", [c.features])
        .applying(.reshape(Reshape([c.features, 1, 1])))
    }
    let attention = WindowAttention(
      heads: heads, window: Size(c.window), shift: isShifted ? Size(c.window / 2) : 0, scale: 1,
      positionBias: .input)
    let queries = part(0, bias: "q_bias")
      .cosineNormalised(
        heads: heads,
        logits: learnedConstant("\(name).logit_scale", [heads, 1, 1], start: 2.302585093))
    return queries.windowAttention(
      name, attention, keys: part(1, bias: nil).cosineNormalised(heads: heads),
      values: part(2, bias: "v_bias"),
      table: continuousPositionBias(
        "\(name).cpb_mlp", window: c.window, heads: heads, hidden: c.biasHidden)
    ).asTokens().linear("\(name).proj", c.features)
  }
}

@section("aviary_architectures") @used
private let record: Registration = { unsafe register(Swin2SR.self, $0) }
