internal import AviaryGraph

/// Three sizes of the image side by side, which are mixed again and again, with attention to the whole in
/// each.
///
/// Zamir et al.: Learning Enriched Features for Fast Image Restoration and Enhancement. Written from the
/// paper; the reference, swz30's MIRNetv2, is for academic use alone.
enum MIRNet2: Architecture {
  struct Configuration: ArchitectureConfiguration {
    var channels = 3
    /// Channels of the full size; by how many times each smaller size has more.
    var features = 80
    var growth = 1.5
    /// Blocks of three sizes in each group, and groups of the convolutions in it.
    var blocks = 2
    var groups = [1, 2, 4, 4]
    /// Channels of what chooses between two sizes, of the full size and of half of it.
    var squeezed = [10, 15]
    var scale: Int { 1 }

    /// Channels of the three sizes.
    fileprivate var widths: [Int] {
      [features, Int(Double(features) * growth), Int(Double(features) * growth * growth)]
    }

    var problem: String? {
      if channels != 3 && channels != 1 { return "channels: expected 1 or 3, found \(channels)" }
      if !(1...1024).contains(features) {
        return "features: expected 1 to 1024, found \(features)"
      }
      if !(1...4).contains(growth) { return "growth: expected 1 to 4, found \(growth)" }
      if !(1...64).contains(blocks) { return "blocks: expected 1 to 64, found \(blocks)" }
      if squeezed.count != 2 || !squeezed.allSatisfy((1...1024).contains) {
        return "squeezed: expected two numbers of 1 to 1024, found \(squeezed)"
      }
      let fits = groups.allSatisfy { group in
        group > 0 && widths.allSatisfy { $0 % group == 0 }
      }
      return (1...64).contains(groups.count) && fits
        ? nil : "groups: expected 1 to 64 divisors of \(widths), found \(groups)"
    }
  }

  static let info = ArchitectureInfo(
    "mirnet2", summary: "Three sizes of the image side by side, mixed again and again",
    paper: "https://arxiv.org/abs/2205.01649", matchesStructure: false)

  static let presets: KeyValuePairs = ["restoration": Configuration()]

  static func build(_ c: Configuration, _ input: Value) -> [Value] {
    var x = input.convolution("conv_in", c.features, kernel: 3, bias: false)
    for (group, groups) in c.groups.enumerated() {
      let name = "body.\(group).body"
      let mixed = (0..<c.blocks).reduce(x) { $0.multiScaleBlock("\(name).\($1)", c, groups) }
      x = mixed.convolution("\(name).\(c.blocks)", c.features, kernel: 3, bias: false) + x
    }
    return [x.convolution("conv_out", c.channels, kernel: 3, bias: false) + input]
  }

  static func configurations(of weights: WeightIndex) -> [Proposal<Configuration>] {
    let first = "body.0.body.0"
    guard let input = weights.convolution("conv_in"),
      let middle = weights.convolution("\(first).dau_mid.body.0"),
      let last = weights.convolution("\(first).dau_bot.body.0"),
      let full = weights.convolution("\(first).skff_top.conv_du.0"),
      let half = weights.convolution("\(first).skff_mid.conv_du.0"), input[0] > 0
    else { return [] }
    let widths = [input[0], middle[0], last[0]]
    // The first factor of hundredths that gives the channels of every size.
    let growth = (100...400).map { Double($0) / 100 }.first {
      Configuration(features: input[0], growth: $0).widths == widths
    }
    return [
      Proposal(
        Configuration(
          channels: input[1], features: input[0],
          growth: growth ?? Double(middle[0]) / Double(input[0]),
          blocks: weights.count(of: "body.0.body") - 1,
          groups: (0..<weights.count(of: "body")).map { group in
            weights.convolution("body.\(group).body.0.dau_top.body.0").map {
              $0[0] / max($0[1], 1)
            } ?? 0
          },
          squeezed: [full[0], half[0]]))
    ]
  }

  static func picture(_ c: Configuration) -> ImageSpec { .usual(c.channels) }
}

extension Value {
  fileprivate func multiScaleBlock(
    _ name: String, _ c: MIRNet2.Configuration, _ groups: Int
  ) -> Value {
    func pointwise(_ x: Value, _ layer: String, _ width: Int) -> Value {
      x.convolution("\(name).\(layer)", width, kernel: 1, bias: false)
    }
    func smaller(_ x: Value, _ layer: String, _ size: Int) -> Value {
      pointwise(x.averagePool(2), "\(layer).body.0.bot.1", c.widths[size])
    }
    func larger(_ x: Value, _ layer: String, _ size: Int) -> Value {
      pointwise(x, "\(layer).body.0.bot.0", c.widths[size]).resize(.linear, by: 2)
    }
    var sizes = [
      self, smaller(self, "down2", 1),
      smaller(smaller(self, "down4.0", 1), "down4.1", 2),
    ]
    // The same layers twice, but for those that enlarge.
    for round in 1...2 {
      for (size, layer) in ["dau_top", "dau_mid", "dau_bot"].enumerated() {
        sizes[size] = sizes[size].contextBlock("\(name).\(layer)", c, groups, again: round == 2)
      }
      sizes[1] = sizes[1].chosen(
        "\(name).skff_mid", larger(sizes[2], "up32_\(round)", 1), c.squeezed[1],
        again: round == 2)
      sizes[0] = sizes[0].chosen(
        "\(name).skff_top", larger(sizes[1], "up21_\(round)", 0), c.squeezed[0],
        again: round == 2)
    }
    return pointwise(sizes[0], "conv_out", c.features) + self
  }

  /// Two convolutions, plus what a mixture of all pixels gives (Cao et al., "GCNet", 2019); added.
  private func contextBlock(
    _ name: String, _ c: MIRNet2.Configuration, _ groups: Int, again: Bool
  ) -> Value {
    func convolved(_ x: Value, _ layer: String, _ kernel: Int, _ outChannels: Int) -> Value {
      x.convolution(
        "\(name).\(layer)", outChannels, kernel: Size(kernel), groups: kernel == 1 ? 1 : groups,
        bias: false, shared: again)
    }
    let inner = convolved(
      convolved(self, "body.0", 3, channels).leakyRelu(0.2), "body.2", 3, channels)
    let shares = convolved(inner, "gcnet.conv_mask", 1, 1)
      .applying(.reshape(Reshape([0, -1, 1]))).applying(.softmax(Softmax(dimension: 1)))
    let mixture = inner.applying(.reshape(Reshape([0, 0, -1]))).applying(.matmul, shares)
      .applying(.reshape(Reshape([0, 0, 1, 1])))
    let context = convolved(
      convolved(mixture, "gcnet.channel_add_conv.0", 1, channels).leakyRelu(0.2),
      "gcnet.channel_add_conv.2", 1, channels)
    return (inner + context).leakyRelu(0.2) + self
  }

  /// Each channel of this image or of another one, as the means of both together say.
  private func chosen(
    _ name: String, _ other: Value, _ squeezed: Int, again: Bool
  ) -> Value {
    let narrow = (self + other).globalMean()
      .convolution("\(name).conv_du.0", squeezed, kernel: 1, bias: false, shared: again)
      .leakyRelu(0.2)
    let scores = (0...1).map {
      narrow.convolution("\(name).fcs.\($0)", channels, kernel: 1, bias: false, shared: again)
    }
    // A softmax over two is a sigmoid of their difference.
    let share = (scores[0] - scores[1]).sigmoid()
    return other + (self - other) * share
  }
}

@section("aviary_architectures") @used
private let record: Registration = { unsafe register(MIRNet2.self, $0) }
