import AviaryCheckpoint
import AviaryCompute
import AviaryFormats
import AviaryGraph
import AviaryTestSupport
import AviaryTraining
import Foundation
import Testing

@testable import Aviary

/// What version 0.2 wrote is read as before (Tests/Fixtures/version-0.2).
@Suite struct VersionTwoTests {
  private static let hash =
    "sha256:1aecbab3a7fe3dc9351cf9da90bb5d87c236d2851cfcd18354a1dd0f7057f384"

  private func path(_ name: String) -> String { Fixture.path("version-0.2/" + name) }

  @Test(
    "every file holds the same network and weights",
    arguments: [
      "model.h5", "model.pt", "model.keras", "model.safetensors", "model.onnx", "model.weights.h5",
      "quantized.h5",
    ])
  func containers(_ name: String) throws {
    let (model, _) = try Zoo().model(path(name))
    #expect(model.architecture == "residual-cae")
    #expect(model.graph == (try Model(checkpoint: path("model.h5"))).graph)
    #expect(ContentHash.of(model.weights) == Self.hash)
    #expect(model.quantization.count == (name == "quantized.h5" ? 2 : 0))
  }

  @Test("a graph that was printed is the graph of today")
  func graph() throws {
    let text = try String(contentsOf: URL(filePath: path("architecture.json")), encoding: .utf8)
    let printed = try #require(try JSON(parsing: text)["graph"])
    #expect(try Graph(json: printed) == Registry.builtin["residual-cae"].network().graph)
  }

  @Test("a training's state has its recipe, and kernel choices in the words of today")
  func training() throws {
    let progress = try #require(
      try CheckpointFile(path("training.h5")).training?.progress)
    let recipe = try Recipe(yaml: progress.recipe)
    #expect(recipe.optimizer.learningRate == 2e-3 && recipe.emaDecay == 0.9)
    let kept = try #require(progress.choices)
    #expect(kept.contains { $0.implementation.hasPrefix("blocked float32>") })
    let choices = kept.map { PlanChoice($0) }
    #expect(choices.contains { $0.candidate.hasPrefix("nChw16c float32>") })
    let known: Set<Substring> = [
      "nchw", "nhwc", "nChw16c", "float32", "bfloat16", "direct", "winograd", "spatial", "separate",
    ]
    for choice in choices {
      let words = choice.candidate.split { " ,>".contains($0) }
      #expect(Set(words).isSubset(of: known), "\(choice)")
      #expect(!choice.layer.hasSuffix(" affine") && !choice.layer.hasSuffix(" relayout"))
    }
  }
}
