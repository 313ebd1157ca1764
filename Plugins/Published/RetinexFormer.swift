internal import AviaryGraph

/// Attention of channels to channels, guided by an estimate of how an image is lit.
///
/// Cai et al.: Retinexformer: One-stage Retinex-based Transformer for Low-light Image Enhancement.
/// Reference: caiyuanhao1998's Retinexformer (MIT), by way of spandrel.
enum RetinexFormer: Architecture {
  struct Configuration: ArchitectureConfiguration {
    var channels = 3
    /// Channels of the first level; each further level has twice as many.
    var features = 40
    var stages = 1
    /// Blocks of the two upper levels and of the lowest.
    var blocks = [1, 2, 2]
    var scale: Int { 1 }

    var problem: String? {
      if channels != 3 { return "channels: expected 3, found \(channels)" }
      if !(4...512).contains(features) || features % 4 != 0 {
        return "features: expected a multiple of 4 up to 512, found \(features)"
      }
      if !(1...8).contains(stages) { return "stages: expected 1 to 8, found \(stages)" }
      return blocks.count == 3 && blocks.allSatisfy((1...32).contains)
        ? nil : "blocks: expected three numbers of 1 to 32, found \(blocks)"
    }
  }

  static let info = ArchitectureInfo(
    "retinexformer", summary: "Attention of channels, guided by an estimate of the light",
    paper: "https://arxiv.org/abs/2303.06705", matchesStructure: false)

  static let presets: KeyValuePairs = [
    "low-light": Configuration(),
    "three-stages": Configuration(stages: 3, blocks: [1, 1, 1]),
  ]

  static func build(_ c: Configuration, _ input: Value) -> [Value] {
    [(0..<c.stages).reduce(input) { $0.enlightened("body.\($1)", c) }]
  }

  static func configurations(of weights: WeightIndex) -> [Proposal<Configuration>] {
    let denoiser = "body.0.denoiser"
    guard let first = weights.convolution("\(denoiser).embedding"),
      weights.has("body.0.estimator.depth_conv.")
    else { return [] }
    let levels = ["encoder_layers.0.0", "encoder_layers.1.0", "bottleneck"]
    return [
      Proposal(
        Configuration(
          channels: first[1], features: first[0], stages: weights.count(of: "body"),
          blocks: levels.map { weights.count(of: "\(denoiser).\($0).blocks") }))
    ]
  }

  static func picture(_ c: Configuration) -> ImageSpec { .usual(c.channels) }
}

extension Value {
  /// One stage: the light is estimated and applied, and what it shows is restored by a U-Net.
  fileprivate func enlightened(_ name: String, _ c: RetinexFormer.Configuration) -> Value {
    let mean = applying(.reduce(Reduction(.mean, dimensions: [1])))
    let light = Value.concatenate([self, mean])
      .convolution("\(name).estimator.conv1", c.features, kernel: 1)
      .convolution("\(name).estimator.depth_conv", c.features, kernel: 5, groups: 4)
    let lit = self * light.convolution("\(name).estimator.conv2", 3, kernel: 1) + self
    let net = "\(name).denoiser"
    func smaller(_ x: Value, _ layer: String) -> Value {
      x.convolution(
        layer, 2 * x.channels, kernel: 4, stride: 2, padding: .explicit(PaddingAmounts(1)),
        bias: false)
    }
    var x = lit.convolution("\(net).embedding", c.features, kernel: 3, bias: false)
    var lights = [light]
    var skips: [Value] = []
    for level in 0..<2 {
      let layer = "\(net).encoder_layers.\(level)"
      x = x.guided("\(layer).0", by: lights[level], blocks: c.blocks[level], size: c.features)
      skips.append(x)
      x = smaller(x, "\(layer).1")
      lights.append(smaller(lights[level], "\(layer).2"))
    }
    x = x.guided("\(net).bottleneck", by: lights[2], blocks: c.blocks[2], size: c.features)
    for level in (0..<2).reversed() {
      let layer = "\(net).decoder_layers.\(1 - level)"
      let width = x.channels / 2
      let large = x.transposedConvolution("\(layer).0", width, kernel: 2, stride: 2)
      x = Value.concatenate([large, skips[level]])
        .convolution("\(layer).1", width, kernel: 1, bias: false)
        .guided("\(layer).2", by: lights[level], blocks: c.blocks[level], size: c.features)
    }
    return x.convolution("\(net).mapping", 3, kernel: 3, bias: false) + lit
  }

  /// Blocks whose attention takes values times the light's features.
  private func guided(_ name: String, by light: Value, blocks: Int, size: Int) -> Value {
    var x = self
    let width = channels
    for block in 0..<blocks {
      let attention = "\(name).blocks.\(block).0"
      let layer = "\(name).blocks.\(block).1"
      let tokens = x.asTokens()
      func part(_ word: String) -> Value {
        tokens.linear("\(attention).\(word)", width, bias: false).asImage()
      }
      let values = part("to_v")
      let heads = width / size
      // The keys' channels are the rows here, and the queries' the columns.
      let attended = part("to_k").channelsAttention(
        heads: heads, keys: part("to_q"), values: values * light,
        temperature: x.learnedConstant("\(attention).rescale", [heads, 1, 1], start: 1)
      ).asTokens().linear("\(attention).proj", width).asImage()
      let places = values.depthwise("\(attention).pos_emb.0", kernel: 3, bias: false).gelu()
        .depthwise("\(attention).pos_emb.2", kernel: 3, bias: false)
      x = attended + places + x
      x =
        x.asTokens().layerNormalization("\(layer).norm").asImage()
        .convolution("\(layer).fn.net.0", 4 * width, kernel: 1, bias: false).gelu()
        .depthwise("\(layer).fn.net.2", kernel: 3, bias: false).gelu()
        .convolution("\(layer).fn.net.4", width, kernel: 1, bias: false) + x
    }
    return x
  }
}

@section("aviary_architectures") @used
private let record: Registration = { unsafe register(RetinexFormer.self, $0) }
