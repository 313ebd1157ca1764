internal import AviaryGraph

extension Autoencoder {
  static func configurations(of weights: WeightIndex) -> [Proposal<Configuration>] {
    let top = "encoder.0"
    guard let first = weights.convolution("\(top).conv0") ?? weights.convolution("\(top).down0"),
      first[2] == first[3]
    else { return [] }
    let levels = weights.count(of: "encoder"), halvings = weights.count(of: "decoder")
    guard (1...8).contains(levels), halvings >= 1, (levels - 1...levels).contains(halvings) else {
      return []
    }
    var c = Configuration()
    (c.channels, c.kernel, c.bottleneck) = (first[1], first[2], halvings < levels)
    c.widths = (0..<levels).compactMap { weights.shapes(of: "encoder.\($0)").first?[0] }
    c.convolutions = weights.shapes(of: top).count
    let below = weights.shapes(of: "decoder.0")
    c.decoderConvolutions = below.count
    guard c.widths.count == levels, c.convolutions > 0 else { return [] }
    var assumed = ["activation", "outputActivation", "residual", "origin"]
    if weights.convolution("\(top).down0") != nil || weights.convolution("encoder.1.down0") != nil
      || weights.convolution("\(top).down\(c.convolutions - 1)") != nil
    {
      c.downsampling = .stride
    } else {
      assumed.append("downsampling")
    }
    c.bias = weights["\(top).conv0.bias"] != nil || weights["\(top).down0.bias"] != nil
    c.outputKernel = weights.convolution("output")?[2] ?? 0
    // What comes up from below.
    var risen = c.widths[levels - 1]
    if let up = weights.convolution("decoder.0.up") {
      (c.upKernel, risen) = (up[2], up[1])
    } else {
      (c.upsampling, c.upKernel) = (.nearest, 0)
      if let up = weights.convolution("decoder.0.upconv") { (c.upKernel, risen) = (up[2], up[0]) }
      assumed.append("upsampling")
    }
    let level = halvings - 1
    if let joined = below.first?[1], joined == risen + c.widths[level] {
      c.skips = .concatenate
      assumed.append("skipFirst")
      if c.upKernel == 0 { c.upsampling = .alignCorners }
    } else {
      assumed.append("skips")
    }
    if let last = below.last?[0], level > 0, last != c.widths[level] {
      c.narrows = c.outputKernel > 0
    }
    guard c.isTold else { return [] }
    // PyTorch's padding keeps no size with an even kernel.
    c.origin = c.problem == nil ? .pytorch : .keras
    return c.normalized(by: weights, top).map { c, more in Proposal(c, assumed: assumed + more) }
  }

  static let publishedNames = [
    unet(
      "milesial/Pytorch-UNet", top: "inc.double_conv", down: "maxpool_conv.1.double_conv",
      up: "conv.double_conv"),
    unet(
      "milesial/Pytorch-UNet of 2017", top: "inc.conv.conv", down: "mpconv.1.conv",
      up: "conv.conv"),
    NameMap(
      "sequences of strided convolution and activation",
      ["encoder.{2i}": "encoder.{i}.down0", "decoder.{2i}": "decoder.{i}.up"]),
    NameMap(
      "sequences of strided convolution, normalisation and activation",
      [
        "encoder.{3i}": "encoder.{i}.down0", "encoder.{3i+1}": "encoder.{i}.norm0",
        "decoder.{3i}": "decoder.{i}.up", "decoder.{3i+1}": "decoder.{i}.upnorm",
      ]),
    NameMap(
      "sequences of convolution, activation and pooling",
      ["encoder.{3i}": "encoder.{i}.conv0", "decoder.{2i}": "decoder.{i}.up"]),
    NameMap(
      "sequences of convolution, normalisation, activation and pooling",
      [
        "encoder.{4i}": "encoder.{i}.conv0", "encoder.{4i+1}": "encoder.{i}.norm0",
        "decoder.{3i}": "decoder.{i}.up", "decoder.{3i+1}": "decoder.{i}.upnorm",
      ]),
  ]

  /// The common U-Net: two convolutions in a sequence with normalisations and activations.
  private static func unet(
    _ source: String, top: String, down: String, up: String
  ) -> NameMap {
    NameMap(
      source,
      [
        "\(top).0": "encoder.0.conv0", "\(top).1": "encoder.0.norm0",
        "\(top).3": "encoder.0.conv1", "\(top).4": "encoder.0.norm1",
        "down{i}.\(down).0": "encoder.{i}.conv0", "down{i}.\(down).1": "encoder.{i}.norm0",
        "down{i}.\(down).3": "encoder.{i}.conv1", "down{i}.\(down).4": "encoder.{i}.norm1",
        "up{i+1}.up": "decoder.{i}.up",
        "up{i+1}.\(up).0": "decoder.{i}.conv0",
        "up{i+1}.\(up).1": "decoder.{i}.norm0",
        "up{i+1}.\(up).3": "decoder.{i}.conv1",
        "up{i+1}.\(up).4": "decoder.{i}.norm1",
        "outc.conv": "output",
      ])
  }

  static func picture(_ c: Configuration) -> ImageSpec {
    ImageSpec(
      c.channels == 1 ? .gray : c.channels == 4 ? .rgba : .rgb,
      range: c.outputActivation == .tanh ? -1...1 : 0...1)
  }
}

extension WeightIndex {
  /// The shapes of a level's convolutions in their order.
  fileprivate func shapes(of level: String) -> [[Int]] {
    var shapes: [[Int]] = []
    while let shape = convolution("\(level).conv\(shapes.count)")
      ?? convolution("\(level).down\(shapes.count)")
    {
      shapes.append(shape)
    }
    return shapes
  }
}

extension Autoencoder.Configuration {
  /// Whether shapes can show that it is one: not where the same convolutions are a chain of any other
  /// network, or those of `plain-cae` and `residual-cae`.
  fileprivate var isTold: Bool {
    guard upsampling == .transposed else {
      return skips == .concatenate
        || widths.count > 1 && zip(widths, widths.dropFirst()).allSatisfy(<)
    }
    return outputKernel > 0 || upKernel != kernel || downsampling == .stride
  }

  /// With each normalisation that the tensors after the first convolution may belong to, and what is
  /// assumed of it.
  fileprivate func normalized(
    by weights: WeightIndex, _ top: String
  ) -> [(Self, assumed: [String])] {
    func with(_ normalization: Normalization) -> Self {
      var copy = self
      copy.normalization = normalization
      if normalization == .none {
        // Skips seldom come with an activation of what they are joined with.
        copy.activatesUpsampling = skips == .none || upKernel == 0
      } else {
        copy.activatesUpsampling =
          weights["decoder.0.upnorm.weight"] != nil || outputKernel == 0 || upKernel == 0
      }
      return copy
    }
    guard weights["\(top).norm0.weight"] != nil else {
      return [(with(.none), ["normalization", "activatesUpsampling"])]
    }
    if weights["\(top).norm0.running_mean"] != nil { return [(with(.batch), ["normalizesLast"])] }
    let isGrouped = widths.allSatisfy { $0 % groups == 0 }
    return [
      (with(isGrouped ? .group : .instanceAffine), ["normalization", "groups", "normalizesLast"])
    ]
  }
}
