internal import AviaryGraph

/// MoSR with depthwise convolutions of three shapes, on an image made smaller where it enlarges little.
///
/// References: umzi2's MoSRV2 (MIT), traiNNer-redux (Apache-2.0), by way of resselt (MIT).
enum MoSRv2: Architecture {
  struct Configuration: ArchitectureConfiguration {
    var channels = 3
    var scale = 4
    /// By how much the image is made smaller first, its pixels becoming channels: 2 or 4 where it
    /// enlarges by 2 or 1.
    var unshuffle = 1
    var features = 64
    var blocks = 24
    /// Channels of the gate of each block.
    var hidden = 96
    /// Whether a block normalises by the root of the mean square, and not by a layer normalisation.
    var rms = false
    var upsampler = Upsampler.pixelshuffledirect
    /// Channels within the upsampler, where it has convolutions of its own (`pixelshuffle`,
    /// `dysample`).
    var middle = 32

    /// How it enlarges.
    enum Upsampler: String, Codable, Sendable {
      case conv
      case pixelshuffledirect
      case pixelshuffle
      case nearest
      case dysample
    }

    /// By how much the features are enlarged.
    var factor: Int { scale * unshuffle }

    var problem: String? {
      if ![1, 2, 4].contains(unshuffle) || !(1...16).contains(scale) || factor > 16 {
        return
          "scale and unshuffle: expected 1 to 16, and 1, 2 or 4, found \(scale) and \(unshuffle)"
      }
      let isEven = factor == 3 || factor.exponentOfTwo != nil
      if !isEven, upsampler == .pixelshuffle || upsampler == .nearest {
        return "scale: expected 3 or a power of 2 with '\(upsampler.rawValue)', found \(scale)"
      }
      if upsampler == .conv, factor != 1 { return "scale: expected 1 with 'conv', found \(scale)" }
      if upsampler == .dysample, middle % 4 != 0 || middle < 8 {
        return "middle: expected a multiple of 4 from 8 on with 'dysample', found \(middle)"
      }
      if features < 8 { return "features: expected 8 or more, found \(features)" }
      if hidden < features { return "hidden: expected \(features) or more, found \(hidden)" }
      return (1...128).contains(blocks) ? nil : "blocks: expected 1 to 128, found \(blocks)"
    }
  }

  static let info = ArchitectureInfo(
    "mosrv2", summary: "Gated convolutions of MambaOut's kind, of three shapes",
    paper: "https://github.com/umzi2/MoSRV2", matchesStructure: false)

  static let presets: KeyValuePairs = [
    "x4": Configuration(),
    "x2": Configuration(scale: 2, unshuffle: 2),
    "x1": Configuration(scale: 1, unshuffle: 4),
    "plain-x2": Configuration(scale: 2),
    "rms-x4": Configuration(rms: true),
    "dysample-x4": Configuration(upsampler: .dysample),
  ]

  static func build(_ c: Configuration, _ input: Value) -> [Value] {
    let image =
      c.unshuffle == 1
      ? input : input.applying(.pixelUnshuffle(PixelUnshuffle(factor: c.unshuffle)))
    let start = c.unshuffle == 1 ? 0 : 1
    var x = image.convolution("gblocks.\(start)", c.features, kernel: 3)
    for block in 1...c.blocks {
      let name = "gblocks.\(start + block)"
      let normal =
        c.rms
        ? x.rootNormalized("\(name).norm", [c.features, 1, 1])
        : x.layerNormalization(
          "\(name).norm", LayerNormalization(dimensions: 1, first: 1, epsilon: 1e-6))
      let added = normal.gated(name, hidden: c.hidden, mixed: c.features) {
        $0.inception("\(name).conv")
      }
      x = added * x.learnedConstant("\(name).gamma", [1, c.features, 1, 1], start: 1) + x
    }
    let large = x.narrowed("gblocks", from: start + c.blocks + 1).enlarged(c)
    return [large + (c.scale == 1 ? input : input.resize(.linear, by: c.scale))]
  }

  static func configurations(of weights: WeightIndex) -> [Proposal<Configuration>] {
    let start = weights.convolution("gblocks.0") == nil ? 1 : 0
    let block = "gblocks.\(start + 1)"
    guard let first = weights.convolution("gblocks.\(start)"), weights["\(block).gamma"] != nil,
      let wide = weights.convolution("\(block).fc1"), weights.has("\(block).conv.dwconv_hw."),
      let number = weights.last(of: "to_img") ?? (weights.has("to_img.0.") ? 0 : nil)
    else { return [] }
    var c = Configuration(features: first[0], hidden: wide[0] / 2)
    c.blocks = (1...128).prefix { weights["gblocks.\(start + $0).gamma"] != nil }.count
    c.rms = weights["\(block).norm.scale"] != nil
    let factor: Int?
    var assumed: [String] = []
    if let sampler = ["to_img.0", "to_img.2"].first(where: { weights.has("\($0).offset.") }) {
      c.upsampler = .dysample
      c.middle = weights.convolution("to_img.0").map { $0[0] } ?? c.features
      c.channels = weights.convolution("\(sampler).end_conv")?[0] ?? 3
      factor = weights.dySampleScale(sampler)
    } else if let last = weights.convolution("to_img.\(number)") {
      switch number {
      case 0:
        // One convolution says both its scale and the channels: those that the input has.
        let channels = start == 0 ? first[1] : (first[1] % 16 == 0 ? first[1] / 16 : first[1] / 4)
        c.channels = channels
        factor = weights.scale(last, channels)
        c.upsampler = factor == 1 ? .conv : .pixelshuffledirect
      case let number where weights.convolution("to_img.3") != nil:
        (c.channels, c.upsampler) = (last[0], .nearest)
        let steps = max(number - 2, 0) / 3
        // One enlargement by 3 has the layers of one by 2; a buffer tells.
        let stated = weights.values["to_img.MetaUpsample"].flatMap { $0.count == 7 ? $0[2] : nil }
        if steps == 1, stated == nil { assumed = ["scale"] }
        factor = steps == 1 && stated == 3 ? 3 : 1 << min(steps, 8)
      default:
        (c.channels, c.upsampler) = (last[0], .pixelshuffle)
        let steps = max(number - 2, 0) / 2
        guard let middle = weights.convolution("to_img.0") else { return [] }
        c.middle = middle[0]
        let triples = weights.convolution("to_img.2").map { $0[0] == 9 * middle[0] } ?? false
        factor = steps == 1 && triples ? 3 : 1 << min(steps, 8)
      }
    } else {
      factor = nil
    }
    guard let factor,
      let unshuffle = [1, 2, 4].first(where: { $0 * $0 * c.channels == first[1] }),
      (start == 0) == (unshuffle == 1), factor % unshuffle == 0
    else { return [] }
    (c.unshuffle, c.scale) = (unshuffle, factor / unshuffle)
    return [Proposal(c, assumed: assumed)]
  }

  static let valuesRead = ["to_img.MetaUpsample"]

  static func unused(_ c: Configuration) -> [UnusedTensors] {
    [UnusedTensors("to_img.MetaUpsample", "the configuration says how the network enlarges")]
      + (c.upsampler == .dysample
        ? [.initialPositions("to_img.\(c.middle == c.features ? 0 : 2)")] : [])
  }

  static func picture(_ c: Configuration) -> ImageSpec { .usual(c.channels) }
}

extension Value {
  /// A part of the channels as it is, and an eighth each through depthwise convolutions that are
  /// square, wide and high.
  fileprivate func inception(_ name: String) -> Value {
    let part = channels / 8
    let kernels: [(String, Size)] = [
      ("dwconv_hw", 3), ("dwconv_w", Size(1, 11)), ("dwconv_h", Size(11, 1)),
    ]
    let rest = channels - 3 * part
    return Value.concatenate(
      [channels(0, rest)]
        + kernels.enumerated().map { position, kernel in
          channels(rest + position * part, part)
            .convolution("\(name).\(kernel.0)", part, kernel: kernel.1, groups: part)
        })
  }

  fileprivate func enlarged(_ c: MoSRv2.Configuration) -> Value {
    let steps = c.factor == 3 ? [3] : Array(repeating: 2, count: c.factor.exponentOfTwo ?? 0)
    switch c.upsampler {
    case .conv, .pixelshuffledirect:
      return convolution("to_img.0", c.channels * c.factor * c.factor, kernel: 3)
        .pixelShuffle(c.factor)
    case .pixelshuffle:
      return convolution("to_img.0", c.middle, kernel: 3).leakyRelu(0.01)
        .shuffled(by: c.factor, name: { "to_img.\(2 * $0 + 2)" })
        .convolution("to_img.\(2 * steps.count + 2)", c.channels, kernel: 3)
    case .nearest:
      var x = self
      for (step, factor) in steps.enumerated() {
        x = x.convolution("to_img.\(3 * step)", channels, kernel: 3).resize(.nearest, by: factor)
          .leakyRelu(0.2)
      }
      return x.convolution("to_img.\(3 * steps.count)", channels, kernel: 3).leakyRelu(0.2)
        .convolution("to_img.\(3 * steps.count + 2)", c.channels, kernel: 3)
    case .dysample:
      if c.middle == channels {
        return dySample("to_img.0", by: c.factor, outputs: c.channels)
      }
      return convolution("to_img.0", c.middle, kernel: 3).leakyRelu(0.01)
        .dySample("to_img.2", by: c.factor, outputs: c.channels)
    }
  }
}

@section("aviary_architectures") @used
private let record: Registration = { unsafe register(MoSRv2.self, $0) }
