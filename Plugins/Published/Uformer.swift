internal import AviaryGraph

/// A U-Net of windowed attention, with depthwise convolutions between its linear layers.
///
/// Wang et al.: Uformer: A General U-Shaped Transformer for Image Restoration. Reference: ZhendongWang6's
/// Uformer (MIT), by way of spandrel.
enum Uformer: Architecture {
  struct Configuration: ArchitectureConfiguration {
    var channels = 3
    /// Channels of the first level; each further level has twice as many.
    var features = 32
    /// Blocks of four levels on the way down, of the lowest, and of four on the way up, the lowest first;
    /// and heads of their attention.
    var depths = [1, 2, 8, 8, 2, 8, 8, 2, 1]
    var heads = [1, 2, 4, 8, 16, 16, 8, 4, 2]
    /// Side of a window.
    var window = 8
    /// How many times as many channels there are between the linear layers of a block.
    var expansion = 4
    /// What stands between those.
    var between = Between.depthwise
    /// Whether queries, keys and values have a bias.
    var qkvBias = true
    /// Whether a learned number is added to each value of a window on the way up.
    var modulates = true
    /// Whether windows are shifted on the lowest level: not where the network was trained on images of 16
    /// windows.
    var shiftsLowest = true
    var scale: Int { 1 }

    /// What stands between the linear layers of a block.
    enum Between: String, Codable, Sendable {
      case nothing
      case depthwise
      case convolution
    }

    /// Channels of each layer.
    fileprivate var widths: [Int] {
      [1, 2, 4, 8, 16, 16, 8, 4, 2].map { $0 * features }
    }

    var problem: String? {
      if channels != 3 { return "channels: expected 3, found \(channels)" }
      if !(2...32).contains(window) { return "window: expected 2 to 32, found \(window)" }
      if !(1...8).contains(expansion) { return "expansion: expected 1 to 8, found \(expansion)" }
      if !(2...256).contains(features) {
        return "features: expected 2 to 256, found \(features)"
      }
      if depths.count != 9 || !depths.allSatisfy((1...64).contains) {
        return "depths: expected nine numbers of 1 to 64, found \(depths)"
      }
      return heads.count == 9 && zip(heads, widths).allSatisfy { $0 > 0 && $1 % $0 == 0 }
        ? nil : "heads: expected nine divisors of \(widths), found \(heads)"
    }
  }

  static let info = ArchitectureInfo(
    "uformer", summary: "A U-Net of windowed attention",
    paper: "https://arxiv.org/abs/2106.03106", matchesStructure: false)

  static let presets: KeyValuePairs = [
    "base": Configuration(),
    "small": Configuration(depths: Array(repeating: 2, count: 9), modulates: false),
    "tiny": Configuration(
      features: 16, depths: Array(repeating: 2, count: 9), modulates: false),
  ]

  static func build(_ c: Configuration, _ input: Value) -> [Value] {
    func layer(_ x: Value, _ name: String, _ number: Int) -> Value {
      (0..<c.depths[number]).reduce(x) { x, block in
        x.lewinBlock(
          "\(name).blocks.\(block)", c, number,
          isShifted: block % 2 == 1 && (number != 4 || c.shiftsLowest))
      }
    }
    var x = input.convolution("input_proj.proj.0", c.features, kernel: 3).leakyRelu(0.01)
    var skips: [Value] = []
    for level in 0..<4 {
      x = layer(x, "encoderlayer_\(level)", level)
      skips.append(x)
      x = x.convolution(
        "dowsample_\(level).conv.0", 2 * x.channels, kernel: 4, stride: 2,
        padding: .explicit(PaddingAmounts(1)))
    }
    x = layer(x, "conv", 4)
    for level in 0..<4 {
      let large = x.transposedConvolution(
        "upsample_\(level).deconv.0", c.widths[3 - level], kernel: 2, stride: 2)
      x = layer(Value.concatenate([large, skips[3 - level]]), "decoderlayer_\(level)", 5 + level)
    }
    return [x.convolution("output_proj.proj.0", c.channels, kernel: 3) + input]
  }

  /// The names of the layers.
  private static let layers =
    (0..<4).map { "encoderlayer_\($0)" } + ["conv"] + (0..<4).map { "decoderlayer_\($0)" }

  static func configurations(of weights: WeightIndex) -> [Proposal<Configuration>] {
    let first = "encoderlayer_0.blocks.0"
    func table(_ layer: String) -> String {
      "\(layer).blocks.0.attn.relative_position_bias_table"
    }
    let middle = weights.convolution("\(first).mlp.dwconv.0")
    guard let input = weights.convolution("input_proj.proj.0"),
      weights.has("\(first).attn.qkv.to_kv."),
      let window = weights.window(ofTable: table(layers[0])),
      let hidden = weights[
        "\(first).mlp.\(middle == nil ? "fc1" : "linear1.0").weight"]?.first
    else { return [] }
    return [
      Proposal(
        Configuration(
          channels: input[1], features: input[0],
          depths: layers.map { weights.count(of: "\($0).blocks") },
          heads: layers.map { weights[table($0)]?.last ?? 0 }, window: window,
          expansion: hidden / input[0],
          between: middle.map { $0[1] == 1 ? .depthwise : .convolution } ?? .nothing,
          qkvBias: weights["\(first).attn.qkv.to_q.bias"] != nil,
          modulates: weights["decoderlayer_0.blocks.0.modulator.weight"] != nil),
        assumed: ["shiftsLowest"])
    ]
  }

  static func unused(_ c: Configuration) -> [UnusedTensors] {
    zip(layers, c.depths).flatMap { layer, depth in
      (0..<depth).flatMap {
        UnusedTensors.ofWindows("\(layer).blocks.\($0)", window: c.window, isShifted: false)
      }
    }
  }

  static func picture(_ c: Configuration) -> ImageSpec { .usual(c.channels) }
}

extension Value {
  /// A block, of an image.
  fileprivate func lewinBlock(
    _ name: String, _ c: Uformer.Configuration, _ layer: Int, isShifted: Bool
  ) -> Value {
    let width = c.widths[layer]
    let shift = isShifted ? c.window / 2 : 0
    var normal = asTokens().layerNormalization("\(name).norm1")
    if layer > 4, c.modulates {
      normal = normal.asImage().modulated("\(name).modulator.weight", c.window, shift).asTokens()
    }
    let both = normal.linear("\(name).attn.qkv.to_kv", 2 * width, bias: c.qkvBias).asImage()
    let attended = normal.linear("\(name).attn.qkv.to_q", width, bias: c.qkvBias).asImage()
      .windowAttention(
        "\(name).attn",
        WindowAttention(heads: c.heads[layer], window: Size(c.window), shift: Size(shift)),
        keys: both.channels(0, width), values: both.channels(width, width)
      ).asTokens().linear("\(name).attn.proj", width).asImage()
    let x = self + attended
    let normalised = x.asTokens().layerNormalization("\(name).norm2")
    let hidden = c.expansion * width
    if c.between == .nothing {
      return x + normalised.perceptron("\(name).mlp", width, hidden: hidden).asImage()
    }
    let wide = normalised.linear("\(name).mlp.linear1.0", hidden).gelu().asImage()
      .convolution(
        "\(name).mlp.dwconv.0", hidden, kernel: 3, groups: c.between == .depthwise ? hidden : 1
      ).gelu()
    return x + wide.asTokens().linear("\(name).mlp.linear2.0", width).asImage()
  }

  /// Every window plus learned numbers, which follow a shift of the windows round.
  private func modulated(_ name: String, _ window: Int, _ shift: Int) -> Value {
    let plain = learnedConstant(name, [window * window, channels], start: nil)
    let numbers =
      shift == 0
      ? plain
      : plain.applying(.reshape(Reshape([window, window, channels])))
        .applying(.roll(Roll(shifts: [shift, shift], dimensions: [0, 1])))
        .applying(.reshape(Reshape([window * window, channels])))
    return (windows(WindowPartition(Size(window))) + numbers)
      .image(WindowReverse(Size(window)))
  }
}

@section("aviary_architectures") @used
private let record: Registration = { unsafe register(Uformer.self, $0) }
