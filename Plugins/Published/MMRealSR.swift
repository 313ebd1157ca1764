internal import AviaryGraph

/// ESRGAN's network, modulated by how blurred and how noisy the image is, which a part of its own
/// estimates.
///
/// Mou et al.: Metric Learning Based Interactive Modulation for Real-World Super-Resolution. Reference:
/// TencentARC's MM-RealSR (BSD-3-Clause).
enum MMRealSR: Architecture {
  struct Configuration: ArchitectureConfiguration {
    var channels = 3
    var features = 64
    var blocks = 23
    /// Channels that each convolution of a dense block adds.
    var growth = 32
    /// How many degrees of degradation are estimated: of blur and of noise.
    var degradations = 2
    /// Channels of each stage of what estimates them.
    var stages = [64, 128, 256, 512]
    /// Residual blocks of each stage.
    var stageBlocks = [2, 2, 2, 2]
    /// Strides of the convolutions that follow the stages; the last stage has one only where it is 2.
    var strides = [2, 2, 2, 1]

    /// By what it enlarges: 4, as the only published network.
    var scale = 4

    var problem: String? {
      if scale != 4 { return "scale: expected 4, found \(scale)" }
      if !(1...8).contains(stages.count) || stageBlocks.count != stages.count
        || strides.count != stages.count
      {
        return "stages, stageBlocks and strides: expected 1 to 8 of each, found \(stages.count), "
          + "\(stageBlocks.count) and \(strides.count)"
      }
      if let stride = strides.first(where: { !(1...2).contains($0) }) {
        return "strides: expected 1 or 2, found \(stride)"
      }
      if let blocks = stageBlocks.first(where: { $0 > 32 }) {
        return "stageBlocks: expected 0 to 32, found \(blocks)"
      }
      if !(1...16).contains(degradations) {
        return "degradations: expected 1 to 16, found \(degradations)"
      }
      return (1...64).contains(blocks) ? nil : "blocks: expected 1 to 64, found \(blocks)"
    }

    /// Whether a convolution follows a stage, and to how many channels.
    func transition(_ stage: Int) -> Int? {
      let next = stages[min(stage + 1, stages.count - 1)]
      return strides[stage] == 2 || next != stages[stage] ? next : nil
    }
  }

  static let info = ArchitectureInfo(
    "mm-realsr", summary: "ESRGAN's network, modulated by estimated degradation",
    paper: "https://arxiv.org/abs/2205.05065", matchesStructure: false)

  static let presets: KeyValuePairs = ["x4": Configuration()]

  /// The width of the layers that make the modulation.
  private static let embedding = 512

  static func build(_ c: Configuration, _ input: Value) -> [Value] {
    let degrees = (0..<c.degradations).map { degree(c, $0, input) }
    let degradation = (degrees.count == 1 ? degrees[0] : Value.concatenate(degrees))
      .linear("dd_embed.0", embedding).relu()
    let first = input.convolution("conv_first", c.features, kernel: 3)
    var x = first
    for block in 0..<c.blocks {
      x = x.residualDense(growth: c.growth) { "body.\(block).rdb\($0).conv\($1)" }
      let width = (embedding + 2 * c.features) / 2
      let name = "am_list.\(block).fc"
      let factors = degradation.linear("\(name).0", width).relu().linear("\(name).2", width).relu()
        .linear("\(name).4", 2 * c.features).applying(.reshape(Reshape([0, -1, 1, 1])))
      x =
        x * factors.channels(0, c.features).plus(1) + factors.channels(c.features, c.features)
    }
    x = x.convolution("conv_body", c.features, kernel: 3) + first
    for step in 1...2 {
      x = x.resize(.nearest, by: 2).convolution("conv_up\(step)", c.features, kernel: 3)
        .leakyRelu(0.2)
    }
    return [
      x.convolution("conv_hr", c.features, kernel: 3).leakyRelu(0.2)
        .convolution("conv_last", c.channels, kernel: 3)
    ]
  }

  /// How degraded the image is in one respect, from 0 to 1.
  private static func degree(_ c: Configuration, _ number: Int, _ input: Value) -> Value {
    var x = input.convolution("de_net.conv_first.\(number)", c.stages[0], kernel: 3)
    var place = 0
    for stage in c.stages.indices {
      for _ in 0..<c.stageBlocks[stage] {
        let name = "de_net.body.\(number).\(place)"
        x = x.residual("\(name).conv1", "\(name).conv2")
        place += 1
      }
      if let next = c.transition(stage) {
        x = x.convolution(
          "de_net.body.\(number).\(place)", next, kernel: 3, stride: Size(c.strides[stage]),
          padding: .explicit(PaddingAmounts(1)))
        place += 1
      }
    }
    let name = "de_net.fc_degree.\(number)"
    return x.globalMean().applying(.reshape(Reshape([0, -1]))).linear("\(name).0", embedding).relu()
      .linear("\(name).2", 1).sigmoid()
  }

  static func configurations(of weights: WeightIndex) -> [Proposal<Configuration>] {
    guard let first = weights.convolution("conv_first"),
      let dense = weights.convolution("body.0.rdb1.conv1"),
      weights.has("am_list.0.fc.0."), let embedded = weights["dd_embed.0.weight"],
      embedded.count == 2
    else { return [] }
    var c = Configuration(channels: first[1], features: first[0], growth: dense[0])
    (c.blocks, c.degradations) = (weights.count(of: "body"), embedded[1])
    (c.stages, c.stageBlocks, c.strides) = ([], [], [])
    var blocks = 0
    for place in 0..<weights.count(of: "de_net.body.0") {
      let name = "de_net.body.0.\(place)"
      if weights.convolution("\(name).conv1") != nil {
        blocks += 1
      } else if let transition = weights.convolution(name) {
        c.stages.append(transition[1])
        c.stageBlocks.append(blocks)
        c.strides.append(2)
        blocks = 0
      }
    }
    if blocks > 0, let degree = weights["de_net.fc_degree.0.0.weight"], degree.count == 2 {
      c.stages.append(degree[1])
      c.stageBlocks.append(blocks)
      c.strides.append(1)
    }
    // A convolution of stride 1 would have the same shape.
    return [Proposal(c, assumed: ["strides"])]
  }

  static func picture(_ c: Configuration) -> ImageSpec { .usual(c.channels) }
}

@section("aviary_architectures") @used
private let record: Registration = { unsafe register(MMRealSR.self, $0) }
