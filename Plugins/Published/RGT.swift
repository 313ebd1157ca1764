internal import AviaryGraph

/// Attention within windows and to a small image of the whole, in turn.
///
/// Chen et al.: Recursive Generalization Transformer for Image Super-Resolution. Reference:
/// zhengchen1999's RGT (Apache-2.0), by way of spandrel.
enum RGT: Architecture {
  struct Configuration: ArchitectureConfiguration {
    var channels = 3
    var scale = 4
    var features = 180
    /// Blocks of each group, and heads of their attention.
    var depths = [6, 6, 6, 6, 6, 6, 6, 6]
    var heads = [6, 6, 6, 6, 6, 6, 6, 6]
    /// Height and width of the windows for one half of the channels, width and height of those for the
    /// other.
    var split = [8, 32]
    /// Channels between the linear layers of a block.
    var hidden = 360
    /// Channels of queries and keys in the attention to the whole.
    var compressed = 90
    /// How often the image is made a quarter as wide and high for that: the reference does it twice below
    /// 1024 pixels a side, and three times from there on.
    var reductions = 2
    /// Whether queries, keys and values have a bias.
    var qkvBias = true
    /// Channels of the enlargement.
    var upsamplerFeatures = 64
    /// What stands at the end of each group.
    var residual = ResidualConvolution.one

    var frame: WindowFrame {
      WindowFrame(
        channels: channels, scale: scale, features: features,
        upsamplerFeatures: upsamplerFeatures, residual: residual)
    }

    var problem: String? {
      if split.count != 2 || !split.allSatisfy((2...128).contains) {
        return "split: expected two numbers of 2 to 128, found \(split)"
      }
      if !(2...16384).contains(hidden) || hidden % 2 != 0 {
        return "hidden: expected an even number of 2 to 16384, found \(hidden)"
      }
      if !(1...4).contains(reductions) {
        return "reductions: expected 1 to 4, found \(reductions)"
      }
      let divides = heads.allSatisfy {
        $0 > 1 && features / 2 % ($0 / 2) == 0 && compressed > 0 && compressed % $0 == 0
      }
      if features < 32 || !divides {
        return "heads: expected divisors of \(compressed), and halves that divide \(features / 2), "
          + "found \(heads)"
      }
      return frame.problem ?? problemOfLayers(depths: depths, heads: heads, features: features)
    }
  }

  static let info = ArchitectureInfo(
    "rgt", summary: "Attention within windows and to a small image of the whole, in turn",
    paper: "https://arxiv.org/abs/2303.06373", matchesStructure: false)

  private static let small = Configuration(
    depths: [6, 6, 6, 6, 6, 6], heads: [6, 6, 6, 6, 6, 6])

  static let presets: KeyValuePairs = [
    "x4": Configuration(),
    "x2": Configuration(scale: 2),
    "x3": Configuration(scale: 3),
    "small-x4": small,
    "small-x2": small.with { $0.scale = 2 },
    "small-x3": small.with { $0.scale = 3 },
  ]

  static func build(_ c: Configuration, _ input: Value) -> [Value] {
    [
      input.framed(c.frame) { image in
        var x = image.asTokens().layerNormalization("before_RG.1")
        for (group, (depth, heads)) in zip(c.depths, c.heads).enumerated() {
          var y = x
          for block in 0..<depth {
            let name = "layers.\(group).blocks.\(block)"
            let normal = y.layerNormalization("\(name).norm1")
            let attended =
              block % 2 == 0
              ? normal.locallyAttended(
                "\(name).attn", c, heads, isShifted: Value.isShifted(group: group, block: block))
              : normal.recursivelyAttended("\(name).attn", c, heads)
            var z = y + attended
            z =
              z
              + z.layerNormalization("\(name).norm2")
              .spatiallyGated("\(name).mlp", c.features, c.hidden)
            y = z + y * y.learnedConstant("\(name).gamma", [c.features], start: 1e-4)
          }
          x = y.asImage().residualConvolution("layers.\(group).conv", c.residual).asTokens() + x
        }
        return x.layerNormalization("norm").asImage()
      }
    ]
  }

  static func configurations(of weights: WeightIndex) -> [Proposal<Configuration>] {
    let attention = "layers.0.blocks.0.attn"
    guard let frame = weights.frame, frame.upsampler == .pixelShuffle,
      weights.has("layers.0.blocks.0.gamma"),
      let hidden = weights["layers.0.blocks.0.mlp.fc1.weight"]?.first
    else { return [] }
    let groups = 0..<weights.count(of: "layers")
    let compressed = groups.lazy.compactMap {
      weights.convolution("layers.\($0).blocks.1.attn.conv")?[0]
    }.first
    let (split, isKnown) = weights.split("\(attention).attns.0")
    return [
      Proposal(
        Configuration(
          channels: frame.channels, scale: frame.scale, features: frame.features,
          depths: groups.map { weights.count(of: "layers.\($0).blocks") },
          heads: groups.map { group in
            let half = weights["layers.\(group).blocks.0.attn.attns.0.pos.pos3.2.bias"]?.first ?? 0
            return half > 0 && frame.features % (2 * half) == 0 ? 2 * half : 2 * half + 1
          },
          split: split, hidden: hidden, compressed: compressed ?? frame.features / 2,
          qkvBias: weights["\(attention).qkv.bias"] != nil,
          upsamplerFeatures: frame.upsamplerFeatures, residual: frame.residual),
        assumed: ["reductions"] + (isKnown ? [] : ["split"])
          + (compressed == nil ? ["compressed"] : []))
    ]
  }

  static let valuesRead = [WeightIndex.biasPlaces("layers.0.blocks.0.attn.attns.0")]

  static func unused(_ c: Configuration) -> [UnusedTensors] {
    // Its readers have masks for 64 pixels, whatever a file has.
    c.depths.enumerated().flatMap { group, depth in
      stride(from: 0, to: depth, by: 2).flatMap { block in
        UnusedTensors.ofSplitWindows(
          "layers.\(group).blocks.\(block).attn", split: c.split,
          isShifted: Value.isShifted(group: group, block: block), image: 64)
      }
    }
  }

  static func picture(_ c: Configuration) -> ImageSpec { .usual(c.channels) }
}

extension Value {
  fileprivate func locallyAttended(
    _ name: String, _ c: RGT.Configuration, _ heads: Int, isShifted: Bool
  ) -> Value {
    let all = linear("\(name).qkv", 3 * c.features, bias: c.qkvBias).asImage()
    let attended = all.splitWindows(
      "\(name).attns", c.features, split: c.split, heads: heads, isShifted: isShifted)
    let local = all.channels(2 * c.features, c.features).depthwise("\(name).get_v", kernel: 3)
    return (attended + local).asTokens().linear("\(name).proj", c.features)
  }

  /// Attention of every pixel to all of a small image, which one convolution makes in several steps.
  fileprivate func recursivelyAttended(
    _ name: String, _ c: RGT.Configuration, _ heads: Int
  ) -> Value {
    var small = asImage()
    for step in 0..<c.reductions {
      small = small.convolution(
        "\(name).reduction1", c.features, kernel: 4, stride: 4, groups: c.features,
        padding: .valid, shared: step > 0)
    }
    small = small.depthwise("\(name).dwconv", kernel: 3)
      .convolution("\(name).conv", c.compressed, kernel: 1)
    let tokens = small.asTokens().layerNormalization("\(name).norm_act.0").gelu()
    let (size, depth) = (c.compressed / heads, c.features / heads)
    let queries = linear("\(name).q", c.compressed, bias: c.qkvBias)
      .applying(.reshape(Reshape([0, 0, 0, heads, size])))
      .applying(.permute(Permute([0, 3, 1, 2, 4])))
    // For each head a matrix that all rows of the image are multiplied with.
    let keys = tokens.linear("\(name).k", c.compressed, bias: c.qkvBias).asImage()
      .applying(.reshape(Reshape([0, heads, 1, size, -1])))
    let plain = tokens.linear("\(name).v", c.features, bias: c.qkvBias).asImage()
    let values = (plain + plain.depthwise("\(name).cpe", kernel: 3))
      .applying(.reshape(Reshape([0, heads, 1, depth, -1])))
      .applying(.permute(Permute([0, 1, 2, 4, 3])))
    let scores = (queries * (1 / Double(size).squareRoot())).applying(.matmul, keys)
    return scores.applying(.softmax(Softmax(dimension: 4))).applying(.matmul, values)
      .applying(.permute(Permute([0, 2, 3, 1, 4])))
      .applying(.reshape(Reshape([0, 0, 0, c.features])))
      .linear("\(name).proj", c.features)
  }
}

@section("aviary_architectures") @used
private let record: Registration = { unsafe register(RGT.self, $0) }
