@testable import AviaryGraph

/// A small architecture with everything that the tests of registry and recognition need: an option
/// that shapes do not show, one of each type, and a published source with names of its own.
enum Toy: Architecture {
  struct Configuration: ArchitectureConfiguration {
    enum Nonlinearity: String, Codable, Sendable { case relu, tanh }
    struct Tail: Codable, Hashable, Sendable {
      var kernel = 3
      var bias = true
    }

    var channels = 1
    var scale = 2
    var features = 8
    var blocks = [1, 2]
    var slope = 0.1
    var activation = Nonlinearity.relu
    var skip = false
    var tail = Tail()

    var problem: String? {
      blocks.isEmpty ? "blocks: expected at least one, found none" : nil
    }
  }

  static let info = ArchitectureInfo("toy", summary: "A toy", paper: "https://example.org/toy")

  static let presets: KeyValuePairs = [
    "default": Configuration(), "wide": Configuration(features: 32),
  ]

  static func build(_ c: Configuration, _ input: Value) -> [Value] {
    var x = input.convolution("head", c.features, kernel: 3).leakyRelu(c.slope)
    for (block, count) in c.blocks.enumerated() {
      for i in 0..<count {
        x = x.convolution("body.\(block).\(i)", c.features, kernel: 3)
          .activation(c.activation == .relu ? .relu : .tanh)
      }
    }
    let y = x.convolution(
      "tail", c.channels * c.scale * c.scale, kernel: Size(c.tail.kernel), bias: c.tail.bias
    ).pixelShuffle(c.scale)
    return [c.skip ? y + input.resize(.linear, by: c.scale) : y]
  }

  static func configurations(of weights: WeightIndex) -> [Proposal<Configuration>] {
    guard let head = weights.convolution("head"), let tail = weights.convolution("tail") else {
      return []
    }
    let c = Configuration(
      channels: head[1], scale: (1...4).first { $0 * $0 * head[1] == tail[0] } ?? 1,
      features: head[0],
      blocks: (0..<weights.count(of: "body")).map { weights.count(of: "body.\($0)") },
      tail: .init(kernel: tail[2], bias: weights["tail.bias"] != nil))
    return [Proposal(c, assumed: ["slope", "activation", "skip"])]
  }

  static let publishedNames = [
    NameMap("someone/toy", ["conv_first": "head", "body.{i}.conv{j+1}": "body.{i}.{j}"])
  ]
}

extension AnyArchitecture {
  /// The toy under another name.
  static func toy(_ name: String) -> AnyArchitecture {
    let toy = AnyArchitecture(Toy.self)
    var info = toy.info
    info.name = name
    return AnyArchitecture(
      info: info, presets: toy.presets, publishedNames: toy.publishedNames,
      build: { configuration in
        let network = try toy.network(configuration)
        return (network.graph, network.picture, network.unused)
      }, propose: { try toy.proposals(for: $0) })
  }
}
