import AviaryCheckpoint
import AviaryFormats
import AviaryTensor
import AviaryTestSupport
import Foundation
import Testing

/// Checkpoints of an unfinished training, as other commands than `train` see them.
@Suite("checkpoints of a training")
struct TrainingCheckpointTests {
  /// A checkpoint of a network, with the state of a training added.
  private func checkpoint(in folder: borrowing TemporaryFolder) throws -> String {
    let (plain, path) = (folder.file("plain.h5"), folder.file("training.h5"))
    #expect(try Outcome(["convert", fixture("optimizer/adam.pt"), plain]).status == 0)
    var file = try CheckpointFile(plain)
    file.training?.progress = TrainingProgress(
      step: 200, recipe: "architecture: srcnn\ndata:\n  targets: x\n", seed: 1,
      dataFingerprint: "sha256:00ff", program: "aviary 0.0-test", threads: 2,
      best: .init(figure: 37.531, step: 150), seconds: 45.4, samples: 3_200)
    file.training?.weights = file.tensors
    try file.write(to: path)
    return path
  }

  @Test("inspect says how far it is, and by what")
  func inspect() throws {
    let folder = try TemporaryFolder()
    let path = try checkpoint(in: folder)
    let output = try Outcome(["inspect", path]).output
    for line in [
      "Training       step 200, best 37.53 at step 150, 3200 pairs, 45 s",
      "Recipe         architecture: srcnn, data:, targets: x",
      "Trained by     aviary 0.0-test, 2 threads, data sha256:00ff",
      "Optimiser      adam, step 2, 18 tensors, 384 B",
    ] {
      #expect(output.contains(line + "\n"), "\(output)")
    }
    let json = try Outcome(["inspect", path, "--json"]).json()["training"] as? [String: Any]
    #expect(json?["step"] as? Int == 200)
    #expect((json?["best"] as? [String: Any])?["figure"] as? Double == 37.531)
    #expect(json?["recipe"] as? String == "architecture: srcnn\ndata:\n  targets: x\n")
  }

  @Test("convert takes the optimiser's state along and says what stays")
  func convert() throws {
    let folder = try TemporaryFolder()
    let path = try checkpoint(in: folder)
    let outcome = try Outcome(["convert", path, folder.file("a.pt"), "--training"])
    #expect(outcome.error == "")
    #expect(
      outcome.output.contains(
        "the training's own state, step 200: it goes on from the file itself"))
    let state = try #require(try WeightsFile.read(folder.file("a.pt")).optimizer)
    #expect(state.tensors.count == 18)
  }
}
