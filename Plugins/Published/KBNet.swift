internal import AviaryGraph

/// NAFNet's U-Net with a convolution of whose kernels every pixel has a mixture of its own.
///
/// Zhang et al.: KBNet: Kernel Basis Network for Image Restoration. Reference: zhangyi-3's KBNet (MIT), by
/// way of spandrel.
enum KBNet: Architecture {
  struct Configuration: ArchitectureConfiguration {
    var channels = 3
    /// Channels of the first level; each further level has twice as many.
    var features = 64
    /// Blocks of each level on the way down.
    var encoders = [2, 2, 4, 8]
    /// Blocks at the bottom.
    var middle = 12
    /// Blocks of each level on the way up, the lowest first.
    var decoders = [2, 2, 2, 2]
    /// How many times as many channels the gated layer has.
    var expansion = 2
    /// Whether the convolution beside the mixed one is depthwise, of 3x3, and not of 5x5 in groups.
    var isLight = false
    /// How many kernels are mixed.
    var kernels = 32
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
      if !(1...8).contains(expansion) { return "expansion: expected 1 to 8, found \(expansion)" }
      if !(1...256).contains(kernels) { return "kernels: expected 1 to 256, found \(kernels)" }
      // Beyond 32 channels the weights of the mixture come from as many groups.
      let widths = (0...encoders.count).map { features << $0 }
      return features <= 512 && widths.allSatisfy { $0 > 0 && $0 % ($0 < 32 ? 4 : 32) == 0 }
        ? nil
        : "features: expected a multiple of 4 that gives multiples of 32 from 32 on, found \(features)"
    }
  }

  static let info = ArchitectureInfo(
    "kbnet", summary: "A U-Net of convolutions with a mixture of kernels for each pixel",
    paper: "https://arxiv.org/abs/2303.02881", matchesStructure: false)

  static let presets: KeyValuePairs = [
    "denoising": Configuration(),
    "light": Configuration(isLight: true),
  ]

  static func build(_ c: Configuration, _ input: Value) -> [Value] {
    let padded = input.padded(toMultiple: Size(1 << c.encoders.count))
    var x = padded.convolution("intro", c.features, kernel: 3)
    var skips: [Value] = []
    for (level, count) in c.encoders.enumerated() {
      for block in 0..<count { x = x.kernelBasisBlock("encoders.\(level).\(block)", c) }
      skips.append(x)
      x = x.convolution("downs.\(level)", 2 * x.channels, kernel: 2, stride: 2, padding: .valid)
    }
    for block in 0..<c.middle { x = x.kernelBasisBlock("middle_blks.\(block)", c) }
    for (level, (count, skip)) in zip(c.decoders, skips.reversed()).enumerated() {
      x =
        x.convolution("ups.\(level).0", 2 * x.channels, kernel: 1, bias: false).pixelShuffle(2)
        + skip
      for block in 0..<count { x = x.kernelBasisBlock("decoders.\(level).\(block)", c) }
    }
    let output = x.convolution("ending", c.channels, kernel: 3) + padded
    return [output.cropped(toSizeOf: input)]
  }

  static func configurations(of weights: WeightIndex) -> [Proposal<Configuration>] {
    let block = "middle_blks.0"
    guard let first = weights.convolution("intro"), let basis = weights["\(block).w"],
      basis.count == 3, let gate = weights.convolution("\(block).conv4"),
      let local = weights.convolution("\(block).conv11.1")
    else { return [] }
    func blocks(_ prefix: String) -> [Int] {
      (0..<weights.count(of: prefix)).map { weights.count(of: "\(prefix).\($0)") }
    }
    return [
      Proposal(
        Configuration(
          channels: first[1], features: first[0], encoders: blocks("encoders"),
          middle: weights.count(of: "middle_blks"), decoders: blocks("decoders"),
          expansion: gate[0] / gate[1], isLight: local[2] == 3, kernels: basis[1]))
    ]
  }

  static func picture(_ c: Configuration) -> ImageSpec { .usual(c.channels) }
}

extension Value {
  fileprivate func kernelBasisBlock(_ name: String, _ c: KBNet.Configuration) -> Value {
    let normal = channelsNormalized("\(name).norm1")
    let attention = normal.globalMean().convolution("\(name).sca.1", channels, kernel: 1)
    let local = normal.convolution("\(name).conv11.0", channels, kernel: 1)
      .convolution(
        "\(name).conv11.1", channels, kernel: c.isLight ? 3 : 5,
        groups: c.isLight ? channels : channels / 4)
    let plain = normal.convolution("\(name).conv1", channels, kernel: 1)
      .depthwise("\(name).conv21", kernel: 3)
    let mixed =
      plain.mixingKernels(
        name, weights: normal.kernelWeights(name, c.kernels, most: 32), kernels: c.kernels,
        groupSize: 4
      )
      .scaledPerChannel("\(name).ga1") + plain
    let y =
      self
      + (mixed * local * attention).convolution("\(name).conv3", channels, kernel: 1)
      .scaledPerChannel("\(name).beta")
    return y
      + y.channelsNormalized("\(name).norm2")
      .convolution("\(name).conv4", c.expansion * channels, kernel: 1).gatedByHalves()
      .convolution("\(name).conv5", channels, kernel: 1).scaledPerChannel("\(name).gamma")
  }

  /// The weight that each kernel has at each pixel, by layers of this name, of at most so many groups.
  func kernelWeights(_ name: String, _ kernels: Int, most: Int) -> Value {
    let width = min(channels, most)
    return convolution("\(name).conv2.0", width, kernel: 3, groups: width).gatedByHalves()
      .convolution("\(name).conv2.2", kernels, kernel: 1).scaledPerChannel("\(name).attgamma")
      + convolution("\(name).conv211", kernels, kernel: 1)
  }

  /// A convolution in groups of so many channels, whose kernel is for each pixel the sum of learned ones
  /// times its weights. Kernels are learned as one parameter `w`, biases as `b`.
  ///
  /// It is linear in the kernels: the convolutions with them are added with the weights, some at a time.
  func mixingKernels(_ name: String, weights: Value, kernels: Int, groupSize: Int) -> Value {
    let groups = channels / max(groupSize, 1)
    let area = 9
    let all = learnedConstant(
      "\(name).w", [1, kernels, channels * groupSize * area], start: nil
    ).applying(.reshape(Reshape([kernels, groups, groupSize * groupSize * area])))
    let biases = learnedConstant("\(name).b", [1, kernels, channels])
      .applying(.reshape(Reshape([kernels, groups, groupSize])))
    var sum: Value?
    for first in stride(from: 0, to: kernels, by: 8) {
      let count = min(8, kernels - first)
      // Group by group, since the convolution takes them so.
      func part(_ value: Value, _ shape: [Int]) -> Value {
        value.applying(
          .stridedSlice(StridedSlice(dimension: 0, start: first, end: first + count))
        )
        .applying(.permute(Permute([1, 0, 2]))).applying(.reshape(Reshape(shape)))
      }
      let outputs = groups * count * groupSize
      let convolved = applying(
        .dynamicConvolution(
          DynamicConvolution(groups: groups, padding: .explicit(PaddingAmounts(1)))),
        part(all, [outputs, groupSize, 3, 3]), part(biases, [outputs]))
      func split(_ image: Value, _ middle: [Int]) -> Value {
        image.applying(
          .reshape(
            Reshape(
              dimensions: [.kept] + middle.map { .size($0) } + [
                .input(2, times: Ratio(1)), .input(3, times: Ratio(1)),
              ])))
      }
      let weighed =
        split(convolved, [groups, count, groupSize])
        * split(weights.channels(first, count), [1, count, 1])
      let part = weighed.applying(
        .reduce(Reduction(.sum, dimensions: [2], keepsDimensions: false)))
      sum = sum.map { $0 + part } ?? part
    }
    guard let sum else { return self }
    return sum.applying(
      .reshape(
        Reshape(dimensions: [
          .kept, .size(channels), .input(3, times: Ratio(1)), .input(4, times: Ratio(1)),
        ])))
  }
}

@section("aviary_architectures") @used
private let record: Registration = { unsafe register(KBNet.self, $0) }
