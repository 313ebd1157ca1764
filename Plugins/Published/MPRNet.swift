internal import AviaryGraph

/// Three stages, each with the image restored by the one before: two U-Nets, of a quarter of the image each
/// and of halves, and a network that keeps the image's size.
///
/// Zamir et al.: Multi-Stage Progressive Image Restoration. Written from the paper; the reference, swz30's
/// MPRNet, is for academic use alone.
enum MPRNet: Architecture {
  struct Configuration: ArchitectureConfiguration {
    var channels = 3
    /// Channels of the first level; how many more each further level has, and the last stage.
    var features = 40
    var growth = 20
    var lastGrowth = 16
    /// Blocks in each part of the last stage.
    var blocks = 8
    /// By what the channels of an attention are fewer.
    var reduction = 4
    /// Side of the convolutions.
    var kernel = 3
    /// Whether convolutions have a bias.
    var bias = false
    var scale: Int { 1 }

    var problem: String? {
      if channels != 3 { return "channels: expected 3, found \(channels)" }
      for (name, value, range) in [
        ("features", features, 1...1024), ("growth", growth, 0...1024),
        ("lastGrowth", lastGrowth, 0...1024), ("blocks", blocks, 1...64),
        ("reduction", reduction, 1...64),
      ] where !range.contains(value) {
        return "\(name): expected \(range.lowerBound) to \(range.upperBound), found \(value)"
      }
      return [1, 3, 5, 7].contains(kernel) ? nil : "kernel: expected 1, 3, 5 or 7, found \(kernel)"
    }
  }

  static let info = ArchitectureInfo(
    "mprnet", summary: "Three stages, each with the image that the one before restored",
    paper: "https://arxiv.org/abs/2102.02808", matchesStructure: false)

  static let presets: KeyValuePairs = [
    "deraining": Configuration(),
    "denoising": Configuration(features: 80, growth: 48, lastGrowth: 32),
    "deblurring": Configuration(features: 96, growth: 48, lastGrowth: 32),
  ]

  static func build(_ c: Configuration, _ input: Value) -> [Value] {
    // In the graph, since quarters are to be of whole pixels.
    let image = input.padded(toMultiple: 8, .reflect)
    // Four quarters as images of their own, then the two halves.
    let quarters = image.parts(rows: 2, columns: 2)
    let halves = image.parts(rows: 2, columns: 1)
    let one = quarters.shallow("shallow_feat1", c).encoded("stage1_encoder", c)
      .map { $0.joined(rows: 1, columns: 2) }
    let oneUp = decoded("stage1_decoder", one, c)
    let two = Value.concatenate([
      halves.shallow("shallow_feat2", c), oneUp[0].supervised("sam12", halves, c),
    ]).convolved("concat12", c.features, c)
      .encoded("stage2_encoder", c, earlier: zip(one, oneUp).map { ($0, $1) })
      .map { $0.joined(rows: 2, columns: 1) }
    let twoUp = decoded("stage2_decoder", two, c)
    var x = Value.concatenate([
      image.shallow("shallow_feat3", c), twoUp[0].supervised("sam23", image, c),
    ]).convolved("concat23", c.features + c.lastGrowth, c)
    for level in 0..<3 {
      let part = "stage3_orsnet.orb\(level + 1).body"
      x =
        x
        + (0..<c.blocks).reduce(x) { $0.attentionBlock("\(part).\($1)", c) }
        .convolution("\(part).\(c.blocks)", x.channels, kernel: Size(c.kernel), bias: false)
      for (way, value) in [("enc", two[level]), ("dec", twoUp[level])] {
        x =
          x
          + value.raised("stage3_orsnet.up_\(way)\(level)", level, c).pointwise(
            "stage3_orsnet.conv_\(way)\(level + 1)", x.channels, bias: c.bias)
      }
    }
    return [(x.convolved("tail", c.channels, c) + image).cropped(toSizeOf: input)]
  }

  /// What a U-Net makes of its levels on the way up, the first level first.
  private static func decoded(_ name: String, _ levels: [Value], _ c: Configuration) -> [Value] {
    func pair(_ x: Value, _ level: Int) -> Value {
      (0..<2).reduce(x) { $0.attentionBlock("\(name).decoder_level\(level).\($1)", c) }
    }
    let three = pair(levels[2], 3)
    let two = pair(
      three.resize(.linear, by: 2).pointwise("\(name).up32.up.1", levels[1].channels)
        + levels[1].attentionBlock("\(name).skip_attn2", c), 2)
    let one = pair(
      two.resize(.linear, by: 2).pointwise("\(name).up21.up.1", levels[0].channels)
        + levels[0].attentionBlock("\(name).skip_attn1", c), 1)
    return [one, two, three]
  }

  static func configurations(of weights: WeightIndex) -> [Proposal<Configuration>] {
    guard let first = weights.convolution("shallow_feat1.0"),
      let squeezed = weights.convolution("shallow_feat1.1.CA.conv_du.0"),
      let down = weights.convolution("stage1_encoder.down12.down.1"),
      let tail = weights.convolution("tail")
    else { return [] }
    return [
      Proposal(
        Configuration(
          channels: first[1], features: first[0], growth: down[0] - down[1],
          lastGrowth: tail[1] - first[0], blocks: weights.count(of: "stage3_orsnet.orb1.body") - 1,
          reduction: first[0] / squeezed[0], kernel: first[2],
          bias: weights["shallow_feat1.0.bias"] != nil))
    ]
  }

  static func picture(_ c: Configuration) -> ImageSpec { .usual(c.channels) }
}

extension Value {
  fileprivate func convolved(_ name: String, _ outChannels: Int, _ c: MPRNet.Configuration) -> Value
  {
    convolution(name, outChannels, kernel: Size(c.kernel), bias: c.bias)
  }

  /// A convolution of one pixel.
  fileprivate func pointwise(_ name: String, _ outChannels: Int, bias: Bool = false) -> Value {
    convolution(name, outChannels, kernel: 1, bias: bias)
  }

  /// Two convolutions and attention to channels, added.
  fileprivate func attentionBlock(_ name: String, _ c: MPRNet.Configuration) -> Value {
    let squeezed = channels / max(c.reduction, 1)
    // The published networks have one factor for all PReLUs, which files hold under every name.
    let branch = convolved("\(name).body.0", channels, c).prelu(
      "\(name).body.1", perChannel: false
    ).convolved("\(name).body.2", channels, c)
    return self
      + branch
      * branch.globalMean().pointwise("\(name).CA.conv_du.0", squeezed, bias: c.bias).relu()
      .pointwise("\(name).CA.conv_du.2", channels, bias: c.bias).sigmoid()
  }

  /// A stage's first layers.
  fileprivate func shallow(_ name: String, _ c: MPRNet.Configuration) -> Value {
    convolved("\(name).0", c.features, c).attentionBlock("\(name).1", c)
  }

  /// What a U-Net makes on its way down, the first level first.
  ///
  /// - Parameter earlier: what the U-Net before made of the same level on its ways down and up.
  fileprivate func encoded(
    _ name: String, _ c: MPRNet.Configuration, earlier: [(Value, Value)] = []
  ) -> [Value] {
    var levels: [Value] = []
    var x = self
    for level in 1...3 {
      if level > 1 {
        // Bilinear to half the size: the means of two by two.
        x = x.averagePool(2).pointwise(
          "\(name).down\(level - 1)\(level).down.1", x.channels + c.growth)
      }
      for block in 0..<2 {
        x = x.attentionBlock("\(name).encoder_level\(level).\(block)", c)
      }
      if !earlier.isEmpty {
        let (down, up) = earlier[level - 1]
        x =
          x + down.pointwise("\(name).csff_enc\(level)", x.channels, bias: c.bias)
          + up.pointwise("\(name).csff_dec\(level)", x.channels, bias: c.bias)
      }
      levels.append(x)
    }
    return levels
  }

  /// A level of the U-Net before at the image's size and with the first level's channels.
  fileprivate func raised(_ name: String, _ level: Int, _ c: MPRNet.Configuration) -> Value {
    (0..<level).reduce(self) { x, step in
      x.resize(.linear, by: 2).pointwise(
        level == 1 ? "\(name).up.1" : "\(name).\(step).up.1", x.channels - c.growth)
    }
  }

  /// What a stage hands on: attentive to the image that it restored.
  fileprivate func supervised(_ name: String, _ image: Value, _ c: MPRNet.Configuration) -> Value {
    let restored = pointwise("\(name).conv2", c.channels, bias: c.bias) + image
    return pointwise("\(name).conv1", channels, bias: c.bias)
      * restored.pointwise("\(name).conv3", channels, bias: c.bias).sigmoid() + self
  }

  /// The image in so many parts, which are images of their own.
  fileprivate func parts(rows: Int, columns: Int) -> Value {
    applying(
      .reshape(
        Reshape(dimensions: [
          .kept, .kept, .size(rows), .input(2, times: Ratio(1, rows)), .size(columns),
          .input(3, times: Ratio(1, columns)),
        ]))
    ).applying(.permute(Permute([0, 2, 4, 1, 3, 5])))
      .applying(
        .reshape(
          Reshape(dimensions: [
            .input(0, times: Ratio(rows * columns)), .input(3, times: Ratio(1)),
            .input(4, times: Ratio(1)), .input(5, times: Ratio(1)),
          ])))
  }

  /// Images that are parts side by side, put together.
  fileprivate func joined(rows: Int, columns: Int) -> Value {
    applying(
      .reshape(
        Reshape(dimensions: [
          .input(0, times: Ratio(1, rows * columns)), .size(rows), .size(columns),
          .input(1, times: Ratio(1)), .input(2, times: Ratio(1)), .input(3, times: Ratio(1)),
        ]))
    ).applying(.permute(Permute([0, 3, 1, 4, 2, 5])))
      .applying(
        .reshape(
          Reshape(dimensions: [
            .kept, .kept, .input(3, times: Ratio(rows)), .input(5, times: Ratio(columns)),
          ])))
  }
}

@section("aviary_architectures") @used
private let record: Registration = { unsafe register(MPRNet.self, $0) }
