import AviaryCheckpoint
import Aviary
import AviaryCompute
import AviaryGraph
import AviaryTensor
import AviaryTestSupport
import AviaryTraining
import Testing

/// The distance of features against PyTorch, and what is made of networks.
@Suite struct PerceptualLossTests {
  private static let layers = ["features.3": 0.5, "features.5": 2.0]

  /// The fixture's network, as a user would have it: by its name in the registry.
  private func network(_ fixture: LossFixture) throws -> FeatureNetwork {
    let network = try Registry.builtin["vgg"].network([
      "features": [4, 6], "convolutions": [2, 1],
    ])
    return try FeatureNetwork(network.graph, picture: network.picture, layers: Self.layers) {
      try fixture["perceptual.weights.\($0.name)"]
    }
  }

  @Test(arguments: ["rgb", "gray"], [true, false])
  func agreesWithPyTorch(_ colour: String, isSquared: Bool) throws {
    let fixture = try LossFixture()
    var loss = try PerceptualLoss(
      network(fixture), picture: ImageSpec(colour == "rgb" ? .rgb : .gray), isSquared: isSquared,
      engine: Engine(threads: 1))
    let channels = colour == "rgb" ? 3 : 1
    let result = try fixture["result"].first(channels)
    let target = try fixture["target"].first(channels)
    let stem = "perceptual.\(colour).\(isSquared ? "squared" : "absolute")"
    // Twice: the second time with the plans of the first.
    for _ in 0..<2 {
      let found = try loss.evaluate(result, target)
      let value = try fixture.value("\(stem).value")
      #expect(abs(found.value - value) <= 1e-5 * value, "expected \(found.value), \(value)")
      let agreement = Agreement(found.gradient, expected: try fixture["\(stem).gradient"])
      #expect(agreement.relative <= 1e-4, "\(agreement)")
    }
  }

  /// Only what leads to the nodes is asked for, and inference's normalisation is part of the graph.
  @Test func networksAreTakenApart() throws {
    let network = try Registry.builtin["vgg"].network([
      "features": [3, 4, 5], "convolutions": [1, 2, 1], "batchNormalization": true,
    ])
    let weights = randomWeights(for: network.graph, seed: 5)
    var asked: [String] = []
    let features = try FeatureNetwork(
      network.graph, picture: network.picture, layers: ["features.6": 1, "features.2": 3]
    ) {
      asked.append($0.name)
      return try #require(weights[$0.name])
    }
    #expect(!asked.contains { $0.hasPrefix("features.7") || $0.contains("num_batches") })
    #expect(features.graph.outputs.map(\.name) == ["features.2", "features.6"])
    #expect(
      features.parameters.keys.sorted() == [
        "features.0.bias", "features.0.weight", "features.4.bias", "features.4.weight",
      ])
    let input = ["image": randomTensor([2, 3, 9, 8], seed: 6)]
    let whole = try Graph(
      inputs: network.graph.inputs, nodes: network.graph.nodes,
      outputs: ["features.2", "features.6"].map { name in
        let position = network.graph.nodes.firstIndex { $0.name == name } ?? 0
        return Graph.Output(name, value: position + 1)
      })
    let expected = try naive(whole, weights: weights, inputs: input)
    let found = try naive(features.graph, weights: features.parameters, inputs: input)
    for (name, tensor) in expected {
      let agreement = Agreement(try #require(found[name]), expected: tensor)
      #expect(agreement.relative <= 1e-6, "\(name): \(agreement)")
    }
  }

  @Test(arguments: [("vgg16", "relu", "features.15"), ("vgg19", "convolution", "features.34")])
  func theArchitectureSaysWhatIsCompared(_ preset: String, _ op: String, _ node: String) throws {
    let architecture = try Registry.builtin["vgg"]
    let network = try architecture.network(architecture.preset(preset))
    let features = try FeatureNetwork(network.graph, picture: network.picture) {
      try Tensor(zeros: $0.shape)
    }
    #expect(features.layers == [node: 1])
    #expect(features.graph.nodes.last?.name == node)
    #expect(features.graph.nodes.last?.op.name == op)
  }

  @Test func whatDoesNotFit() throws {
    let network = try Registry.builtin["vgg"].network([
      "features": [4, 6], "convolutions": [2, 1],
    ])
    func problem(_ layers: [String: Double], shape: [Int]? = nil) -> String {
      let error = #expect(throws: TrainingError.self) {
        try FeatureNetwork(network.graph, picture: network.picture, layers: layers) {
          try Tensor(zeros: shape ?? $0.shape)
        }
      }
      return error?.description ?? ""
    }
    #expect(
      problem(["feature.3": 1])
        == "perceptual.layers.feature.3: no such field; did you mean features.3?")
    #expect(
      problem(["features.3": 0])
        == "perceptual.layers.features.3: expected a number above 0, found 0.0")
    #expect(
      problem([:], shape: [2])
        == "perceptual.checkpoint: expected features.0.weight of shape [4, 3, 3, 3], found shape [2]"
    )
    let features = try FeatureNetwork(network.graph, picture: network.picture) {
      try Tensor(zeros: $0.shape)
    }
    let engine = try Engine(threads: 1)
    func refusal(_ picture: ImageSpec) -> String {
      let error = #expect(throws: TrainingError.self) {
        try PerceptualLoss(features, picture: picture, engine: engine)
      }
      return error?.description ?? ""
    }
    #expect(
      refusal(ImageSpec(.ycbcr))
        == "perceptual: expected images in rgb, gray or luma, found ycbcr")
    #expect(
      refusal(ImageSpec(.rgb, output: .residual))
        == "perceptual: expected a network that gives images, found one that gives residual")
    var loss = try PerceptualLoss(features, picture: ImageSpec(.rgb), engine: engine)
    let gray = randomTensor([1, 1, 8, 8], seed: 1)
    let error = #expect(throws: TrainingError.self) { try loss.evaluate(gray, gray) }
    #expect(
      error?.description
        == "perceptual: result: expected N x 3 x height x width, found [1, 1, 8, 8]")
  }
}

extension Tensor {
  /// The first channels of images.
  fileprivate func first(_ channels: Int) throws -> Tensor {
    let plane = shape[2] * shape[3]
    let values = floats
    return try Tensor(
      shape: [shape[0], channels, shape[2], shape[3]],
      (0..<shape[0]).flatMap { n in
        values[n * shape[1] * plane..<(n * shape[1] + channels) * plane]
      })
  }
}
