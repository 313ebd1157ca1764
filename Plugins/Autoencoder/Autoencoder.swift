internal import AviaryGraph

/// Convolutional autoencoders and U-Nets as people build them: convolutions on levels of half the size
/// each, and the way back, with or without skips.
///
/// Ronneberger, Fischer, Brox: U-Net: Convolutional Networks for Biomedical Image Segmentation. A chain
/// with one kernel throughout, pooling, and transposed convolutions to the last is `plain-cae`.
enum Autoencoder: Architecture {
  struct Configuration: ArchitectureConfiguration {
    enum Normalization: String, Codable, Sendable {
      case none, batch
      /// Without learned parameters, as PyTorch's is unless told otherwise.
      case instance
      case instanceAffine = "instance-affine"
      case group
    }
    enum Nonlinearity: String, Codable, Sendable {
      case relu
      case leakyRelu = "leaky-relu"
      case elu, selu, gelu, silu, tanh
    }
    enum Downsampling: String, Codable, Sendable {
      case max
      case average
      /// By convolutions: the first of each level but the top, or, without a bottleneck, the last of
      /// each level.
      case stride
    }
    enum Upsampling: String, Codable, Sendable {
      case transposed
      case nearest
      case bilinear
      /// Bilinear with the corner pixels on each other.
      case alignCorners = "align-corners"
    }
    enum Skips: String, Codable, Sendable { case none, add, concatenate }
    enum Output: String, Codable, Sendable { case none, sigmoid, tanh, relu }
    /// Whose padding and whose normalisations.
    enum Origin: String, Codable, Sendable { case keras, pytorch }

    var channels = 3
    /// Channels of each level, the top first.
    var widths = [32, 64, 128]
    /// Convolutions of each level on the way down.
    var convolutions = 1
    /// Convolutions of each level on the way up, besides the upsampling's own.
    var decoderConvolutions = 0
    /// Of all convolutions but the upsampling's and the last.
    var kernel = 3
    /// Whether the convolutions of levels have a bias.
    var bias = true
    var normalization = Normalization.none
    /// Of group normalisation.
    var groups = 8
    /// Whether the activation comes before the normalisation.
    var normalizesLast = false
    var activation = Nonlinearity.relu
    /// Of leaky ReLU, below 0.
    var slope = 0.01
    var downsampling = Downsampling.max
    /// Whether the last level is the lowest; else its result is made smaller once more.
    var bottleneck = true
    var upsampling = Upsampling.transposed
    /// Of the transposed convolution, or of the one that follows the interpolation; 0 for none.
    var upKernel = 2
    /// Whether normalisation and activation follow the upsampling.
    var activatesUpsampling = true
    var skips = Skips.none
    /// Whether the skip's channels come before those from below.
    var skipFirst = true
    /// Whether the last convolution of a level already has the width of the level above.
    var narrows = false
    /// Of the last convolution; 0 where the last upsampling gives the image, and each goes to the width of
    /// the level above.
    var outputKernel = 3
    var outputActivation = Output.sigmoid
    /// Whether the input is added to the result.
    var residual = false
    var origin = Origin.pytorch
    var scale: Int { 1 }
  }

  static let info = ArchitectureInfo(
    "autoencoder",
    summary: "Autoencoders and U-Nets of any levels, widths, skips and normalisation",
    paper: "https://arxiv.org/abs/1505.04597", matchesStructure: false)

  static let presets: KeyValuePairs = [
    "default": Configuration(),
    "normalized": Configuration(normalization: .batch),
    "pooled": Configuration(widths: [16, 4], bottleneck: false, outputKernel: 0),
    "strided": Configuration(
      widths: [32, 64, 128], kernel: 4, normalization: .batch, downsampling: .stride,
      bottleneck: false, upKernel: 4, outputKernel: 0),
    "resized": Configuration(widths: [16, 32, 64], upsampling: .nearest, upKernel: 3),
    "unet": unet,
    "unet-bilinear": Configuration(
      widths: [64, 128, 256, 512, 512], convolutions: 2, decoderConvolutions: 2, bias: false,
      normalization: .batch, upsampling: .alignCorners, upKernel: 0, skips: .concatenate,
      narrows: true, outputKernel: 1, outputActivation: .none),
    "unet-plain": Configuration(
      widths: [64, 128, 256, 512, 1024], convolutions: 2, decoderConvolutions: 2,
      activatesUpsampling: false, skips: .concatenate, outputKernel: 1),
    "unet-resized": Configuration(
      widths: [64, 128, 256, 512, 1024], convolutions: 2, decoderConvolutions: 2,
      upsampling: .nearest, skips: .concatenate, outputKernel: 1, origin: .keras),
  ]

  private static let unet = Configuration(
    widths: [64, 128, 256, 512, 1024], convolutions: 2, decoderConvolutions: 2, bias: false,
    normalization: .batch, activatesUpsampling: false, skips: .concatenate, outputKernel: 1,
    outputActivation: .none)

  static func build(_ c: Configuration, _ input: Value) -> [Value] {
    var x = input
    var skips: [Value] = []
    for (level, width) in c.widths.enumerated() {
      for i in 0..<c.convolutions {
        x = x.unit(c, "encoder.\(level)", i, width, stride: c.isStrided(level, i) ? 2 : 1)
      }
      skips.append(x)
      guard level < c.halvings else { continue }
      switch c.downsampling {
      case .max: x = x.maxPool(2)
      case .average: x = x.applying(.averagePool(AveragePool(Pool(kernel: 2), countsPadding: true)))
      case .stride: break
      }
    }
    for (step, level) in (0..<c.halvings).reversed().enumerated() {
      let name = "decoder.\(step)"
      let isImage = c.outputKernel == 0 && level == 0
      let width = isImage ? c.channels : c.width(restored: level)
      x = x.enlarged(c, name, width, isImage: isImage)
      if isImage { continue }
      switch c.skips {
      case .none: break
      case .add: x = x + skips[level]
      case .concatenate:
        x = Value.concatenate(c.skipFirst ? [skips[level], x] : [x, skips[level]])
      }
      for i in 0..<c.decoderConvolutions {
        let isNarrow = c.narrows && level > 0 && i == c.decoderConvolutions - 1
        x = x.unit(c, name, i, isNarrow ? c.widths[level - 1] : width)
      }
    }
    if c.outputKernel > 0 {
      x = x.convolution(
        "output", c.channels, kernel: Size(c.outputKernel), padding: c.padding(c.outputKernel))
    }
    switch c.outputActivation {
    case .none: break
    case .sigmoid: x = x.activation(.sigmoid)
    case .tanh: x = x.activation(.tanh)
    case .relu: x = x.relu()
    }
    return [c.residual ? x + input : x]
  }
}

extension Autoencoder.Configuration {
  var problem: String? {
    func out(_ name: String, _ expected: String, _ found: some CustomStringConvertible) -> String {
      "\(name): expected \(expected), found \(found)"
    }
    let least = bottleneck ? 2 : 1
    if !(least...8).contains(widths.count) {
      return out("widths", "\(least) to 8 levels", widths.count)
    }
    if !(1...8).contains(convolutions) { return out("convolutions", "1 to 8", convolutions) }
    if !(0...8).contains(decoderConvolutions) {
      return out("decoderConvolutions", "0 to 8", decoderConvolutions)
    }
    if kernel < 1 { return out("kernel", "1 or more", kernel) }
    if normalization == .group, groups < 1 || widths.contains(where: { $0 % groups != 0 }) {
      return out("groups", "a divisor of all widths", groups)
    }
    if upsampling == .transposed ? upKernel < 2 : upKernel < 1 && decoderConvolutions < 1 {
      return out("upKernel", upsampling == .transposed ? "2 or more" : "1 or more", upKernel)
    }
    if outputKernel == 0, skips != .none || narrows || upKernel == 0 {
      return out("outputKernel", "1 or more with skips, narrows or an upKernel of 0", 0)
    }
    if skips != .none, downsampling == .stride, !bottleneck {
      return out(
        "skips", "'none' where the last convolution of each level is strided", skips.rawValue)
    }
    if origin == .keras { return nil }
    let allStrided = downsampling == .stride && !bottleneck && convolutions == 1
    for (name, kernel, isFree) in [
      ("kernel", kernel, allStrided && decoderConvolutions == 0),
      ("upKernel", upKernel, upsampling == .transposed || upKernel == 0),
      ("outputKernel", outputKernel, outputKernel == 0),
    ] where kernel % 2 == 0 && !isFree {
      // At stride 1, no padding of PyTorch's keeps the size.
      return out(name, "an odd number with PyTorch's padding", kernel)
    }
    return nil
  }

  /// How often the image is halved.
  var halvings: Int { bottleneck ? widths.count - 1 : widths.count }

  /// Whether a convolution of the way down makes the image smaller.
  fileprivate func isStrided(_ level: Int, _ place: Int) -> Bool {
    guard downsampling == .stride else { return false }
    return bottleneck ? level > 0 && place == 0 : place == convolutions - 1
  }

  /// The channels after the upsampling to a level.
  fileprivate func width(restored level: Int) -> Int {
    if outputKernel > 0 { return widths[level] }
    return level > 0 ? widths[level - 1] : channels
  }

  /// PyTorch's that keeps or halves the size, or Keras's 'same'.
  fileprivate func padding(_ kernel: Int) -> Padding {
    origin == .keras ? .same : .explicit(PaddingAmounts(max(kernel - 1, 0) / 2))
  }

  fileprivate var function: Activation {
    switch activation {
    case .relu: .relu
    case .leakyRelu: .leakyRelu(slope: slope)
    case .elu: .elu(alpha: 1)
    case .selu: .selu
    case .gelu: .gelu(approximate: false)
    case .silu: .silu
    case .tanh: .tanh
    }
  }
}

extension Value {
  /// A convolution with its normalisation and activation.
  fileprivate func unit(
    _ c: Autoencoder.Configuration, _ stem: String, _ place: Int, _ width: Int, stride: Int = 1
  ) -> Value {
    convolution(
      "\(stem).\(stride > 1 ? "down" : "conv")\(place)", width, kernel: Size(c.kernel),
      stride: Size(stride), padding: c.padding(c.kernel),
      bias: c.bias
    ).activated(c, "\(stem).norm\(place)")
  }

  /// Twice as large.
  fileprivate func enlarged(
    _ c: Autoencoder.Configuration, _ stem: String, _ width: Int, isImage: Bool
  ) -> Value {
    let isActive = c.activatesUpsampling && !isImage
    let bias = c.bias || c.normalization == .none || !isActive
    let result: Value
    switch c.upsampling {
    case .transposed:
      result = transposedConvolution(
        "\(stem).up", width, kernel: Size(c.upKernel), stride: 2,
        padding: c.origin == .keras ? .keras(kernel: c.upKernel, stride: 2) : nil, bias: bias)
    case .nearest, .bilinear, .alignCorners:
      let large = applying(
        .resize(
          Resize(
            c.upsampling == .nearest ? .nearest : .linear, to: .factor(Ratio(2)),
            coordinates: c.upsampling == .alignCorners ? .alignCorners : .halfPixel)))
      if c.upKernel == 0 { return large }
      result = large.convolution(
        "\(stem).upconv", width, kernel: Size(c.upKernel), padding: c.padding(c.upKernel),
        bias: bias)
    }
    return isActive ? result.activated(c, "\(stem).upnorm") : result
  }

  /// Normalisation and activation, in the configuration's order.
  private func activated(_ c: Autoencoder.Configuration, _ name: String) -> Value {
    let x = c.normalizesLast ? activation(c.function) : self
    let isKeras = c.origin == .keras
    let normal =
      switch c.normalization {
      case .none: x
      case .batch:
        x.batchNormalization(
          name,
          BatchNormalization(
            epsilon: isKeras ? 1e-3 : 1e-5, momentum: isKeras ? 0.01 : 0.1))
      case .instance: x.instanceNormalization(name, InstanceNormalization(affine: false))
      case .instanceAffine: x.instanceNormalization(name)
      case .group:
        x.groupNormalization(
          name, GroupNormalization(groups: c.groups, epsilon: isKeras ? 1e-3 : 1e-5))
      }
    return c.normalizesLast ? normal : normal.activation(c.function)
  }
}

@section("aviary_architectures") @used
private let record: Registration = { unsafe register(Autoencoder.self, $0) }
