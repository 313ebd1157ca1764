import AviaryCheckpoint
import AviaryFormats
import Aviary
import AviaryCompute
import AviaryGraph
import AviaryTensor
import AviaryTestSupport
import Foundation
import Testing

/// Weights that other people published in Keras's format, recognised and run, against what Keras
/// computes with them (Tests/Fixtures/published). Skipped where the weights are not there.
@Suite(.enabled(if: SharedFolder.isPresent)) struct PublishedKerasTests {
  struct Published: Sendable, CustomTestStringConvertible {
    var file: String
    var scale: Int?
    var configuration: JSON = [:]
    var testDescription: String { file }
  }

  static let files =
    [2, 3, 4].flatMap { (scale: Int) in
      [
        Published(
          file: "NhatThanh_ESPCN/ESPCN-x\(scale).h5", configuration: ["activation": "tanh"]),
        Published(file: "NhatThanh_FSRCNN/FSRCNN-x\(scale).h5", scale: scale),
      ]
    }
    + ["915", "935", "955"].map {
      Published(file: "NhatThanh_SRCNN/SRCNN-\($0).h5", configuration: ["padding": "valid"])
    }

  @Test(arguments: files) func computesWhatKerasDoes(_ published: Published) throws {
    let path = try #require(SharedFolder.path("weights/keras/\(published.file)"))
    let options = ImportOptions(configuration: published.configuration, scale: published.scale)
    let model = try StoredModel.imported(from: path, options, registry: .builtin).loaded()
    let stem = URL(filePath: path).deletingPathExtension().lastPathComponent
    let example = try WeightsFile.read(
      SharedFolder.repository.appending(path: "Tests/Fixtures/published/\(stem).safetensors").path
    ).tensors.loaded()
    let input = try #require(example["input"])
    var plan = try Plan(
      model.graph,
      weights: PackedWeights(
        Dictionary(uniqueKeysWithValues: model.weights.map { ($0.name, $0.tensor) })),
      inputShapes: [input.shape], options: PlanOptions(exact: true), engine: Engine(threads: 1))
    let results = try plan.run([model.graph.inputs[0].name: input])
    let agreement = Agreement(
      try #require(results["output"]), expected: try #require(example["output"]))
    #expect(agreement.relative <= 1e-5, "\(agreement)")
  }
}
