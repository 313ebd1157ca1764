internal import AviaryGraph

/// The residual autoencoder with multi-level feature fusion, the flagship.
///
/// One level is a trunk at the image's own size: encoder and decoder are the halves of one sequence
/// of residual blocks. At the end of each half what entered it and all its blocks gave is fused by
/// a 1x1 convolution and added to the trunk, times a sigmoid gate that a thin deeper level makes:
/// it sees far and modulates, but carries nothing. 3x3 convolutions in a row are what Winograd's
/// algorithm makes cheap (FMEN, RLFN).
///
/// Several levels are a U-shape, the first version: the deeper levels carry, and each level on the
/// way up fuses what all blocks of the encoder's level gave with the level below.
///
/// There is no pooling over the whole image, so that tiles give exactly what the whole gives. The
/// network adds detail to a bilinear enlargement, which PyTorch, Keras and ONNX all compute alike;
/// at scale 1 it refines an image that was enlarged before.
enum FusionCAE: Architecture {
  struct Configuration: ArchitectureConfiguration {
    /// Whose padding at stride 2: Keras and PyTorch begin one pixel apart.
    enum Origin: String, Codable, Sendable { case keras, pytorch }

    var channels = 3
    var scale = 2
    /// Channels of each level, that of the image's own size first.
    var features = [48]
    /// Residual blocks of each level, in the encoder and again in the decoder.
    var blocks = [2]
    /// 3x3 convolutions in a row in each block of a trunk of one level; several levels have blocks of
    /// two.
    var convolutions = 4
    /// Channels of the gates of a trunk of one level, 0 for none; several levels have no gates.
    var gate = 32
    var origin = Origin.pytorch

    var problem: String? {
      if features.count != blocks.count || !(1...6).contains(features.count) {
        return "features and blocks: expected 1 to 6 levels each, found \(features.count) and "
          + "\(blocks.count)"
      }
      if !(1...8).contains(convolutions) {
        return "convolutions: expected 1 to 8 a block, found \(convolutions)"
      }
      return blocks.allSatisfy { (1...64).contains($0) }
        ? nil : "blocks: expected 1 to 64 a level, found \(blocks)"
    }
  }

  static let info = ArchitectureInfo(
    "fusion-cae", summary: "Residual autoencoder that fuses the features of all its levels")

  static let presets: KeyValuePairs = [
    "x2": Configuration(),
    "x3": Configuration(scale: 3),
    "x4": Configuration(scale: 4),
    "large": Configuration(features: [64]),
    "refine": Configuration(scale: 1),
    "small": Configuration(features: [32], convolutions: 2, gate: 16),
    "u-shape": Configuration(features: [48, 96], blocks: [3, 2]),
  ]

  static func build(_ c: Configuration, _ input: Value) -> [Value] {
    let head = input.convolution("head", c.features[0], kernel: 3)
    let trunk = c.features.count == 1 ? sequence(c, head) : levels(c, head)
    let gathered = trunk.convolution("gather", c.features[0], kernel: 3) + head
    let detail = gathered.convolution("tail", c.channels * c.scale * c.scale, kernel: 3)
    return [
      c.scale == 1
        ? detail + input : detail.pixelShuffle(c.scale) + input.resize(.linear, by: c.scale)
    ]
  }

  /// Encoder and decoder at the image's own size, one after the other.
  private static func sequence(_ c: Configuration, _ head: Value) -> Value {
    ["encoder.0", "decoder.0"].reduce(head) { input, half in
      let stages = input.blocks(half, c.blocks[0], c.convolutions)
      let fused = Value.concatenate([input] + stages)
        .convolution("\(half).fuse", input.channels, kernel: 1)
      return (stages.last ?? input)
        + (c.gate == 0 ? fused : fused * fused.gate("\(half).gate", c.gate, c.origin))
    }
  }

  /// An encoder whose levels are each half as large as the one before, and a decoder back up.
  private static func levels(_ c: Configuration, _ head: Value) -> Value {
    var x = head
    var levels: [[Value]] = []
    for (level, features) in c.features.enumerated() {
      let name = "encoder.\(level)"
      if level > 0 { x = x.halved("\(name).down", features, c.origin) }
      levels.append(x.blocks(name, c.blocks[level], 2))
      x = levels[level].last ?? x
    }
    x = Value.concatenate(levels.removeLast())
      .convolution("bottom", x.channels, kernel: 1).activated()
    var decoded = [x]
    for (level, encoded) in levels.enumerated().reversed() {
      let name = "decoder.\(level)", features = c.features[level]
      let up = x.transposedConvolution("\(name).up", features, kernel: 2, stride: 2)
      x = Value.concatenate(encoded + [up])
        .convolution("\(name).fuse", features, kernel: 1).activated()
      decoded = x.blocks(name, c.blocks[level], 2)
      x = decoded.last ?? x
    }
    return Value.concatenate(decoded).convolution("fuse", c.features[0], kernel: 1).activated()
  }

  static func configurations(of weights: WeightIndex) -> [Proposal<Configuration>] {
    guard let head = weights.convolution("head"), let tail = weights.convolution("tail"),
      let scale = (1...8).first(where: { $0 * $0 * head[1] == tail[0] })
    else { return [] }
    let levels = 1 + weights.count(of: "encoder", from: 1)
    let deeper = (1..<levels).compactMap { weights.convolution("encoder.\($0).down")?[0] }
    var c = Configuration(
      channels: head[1], scale: scale, features: [head[0]] + deeper,
      blocks: (0..<levels).map { weights.count(of: "encoder.\($0).blocks") })
    if levels == 1 {
      c.convolutions =
        (1...8).prefix { weights["encoder.0.blocks.0.conv\($0).weight"] != nil }.count
      c.gate = weights.convolution("encoder.0.gate.reduce")?[0] ?? 0
    }
    return [Proposal(c, assumed: c.gate == 0 ? [] : ["origin"])]
  }

  static func picture(_ c: Configuration) -> ImageSpec {
    ImageSpec(c.channels == 1 ? .luma : .rgb, enlargeFirst: c.scale == 1 ? .bicubic : .no)
  }
}

extension Value {
  fileprivate func activated() -> Value { leakyRelu(0.05) }

  /// So many residual blocks one after the other; what each of them gives.
  fileprivate func blocks(_ name: String, _ count: Int, _ convolutions: Int) -> [Value] {
    var x = self
    return (0..<count).map { block in
      var branch = x
      for i in 1...convolutions {
        if i > 1 { branch = branch.activated() }
        branch = branch.convolution("\(name).blocks.\(block).conv\(i)", x.channels, kernel: 3)
      }
      x = x + branch
      return x
    }
  }

  /// Half as large.
  fileprivate func halved(
    _ name: String, _ features: Int, _ origin: FusionCAE.Configuration.Origin
  ) -> Value {
    convolution(name, features, kernel: 3, stride: 2, padding: origin == .keras ? .same : nil)
      .activated()
  }

  /// What of each value passes, from 0 to 1: a few channels, seen at their own and at half the
  /// size.
  fileprivate func gate(
    _ name: String, _ features: Int, _ origin: FusionCAE.Configuration.Origin
  ) -> Value {
    let thin = convolution("\(name).reduce", features, kernel: 1)
    let deeper = thin.halved("\(name).down", features, origin)
      .convolution("\(name).conv", features, kernel: 3)
    return (thin + deeper.resize(.linear, by: 2))
      .convolution("\(name).expand", channels, kernel: 1).activation(.sigmoid)
  }
}

@section("aviary_architectures") @used
private let record: Registration = { unsafe register(FusionCAE.self, $0) }
