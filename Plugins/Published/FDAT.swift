internal import AviaryGraph

/// Attention within windows and attention of channels to channels, in turn, each beside a depthwise
/// convolution: a fast relative of DAT.
///
/// Reference: stinkybread's FDAT (MIT), by way of spandrel.
enum FDAT: Architecture {
  struct Configuration: ArchitectureConfiguration {
    var channels = 3
    var scale = 4
    /// By how much the image is made smaller first, its pixels becoming channels.
    var unshuffle = 1
    var features = 120
    var groups = 4
    /// Pairs of blocks of each group.
    var pairs = 3
    var heads = 4
    /// Side of a window.
    var window = 8
    /// Channels between the linear layers of a block, and of its gate.
    var hidden = 240
    var squeezed = 15
    var upsampler = UniformUpsampler.Kind.transposed
    /// Channels within the upsampler, where it has convolutions of its own.
    var middle = 64

    var enlargement: UniformUpsampler {
      UniformUpsampler(
        kind: upsampler, factor: scale * unshuffle, channels: channels, middle: middle)
    }

    var problem: String? {
      if !(1...16).contains(scale) || ![1, 2, 4].contains(unshuffle) {
        return
          "scale and unshuffle: expected 1 to 16, and 1, 2 or 4, found \(scale) and \(unshuffle)"
      }
      if !(2...32).contains(window) { return "window: expected 2 to 32, found \(window)" }
      if features > 1024 || heads < 1 || features % heads != 0 {
        return "heads: expected a divisor of \(features), found \(heads)"
      }
      for (name, value, most) in [
        ("hidden", hidden, 8192), ("squeezed", squeezed, 1024), ("groups", groups, 64),
        ("pairs", pairs, 64), ("middle", middle, 1024),
      ] where !(1...most).contains(value) {
        return "\(name): expected 1 to \(most), found \(value)"
      }
      return enlargement.problem
    }
  }

  static let info = ArchitectureInfo(
    "fdat", summary: "Attention of windows and of channels in turn, beside depthwise convolutions",
    paper: "https://github.com/stinkybread/fdat", matchesStructure: false)

  static let presets: KeyValuePairs = [
    "medium-x4": Configuration(),
    "medium-x2": Configuration(scale: 2),
    "tiny-x4": Configuration(
      features: 96, groups: 2, pairs: 2, heads: 3, hidden: 144, squeezed: 12),
    "light-x4": Configuration(features: 108, hidden: 216, squeezed: 13),
    "large-x4": Configuration(features: 180, heads: 6, hidden: 360, squeezed: 22),
    "xl-x4": Configuration(features: 180, groups: 6, heads: 6, hidden: 360, squeezed: 22),
  ]

  static func build(_ c: Configuration, _ input: Value) -> [Value] {
    let image =
      c.unshuffle == 1
      ? input
      : input.padded(toMultiple: Size(c.unshuffle), .reflect)
        .applying(.pixelUnshuffle(PixelUnshuffle(factor: c.unshuffle)))
    let first = image.convolution(
      c.unshuffle == 1 ? "conv_first" : "conv_first.1", c.features, kernel: 3)
    var x = first
    for group in 0..<c.groups {
      let name = "groups.\(group)"
      let y = (0..<2 * c.pairs).reduce(x.asTokens()) {
        $0.dualBlock("\(name).blocks.\($1)", c, isSpatial: $1 % 2 == 0)
      }
      x = y.asImage().convolution("\(name).conv", c.features, kernel: 3, bias: false) + x
    }
    let large =
      (x.convolution("conv_after", c.features, kernel: 3, bias: false) + first)
      .enlarged("upsampler", c.enlargement)
    return [c.unshuffle == 1 ? large : large.cropped(toSizeOf: input, times: c.scale)]
  }

  static func configurations(of weights: WeightIndex) -> [Proposal<Configuration>] {
    let isSmall = weights["conv_first.1.weight"] != nil
    let block = "groups.0.blocks.0"
    guard let first = weights.convolution(isSmall ? "conv_first.1" : "conv_first"),
      let bias = weights["\(block).attn.bias"], bias.count == 3, let window = bias[1].wholeRoot,
      let hidden = weights["\(block).ffn.fc1.weight"]?.first,
      let squeezed = weights.convolution("\(block).inter.cg.1")?[0],
      // One convolution says both its scale and the channels: those that the input has.
      let (upsampler, isAssumed) = weights.uniformUpsampler(
        "upsampler",
        channels: isSmall ? (first[1] % 16 == 0 ? first[1] / 16 : first[1] / 4) : first[1],
        features: first[0]),
      let unshuffle = [1, 2, 4].first(where: { $0 * $0 * upsampler.channels == first[1] }),
      isSmall == (unshuffle > 1), upsampler.factor % unshuffle == 0
    else { return [] }
    return [
      Proposal(
        Configuration(
          channels: upsampler.channels, scale: upsampler.factor / unshuffle, unshuffle: unshuffle,
          features: first[0], groups: weights.count(of: "groups"),
          pairs: weights.count(of: "groups.0.blocks") / 2, heads: bias[0], window: window,
          hidden: hidden, squeezed: squeezed, upsampler: upsampler.kind,
          middle: [.pixelshuffle, .dysample, .attention].contains(upsampler.kind)
            ? upsampler.middle : 64),
        assumed: isAssumed ? ["scale"] : [])
    ]
  }

  static let valuesRead = [WeightIndex.upsamplerFacts("upsampler")]

  static func unused(_ c: Configuration) -> [UnusedTensors] {
    let reason = "a block of the other kind has it"
    return UnusedTensors.ofUpsampler("upsampler", c.enlargement, features: c.features) + [
      UnusedTensors("groups.{i}.blocks.{2j}.inter.sg.0.weight", reason),
      UnusedTensors("groups.{i}.blocks.{2j+1}.inter.cg.1.weight", reason),
      UnusedTensors("groups.{i}.blocks.{2j+1}.inter.cg.3.weight", reason),
    ]
  }

  static func picture(_ c: Configuration) -> ImageSpec { .usual(c.channels) }
}

extension Value {
  /// A block, of tokens.
  fileprivate func dualBlock(_ name: String, _ c: FDAT.Configuration, isSpatial: Bool) -> Value {
    let normal = layerNormalization("\(name).n1")
    let convolved = normal.asImage().depthwise("\(name).conv.0", kernel: 3, bias: false).gelu()
    let all = normal.linear("\(name).attn.qkv", 3 * c.features, bias: false).asImage()
    let attended = (isSpatial ? all.plainWindows("\(name).attn", c) : all.plainChannels(name, c))
      .asTokens().linear("\(name).attn.proj", c.features).asImage()
    let mixed =
      isSpatial
      ? attended
        * convolved.globalMean()
        .convolution("\(name).inter.cg.1", c.squeezed, kernel: 1, bias: false).gelu()
        .convolution("\(name).inter.cg.3", c.features, kernel: 1, bias: false).sigmoid()
        + convolved
      : attended + convolved
        * attended.convolution("\(name).inter.sg.0", 1, kernel: 1, bias: false).sigmoid()
    let x = self + mixed.asTokens()
    let wide = x.layerNormalization("\(name).n2").linear("\(name).ffn.fc1", c.hidden, bias: false)
      .gelu().asImage().depthwise("\(name).ffn.smix", kernel: 3, bias: false).asTokens()
    return x + wide.linear("\(name).ffn.fc2", c.features, bias: false)
  }

  /// Attention within windows that are not shifted, with a bias for every pair of pixels.
  private func plainWindows(_ name: String, _ c: FDAT.Configuration) -> Value {
    let padded = padded(toMultiple: Size(c.window))
    let (area, size) = (c.window * c.window, c.features / c.heads)
    func part(_ position: Int, _ order: [Int]) -> Value {
      padded.channels(position * c.features, c.features)
        .windows(WindowPartition(Size(c.window)))
        .applying(.reshape(Reshape([0, 0, 0, area, c.heads, size])))
        .applying(.permute(Permute(order)))
    }
    let bias = learnedConstant("\(name).bias", [c.heads, area, area])
    let scores = (part(0, [0, 1, 2, 4, 3, 5]) * (1 / Double(size).squareRoot()))
      .applying(.matmul, part(1, [0, 1, 2, 4, 5, 3]))
    return (scores + bias).applying(.softmax(Softmax(dimension: 5)))
      .applying(.matmul, part(2, [0, 1, 2, 4, 3, 5]))
      .applying(.permute(Permute([0, 1, 2, 4, 3, 5])))
      .applying(.reshape(Reshape([0, 0, 0, area, c.features])))
      .image(WindowReverse(Size(c.window)))
      .cropped(toSizeOf: self)
  }

  private func plainChannels(_ name: String, _ c: FDAT.Configuration) -> Value {
    channels(0, c.features).channelsAttention(
      heads: c.heads, keys: channels(c.features, c.features),
      values: channels(2 * c.features, c.features),
      temperature: learnedConstant("\(name).attn.temp", [c.heads, 1, 1], start: 1))
  }
}

@section("aviary_architectures") @used
private let record: Registration = { unsafe register(FDAT.self, $0) }
