internal import AviaryGraph

/// Tells targets from results patch by patch: every number of its output judges the part of the
/// image that it sees, 70x70 pixels with three layers that halve.
///
/// Isola, Zhu, Zhou, Efros: Image-to-Image Translation with Conditional Adversarial Networks. It
/// sees the image alone. Batch normalisation, which the paper has, is left out unless wanted: small
/// batches do without. Scores are logits.
enum PatchDiscriminator: Architecture {
  struct Configuration: ArchitectureConfiguration {
    var channels = 3
    /// Of the first layer; each that follows has twice as many, up to eight times as many.
    var features = 64
    /// Layers that halve the image.
    var layers = 3
    var batchNormalization = false
    var scale: Int { 1 }

    var problem: String? {
      (1...8).contains(layers) ? nil : "layers: expected 1 to 8, found \(layers)"
    }
  }

  static let info = ArchitectureInfo(
    "patch-discriminator", kind: .discriminator,
    summary: "Tells images from made ones, patch by patch",
    paper: "https://arxiv.org/abs/1611.07004")

  static let presets: KeyValuePairs = [
    "default": Configuration(),
    "small": Configuration(features: 32, layers: 2),
  ]

  static func build(_ c: Configuration, _ input: Value) -> [Value] {
    let padding = Padding.explicit(PaddingAmounts(1, 1, 1, 1))
    var x = input.convolution("layers.0", c.features, kernel: 4, stride: 2, padding: padding)
      .leakyRelu(0.2)
    for layer in 1...c.layers {
      // The layer after the last that halves has its width and keeps the size.
      let isLast = layer == c.layers
      x = x.convolution(
        "layers.\(number(layer))", c.features << min(layer, 3), kernel: 4, stride: isLast ? 1 : 2,
        padding: padding, bias: !c.batchNormalization)
      if c.batchNormalization { x = x.batchNormalization("layers.\(number(layer) + 1)") }
      x = x.leakyRelu(0.2)
    }
    return [x.convolution("layers.\(number(c.layers + 1))", 1, kernel: 4, padding: padding)]
  }

  static func configurations(of weights: WeightIndex) -> [Proposal<Configuration>] {
    guard let first = weights.convolution("layers.0") else { return [] }
    var c = Configuration(channels: first[1], features: first[0])
    c.batchNormalization = weights["layers.3.running_mean"] != nil
    c.layers = (1...8).first { weights.convolution("layers.\(number($0 + 2))") == nil } ?? 0
    return [Proposal(c)]
  }

  /// Of a convolution, in a sequence of one and its activation, and then of convolution,
  /// normalisation or nothing, and activation.
  private static func number(_ convolution: Int) -> Int {
    convolution == 0 ? 0 : 3 * convolution - 1
  }

  // The state dict of the discriminator, `model.0.weight` and so on, without the part that all
  // share.
  static let publishedNames = [
    NameMap("junyanz/pytorch-CycleGAN-and-pix2pix", ["{i}": "layers.{i}"])
  ]
}

@section("aviary_architectures") @used
private let record: Registration = { unsafe register(PatchDiscriminator.self, $0) }
