internal import AviaryGraph

/// What networks of windowed attention have in common: the block of Swin Transformer, and the frame that
/// SwinIR puts around such blocks.

extension Value {
  /// An image as tokens: the channels of each pixel last, as linear layers take them.
  func asTokens() -> Value { applying(.permute(Permute([0, 2, 3, 1]))) }

  /// Tokens as an image.
  func asImage() -> Value { applying(.permute(Permute([0, 3, 1, 2]))) }

  /// Attention within windows and the linear layers before and after it, of tokens of so many features.
  func windowedAttention(
    _ name: String, _ features: Int, _ attention: WindowAttention, bias: Bool = true
  ) -> Value {
    linear("\(name).qkv", 3 * features, bias: bias).asImage()
      .windowAttention(name, attention).asTokens()
      .linear("\(name).proj", features)
  }

  /// Two linear layers with GELU between them, of tokens.
  func perceptron(_ name: String, _ features: Int, hidden: Int) -> Value {
    linear("\(name).fc1", hidden).gelu().linear("\(name).fc2", features)
  }

  /// A block of Swin Transformer (Liu et al., 2021), of tokens: attention within windows and two linear
  /// layers, each of what is normalised first and each added.
  func swinBlock(
    _ name: String, _ features: Int, _ attention: WindowAttention, hidden: Int
  ) -> Value {
    let x =
      self
      + layerNormalization("\(name).norm1")
      .windowedAttention("\(name).attn", features, attention)
    return x
      + x.layerNormalization("\(name).norm2")
      .perceptron("\(name).mlp", features, hidden: hidden)
  }

  /// Two linear layers with a depthwise convolution between them, whose result is added to its input, each
  /// after GELU: SRFormer's and ATD's, of tokens.
  func convolvedPerceptron(
    _ name: String, _ features: Int, hidden: Int, kernel: Int
  ) -> Value {
    let wide = linear("\(name).fc1", hidden).gelu().asImage()
    let mixed = wide.depthwise("\(name).dwconv.depthwise_conv.0", kernel: Size(kernel)).gelu()
    return (wide + mixed).asTokens().linear("\(name).fc2", features)
  }
}

extension WindowAttention {
  /// A square window of Swin Transformer's, shifted by half of it or not.
  init(heads: Int, window: Int, isShifted: Bool) {
    self.init(heads: heads, window: Size(window), shift: isShifted ? Size(window / 2) : 0)
  }
}

/// What stands before a skip around several blocks, in SwinIR's words.
enum ResidualConvolution: String, Codable, Sendable {
  case one = "1conv"
  /// Three with a quarter of the channels between them.
  case three = "3conv"
  case identity
}

extension Value {
  /// What stands before a skip, of an image.
  func residualConvolution(_ name: String, _ kind: ResidualConvolution) -> Value {
    switch kind {
    case .one: convolution(name, channels, kernel: 3)
    case .three:
      convolution("\(name).0", channels / 4, kernel: 3).leakyRelu(0.2)
        .convolution("\(name).2", channels / 4, kernel: 1).leakyRelu(0.2)
        .convolution("\(name).4", channels, kernel: 3)
    case .identity: self
    }
  }
}

/// How SwinIR and its relatives enlarge, in SwinIR's words.
enum Upsampler: String, Codable, Sendable {
  case pixelShuffle = "pixelshuffle"
  case pixelShuffleDirect = "pixelshuffledirect"
  case nearestConvolution = "nearest+conv"
  case none
}

/// The frame that SwinIR has around its blocks, and many with it: the mean colour subtracted, padding to
/// whole windows, a first convolution, a skip around all blocks, and the enlargement.
struct WindowFrame: Hashable, Sendable {
  var channels = 3
  /// By what the network enlarges, and by what it makes an image smaller first.
  var scale = 4, unshuffle = 1
  /// Channels of the blocks.
  var features: Int
  var upsampler = Upsampler.pixelShuffle
  /// Channels of the enlargement.
  var upsamplerFeatures = 64
  var residual = ResidualConvolution.one
  /// The name of what enlarges by pixel shuffles.
  var upsampleName = "upsample"
  /// Whether the mean colour is subtracted from images with colours.
  var subtractsMean = true
  /// What white is to the network.
  var range = 1.0
  /// The multiple of pixels that images are padded to, after they are made smaller; 1 for none.
  var multiple = 1
  var padding = PadMode.reflect

  /// Whether it subtracts a mean colour and adds it again.
  fileprivate var hasMean: Bool { subtractsMean && channels == 3 }

  /// What is wrong with it.
  var problem: String? {
    if channels != 3 && channels != 1 { return "channels: expected 1 or 3, found \(channels)" }
    if !(4...2048).contains(features) { return "features: expected 4 to 2048, found \(features)" }
    if !(1...8).contains(unshuffle) { return "unshuffle: expected 1 to 8, found \(unshuffle)" }
    if !(1...512).contains(upsamplerFeatures) {
      return "upsamplerFeatures: expected 1 to 512, found \(upsamplerFeatures)"
    }
    if !(range > 0 && range < 1e6) { return "range: expected a number above 0, found \(range)" }
    let whole = scale * unshuffle
    let scales: [Int] =
      switch upsampler {
      case .pixelShuffle: [2, 3, 4, 8, 16]
      case .pixelShuffleDirect: Array(1...16)
      case .nearestConvolution: [2, 4, 8]
      case .none: [1]
      }
    return scales.contains(whole)
      ? nil
      : "scale: expected a scale that '\(upsampler.rawValue)' has (\(scales.map(String.init).joined(separator: ", "))) "
        + "after unshuffle, found \(scale) times \(unshuffle)"
  }
}

extension Value {
  /// The frame around blocks that take and give images.
  func framed(_ frame: WindowFrame, _ blocks: (Value) -> Value) -> Value {
    let small = framedInput(frame)
    let last = small.framedBody(frame, blocks).enlarged(frame)
    return (frame.upsampler == .none ? small + last : last).framedOutput(frame, like: self)
  }

  /// The image as a frame gives it to the first convolution.
  func framedInput(_ frame: WindowFrame) -> Value {
    let padded =
      frame.multiple == 1
      ? self : padded(toMultiple: Size(frame.multiple * frame.unshuffle), frame.padding)
    let mean = MeanColour.rgb.map { -$0 }
    let centred = (frame.hasMean ? padded.plus(mean) : padded) * frame.range
    return frame.unshuffle == 1
      ? centred : centred.applying(.pixelUnshuffle(PixelUnshuffle(factor: frame.unshuffle)))
  }

  /// The first convolution, the blocks, and the skip around them.
  func framedBody(_ frame: WindowFrame, _ blocks: (Value) -> Value) -> Value {
    let first = convolution(
      frame.unshuffle == 1 ? "conv_first" : "conv_first.1", frame.features, kernel: 3)
    return blocks(first).residualConvolution("conv_after_body", frame.residual) + first
  }

  /// A frame's image with the values and the size that belong to its input.
  func framedOutput(_ frame: WindowFrame, like input: Value) -> Value {
    let plain = self * (1 / frame.range)
    let image = frame.hasMean ? plain.plus(MeanColour.rgb) : plain
    return frame.multiple == 1 ? image : image.cropped(toSizeOf: input, times: frame.scale)
  }

  /// The enlargement of a frame.
  private func enlarged(_ frame: WindowFrame) -> Value {
    let scale = frame.scale * frame.unshuffle
    let width = frame.upsamplerFeatures
    switch frame.upsampler {
    case .pixelShuffle:
      return convolution("conv_before_upsample.0", width, kernel: 3).leakyRelu(0.01)
        .shuffled(by: scale) { "\(frame.upsampleName).\(2 * $0)" }
        .convolution("conv_last", frame.channels, kernel: 3)
    case .pixelShuffleDirect:
      let last = convolution(
        "\(frame.upsampleName).0", frame.channels * scale * scale, kernel: 3)
      return scale == 1 ? last : last.pixelShuffle(scale)
    case .nearestConvolution:
      var x = convolution("conv_before_upsample.0", width, kernel: 3).leakyRelu(0.01)
      for step in 0..<(scale.exponentOfTwo ?? 0) {
        x = x.resize(.nearest, by: 2)
          .convolution("conv_up\(step + 1)", width, kernel: 3).leakyRelu(0.2)
      }
      return x.convolution("conv_hr", width, kernel: 3).leakyRelu(0.2)
        .convolution("conv_last", frame.channels, kernel: 3)
    case .none: return convolution("conv_last", frame.channels, kernel: 3)
    }
  }
}

extension WeightIndex {
  /// The frame that weights have; nil where they have none.
  var frame: WindowFrame? { frame(upsample: "upsample") }

  /// The frame that weights have with this name for what enlarges by pixel shuffles.
  func frame(upsample: String) -> WindowFrame? {
    let isSmall = shapes["conv_first.1.weight"] != nil
    guard let first = convolution(isSmall ? "conv_first.1" : "conv_first") else { return nil }
    var frame = WindowFrame(features: first[0], upsampleName: upsample)
    if isSmall {
      // Of colours before gray: 12 channels are three of two by two, and none of one.
      let factor = first[1] % 3 == 0 ? (first[1] / 3).squareRoot : nil
      guard let unshuffle = factor ?? first[1].squareRoot, unshuffle > 1 else { return nil }
      frame.unshuffle = unshuffle
    }
    frame.channels = first[1] / (frame.unshuffle * frame.unshuffle)
    frame.residual = shapes["conv_after_body.4.weight"] == nil ? .one : .three
    if shapes["conv_after_body.weight"] == nil, frame.residual == .one {
      frame.residual = .identity
    }
    if let before = convolution("conv_before_upsample.0") {
      frame.upsamplerFeatures = before[0]
      if has("conv_up1.") {
        frame.upsampler = .nearestConvolution
        let steps = (1...3).prefix { has("conv_up\($0).") }.count
        frame.scale = 1 << steps
      } else {
        guard let scale = shuffledScale(upsample) else { return nil }
        frame.scale = scale
      }
    } else if let last = convolution("\(upsample).0") {
      guard let scale = scale(last, frame.channels) else { return nil }
      (frame.upsampler, frame.scale) = (.pixelShuffleDirect, scale)
    } else {
      (frame.upsampler, frame.scale) = (.none, 1)
    }
    guard frame.scale % frame.unshuffle == 0 || frame.upsampler == .none else { return nil }
    frame.scale = max(frame.scale / frame.unshuffle, 1)
    return frame
  }

  /// The side of a square window with a row in its table for each relative position.
  func window(ofTable name: String) -> Int? {
    guard let rows = shapes[name]?.first, let side = rows.wholeRoot, side % 2 == 1 else {
      return nil
    }
    return (side + 1) / 2
  }
}

extension Int {
  /// The number whose square this is, however large.
  var wholeRoot: Int? {
    let root = Int(Double(self).squareRoot().rounded())
    return root * root == self ? root : nil
  }
}

extension UnusedTensors {
  /// The tables that a block of Swin Transformer is stored with, and that follow from the size of its
  /// windows.
  ///
  /// A file has a mask for one size of images, and its reader calculates those for others: here it is that
  /// of an image of two by two windows.
  static func ofWindows(
    _ block: String, window: Int, isShifted: Bool, index: String = "relative_position_index",
    keyStep: Int = 1
  ) -> [UnusedTensors] {
    let table = UnusedTensors(
      "\(block).attn.\(index)", "it follows from the window",
      buffer: UnusedTensors.Buffer(relativePositionsOf: Size(window), keyStep: keyStep))
    let mask = UnusedTensors(
      "\(block).attn_mask", "it follows from the sizes of window and image",
      buffer: UnusedTensors.Buffer(
        ShiftMask(Size(window), shift: Size(window / 2)), image: Size(2 * window),
        keyStep: keyStep))
    return isShifted ? [table, mask] : [table]
  }

  /// The tables of all blocks of SwinIR's layers, of which every other one is shifted.
  static func ofLayers(
    _ depths: [Int], _ tables: (_ block: String, _ isShifted: Bool) -> [UnusedTensors]
  ) -> [UnusedTensors] {
    depths.enumerated().flatMap { layer, depth in
      (0..<depth).flatMap {
        tables("layers.\(layer).residual_group.blocks.\($0)", $0 % 2 == 1)
      }
    }
  }
}

/// What is wrong with layers of so many blocks, whose attentions have so many heads.
func problemOfLayers(depths: [Int], heads: [Int], features: Int) -> String? {
  if depths.isEmpty || depths.count != heads.count || !depths.allSatisfy((1...64).contains) {
    return "depths and heads: expected as many of both, and 1 to 64 blocks in each layer, "
      + "found \(depths) and \(heads)"
  }
  return heads.allSatisfy { $0 > 0 && features % $0 == 0 }
    ? nil : "heads: expected divisors of \(features), found \(heads)"
}

extension ArchitectureConfiguration {
  /// The same but for some members.
  func with(_ change: (inout Self) -> Void) -> Self {
    var copy = self
    change(&copy)
    return copy
  }
}
