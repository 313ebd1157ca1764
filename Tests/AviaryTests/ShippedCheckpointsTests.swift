import AviaryCheckpoint
import Aviary
import AviaryGraph
import AviaryTestSupport
import AviaryTraining
import Foundation
import Testing

/// The zoo's own checkpoints are as good as their cards say.
@Suite("shipped checkpoints")
struct ShippedCheckpointsTests {
  static let folder = SharedFolder.repository.appending(path: "checkpoints").path
  static let names =
    ((try? FileManager.default.contentsOfDirectory(atPath: folder)) ?? [])
    .filter { $0.hasSuffix(".h5") }.sorted()

  @Test("all are there, small, and say what they are", arguments: [names])
  func cards(_ names: [String]) throws {
    #expect(
      names == [
        "fusion-cae-x2.h5", "fusion-cae-x3.h5", "fusion-cae-x4.h5", "plain-cae-denoise.h5",
        "plain-cae-x2.h5", "residual-cae-x2.h5",
      ])
    for name in names {
      let path = "\(Self.folder)/\(name)"
      let size = try FileManager.default.attributesOfItem(atPath: path)[.size] as? Int
      #expect(try #require(size) < 8 << 20)
      let model = try Model(checkpoint: path)
      #expect(model.card.licence == "Apache-2.0")
      #expect(model.card.quality.contains { $0.set == "Set5" })
      let training = try #require(model.card.training)
      let recipe = try Recipe(yaml: training.recipe, name: name)
      #expect(recipe.architecture == model.architecture)
      // Nobody's folders.
      #expect(!training.recipe.contains("/"))
    }
  }

  // The images are not ours to publish.
  @Test(
    "evaluation gives what the card says", .enabled(if: SharedFolder.isPresent), arguments: names)
  func quality(_ name: String) throws {
    let model = try Model(checkpoint: "\(Self.folder)/\(name)")
    let recipe = try Recipe(yaml: #require(model.card.training).recipe, name: name)
    for quality in model.card.quality {
      let pictures = try #require(SharedFolder.path("data/bench/\(quality.set)/HR"))
      let found = try Evaluation(
        model, originals: pictures, scale: quality.scale,
        degradations: recipe.data.degradations)
      #expect(abs(found.mean.psnr - quality.psnr) <= 0.005, "\(quality.set): \(found.mean)")
      #expect(abs(found.mean.ssim - (quality.ssim ?? 0)) <= 0.0001, "\(quality.set)")
    }
  }
}
