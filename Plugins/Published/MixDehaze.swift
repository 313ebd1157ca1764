internal import AviaryGraph

/// A U-Net whose blocks mix depthwise kernels of three sizes and attention to channels and pixels, for
/// dehazing.
///
/// Lu et al.: MixDehazeNet: Mix Structure Block For Image Dehazing Network. Reference: AmeryXiong's
/// MixDehazeNet (MIT).
enum MixDehaze: Architecture {
  struct Configuration: ArchitectureConfiguration {
    var channels = 3
    /// Channels of each level, down and up again.
    var features = [24, 48, 96, 48, 24]
    /// Blocks of each level.
    var blocks = [1, 1, 2, 1, 1]
    var scale: Int { 1 }

    var problem: String? {
      if channels != 3 { return "channels: expected 3, found \(channels)" }
      if features.count != 5 || features[0] != features[4] || features[1] != features[3]
        || !features.allSatisfy((8...1024).contains)
      {
        return "features: expected 5 numbers from 8 to 1024, the last two as the first two, "
          + "found \(features)"
      }
      return blocks.count == 5 && blocks.allSatisfy((1...64).contains)
        ? nil : "blocks: expected 5 numbers from 1 to 64, found \(blocks)"
    }
  }

  static let info = ArchitectureInfo(
    "mixdehaze", summary: "A U-Net of mixed depthwise kernels and attention, for dehazing",
    paper: "https://arxiv.org/abs/2305.17654", matchesStructure: false)

  static let presets: KeyValuePairs = [
    "tiny": Configuration(),
    "small": Configuration(blocks: [2, 2, 4, 2, 2]),
    "base": Configuration(blocks: [4, 4, 8, 4, 4]),
    "large": Configuration(blocks: [8, 8, 16, 8, 8]),
  ]

  static func build(_ c: Configuration, _ input: Value) -> [Value] {
    func level(_ x: Value, _ number: Int) -> Value {
      (0..<c.blocks[number - 1]).reduce(x) { $0.mixed("layer\(number).blocks.\($1)") }
    }
    let f = c.features
    let one = level(input.reflected("patch_embed.proj", f[0], kernel: 3), 1)
    let two = level(one.reflected("patch_merge1.proj", f[1], kernel: 3, stride: 2), 2)
    var x = level(two.reflected("patch_merge2.proj", f[2], kernel: 3, stride: 2), 3)
    x = x.convolution("patch_split1.proj.0", 4 * f[3], kernel: 1).pixelShuffle(2)
    x = x.fused("fusion1", with: two.convolution("skip2", f[1], kernel: 1)) + x
    x = level(x, 4).convolution("patch_split2.proj.0", 4 * f[4], kernel: 1).pixelShuffle(2)
    x = x.fused("fusion2", with: one.convolution("skip1", f[0], kernel: 1)) + x
    let found = level(x, 5).reflected("patch_unembed.proj.0", 1 + c.channels, kernel: 3)
    return [found.channels(0, 1) * input - found.channels(1, c.channels) + input]
  }

  static func configurations(of weights: WeightIndex) -> [Proposal<Configuration>] {
    guard let first = weights.convolution("patch_embed.proj"), weights.has("fusion1.mlp.") else {
      return []
    }
    let features = (1...5).compactMap {
      weights.convolution("layer\($0).blocks.0.conv1").map { $0[0] }
    }
    return [
      Proposal(
        Configuration(
          channels: first[1], features: features,
          blocks: (1...5).map { weights.count(of: "layer\($0).blocks") }))
    ]
  }

  /// It takes and gives values from -1 to 1.
  static func picture(_ c: Configuration) -> ImageSpec {
    ImageSpec(.rgb, range: -1...1, padding: .reflect)
  }
}

extension Value {
  fileprivate func mixed(_ name: String) -> Value {
    let wide = batchNormalization("\(name).norm1")
      .convolution("\(name).conv1", channels, kernel: 1)
      .reflected("\(name).conv2", channels, kernel: 5)
    let kernels = [("conv3_19", 7), ("conv3_13", 5), ("conv3_7", 3)].map {
      wide.reflected("\(name).\($0.0)", channels, kernel: $0.1, dilation: 3, groups: channels)
    }
    let x = self + Value.concatenate(kernels).narrowed("\(name).mlp", channels)
    let y = x.batchNormalization("\(name).norm2")
    let mean = y.globalMean()
    let values = y.convolution("\(name).Wv.0", channels, kernel: 1)
      .reflected("\(name).Wv.1", channels, kernel: 3, groups: channels)
    let gate = mean.convolution("\(name).Wg.1", channels, kernel: 1).sigmoid()
    let channelWeight = mean.convolution("\(name).ca.1", channels, kernel: 1).gelu()
      .convolution("\(name).ca.3", channels, kernel: 1).sigmoid()
    let pixelWeight = y.convolution("\(name).pa.0", channels / 8, kernel: 1).gelu()
      .convolution("\(name).pa.2", 1, kernel: 1).sigmoid()
    return x
      + Value.concatenate([values * gate, channelWeight * y, pixelWeight * y])
      .narrowed("\(name).mlp2", channels)
  }

  /// Two 1x1 convolutions, the first to four times as many channels as the second.
  private func narrowed(_ name: String, _ outChannels: Int) -> Value {
    convolution("\(name).0", 4 * outChannels, kernel: 1).gelu()
      .convolution("\(name).2", outChannels, kernel: 1)
  }

  /// The two values weighed against each other, each channel by a softmax over both (Li et al.,
  /// "Selective Kernel Networks", 2019).
  fileprivate func fused(_ name: String, with other: Value) -> Value {
    let both = (self + other).globalMean()
      .convolution("\(name).mlp.0", max(channels / 8, 4), kernel: 1, bias: false).relu()
      .convolution("\(name).mlp.2", 2 * channels, kernel: 1, bias: false)
    // The softmax of two.
    let difference = both.channels(0, channels) - both.channels(channels, channels)
    return self * difference.sigmoid() + other * (difference * -1).sigmoid()
  }
}

@section("aviary_architectures") @used
private let record: Registration = { unsafe register(MixDehaze.self, $0) }
