internal import AviaryGraph

/// Two U-Nets in a row with channel attention, without padding: waifu2x's cunet, and Real-CUGAN, which
/// enlarges more.
///
/// References: bilibili's Real-CUGAN (MIT), nagadomi's nunif (MIT). Real-CUGAN's reference pads images by
/// reflection, by as many pixels as its convolutions take off, and to a multiple.
enum RealCUGAN: Architecture {
  struct Configuration: ArchitectureConfiguration {
    var channels = 3
    /// 1 (waifu2x's cunet) to 4.
    var scale = 2
    /// Whether the image is made smaller first, its pixels becoming channels (scale 2).
    var fast = false
    /// Whether values are brought to 0.15 to 0.85 first (files of the "pro" kind say so by a tensor
    /// `pro`).
    var pro = false
    /// Whether the image between the networks, and the last one, are cut to 0 to 1, as waifu2x does.
    var clips = false

    var problem: String? {
      if !(1...4).contains(scale) { return "scale: expected 1 to 4, found \(scale)" }
      if clips, scale > 2 || fast || pro {
        return "clips: expected false but at scales 1 and 2 of the plain kind, found true"
      }
      if fast, scale != 2 { return "scale: expected 2 where fast, found \(scale)" }
      return fast && pro ? "pro: expected false where fast, found true" : nil
    }
  }

  static let info = ArchitectureInfo(
    "real-cugan", summary: "Two U-Nets in a row with channel attention, for anime",
    paper: "https://github.com/bilibili/ailab", matchesStructure: false)

  static let presets: KeyValuePairs = [
    "x2": Configuration(),
    "x3": Configuration(scale: 3),
    "x4": Configuration(scale: 4),
    "fast-x2": Configuration(fast: true),
    "pro-x2": Configuration(pro: true),
    "waifu2x-x2": Configuration(clips: true),
    "waifu2x-x1": Configuration(scale: 1, clips: true),
  ]

  static func build(_ c: Configuration, _ input: Value) -> [Value] {
    let image = c.pro ? (input * 0.7).plus(0.15) : input
    var x = image
    if c.fast { x = x.applying(.pixelUnshuffle(PixelUnshuffle(factor: 2))) }
    // Those that end in a pixel shuffle have features between the networks.
    let isDeep = c.fast || c.scale == 4
    let features = isDeep ? 64 : c.channels
    var first = x.firstUNet("unet1", features, factor: isDeep ? 2 : c.scale)
    if c.clips { first = first.activation(.clamp(minimum: 0, maximum: 1)) }
    x = first.secondUNet("unet2", features) + first.cropped(20)
    if isDeep {
      x = x.convolution("conv_final", 4 * c.channels, kernel: 3, padding: .valid).cropped(1)
        .pixelShuffle(2)
      x = x + image.cropped(c.fast ? 38 : 19).resize(.nearest, by: c.scale)
    }
    if c.clips { x = x.activation(.clamp(minimum: 0, maximum: 1)) }
    return [c.pro ? x.plus(-0.15) * (1 / 0.7) : x]
  }

  static func configurations(of weights: WeightIndex) -> [Proposal<Configuration>] {
    guard let first = weights.convolution("unet1.conv1.conv.0"),
      let bottom = weights.convolution("unet1.conv_bottom"), weights.has("unet2.conv5.")
    else { return [] }
    let pro = weights["pro"] != nil
    // A file may have lost the tensor that says so.
    let assumed = pro ? [] : ["pro"]
    if let last = weights.convolution("conv_final") {
      let isFast = last[0] == first[1]
      return [
        Proposal(
          Configuration(channels: last[0] / 4, scale: isFast ? 2 : 4, fast: isFast, pro: pro),
          assumed: isFast ? [] : assumed)
      ]
    }
    guard let scale = [3: 1, 4: 2, 5: 3][bottom[2]] else { return [] }
    // waifu2x's network of scale 2 has the same tensors as Real-CUGAN's.
    return [
      Proposal(
        Configuration(channels: first[1], scale: scale, pro: pro, clips: scale == 1),
        assumed: assumed + (scale < 3 && !pro ? ["clips"] : []))
    ]
  }

  static func unused(_ c: Configuration) -> [UnusedTensors] {
    c.pro ? [.flag("pro", if: true, "it only says that values are brought to 0.15 to 0.85")] : []
  }

  static func picture(_ c: Configuration) -> ImageSpec {
    .usual(c.channels, padding: c.clips ? .edge : .reflect)
  }
}

extension Value {
  fileprivate func activated() -> Value { leakyRelu(0.1) }

  /// A pair of convolutions, and channel attention where that is wanted.
  fileprivate func pair(_ name: String, _ inner: Int, _ outer: Int, attends: Bool = true) -> Value {
    let x = convolution("\(name).conv.0", inner, kernel: 3, padding: .valid).activated()
      .convolution("\(name).conv.2", outer, kernel: 3, padding: .valid).activated()
    return attends
      ? x.channelAttention("\(name).seblock.conv1", "\(name).seblock.conv2", outer / 8) : x
  }

  fileprivate func halved(_ name: String) -> Value {
    convolution(name, channels, kernel: 2, stride: 2, padding: .valid).activated()
  }

  fileprivate func doubled(_ name: String) -> Value {
    transposedConvolution(name, channels, kernel: 2, stride: 2).activated()
  }

  /// The network that enlarges, by 2 or 3, or not.
  fileprivate func firstUNet(_ name: String, _ features: Int, factor: Int) -> Value {
    let one = pair("\(name).conv1", 32, 64, attends: false)
    let two = one.halved("\(name).conv1_down").pair("\(name).conv2", 128, 64)
      .doubled("\(name).conv2_up")
    let three = (one.cropped(4) + two)
      .convolution("\(name).conv3", 64, kernel: 3, padding: .valid).activated()
    return factor == 1
      ? three.convolution("\(name).conv_bottom", features, kernel: 3, padding: .valid)
      : three.transposedConvolution(
        "\(name).conv_bottom", features, kernel: Size(factor + 2), stride: Size(factor),
        padding: .pytorch(padding: factor == 3 ? 2 : 3))
  }

  /// The network that refines.
  fileprivate func secondUNet(_ name: String, _ features: Int) -> Value {
    let one = pair("\(name).conv1", 32, 64, attends: false)
    let two = one.halved("\(name).conv1_down").pair("\(name).conv2", 64, 128)
    let three = two.halved("\(name).conv2_down").pair("\(name).conv3", 256, 128)
      .doubled("\(name).conv3_up")
    let four = (two.cropped(4) + three).pair("\(name).conv4", 64, 64).doubled("\(name).conv4_up")
    return (one.cropped(16) + four).convolution("\(name).conv5", 64, kernel: 3, padding: .valid)
      .activated().convolution("\(name).conv_bottom", features, kernel: 3, padding: .valid)
  }
}

@section("aviary_architectures") @used
private let record: Registration = { unsafe register(RealCUGAN.self, $0) }
