import AviaryFormats
import AviaryCheckpoint
import AviaryGraph
import AviaryImage
import AviaryTestSupport
import AviaryTraining
// Processes are Foundation's; the program itself does without it.
import Foundation
import Testing

/// A training that is ended from outside goes on to the very weights that it would have reached.
@Suite("aviary train, ended from outside")
struct TrainingKilledTests {
  /// A recipe of a tiny network that takes a moment, and an image for it.
  private func recipe(
    in folder: borrowing TemporaryFolder, _ run: String, steps: Int
  ) throws -> String {
    let data = folder.file("data")
    if !FileManager.default.fileExists(atPath: data) {
      try folder.makeFolder("data")
      let photograph = try Image(
        contentsOf: SharedFolder.repository.appending(path: "Docs/pictures/coffee.png").path)
      try photograph.cropped(x: 200, y: 100, width: 64, height: 48).write(to: "\(data)/cup.png")
    }
    var recipe = Recipe("residual-cae", data: DataRecipe(targets: data))
    recipe.configuration = ["channels": 1, "features": [8, 16]]
    recipe.scale = 2
    recipe.batch.size = 2
    recipe.batch.patch = 24
    recipe.steps = steps
    recipe.saving.folder = folder.file(run)
    recipe.saving.every = 5
    recipe.threads = 1
    return try folder.file("\(run).yaml", Array(recipe.yaml.utf8))
  }

  /// The steps of the checkpoints in a folder.
  private func steps(_ folder: String) -> [Int] {
    ((try? FileManager.default.contentsOfDirectory(atPath: folder)) ?? []).compactMap {
      $0.hasPrefix("step-") ? Int($0.dropFirst(5).dropLast(3)) : nil
    }.sorted()
  }

  @Test("kill -9 and SIGTERM", arguments: [SIGKILL, SIGTERM])
  func ended(by signal: Int32) throws {
    let folder = try TemporaryFolder()
    let whole = try Outcome(["train", try recipe(in: folder, "whole", steps: 200), "--quiet"])
    try #require(whole.status == 0, "\(whole.error)")

    let process = Process()
    process.executableURL = Outcome.program
    process.arguments = ["train", try recipe(in: folder, "parted", steps: 200), "--quiet"]
    process.environment = ProcessInfo.processInfo.environment.merging(["AVIARY_TUNE": "never"]) {
      $1
    }
    process.standardOutput = FileHandle.nullDevice
    process.standardError = FileHandle.nullDevice
    try process.run()
    defer { if process.isRunning { kill(process.processIdentifier, SIGKILL) } }
    let run = folder.file("parted")
    while process.isRunning, steps(run).isEmpty { usleep(1_000) }
    kill(process.processIdentifier, signal)
    process.waitUntilExit()
    if signal == SIGKILL {
      #expect(process.terminationReason == .uncaughtSignal)
    } else {
      #expect(process.terminationReason == .exit)
      #expect(process.terminationStatus == 128 + SIGTERM)
    }
    let reached = try #require(steps(run).last)
    #expect(reached < 200)
    #expect(!FileManager.default.fileExists(atPath: "\(run)/model.h5"))

    let resumed = try Outcome(["train", "--resume", run])
    try #require(resumed.status == 0, "\(resumed.error)")
    #expect(
      resumed.error.contains(
        "resumed at step \(reached): the weights will be those of an uninterrupted training"))
    let hashes = try ["whole", "parted"].map {
      try CheckpointFile(folder.file("\($0)/model.h5")).storedHash
    }
    #expect(hashes[0] != nil)
    #expect(hashes[0] == hashes[1])
  }

  @Test("a disk that is full leaves the checkpoints whole")
  func fullDisk() throws {
    let folder = try TemporaryFolder()
    let first = try Outcome(["train", try recipe(in: folder, "run", steps: 5), "--quiet"])
    try #require(first.status == 0, "\(first.error)")
    let run = folder.file("run")
    let second = try Outcome(
      ["train", "--resume", run, "--steps", "10", "--quiet"], after: "ulimit -f 16")
    #expect(second.status == 73)
    #expect(
      second.error == "aviary: \(run)/step-000010.h5: cannot be written: file too large\n")
    #expect(steps(run) == [5])
    let kept = try CheckpointFile("\(run)/step-000005.h5")
    try kept.verify(run)
    #expect(kept.training?.progress?.step == 5)
    #expect(
      try !FileManager.default.contentsOfDirectory(atPath: run).contains { $0.contains("partial") })
  }
}
