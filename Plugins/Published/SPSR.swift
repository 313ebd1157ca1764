internal import AviaryGraph

/// ESRGAN's network with a second branch that enlarges the image's gradients, from its own and from
/// features of the first.
///
/// Ma et al.: Structure-Preserving Super Resolution with Gradient Guidance. Reference: Maclory's SPSR,
/// which states no licence; from its facts.
enum SPSR: Architecture {
  struct Configuration: ArchitectureConfiguration {
    var channels = 3
    var scale = 4
    var features = 64
    /// Residual dense blocks of the first branch; the second sees what the 5th, 10th, 15th and 20th give.
    var blocks = 23
    /// Channels that each convolution of a dense block adds.
    var growth = 32

    /// Enlargements by 2.
    var steps: Int { scale.exponentOfTwo ?? 0 }

    var problem: String? {
      if ![1, 2, 4, 8].contains(scale) { return "scale: expected 1, 2, 4 or 8, found \(scale)" }
      return (20...64).contains(blocks) ? nil : "blocks: expected 20 to 64, found \(blocks)"
    }
  }

  static let info = ArchitectureInfo(
    "spsr", summary: "Residual dense blocks guided by the image's gradients",
    paper: "https://arxiv.org/abs/2003.13081", matchesStructure: false)

  static let presets: KeyValuePairs = [
    "x4": Configuration(),
    "x2": Configuration(scale: 2),
  ]

  static func build(_ c: Configuration, _ input: Value) -> [Value] {
    let first = input.convolution("model.0", c.features, kernel: 3)
    var x = first
    let second = input.gradient().convolution("b_fea_conv.0", c.features, kernel: 3)
    var branch = second
    for block in 0..<c.blocks {
      x = x.residualDense(growth: c.growth) { "model.1.sub.\(block).RDB\($0).conv\($1).0" }
      if block % 5 == 4, block < 20 {
        let name = "\(block / 5 + 1)"
        branch = Value.concatenate([branch, x])
          .residualDense(growth: c.growth) { "b_block_\(name).RDB\($0).conv\($1).0" }
          .convolution("b_concat_\(name).0", c.features, kernel: 3)
      }
    }
    x = x.convolution("model.1.sub.\(c.blocks)", c.features, kernel: 3) + first
    x = x.enlarged(c.steps, name: { "model.\(3 * $0 + 3)" })
      .convolution("model.\(3 * c.steps + 2)", c.features, kernel: 3).leakyRelu(0.2)
      .convolution("HR_conv1_new.0", c.features, kernel: 3)
    branch = branch.convolution("b_LR_conv.0", c.features, kernel: 3) + second
    branch = branch.enlarged(c.steps, name: { "b_module.\(3 * $0 + 1)" })
      .convolution("b_module.\(3 * c.steps)", c.features, kernel: 3).leakyRelu(0.2)
      .convolution("b_module.\(3 * c.steps + 2)", c.features, kernel: 3)
    return [
      Value.concatenate([branch, x])
        .residualDense(growth: c.growth) { "f_block.RDB\($0).conv\($1).0" }
        .convolution("f_concat.0", c.features, kernel: 3)
        .convolution("f_HR_conv0.0", c.features, kernel: 3).leakyRelu(0.2)
        .convolution("f_HR_conv1.0", c.channels, kernel: 3)
    ]
  }

  static func configurations(of weights: WeightIndex) -> [Proposal<Configuration>] {
    guard let first = weights.convolution("model.0"),
      let dense = weights.convolution("f_block.RDB1.conv1.0"),
      let number = weights.last(of: "model"), number >= 2, number % 3 == 2, number < 64,
      // A file of other kernels for the gradients would compute something else.
      weights.values["get_g_nopadding.weight_h"].map({ $0 == [0, 0, 0, -1, 0, 1, 0, 0, 0] })
        ?? true,
      weights.values["get_g_nopadding.weight_v"].map({ $0 == [0, -1, 0, 0, 0, 0, 0, 1, 0] }) ?? true
    else { return [] }
    return [
      Proposal(
        Configuration(
          channels: first[1], scale: 1 << ((number - 2) / 3), features: first[0],
          blocks: weights.count(of: "model.1.sub") - 1, growth: dense[0]))
    ]
  }

  static let valuesRead = ["get_g_nopadding.weight_h", "get_g_nopadding.weight_v"]

  static func unused(_ c: Configuration) -> [UnusedTensors] {
    [
      UnusedTensors(
        "HR_conv0_new.0", "it is model.\(3 * c.steps + 2) under a second name"),
      UnusedTensors("conv_w.0", "it gives the enlarged gradients, which only training looks at"),
      UnusedTensors("get_g_nopadding", "they are the differences of neighbouring pixels"),
    ].map { UnusedTensors($0.names + ".*", $0.reason) }
  }

  static func picture(_ c: Configuration) -> ImageSpec { .usual(c.channels) }
}

extension Value {
  /// Of each channel, how much it changes from pixel to pixel: the root of the squared differences of the
  /// neighbours, what lies beyond the edges being black.
  fileprivate func gradient() -> Value {
    func squared(_ before: PaddingAmounts, _ after: PaddingAmounts) -> Value {
      func moved(_ amounts: PaddingAmounts, _ cut: PaddingAmounts) -> Value {
        applying(.pad(Pad(amounts, .zero))).applying(.crop(Crop(cut)))
      }
      let difference = moved(after, before) - moved(before, after)
      return difference * difference
    }
    let down = squared(PaddingAmounts(1, 0, 0, 0), PaddingAmounts(0, 0, 1, 0))
    let right = squared(PaddingAmounts(0, 1, 0, 0), PaddingAmounts(0, 0, 0, 1))
    return (down + right).plus(1e-6).activation(.sqrt)
  }

  /// Enlarged by 2 as often as stated, each time with a convolution.
  fileprivate func enlarged(_ steps: Int, name: (Int) -> String) -> Value {
    (0..<steps).reduce(self) { x, step in
      x.resize(.nearest, by: 2).convolution(name(step), channels, kernel: 3).leakyRelu(0.2)
    }
  }
}

@section("aviary_architectures") @used
private let record: Registration = { unsafe register(SPSR.self, $0) }
