import Aviary
import AviaryCompute
import AviaryGraph
import AviaryTensor
import AviaryTraining
import Foundation
import Testing

/// Convolutions that subtract and add the mean colour hold it in new networks, and keep it.
@Suite("frozen layers") struct FrozenLayerTests {
  struct Case: Sendable, CustomTestStringConvertible {
    var name: String
    var configuration: JSON
    /// The layer that subtracts, the one that adds, and what white is.
    var subtracting = "sub_mean"
    var adding = "add_mean"
    var white: Float = 255

    var testDescription: String { "\(name) \(configuration.text)" }

    func network() throws -> Network { try Registry.builtin[name].network(configuration) }
  }

  static let cases: [Case] = [
    Case(name: "edsr", configuration: ["features": 4, "blocks": 1]),
    Case(name: "edsr", configuration: ["features": 4, "blocks": 1, "range": 1], white: 1),
    Case(name: "mdsr", configuration: ["features": 4, "blocks": 1]),
    Case(name: "mdsr", configuration: ["features": 4, "blocks": 1, "range": 1], white: 1),
    Case(
      name: "rcan",
      configuration: ["scale": 2, "features": 4, "groups": 1, "blocks": 1, "squeezed": 2]),
    Case(
      name: "carn", configuration: ["features": 8, "groups": 1, "multiScale": false],
      subtracting: "sub_mean.shifter", adding: "add_mean.shifter", white: 1),
    Case(
      name: "man", configuration: ["scale": 2, "features": 6, "groups": 1, "blocks": 1], white: 1),
  ]

  @Test(arguments: cases, Recipe.Initialization.allCases)
  func newNetworksHoldTheMean(_ wanted: Case, _ kind: Recipe.Initialization) throws {
    let graph = try wanted.network().graph
    let weights = try Initializer(graph, kind, seed: 7).parameters()
    let mean: [Float] = [0.4488, 0.4371, 0.4040]
    for (layer, sign) in [(wanted.subtracting, Float(-1)), (wanted.adding, 1)] {
      #expect(weights["\(layer).weight"]?.floats == [1, 0, 0, 0, 1, 0, 0, 0, 1])
      let bias = try #require(weights["\(layer).bias"]?.floats)
      for (value, mean) in zip(bias, mean) {
        #expect(abs(value - sign * mean * wanted.white) <= 1e-6 * wanted.white)
      }
      for word in ["weight", "bias"] {
        #expect(graph.parameters.first { $0.name == "\(layer).\(word)" }?.role == .frozen)
      }
    }
  }

  /// The layer before the one that adds the mean is the network's last that learns.
  @Test(arguments: [("edsr", "tail.1.weight"), ("mdsr", "tail.0.weight"), ("carn", "exit.weight")])
  func lastLearnedLayerStartsAtZero(_ name: String, _ last: String) throws {
    let wanted = try #require(Self.cases.first { $0.name == name })
    let weights = try Initializer(wanted.network().graph, .zeroLast, seed: 7).parameters()
    #expect(weights[last]?.floats.allSatisfy { $0 == 0 } == true)
    #expect(weights["\(wanted.adding).weight"]?.floats == [1, 0, 0, 0, 1, 0, 0, 0, 1])
  }

  @Test(arguments: cases) func untrainedModelsHoldTheMean(_ wanted: Case) throws {
    let (_, weights) = try Zoo(folders: []).untrained(
      wanted.name, configuration: wanted.configuration)
    #expect(weights["\(wanted.subtracting).weight"]?.floats == [1, 0, 0, 0, 1, 0, 0, 0, 1])
  }

  @Test(arguments: cases) func writtenDownAndReadAgain(_ wanted: Case) throws {
    let graph = try wanted.network().graph
    #expect(graph.initialValues.count == 4)
    let again = try Graph(json: JSON(parsing: graph.json.text))
    #expect(again == graph)
    #expect(try graph.resolvingPadding(height: 8, width: 8).initialValues == graph.initialValues)
  }

  @Test(arguments: cases) func trainingLeavesThem(_ wanted: Case) throws {
    let network = try wanted.network()
    let graph = network.graph
    let engine = try Engine(threads: 1)
    let start = try Initializer(graph, .he, seed: 1).parameters()
    let scale = try #require(graph.scale(ofOutput: 0)?.numerator)
    var recipe = OptimizerRecipe(learningRate: 1e-2)
    recipe.weightDecay = 0.1
    var trainer = try Trainer(
      graph, batchShape: [1, 3, 8, 8], parameters: start,
      losses: try CombinedLoss(
        [LossRecipe(.l1)], picture: network.picture, engine: engine,
        features: { _ in throw CancellationError() }),
      optimizer: try Optimizer(
        recipe,
        parameters: graph.parameters.filter { $0.role == .weight }.map { ($0.name, $0.shape) }),
      settings: Trainer.Settings(), engine: engine)
    var generator = SeededGenerator(seed: 3, 1)
    let input = try Tensor(
      shape: [1, 3, 8, 8], (0..<192).map { _ in Float(generator.unit()) * wanted.white })
    let side = 8 * scale
    let target = try Tensor(
      shape: [1, 3, side, side],
      (0..<3 * side * side).map { _ in Float(generator.unit()) * wanted.white })
    for _ in 0..<3 { _ = try trainer.step([Batch(input: input, target: target)], rate: 1e-2) }
    for parameter in graph.parameters where parameter.role != .nonPersistent {
      let before = start[parameter.name]?.floats ?? []
      let after = trainer.parameters[parameter.name]?.floats ?? []
      if parameter.role == .frozen {
        #expect(
          !before.isEmpty && before.map(\.bitPattern) == after.map(\.bitPattern),
          "\(parameter.name)")
      } else {
        #expect(before != after, "\(parameter.name)")
      }
    }
  }
}
