internal import AviaryGraph

/// Restormer's U-Net with convolutions of whose kernels every pixel has a mixture of its own.
///
/// Zhang et al.: KBNet: Kernel Basis Network for Image Restoration. Reference: zhangyi-3's KBNet (MIT), by
/// way of spandrel.
enum KBNetL: Architecture {
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
    /// How many times as many channels the mixed layer has.
    var expansion = 1.5
    /// Whether convolutions have a bias.
    var bias = false
    /// How many kernels are mixed.
    var kernels = 32
    var scale: Int { 1 }

    var problem: String? {
      if channels != 3 && channels != 1 { return "channels: expected 1 or 3, found \(channels)" }
      if blocks.count != 4 || !blocks.allSatisfy((1...64).contains) {
        return "blocks: expected four numbers of 1 to 64, found \(blocks)"
      }
      if !(1...64).contains(refinement) {
        return "refinement: expected 1 to 64, found \(refinement)"
      }
      if !(1...256).contains(kernels) { return "kernels: expected 1 to 256, found \(kernels)" }
      if !(1...16).contains(expansion) {
        return "expansion: expected 1 to 16, found \(expansion)"
      }
      // From 24 channels on the weights of the mixture come from 24 groups.
      let levels = (0..<4).map { features << $0 }
      let fits = levels.allSatisfy {
        $0 % 2 == 0 && $0 % min($0, 24) == 0 && Int(Double($0) * expansion) % 2 == 0
      }
      if !(2...512).contains(features) || !fits {
        return "features: expected an even number up to 512 that gives multiples of 24 from 24 on, "
          + "and even numbers times \(expansion), found \(features)"
      }
      return heads.count == 4 && zip(heads, levels).allSatisfy { $0 > 0 && $1 % $0 == 0 }
        ? nil : "heads: expected four divisors of the levels' channels, found \(heads)"
    }
  }

  static let info = ArchitectureInfo(
    "kbnet-l", summary: "Restormer's U-Net with a mixture of kernels for each pixel",
    paper: "https://arxiv.org/abs/2303.02881", matchesStructure: false)

  static let presets: KeyValuePairs = ["deraining": Configuration()]

  static func build(_ c: Configuration, _ input: Value) -> [Value] {
    [
      input.transformerUNet(
        features: c.features, blocks: c.blocks, refinement: c.refinement, bias: c.bias
      ) { $0.mixedBlock($1, c, heads: c.heads[$2]) }
    ]
  }

  static func configurations(of weights: WeightIndex) -> [Proposal<Configuration>] {
    let stages = WeightIndex.transformerLevels
    let hidden = stages.compactMap { weights.convolution("\($0).0.attn.project_out")?[1] }
    guard let first = weights.convolution("patch_embed.proj"), hidden.count == 4,
      let basis = weights["latent.0.attn.w"], basis.count == 3
    else { return [] }
    return [
      Proposal(
        Configuration(
          channels: first[1], features: first[0], blocks: stages.map { weights.count(of: $0) },
          refinement: weights.count(of: "refinement"),
          heads: stages.map { weights["\($0).0.ffn.temperature"]?.first ?? 0 },
          expansion: weights.expansion(of: first[0], to: hidden) ?? 1.5,
          bias: weights["latent.0.ffn.qkv.bias"] != nil, kernels: basis[1]))
    ]
  }

  static func picture(_ c: Configuration) -> ImageSpec { .usual(c.channels) }
}

extension Value {
  /// A block, in which the layer named for attention is the convolutions and the other one the attention.
  fileprivate func mixedBlock(_ name: String, _ c: KBNetL.Configuration, heads: Int) -> Value {
    let x = self + channelsNormalized("\(name).norm1").mixedFeatures("\(name).attn", c)
    return x
      + x.channelsNormalized("\(name).norm2").transposedAttention(
        "\(name).ffn", heads: heads, bias: c.bias)
  }

  private func mixedFeatures(_ name: String, _ c: KBNetL.Configuration) -> Value {
    let hidden = Int(Double(channels) * c.expansion)
    func wide(_ layer: String) -> Value {
      convolution("\(name).\(layer).0", hidden, kernel: 1, bias: c.bias)
        .depthwise("\(name).\(layer).1", kernel: 3, bias: c.bias)
    }
    let attention = globalMean().convolution("\(name).sca.1", hidden, kernel: 1)
    let plain = wide("conv1")
    let mixed =
      plain.mixingKernels(
        name, weights: kernelWeights(name, c.kernels, most: 24), kernels: c.kernels, groupSize: 2
      )
      .scaledPerChannel("\(name).ga1") + plain
    return (wide("dwconv").gelu() * mixed * attention)
      .convolution("\(name).project_out", channels, kernel: 1, bias: c.bias)
  }
}

@section("aviary_architectures") @used
private let record: Registration = { unsafe register(KBNetL.self, $0) }
