internal import AviaryGraph

/// Attention within windows and attention of channels to channels, in turn, each beside a convolution.
///
/// Chen et al.: Dual Aggregation Transformer for Image Super-Resolution. Reference: zhengchen1999's DAT
/// (Apache-2.0), by way of spandrel.
enum DAT: Architecture {
  struct Configuration: ArchitectureConfiguration {
    var channels = 3
    var scale = 4
    var features = 180
    /// Blocks of each group, and heads of their attention.
    var depths = [6, 6, 6, 6, 6, 6]
    var heads = [6, 6, 6, 6, 6, 6]
    /// Height and width of the windows for one half of the channels, width and height of those for the
    /// other.
    var split = [8, 32]
    /// Channels between the linear layers of a block.
    var hidden = 720
    /// Whether queries, keys and values have a bias.
    var qkvBias = true
    var upsampler = Upsampler.pixelShuffle
    /// Channels of the enlargement.
    var upsamplerFeatures = 64
    /// What stands at the end of each group.
    var residual = ResidualConvolution.one

    var frame: WindowFrame {
      WindowFrame(
        channels: channels, scale: scale, features: features, upsampler: upsampler,
        upsamplerFeatures: upsamplerFeatures, residual: residual)
    }

    var problem: String? {
      if split.count != 2 || !split.allSatisfy((2...128).contains) {
        return "split: expected two numbers of 2 to 128, found \(split)"
      }
      if !(2...16384).contains(hidden) || hidden % 2 != 0 {
        return "hidden: expected an even number of 2 to 16384, found \(hidden)"
      }
      if features < 32 || !heads.allSatisfy({ $0 > 1 && features / 2 % ($0 / 2) == 0 }) {
        return "heads: expected halves that divide \(features / 2), found \(heads)"
      }
      return frame.problem ?? problemOfLayers(depths: depths, heads: heads, features: features)
    }
  }

  static let info = ArchitectureInfo(
    "dat", summary: "Attention of windows and of channels in turn, each beside a convolution",
    paper: "https://arxiv.org/abs/2308.03364", matchesStructure: false)

  private static let small = Configuration(split: [8, 16], hidden: 360)
  private static let second = Configuration(hidden: 360)
  private static let light = Configuration(
    features: 60, depths: [18], heads: [6], hidden: 120, upsampler: .pixelShuffleDirect,
    residual: .three)

  static let presets: KeyValuePairs = [
    "x4": Configuration(),
    "x2": Configuration(scale: 2),
    "x3": Configuration(scale: 3),
    "2-x4": second,
    "2-x2": second.with { $0.scale = 2 },
    "2-x3": second.with { $0.scale = 3 },
    "small-x4": small,
    "small-x2": small.with { $0.scale = 2 },
    "small-x3": small.with { $0.scale = 3 },
    "light-x4": light,
    "light-x2": light.with { $0.scale = 2 },
    "light-x3": light.with { $0.scale = 3 },
  ]

  static func build(_ c: Configuration, _ input: Value) -> [Value] {
    [
      input.framed(c.frame) { image in
        var x = image.asTokens().layerNormalization("before_RG.1")
        for (group, (depth, heads)) in zip(c.depths, c.heads).enumerated() {
          var y = x
          for block in 0..<depth {
            let name = "layers.\(group).blocks.\(block)"
            let normal = y.layerNormalization("\(name).norm1")
            y =
              y
              + (block % 2 == 0
                ? normal.windowsAndConvolution("\(name).attn", c, heads, group, block)
                : normal.channelsAndConvolution("\(name).attn", c, heads))
            y =
              y
              + y.layerNormalization("\(name).norm2").spatiallyGated(
                "\(name).ffn", c.features, c.hidden)
          }
          x = y.asImage().residualConvolution("layers.\(group).conv", c.residual).asTokens() + x
        }
        return x.layerNormalization("norm").asImage()
      }
    ]
  }

  static func configurations(of weights: WeightIndex) -> [Proposal<Configuration>] {
    let attention = "layers.0.blocks.0.attn"
    guard let frame = weights.frame, weights.has("\(attention).channel_interaction."),
      let hidden = weights["layers.0.blocks.0.ffn.fc1.weight"]?.first
    else { return [] }
    let groups = 0..<weights.count(of: "layers")
    let (split, isKnown) = weights.split("\(attention).attns.0")
    return [
      Proposal(
        Configuration(
          channels: frame.channels, scale: frame.scale, features: frame.features,
          depths: groups.map { weights.count(of: "layers.\($0).blocks") },
          heads: groups.map { group in
            // Of a group of one block half the number is known, and an odd one is not used.
            weights["layers.\(group).blocks.1.attn.temperature"]?.first
              ?? 2 * (weights["layers.\(group).blocks.0.attn.attns.0.pos.pos3.2.bias"]?.first ?? 0)
          },
          split: split, hidden: hidden, qkvBias: weights["\(attention).qkv.bias"] != nil,
          upsampler: frame.upsampler, upsamplerFeatures: frame.upsamplerFeatures,
          residual: frame.residual),
        assumed: isKnown ? [] : ["split"])
    ]
  }

  static let valuesRead = [WeightIndex.biasPlaces("layers.0.blocks.0.attn.attns.0")]

  static func unused(_ c: Configuration) -> [UnusedTensors] {
    c.depths.enumerated().flatMap { group, depth in
      stride(from: 0, to: depth, by: 2).flatMap { block in
        UnusedTensors.ofSplitWindows(
          "layers.\(group).blocks.\(block).attn", split: c.split,
          isShifted: Value.isShifted(group: group, block: block))
      }
    }
  }

  static func picture(_ c: Configuration) -> ImageSpec { .usual(c.channels) }
}

extension WeightIndex {
  /// The places that a file's dynamic position bias is calculated for.
  static func biasPlaces(_ attention: String) -> String { "\(attention).rpe_biases" }

  /// Height and width of the windows of DAT's and RGT's first branch, by the first of the places that its
  /// bias is calculated for, else by how many there are; the published ones where a file holds neither.
  func split(_ attention: String) -> (sides: [Int], isKnown: Bool) {
    if let places = values[WeightIndex.biasPlaces(attention)], places.count >= 2,
      places[..<2].allSatisfy({ (-127...0).contains($0) && $0.rounded() == $0 })
    {
      return ([1 - Int(places[0]), 1 - Int(places[1])], true)
    }
    if let pixels = shapes["\(attention).relative_position_index"]?.first,
      let positions = shapes[WeightIndex.biasPlaces(attention)]?.first,
      let (small, large) = sides(pixels: pixels, positions: positions)
    {
      return ([small, large], small == large)
    }
    return ([8, 32], false)
  }
}

extension UnusedTensors {
  /// The tables that two branches of windows are stored with, and that follow from their sides: masks
  /// are those of an image of so many pixels a side, or of the smallest.
  static func ofSplitWindows(
    _ attention: String, split: [Int], isShifted: Bool, image: Int? = nil
  ) -> [UnusedTensors] {
    (0...1).flatMap { branch -> [UnusedTensors] in
      let window = branch == 0 ? Size(split[0], split[1]) : Size(split[1], split[0])
      let tables = [
        UnusedTensors(
          "\(attention).attns.\(branch).rpe_biases", "it follows from the windows",
          buffer: .biasPlaces(window)),
        UnusedTensors(
          "\(attention).attns.\(branch).relative_position_index", "it follows from the windows",
          buffer: Buffer(.relativePosition(window: window))),
      ]
      let mask = UnusedTensors(
        "\(attention).attn_mask_\(branch)", "it follows from the sizes of windows and image",
        buffer: Buffer(
          ShiftMask(window, shift: Size(window.height / 2, window.width / 2)),
          image: Size(image ?? 2 * max(split[0], split[1]))))
      return isShifted ? tables + [mask] : tables
    }
  }
}

extension Value {
  /// Attention in windows of two forms, each of one half of the channels, of an image of queries, keys and
  /// values, to an image: DAT's and RGT's.
  func splitWindows(
    _ name: String, _ features: Int, split: [Int], heads: Int, isShifted: Bool
  ) -> Value {
    let half = features / 2
    let padded = padded(toMultiple: Size(max(split[0], split[1])))
    let branches = (0...1).map { branch in
      let window = branch == 0 ? Size(split[0], split[1]) : Size(split[1], split[0])
      let parts = (0...2).map { padded.channels($0 * features + branch * half, half) }
      return parts[0].windowAttention(
        "\(name).\(branch)",
        WindowAttention(
          heads: heads / 2, window: window,
          shift: isShifted ? Size(window.height / 2, window.width / 2) : 0, positionBias: .input),
        keys: parts[1], values: parts[2],
        table: dynamicPositionBias(
          "\(name).\(branch).pos", half / 4 / 4, window: window, heads: heads / 2))
    }
    return Value.concatenate(branches).cropped(toSizeOf: self)
  }

  /// The layer of DAT's and RGT's blocks: one half of what GELU gives, times a depthwise convolution of the
  /// other, of tokens.
  func spatiallyGated(_ name: String, _ features: Int, _ hidden: Int) -> Value {
    let wide = linear("\(name).fc1", hidden).gelu().asImage()
    let gate = wide.channels(hidden / 2, hidden / 2).asTokens()
      .layerNormalization("\(name).sg.norm").asImage()
      .depthwise("\(name).sg.conv", kernel: 3)
    return (wide.channels(0, hidden / 2) * gate).asTokens().linear("\(name).fc2", features)
  }

  /// Whether DAT's and RGT's windows are shifted in a block of a group.
  static func isShifted(group: Int, block: Int) -> Bool {
    group % 2 == 0 ? block > 0 && block % 4 == 2 : block % 4 == 0
  }

  fileprivate func windowsAndConvolution(
    _ name: String, _ c: DAT.Configuration, _ heads: Int, _ group: Int, _ block: Int
  ) -> Value {
    let all = linear("\(name).qkv", 3 * c.features, bias: c.qkvBias).asImage()
    let attended = all.splitWindows(
      "\(name).attns", c.features, split: c.split, heads: heads,
      isShifted: Value.isShifted(group: group, block: block))
    let convolved = all.channels(2 * c.features, c.features).convolved(name)
    let sum =
      attended * convolved.channelMap(name).sigmoid()
      + convolved * attended.spatialMap(name).sigmoid()
    return sum.asTokens().linear("\(name).proj", c.features)
  }

  fileprivate func channelsAndConvolution(
    _ name: String, _ c: DAT.Configuration, _ heads: Int
  ) -> Value {
    let all = linear("\(name).qkv", 3 * c.features, bias: c.qkvBias).asImage()
    let values = all.channels(2 * c.features, c.features)
    let attended = all.channels(0, c.features).channelsAttention(
      heads: heads, keys: all.channels(c.features, c.features), values: values,
      temperature: learnedConstant("\(name).temperature", [heads, 1, 1], start: 1))
    let convolved = values.convolved(name)
    // Each map weighs the other branch here too, but they are made of the other ones.
    let sum =
      attended * convolved.spatialMap(name).sigmoid()
      + convolved * attended.channelMap(name).sigmoid()
    return sum.asTokens().linear("\(name).proj", c.features)
  }

  /// The branch beside the attention.
  private func convolved(_ name: String) -> Value {
    depthwise("\(name).dwconv.0", kernel: 3).batchNormalization("\(name).dwconv.1").gelu()
  }

  private func channelMap(_ name: String) -> Value {
    let layer = "\(name).channel_interaction"
    return globalMean().convolution("\(layer).1", channels / 8, kernel: 1)
      .batchNormalization("\(layer).2").gelu().convolution("\(layer).4", channels, kernel: 1)
  }

  private func spatialMap(_ name: String) -> Value {
    let layer = "\(name).spatial_interaction"
    return convolution("\(layer).0", channels / 16, kernel: 1)
      .batchNormalization("\(layer).1").gelu().convolution("\(layer).3", 1, kernel: 1)
  }
}

@section("aviary_architectures") @used
private let record: Registration = { unsafe register(DAT.self, $0) }
