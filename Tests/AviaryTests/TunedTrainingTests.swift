import Aviary
import AviaryGraph
import AviaryCheckpoint
import AviaryCompute
import AviaryGraph
import AviaryTestSupport
import AviaryTraining
import FoundationEssentials
import Synchronization
import Testing

/// Trainings whose algorithms are chosen by measurement.
@Suite struct TunedTrainingTests {
  /// Trains, and gives what it told.
  private func train(
    _ example: borrowing TrainingExample, in folder: String, resuming checkpoint: String? = nil,
    stopAt last: Int? = nil, _ tuning: Tuning?
  ) throws -> [String] {
    var recipe = example.recipe
    recipe.configuration = ["channels": 1, "features": [16, 16]]
    recipe.saving.folder = example.folder.file(folder)
    let told = Mutex<[String]>([])
    let steps = Mutex(0)
    let run = try TrainingSession(
      recipe, zoo: Zoo(folders: []), resuming: checkpoint, tuning: tuning,
      observer: { event in
        if case .message(let text) = event { told.withLock { $0.append(text) } }
        if case .step(let step) = event { steps.withLock { $0 = step.step } }
      })
    _ = try run.run(stoppingOn: { steps.withLock { $0 + 1 } == last ? 2 : nil })
    return told.withLock(\.self)
  }

  @Test("a training goes on with the algorithms that it began with, whatever was measured since")
  func resuming() throws {
    let example = try TrainingExample()
    let cache = TuningCache(folder: example.folder.file("cache"))
    _ = try train(example, in: "whole", Tuning(.always, store: cache))
    _ = try train(example, in: "parted", stopAt: 4, Tuning(.always, store: cache))
    let (whole, parted) = (
      RunFolder(example.folder.file("whole")), RunFolder(example.folder.file("parted"))
    )
    let stopped = try #require(parted.last)
    let choices = try #require(CheckpointFile(stopped).training?.progress?.choices)
    #expect(choices == (try CheckpointFile(whole.checkpoint(step: 6)).training?.progress?.choices))

    // Now what was slow is fast.
    let text = try String(contentsOfFile: cache.path, encoding: .utf8)
    let lines = text.split(separator: "\n").map { line in
      let columns = line.split(separator: "\t")
      guard columns.count == 3, let time = Double(columns[2]) else { return String(line) }
      return "\(columns[0])\t\(columns[1])\t\(1e11 / time)"
    }
    try "\(lines.joined(separator: "\n"))\n".write(
      toFile: cache.path, atomically: true, encoding: .utf8)
    let turned = Tuning(.always, store: cache)
    _ = try train(example, in: "turned", turned)
    let other = RunFolder(example.folder.file("turned")).checkpoint(step: 6)
    #expect(try CheckpointFile(other).training?.progress?.choices != choices)

    let told = try train(example, in: "parted", resuming: stopped, turned)
    #expect(
      told.contains { $0.hasSuffix("the weights will be those of an uninterrupted training") })
    #expect(
      try CheckpointFile(parted.checkpoint(step: 6)).storedHash
        == CheckpointFile(whole.checkpoint(step: 6)).storedHash)
  }

  @Test("checkpoints of before choices were written down go on by estimate")
  func older() throws {
    let example = try TrainingExample()
    let tuning = Tuning(.always)
    _ = try train(example, in: "run", stopAt: 4, nil)
    let stopped = try #require(RunFolder(example.folder.file("run")).last)
    let progress = try #require(CheckpointFile(stopped).training?.progress)
    #expect(progress.choices?.isEmpty == false)
    // What JSON has no member for is nil.
    let data = Data(
      #"{"step":1,"recipe":"","seed":1,"dataFingerprint":"","program":"","threads":1,"algorithms":[],"seconds":0,"samples":0}"#
        .utf8)
    #expect(try JSONDecoder().decode(TrainingProgress.self, from: data).choices == nil)
    _ = try train(example, in: "run", resuming: stopped, tuning)
    #expect(tuning.timingCount == 0)
  }
}
