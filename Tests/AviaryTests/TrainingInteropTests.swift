import Aviary
import AviaryCheckpoint
import AviaryCompute
import AviaryGraph
import AviaryTensor
import AviaryTestSupport
import AviaryTraining
import Foundation
import Testing

/// The folder that Tests/Interop/training.py filled; nil where it did not.
private let trainingFolder = ProcessInfo.processInfo.environment["AVIARY_TRAINING_FOLDER"]

/// The same training as in PyTorch: same weights to begin with, same batches, Adam at 5e-5, mean
/// squared error. The losses agree to 1e-3 over 100 steps. (Why not Adam at 1e-3: see training.py.)
@Suite("trainings of PyTorch's, repeated", .enabled(if: trainingFolder != nil))
struct TrainingInteropTests {
  @Test(arguments: ["residual-cae", "plain-cae"], [false, true])
  func lossCurves(_ name: String, _ exact: Bool) throws {
    let folder = try #require(trainingFolder)
    let model = try StoredModel.imported(
      from: "\(folder)/\(name).weights.safetensors",
      ImportOptions(architecture: name, configuration: ["origin": "pytorch"]), registry: .builtin
    ).loaded()
    let batches = try WeightsFile.read("\(folder)/\(name).batches.safetensors").tensors.loaded()
    let data = try #require(
      FileManager.default.contents(atPath: "\(folder)/\(name).losses.json"))
    let expected = try JSONDecoder().decode([Double].self, from: data)
    #expect(expected.count == 100)

    let engine = try Engine(threads: 2)
    let learned = model.graph.parameters.filter { $0.role == .weight }
    let first = try #require(batches["input.0"])
    var settings = Trainer.Settings()
    settings.options = PlanOptions(exact: exact)
    var trainer = try Trainer(
      model.graph, batchShape: first.shape,
      parameters: Dictionary(uniqueKeysWithValues: model.weights.map { ($0.name, $0.tensor) }),
      losses: CombinedLoss([LossRecipe(.l2)], picture: model.picture, engine: engine) { _ in
        throw TrainingError.training("features", expected: "none", found: "some")
      },
      optimizer: Optimizer(OptimizerRecipe(), parameters: learned.map { ($0.name, $0.shape) }),
      settings: settings, engine: engine)
    var largest = 0.0
    for (step, loss) in expected.enumerated() {
      let batch = Batch(
        input: try #require(batches["input.\(step)"]),
        target: try #require(batches["target.\(step)"]))
      let found = try trainer.step([batch], rate: 5e-5).loss
      largest = max(largest, abs(found - loss) / loss)
    }
    print("\(name)\(exact ? ", exact" : ""): losses differ from PyTorch's by \(largest) at most")
    #expect(largest <= 1e-3)
  }
}
