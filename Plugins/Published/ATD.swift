internal import AviaryGraph
internal import Glibc

/// Windows, a dictionary of tokens that each layer adapts to the image, and attention among the pixels to
/// which the dictionary gives the same token.
///
/// Zhang et al.: Transcending the Limit of Local Window: Advanced Super-Resolution Transformer with Adaptive
/// Token Dictionary. Reference: LabShuHangGU's Adaptive-Token-Dictionary (Apache-2.0), by way of spandrel.
enum ATD: Architecture {
  struct Configuration: ArchitectureConfiguration {
    var channels = 3
    var scale = 4
    var features = 210
    /// Blocks of each layer, and heads of their attention.
    var depths = [6, 6, 6, 6, 6, 6]
    var heads = [6, 6, 6, 6, 6, 6]
    /// Side of a window.
    var window = 16
    /// How many pixels of like tokens attend to each other.
    var category = 256
    /// Tokens of a dictionary, and channels by which pixels are compared with them.
    var tokens = 128
    var reduced = 20
    /// Channels between the two linear layers of a block, and side of the convolution between them.
    var hidden = 420
    var kernel = 5
    /// Whether linear layers before an attention have a bias.
    var qkvBias = true
    var upsampler = Upsampler.pixelShuffle
    /// Channels of the enlargement.
    var upsamplerFeatures = 64
    /// What stands at the end of each layer.
    var residual = ResidualConvolution.one
    /// Whether the mean colour is subtracted.
    var subtractsMean = true

    var frame: WindowFrame {
      WindowFrame(
        channels: channels, scale: scale, features: features, upsampler: upsampler,
        upsamplerFeatures: upsamplerFeatures, residual: residual, subtractsMean: subtractsMean,
        multiple: window, padding: .symmetric)
    }

    var problem: String? {
      if !(1...31).contains(kernel) || kernel % 2 == 0 {
        return "kernel: expected an odd number up to 31, found \(kernel)"
      }
      for (name, value, range) in [
        ("window", window, 2...64), ("category", category, 2...4096), ("tokens", tokens, 2...4096),
        ("reduced", reduced, 1...1024), ("hidden", hidden, 1...8192),
      ] where !range.contains(value) {
        return "\(name): expected \(range.lowerBound) to \(range.upperBound), found \(value)"
      }
      return frame.problem ?? problemOfLayers(depths: depths, heads: heads, features: features)
    }
  }

  static let info = ArchitectureInfo(
    "atd",
    summary: "A dictionary of tokens that adapts to the image, and attention among like pixels",
    paper: "https://arxiv.org/abs/2401.08209", matchesStructure: false)

  private static let light = Configuration(
    features: 48, depths: [6, 6, 6, 6], heads: [4, 4, 4, 4], category: 128, tokens: 64, reduced: 8,
    hidden: 48, kernel: 7, upsampler: .pixelShuffleDirect)

  static let presets: KeyValuePairs = [
    "x4": Configuration(),
    "x2": Configuration(scale: 2),
    "x3": Configuration(scale: 3),
    "light-x4": light,
    "light-x2": light.with { $0.scale = 2 },
    "light-x3": light.with { $0.scale = 3 },
  ]

  static func build(_ c: Configuration, _ input: Value) -> [Value] {
    [
      input.framed(c.frame) { image in
        var x = image.asTokens().layerNormalization("patch_embed.norm")
        for (layer, (depth, heads)) in zip(c.depths, c.heads).enumerated() {
          let group = "layers.\(layer).residual_group"
          var dictionary = x.learnedConstant("\(group).td", [c.tokens, c.features], start: nil)
            .applying(.reshape(Reshape([1, 1, c.tokens, c.features])))
          var y = x
          for block in 0..<depth {
            (y, dictionary) = y.dictionaryBlock(
              "\(group).layers.\(block)", c, heads, isShifted: block % 2 == 1,
              isLast: block == depth - 1, dictionary)
          }
          x = y.asImage().residualConvolution("layers.\(layer).conv", c.residual).asTokens() + x
        }
        return x.layerNormalization("norm").asImage()
      }
    ]
  }

  static func configurations(of weights: WeightIndex) -> [Proposal<Configuration>] {
    let first = "layers.0.residual_group.layers.0"
    guard let frame = weights.frame, weights.has("layers.0.residual_group.td"),
      let window = weights.window(ofTable: "\(first).attn_win.relative_position_bias_table"),
      let tokens = weights["\(first).attn_atd.scale"]?.first,
      let reduced = weights["\(first).attn_atd.wq.weight"]?.first,
      let hidden = weights["\(first).convffn.fc1.weight"]?.first,
      let kernel = weights.convolution("\(first).convffn.dwconv.depthwise_conv.0")?[2]
    else { return [] }
    let layers = 0..<weights.count(of: "layers")
    // The published small network alone has smaller groups.
    let isLight = frame.upsampler == .pixelShuffleDirect && frame.features == 48
    return [
      Proposal(
        Configuration(
          channels: frame.channels, scale: frame.scale, features: frame.features,
          depths: layers.map { weights.count(of: "layers.\($0).residual_group.layers") },
          heads: layers.map { layer in
            let attention = "layers.\(layer).residual_group.layers.0.attn_win"
            return weights["\(attention).relative_position_bias_table"]?.last ?? 0
          },
          window: window, category: isLight ? 128 : 256, tokens: tokens, reduced: reduced,
          hidden: hidden, kernel: kernel, qkvBias: weights["\(first).wqkv.bias"] != nil,
          upsampler: frame.upsampler, upsamplerFeatures: frame.upsamplerFeatures,
          residual: frame.residual, subtractsMean: weights["no_norm"] == nil),
        assumed: ["category"])
    ]
  }

  static func unused(_ c: Configuration) -> [UnusedTensors] {
    [
      UnusedTensors(
        "relative_position_index_SA", "it follows from the window",
        buffer: UnusedTensors.Buffer(.relativePosition(window: Size(c.window)))),
      .flag("no_norm", if: !c.subtractsMean, "it says that no mean colour is subtracted"),
    ]
  }

  static func picture(_ c: Configuration) -> ImageSpec { .usual(c.channels) }
}

extension Value {
  /// A block, of tokens, and the dictionary that it makes of the one before: of images by one by tokens by
  /// channels.
  fileprivate func dictionaryBlock(
    _ name: String, _ c: ATD.Configuration, _ heads: Int, isShifted: Bool, isLast: Bool,
    _ dictionary: Value
  ) -> (Value, Value) {
    let normal = layerNormalization("\(name).norm1")
    let all = normal.linear("\(name).wqkv", 3 * c.features, bias: c.qkvBias).asImage()
    let likeness = normal.likeness("\(name).attn_atd", c, dictionary)
    let words = likeness.applying(
      .matmul, dictionary.linear("\(name).attn_atd.wv", c.features, bias: c.qkvBias))
    let windows = all.windowAttention(
      "\(name).attn_win", WindowAttention(heads: heads, window: c.window, isShifted: isShifted)
    ).asTokens().linear("\(name).attn_win.proj", c.features)
    let alike = all.categoryAttention("\(name).attn_aca", c, heads, likeness).asTokens()
      .linear("\(name).attn_aca.proj", c.features, bias: c.qkvBias)
    let x = self + windows + words + alike
    let y =
      x
      + x.layerNormalization("\(name).norm2").convolvedPerceptron(
        "\(name).convffn", c.features, hidden: c.hidden, kernel: c.kernel)
    if isLast { return (y, dictionary) }
    // Each token becomes more like the pixels that are like it.
    let pixels = likeness.asImage().instanceNormalization("\(name).norm3")
      .applying(.reshape(Reshape([0, 1, c.tokens, -1]))).applying(.softmax(Softmax(dimension: 3)))
      .applying(.matmul, y.applying(.reshape(Reshape([0, 1, -1, c.features]))))
    let share = learnedConstant("\(name).sigma", [c.tokens, 1]).sigmoid()
    return (y, pixels + (dictionary - pixels) * share)
  }

  /// How like each token of the dictionary each pixel is, of tokens.
  private func likeness(_ name: String, _ c: ATD.Configuration, _ dictionary: Value) -> Value {
    func compared(_ x: Value, _ layer: String) -> Value {
      x.linear("\(name).\(layer)", c.reduced, bias: c.qkvBias)
        .applying(.layerNormalization(LayerNormalization(.l2)))
    }
    let factor =
      (learnedConstant("\(name).scale", [c.tokens], start: 0.5)
      .activation(.clamp(minimum: 0, maximum: 1)) * log(Double(c.tokens))).plus(1)
    let scores = compared(self, "wq").applying(
      .matmul, compared(dictionary, "wk").applying(.permute(Permute([0, 1, 3, 2]))))
    return (scores * factor).applying(.softmax(Softmax(dimension: 3)))
  }

  /// Attention among so many pixels at a time that follow one another when all are sorted by the token
  /// that they are most like; of an image of queries, keys and values.
  private func categoryAttention(
    _ name: String, _ c: ATD.Configuration, _ heads: Int, _ likeness: Value
  ) -> Value {
    // A row of pixels, one below the other.
    let order = likeness.applying(.argReduction(ArgReduction(.argmax, dimension: 3)))
      .applying(.reshape(Reshape([0, 1, -1, 1])))
      .applying(.sort(Sort(dimension: 2, part: .indices)))
    func gathered(_ row: Value, at places: Value) -> Value {
      row.applying(
        .gatherElements(GatherElements(dimension: 2)),
        places.applying(.expand(Expand(to: .shapeOfSecondInput)), row))
    }
    let row = gathered(applying(.reshape(Reshape([0, 0, -1, 1]))), at: order)
    // Images are whole windows: what those are multiples of needs no padding.
    let isWhole = c.window * c.window % c.category == 0
    let padded = isWhole ? row : row.mirrored(toMultiple: c.category)
    let factor = learnedConstant("\(name).logit_scale", [1, 1], start: 2.302585093)
      .limitedExponential()
    let attended = (padded.channels(0, c.features) * factor).windowAttention(
      name,
      WindowAttention(heads: heads, window: Size(c.category, 1), scale: 1, positionBias: .none),
      keys: padded.channels(c.features, c.features),
      values: padded.channels(2 * c.features, c.features))
    let sorted = isWhole ? attended : attended.cropped(toSizeOf: row)
    return gathered(sorted, at: order.applying(.sort(Sort(dimension: 2, part: .indices))))
      .applying(
        .reshape(
          Reshape(dimensions: [
            .kept, .kept, .other(2, times: Ratio(1)), .other(3, times: Ratio(1)),
          ])), self)
  }

  /// Rows mirrored at the bottom until there are a multiple. There must be that many before: the reference
  /// has smaller groups in smaller images.
  private func mirrored(toMultiple multiple: Int) -> Value {
    let most = applying(
      .padDimension(PadDimension(dimension: 2, before: 0, after: multiple - 1, .symmetric)))
    // As many as there are multiples.
    let count = most.applying(
      .stridedSlice(StridedSlice(dimension: 2, start: multiple - 1, step: multiple)))
    return most.applying(
      .cropToSize(CropToSize(scale: Ratio(multiple), axes: [.vertical])), count)
  }
}

@section("aviary_architectures") @used
private let record: Registration = { unsafe register(ATD.self, $0) }
