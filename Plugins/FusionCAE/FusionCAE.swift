internal import AviaryGraph

/// The residual autoencoder with multi-level feature fusion, the flagship.
///
/// Residual blocks at every level of an encoder and a decoder; on the way up each level takes what
/// all blocks of the encoder's level gave, and the level below, through one 1x1 convolution, and the
/// decoder's blocks are gathered in the same way. The deeper levels see far at a quarter of the
/// cost. There is no pooling over the whole picture, so that tiles give exactly what the whole
/// gives. The network adds detail to a bilinear enlargement, which PyTorch, Keras and ONNX all
/// compute alike; at scale 1 it refines a picture that was enlarged before.
enum FusionCAE: Architecture {
  struct Configuration: ArchitectureConfiguration {
    /// Whose borders at stride 2: Keras and PyTorch begin one pixel apart.
    enum Origin: String, Codable, Sendable { case keras, pytorch }

    var channels = 3
    var scale = 2
    /// Channels of each level, that of the picture's own size first.
    var features = [48, 96]
    /// Residual blocks of each level, in the encoder and again in the decoder.
    var blocks = [3, 2]
    var origin = Origin.pytorch

    var problem: String? {
      if features.count != blocks.count || !(2...6).contains(features.count) {
        return "features and blocks: 2 to 6 levels each expected, \(features.count) and "
          + "\(blocks.count) found"
      }
      return blocks.allSatisfy { (1...64).contains($0) }
        ? nil : "blocks: 1 to 64 a level expected, \(blocks) found"
    }
  }

  static let info = ArchitectureInfo(
    "fusion-cae", summary: "Residual autoencoder that fuses the features of all its levels")

  static let presets: KeyValuePairs = [
    "x2": Configuration(),
    "x3": Configuration(scale: 3),
    "x4": Configuration(scale: 4),
    "refine": Configuration(scale: 1),
    "small": Configuration(features: [32, 64], blocks: [2, 2]),
  ]

  static func build(_ c: Configuration, _ input: Value) -> [Value] {
    let head = input.convolution("head", c.features[0], kernel: 3)
    var x = head
    var levels: [[Value]] = []
    for (level, features) in c.features.enumerated() {
      let name = "encoder.\(level)"
      if level > 0 {
        x = x.convolution(
          "\(name).down", features, kernel: 3, stride: 2,
          padding: c.origin == .keras ? .same : nil
        ).activated()
      }
      levels.append(x.blocks(name, c.blocks[level]))
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
      decoded = x.blocks(name, c.blocks[level])
      x = decoded.last ?? x
    }
    let gathered =
      Value.concatenate(decoded).convolution("fuse", c.features[0], kernel: 1).activated()
      .convolution("gather", c.features[0], kernel: 3) + head
    let detail = gathered.convolution("tail", c.channels * c.scale * c.scale, kernel: 3)
    return [
      c.scale == 1
        ? detail + input : detail.pixelShuffle(c.scale) + input.resize(.linear, by: c.scale)
    ]
  }

  static func configurations(of weights: WeightIndex) -> [Proposal<Configuration>] {
    guard let head = weights.convolution("head"), let tail = weights.convolution("tail"),
      let scale = (1...8).first(where: { $0 * $0 * head[1] == tail[0] })
    else { return [] }
    let levels = 1 + weights.count(of: "encoder", from: 1)
    let deeper = (1..<levels).compactMap { weights.convolution("encoder.\($0).down")?[0] }
    return [
      Proposal(
        Configuration(
          channels: head[1], scale: scale, features: [head[0]] + deeper,
          blocks: (0..<levels).map { weights.count(of: "encoder.\($0).blocks") }),
        assumed: ["origin"])
    ]
  }

  static func picture(_ c: Configuration) -> ImageSpec {
    ImageSpec(c.channels == 1 ? .luma : .rgb, enlargeFirst: c.scale == 1 ? .bicubic : .no)
  }
}

extension Value {
  fileprivate func activated() -> Value { leakyRelu(0.05) }

  /// So many residual blocks one after the other; what each of them gives.
  fileprivate func blocks(_ name: String, _ count: Int) -> [Value] {
    var x = self
    return (0..<count).map { i in
      let block = "\(name).blocks.\(i)"
      x =
        x
        + x.convolution("\(block).conv1", x.channels, kernel: 3).activated()
        .convolution("\(block).conv2", x.channels, kernel: 3)
      return x
    }
  }
}

@section("aviary_architectures") @used
private let record: Registration = { unsafe register(FusionCAE.self, $0) }
