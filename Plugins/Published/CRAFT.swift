internal import AviaryGraph

/// Attention within windows for what is low in frequency, to what convolutions make of the rest.
///
/// Li et al.: Feature Modulation Transformer: Cross-Refinement of Global Representation via High-Frequency
/// Prior for Image Super-Resolution. Reference: AVC2-UESTC's CRAFT-SR (Apache-2.0), by way of spandrel.
enum CRAFT: Architecture {
  struct Configuration: ArchitectureConfiguration {
    var channels = 3
    var scale = 4
    var features = 48
    /// Blocks of each layer, and heads of their attention.
    var depths = [2, 2, 2, 2]
    var heads = [6, 6, 6, 6]
    /// Height and width of the windows for one half of the channels, width and height of those for the
    /// other.
    var split = [4, 16]
    /// Channels between the two linear layers of a block.
    var hidden = 96
    /// Whether queries, keys and values have a bias.
    var qkvBias = true
    /// What stands before the skip around all.
    var residual = ResidualConvolution.one

    var frame: WindowFrame {
      WindowFrame(
        channels: channels, scale: scale, features: features, upsampler: .pixelShuffleDirect,
        residual: residual)
    }

    var problem: String? {
      if split.count != 2 || !split.allSatisfy({ [2, 4, 8, 16].contains($0) }) {
        return "split: expected two of 2, 4, 8 and 16, found \(split)"
      }
      if !(1...8192).contains(hidden) { return "hidden: expected 1 to 8192, found \(hidden)" }
      if features < 32 || !heads.allSatisfy({ $0 > 1 && features / 2 % ($0 / 2) == 0 }) {
        return "heads: expected halves that divide \(features / 2), found \(heads)"
      }
      return frame.problem ?? problemOfLayers(depths: depths, heads: heads, features: features)
    }
  }

  static let info = ArchitectureInfo(
    "craft", summary: "Attention within windows, to what convolutions make of high frequencies",
    paper: "https://arxiv.org/abs/2308.05022", matchesStructure: false)

  static let presets: KeyValuePairs = [
    "x4": Configuration(),
    "x2": Configuration(scale: 2),
    "x3": Configuration(scale: 3),
  ]

  static func build(_ c: Configuration, _ input: Value) -> [Value] {
    // The reference adds 1 to 16 rows and columns, also to what is a multiple already.
    let most = input.applying(.pad(Pad(PaddingAmounts(0, 0, 16, 16), .symmetric)))
    let padded = most.cropped(toSizeOf: most.maxPool(16), times: 16)
    let output = padded.framed(c.frame) { image in
      var x = image
      for (layer, (depth, heads)) in zip(c.depths, c.heads).enumerated() {
        let name = "layers.\(layer)"
        var y = x
        for block in 0..<depth {
          let low = (0..<2).reduce(y.asTokens()) {
            $0.unmaskedBlock(
              "\(name).residual_group.srwa_blocks.\(2 * block + $1)", c, heads,
              isShifted: $1 == 1)
          }
          let high = y.highFrequencies("\(name).residual_group.hfer_blocks.\(block)")
          y = low.asImage().fused("\(name).residual_group.hf_blocks.\(block)", high, c, heads)
        }
        x = y.convolution("\(name).conv", c.features, kernel: 3) + x
      }
      return x.layerNormalization("norm.body", LayerNormalization(first: 1))
    }
    return [output.cropped(toSizeOf: input, times: c.scale)]
  }

  static func configurations(of weights: WeightIndex) -> [Proposal<Configuration>] {
    let group = "layers.0.residual_group"
    guard let frame = weights.frame, frame.upsampler == .pixelShuffleDirect,
      weights.has("\(group).hf_blocks.0.attn.temperature"),
      let hidden = weights["\(group).srwa_blocks.0.mlp.fc1.weight"]?.first
    else { return [] }
    let layers = 0..<weights.count(of: "layers")
    var split = [4, 16]
    var isKnown = false
    if let places = weights.values["biases_h"], places.count >= 2,
      places[..<2].allSatisfy({ (-15...0).contains($0) && $0.rounded() == $0 })
    {
      (split, isKnown) = ([1 - Int(places[0]), 1 - Int(places[1])], true)
    }
    return [
      Proposal(
        Configuration(
          channels: frame.channels, scale: frame.scale, features: frame.features,
          depths: layers.map { weights.count(of: "layers.\($0).residual_group.hf_blocks") },
          heads: layers.map { layer in
            let name = "layers.\(layer).residual_group.hf_blocks.0.attn.temperature"
            return weights[name]?.first ?? 0
          },
          split: split, hidden: hidden,
          qkvBias: weights["\(group).srwa_blocks.0.qkv.bias"] != nil, residual: frame.residual),
        assumed: isKnown ? [] : ["split"])
    ]
  }

  static let valuesRead = ["biases_h"]

  static func unused(_ c: Configuration) -> [UnusedTensors] {
    [("h", Size(c.split[0], c.split[1])), ("v", Size(c.split[1], c.split[0]))].flatMap {
      name, window in
      [
        UnusedTensors(
          "relative_position_index_\(name)", "it follows from the windows",
          buffer: UnusedTensors.Buffer(.relativePosition(window: window))),
        UnusedTensors(
          "biases_\(name)", "it follows from the windows", buffer: .biasPlaces(window)),
      ]
    }
  }

  static func picture(_ c: Configuration) -> ImageSpec { .usual(c.channels) }
}

extension Value {
  /// A block of windows of two forms, of tokens, in which a shift mixes the borders of the image: unlike
  /// others the reference keeps nothing apart.
  fileprivate func unmaskedBlock(
    _ name: String, _ c: CRAFT.Configuration, _ heads: Int, isShifted: Bool
  ) -> Value {
    let half = c.features / 2
    let all = layerNormalization("\(name).norm1")
      .linear("\(name).qkv", 3 * c.features, bias: c.qkvBias).asImage()
    let branches = (0...1).map { branch in
      let window = branch == 0 ? Size(c.split[0], c.split[1]) : Size(c.split[1], c.split[0])
      func rolled(_ image: Value, _ sign: Int) -> Value {
        isShifted
          ? image.applying(
            .roll(
              Roll(
                shifts: [sign * (window.height / 2), sign * (window.width / 2)],
                dimensions: [2, 3]))) : image
      }
      let parts = (0...2).map { rolled(all.channels($0 * c.features + branch * half, half), -1) }
      let attended = parts[0].windowAttention(
        "\(name).attns.\(branch)",
        WindowAttention(heads: heads / 2, window: window, positionBias: .input),
        keys: parts[1], values: parts[2],
        table: dynamicPositionBias(
          "\(name).attns.\(branch).pos", half / 4 / 4, window: window, heads: heads / 2))
      return rolled(attended, 1)
    }
    let local = all.channels(2 * c.features, c.features).depthwise("\(name).get_v", kernel: 3)
    let x =
      self
      + (Value.concatenate(branches) + local).asTokens().linear("\(name).proj", c.features)
    return x
      + x.layerNormalization("\(name).norm2")
      .perceptron("\(name).mlp", c.features, hidden: c.hidden)
  }

  /// One half of the channels through a convolution, the other through the largest of each pixel's
  /// neighbours.
  fileprivate func highFrequencies(_ name: String) -> Value {
    let half = channels / 2
    let local = channels(0, half).convolution("\(name).conv", half, kernel: 3).gelu()
    let sharp = channels(half, half)
      .maxPool(3, stride: 1, padding: .explicit(PaddingAmounts(1)))
      .convolution("\(name).fc", half, kernel: 1).gelu()
    return self
      + Value.concatenate([local, sharp]).convolution("\(name).last_fc", channels, kernel: 1)
  }

  /// Attention of an image's channels to another's, and a gated layer.
  fileprivate func fused(
    _ name: String, _ high: Value, _ c: CRAFT.Configuration, _ heads: Int
  ) -> Value {
    func normalised(_ x: Value, _ layer: String) -> Value {
      x.layerNormalization("\(name).\(layer).body", LayerNormalization(first: 1))
    }
    let queries = high.convolution("\(name).attn.q", channels, kernel: 1, bias: false)
      .depthwise("\(name).attn.q_dwconv", kernel: 3, bias: false)
    let both = normalised(self, "norm1")
      .convolution("\(name).attn.kv", 2 * channels, kernel: 1, bias: false)
      .depthwise("\(name).attn.kv_dwconv", kernel: 3, bias: false)
    let attended = queries.channelsAttention(
      heads: heads, keys: both.channels(0, channels), values: both.channels(channels, channels),
      temperature: learnedConstant("\(name).attn.temperature", [heads, 1, 1], start: 1)
    ).convolution("\(name).attn.project_out", channels, kernel: 1, bias: false)
    let x = self + attended
    return x
      + normalised(x, "norm2").gatedFeedForward(
        "\(name).ffn", hidden: Int(Double(channels) * 2.66))
  }
}

@section("aviary_architectures") @used
private let record: Registration = { unsafe register(CRAFT.self, $0) }
