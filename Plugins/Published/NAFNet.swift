internal import AviaryGraph

/// A U-Net without activations: halves of the channels multiplied stand in their place.
///
/// Chen et al.: Simple Baselines for Image Restoration. Reference: megvii-research's NAFNet (MIT).
enum NAFNet: Architecture {
  struct Configuration: ArchitectureConfiguration {
    var channels = 3
    /// Channels of the first level; each further level has twice as many.
    var features = 32
    /// Blocks of each level on the way down.
    var encoders = [2, 2, 4, 8]
    /// Blocks at the bottom.
    var middle = 12
    /// Blocks of each level on the way up, the lowest first.
    var decoders = [2, 2, 2, 2]
    var scale: Int { 1 }

    var problem: String? {
      if !(1...6).contains(encoders.count) || encoders.count != decoders.count {
        return "encoders and decoders: expected 1 to 6 levels, and as many of both, "
          + "found \(encoders.count) and \(decoders.count)"
      }
      if !(encoders + decoders + [middle]).allSatisfy((1...128).contains) {
        return "encoders, middle and decoders: expected 1 to 128 blocks, "
          + "found \(encoders), \(middle) and \(decoders)"
      }
      return (1...512).contains(features)
        ? nil : "features: expected 1 to 512, found \(features)"
    }
  }

  static let info = ArchitectureInfo(
    "nafnet", summary: "A U-Net with products of channels instead of activations",
    paper: "https://arxiv.org/abs/2204.04676", matchesStructure: false)

  static let presets: KeyValuePairs = [
    "denoising-32": Configuration(),
    "denoising-64": Configuration(features: 64),
    "deblurring-32": Configuration(encoders: [1, 1, 1, 28], middle: 1, decoders: [1, 1, 1, 1]),
    "deblurring-64": Configuration(
      features: 64, encoders: [1, 1, 1, 28], middle: 1, decoders: [1, 1, 1, 1]),
  ]

  static func build(_ c: Configuration, _ input: Value) -> [Value] {
    var x = input.convolution("intro", c.features, kernel: 3)
    var skips: [Value] = []
    for (level, count) in c.encoders.enumerated() {
      for block in 0..<count { x = x.activationFree("encoders.\(level).\(block)") }
      skips.append(x)
      x = x.convolution(
        "downs.\(level)", 2 * x.channels, kernel: 2, stride: 2, padding: .valid)
    }
    for block in 0..<c.middle { x = x.activationFree("middle_blks.\(block)") }
    for (level, (count, skip)) in zip(c.decoders, skips.reversed()).enumerated() {
      x =
        x.convolution("ups.\(level).0", 2 * x.channels, kernel: 1, bias: false).pixelShuffle(2)
        + skip
      for block in 0..<count { x = x.activationFree("decoders.\(level).\(block)") }
    }
    return [x.convolution("ending", c.channels, kernel: 3) + input]
  }

  static func configurations(of weights: WeightIndex) -> [Proposal<Configuration>] {
    guard let first = weights.convolution("intro"), weights["middle_blks.0.beta"] != nil else {
      return []
    }
    func blocks(_ prefix: String) -> [Int] {
      (0..<weights.count(of: prefix)).map { weights.count(of: "\(prefix).\($0)") }
    }
    return [
      Proposal(
        Configuration(
          channels: first[1], features: first[0], encoders: blocks("encoders"),
          middle: weights.count(of: "middle_blks"), decoders: blocks("decoders")))
    ]
  }

  static func picture(_ c: Configuration) -> ImageSpec { .usual(c.channels, padding: .zero) }
}

extension Value {
  /// A block: depthwise convolution with attention to the channels, and a gated layer, each added with
  /// a learned weight for each channel.
  fileprivate func activationFree(_ name: String) -> Value {
    let gated = channelsNormalized("\(name).norm1")
      .convolution("\(name).conv1", 2 * channels, kernel: 1)
      .depthwise("\(name).conv2", kernel: 3).gatedByHalves()
    let attention = gated.globalMean().convolution("\(name).sca.1", channels, kernel: 1)
    let y =
      self
      + (gated * attention).convolution("\(name).conv3", channels, kernel: 1)
      .scaledPerChannel("\(name).beta")
    return y
      + y.channelsNormalized("\(name).norm2")
      .convolution("\(name).conv4", 2 * channels, kernel: 1).gatedByHalves()
      .convolution("\(name).conv5", channels, kernel: 1).scaledPerChannel("\(name).gamma")
  }
}

@section("aviary_architectures") @used
private let record: Registration = { unsafe register(NAFNet.self, $0) }
