internal import AviaryGraph

/// A U-Net whose blocks are half a block of Swin Transformer and half two convolutions.
///
/// Zhang et al.: Practical Blind Image Denoising via Swin-Conv-UNet and Data Synthesis. Reference: cszn's
/// SCUNet (Apache-2.0), by way of spandrel.
enum SCUNet: Architecture {
  struct Configuration: ArchitectureConfiguration {
    var channels = 3
    /// Channels of the first level; each further level has twice as many.
    var features = 64
    /// Blocks of each level: on the way down, at the bottom, on the way up, the lowest first.
    var blocks = [4, 4, 4, 4, 4, 4, 4]
    /// Channels of a head.
    var headSize = 32
    /// Side of a window.
    var window = 8
    var scale: Int { 1 }

    var problem: String? {
      if channels != 3 && channels != 1 { return "channels: expected 1 or 3, found \(channels)" }
      if headSize < 1 || !(2...1024).contains(features) || features % (2 * headSize) != 0 {
        return "features: expected a multiple of \(2 * headSize) up to 1024, found \(features)"
      }
      if !(2...32).contains(window) { return "window: expected 2 to 32, found \(window)" }
      return blocks.count == 7 && blocks.allSatisfy((1...32).contains)
        ? nil : "blocks: expected seven numbers of 1 to 32, found \(blocks)"
    }
  }

  static let info = ArchitectureInfo(
    "scunet", summary: "A U-Net of convolutions and of attention within windows",
    paper: "https://arxiv.org/abs/2203.13278", matchesStructure: false)

  static let presets: KeyValuePairs = [
    "colour": Configuration(),
    "gray": Configuration(channels: 1),
  ]

  static func build(_ c: Configuration, _ input: Value) -> [Value] {
    let padded = input.padded(toMultiple: Size(8 * c.window), .reflect)
    var x = padded.convolution("m_head.0", c.features, kernel: 3, bias: false)
    var skips = [x]
    for level in 0..<3 {
      let name = "m_down\(level + 1)"
      for block in 0..<c.blocks[level] { x = x.swinAndConvolution("\(name).\(block)", c, block) }
      x = x.convolution(
        "\(name).\(c.blocks[level])", 2 * x.channels, kernel: 2, stride: 2, padding: .valid,
        bias: false)
      skips.append(x)
    }
    for block in 0..<c.blocks[3] { x = x.swinAndConvolution("m_body.\(block)", c, block) }
    for level in (0..<3).reversed() {
      let name = "m_up\(level + 1)"
      x = (x + skips[level + 1]).transposedConvolution(
        "\(name).0", x.channels / 2, kernel: 2, stride: 2, bias: false)
      for block in 0..<c.blocks[6 - level] {
        x = x.swinAndConvolution("\(name).\(block + 1)", c, block)
      }
    }
    return [
      (x + skips[0]).convolution("m_tail.0", c.channels, kernel: 3, bias: false)
        .cropped(toSizeOf: input)
    ]
  }

  static func configurations(of weights: WeightIndex) -> [Proposal<Configuration>] {
    let table = "m_body.0.trans_block.msa.relative_position_params"
    guard let first = weights.convolution("m_head.0"), let places = weights[table],
      places.count == 3, places[1] % 2 == 1, first[0] * 4 % places[0] == 0
    else { return [] }
    let names = ["m_down1", "m_down2", "m_down3", "m_body", "m_up3", "m_up2", "m_up1"]
    return [
      Proposal(
        Configuration(
          channels: first[1], features: first[0],
          // Down- and upsampling have a number too.
          blocks: names.map { weights.count(of: $0) - ($0 == "m_body" ? 0 : 1) },
          headSize: first[0] * 4 / places[0], window: (places[1] + 1) / 2))
    ]
  }

  static func picture(_ c: Configuration) -> ImageSpec { .usual(c.channels) }
}

extension Value {
  /// A block: one half of the channels through two convolutions, the other through a block of Swin
  /// Transformer that is shifted every other time.
  fileprivate func swinAndConvolution(
    _ name: String, _ c: SCUNet.Configuration, _ block: Int
  ) -> Value {
    let half = channels / 2
    let both = convolution("\(name).conv1_1", channels, kernel: 1)
    let convolved = both.channels(0, half).residual(
      "\(name).conv_block.0", "\(name).conv_block.2", bias: false)
    let transformed = both.channels(half, half).asTokens()
      .maskedSwinBlock("\(name).trans_block", half, c, isShifted: block % 2 == 1).asImage()
    return self
      + Value.concatenate([convolved, transformed])
      .convolution("\(name).conv1_2", channels, kernel: 1)
  }

  private func maskedSwinBlock(
    _ name: String, _ features: Int, _ c: SCUNet.Configuration, isShifted: Bool
  ) -> Value {
    let heads = features / c.headSize
    let side = 2 * c.window - 1
    let table = learnedConstant("\(name).msa.relative_position_params", [heads, side, side])
      .applying(.reshape(Reshape([heads, side * side])))
      .applying(.permute(Permute([1, 0])))
    let attention = WindowAttention(
      heads: heads, window: Size(c.window), shift: isShifted ? Size(c.window / 2) : 0,
      positionBias: .input, maskValue: -.infinity)
    let x =
      self
      + layerNormalization("\(name).ln1").linear("\(name).msa.embedding_layer", 3 * features)
      .asImage().windowAttention("\(name).msa", attention, table: table).asTokens()
      .linear("\(name).msa.linear", features)
    return x
      + x.layerNormalization("\(name).ln2").linear("\(name).mlp.0", 4 * features).gelu()
      .linear("\(name).mlp.2", features)
  }
}

@section("aviary_architectures") @used
private let record: Registration = { unsafe register(SCUNet.self, $0) }
