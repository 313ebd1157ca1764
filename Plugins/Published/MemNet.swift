internal import AviaryGraph

/// Recursive blocks, and gates that choose among what all of them remember.
///
/// Tai et al.: MemNet: A Persistent Memory Network for Image Restoration. Reference: Lornatang's
/// MemNet-PyTorch (Apache-2.0). A block's whole unit runs as many times as it has residual blocks, with
/// the same parameters.
enum MemNet: Architecture {
  struct Configuration: ArchitectureConfiguration {
    var channels = 3
    var features = 64
    /// Memory blocks.
    var blocks = 6
    /// Residual blocks of a memory block, and how often it runs them all.
    var recursions = 6
    var scale: Int { 1 }

    var problem: String? {
      if !(1...12).contains(recursions) {
        return "recursions: expected 1 to 12, found \(recursions)"
      }
      return (1...16).contains(blocks) ? nil : "blocks: expected 1 to 16, found \(blocks)"
    }
  }

  static let info = ArchitectureInfo(
    "memnet", summary: "Recursive blocks with gates over all that came before",
    paper: "https://arxiv.org/abs/1708.02209", matchesStructure: false)

  static let presets: KeyValuePairs = [
    "m6r6": Configuration(),
    "m6r6-gray": Configuration(channels: 1),
  ]

  static func build(_ c: Configuration, _ input: Value) -> [Value] {
    let first = input.activatedFirst("feature_extractor", 0, c.features, kernel: 3)
    var memories = [first]
    for block in 0..<c.blocks {
      let name = "dense_memory_blocks.\(block)"
      var x = memories[block]
      var rounds: [Value] = []
      for round in 0..<c.recursions {
        for unit in 0..<c.recursions {
          let stem = "\(name).recursive_unit.\(unit).residual_block"
          let isShared = round > 0
          x =
            x.activatedFirst(stem, 0, c.features, kernel: 3, shared: isShared)
            .activatedFirst(stem, 3, c.features, kernel: 3, shared: isShared) + x
        }
        rounds.append(x)
      }
      memories.append(
        Value.concatenate(rounds + memories)
          .activatedFirst("\(name).gate_unit", 0, c.features, kernel: 1))
    }
    let found = memories[c.blocks].activatedFirst("reconstructor", 0, c.channels, kernel: 1)
    return [(found + input).activation(.clamp(minimum: 0, maximum: 1))]
  }

  static func configurations(of weights: WeightIndex) -> [Proposal<Configuration>] {
    guard let first = weights.convolution("feature_extractor.2"),
      weights.has("dense_memory_blocks.0.gate_unit.")
    else { return [] }
    return [
      Proposal(
        Configuration(
          channels: first[1], features: first[0], blocks: weights.count(of: "dense_memory_blocks"),
          recursions: weights.count(of: "dense_memory_blocks.0.recursive_unit")))
    ]
  }

  static func picture(_ c: Configuration) -> ImageSpec {
    ImageSpec(c.channels == 1 ? .luma : .rgb, enlargeFirst: .bicubic, scales: [2, 3, 4])
  }
}

extension Value {
  /// Batch normalisation, ReLU and a convolution, numbered from `number` on.
  fileprivate func activatedFirst(
    _ name: String, _ number: Int, _ outChannels: Int, kernel: Size, shared: Bool = false
  ) -> Value {
    batchNormalization("\(name).\(number)", shared: shared).relu()
      .convolution(
        "\(name).\(number + 2)", outChannels, kernel: kernel, bias: false, shared: shared)
  }
}

@section("aviary_architectures") @used
private let record: Registration = { unsafe register(MemNet.self, $0) }
