internal import AviaryGraph

/// A U-Net of attention of channels to channels.
///
/// Zamir et al.: Restormer: Efficient Transformer for High-Resolution Image Restoration. Written from the
/// paper; the reference, swz30's Restormer, is for academic use alone.
enum Restormer: Architecture {
  struct Configuration: ArchitectureConfiguration {
    var channels = 3
    /// Channels of the first level; each further level has twice as many.
    var features = 48
    /// Blocks of each level, the first one first; on the way up there are as many again.
    var blocks = [4, 6, 6, 8]
    /// Blocks at the end.
    var refinement = 4
    /// Heads of the attention on each level.
    var heads = [1, 2, 4, 8]
    /// How many times as many channels the other layer of a block has.
    var expansion = 2.66
    /// Whether convolutions have a bias, and normalisations.
    var bias = false
    var normalisationBias = true
    var scale: Int { 1 }

    var problem: String? {
      if channels != 3 && channels != 1 { return "channels: expected 1 or 3, found \(channels)" }
      if blocks.count != 4 || !blocks.allSatisfy((1...64).contains) {
        return "blocks: expected four numbers of 1 to 64, found \(blocks)"
      }
      if !(1...64).contains(refinement) {
        return "refinement: expected 1 to 64, found \(refinement)"
      }
      if !(2...512).contains(features) || features % 2 != 0 {
        return "features: expected an even number up to 512, found \(features)"
      }
      if heads.count != 4
        || !zip(heads, 0...).allSatisfy({ $0 > 0 && (features << $1) % $0 == 0 })
      {
        return "heads: expected four divisors of the levels' channels, found \(heads)"
      }
      return expansion >= 1 && expansion <= 16
        ? nil : "expansion: expected 1 to 16, found \(expansion)"
    }
  }

  static let info = ArchitectureInfo(
    "restormer", summary: "A U-Net of attention of channels to channels",
    paper: "https://arxiv.org/abs/2111.09881", matchesStructure: false)

  static let presets: KeyValuePairs = [
    "restoration": Configuration(),
    "denoising": Configuration(normalisationBias: false),
    "denoising-gray": Configuration(channels: 1, normalisationBias: false),
  ]

  static func build(_ c: Configuration, _ input: Value) -> [Value] {
    [
      input.transformerUNet(
        features: c.features, blocks: c.blocks, refinement: c.refinement, bias: c.bias
      ) { $0.transposedBlock($1, c, heads: c.heads[$2]) }
    ]
  }

  static func configurations(of weights: WeightIndex) -> [Proposal<Configuration>] {
    let stages = WeightIndex.transformerLevels
    let hidden = stages.compactMap { weights.convolution("\($0).0.ffn.project_out")?[1] }
    guard let first = weights.convolution("patch_embed.proj"), hidden.count == 4,
      weights.has("refinement.0.attn.temperature")
    else { return [] }
    return [
      Proposal(
        Configuration(
          channels: first[1], features: first[0], blocks: stages.map { weights.count(of: $0) },
          refinement: weights.count(of: "refinement"),
          heads: stages.map { weights["\($0).0.attn.temperature"]?.first ?? 0 },
          expansion: weights.expansion(of: first[0], to: hidden) ?? 2.66,
          bias: weights["latent.0.attn.qkv.bias"] != nil,
          normalisationBias: weights["latent.0.norm1.body.bias"] != nil))
    ]
  }

  static func picture(_ c: Configuration) -> ImageSpec { .usual(c.channels) }
}

extension Value {
  fileprivate func transposedBlock(
    _ name: String, _ c: Restormer.Configuration, heads: Int
  ) -> Value {
    let kind: LayerNormalization.Kind = c.normalisationBias ? .layer : .biasFree
    func normalised(_ x: Value, _ layer: String) -> Value {
      x.layerNormalization("\(name).\(layer).body", LayerNormalization(kind, first: 1))
    }
    let x =
      self
      + normalised(self, "norm1").transposedAttention(
        "\(name).attn", heads: heads, bias: c.bias)
    return x
      + normalised(x, "norm2").gatedFeedForward(
        "\(name).ffn", hidden: Int(Double(channels) * c.expansion), bias: c.bias)
  }
}

@section("aviary_architectures") @used
private let record: Registration = { unsafe register(Restormer.self, $0) }
