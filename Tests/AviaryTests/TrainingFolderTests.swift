import AviaryCheckpoint
import Aviary
import AviaryTestSupport
import Testing

/// The folder of a training: names, order, and which files go.
@Suite struct TrainingFolderTests {
  @Test("the last checkpoint is found by listing, by number and not by name")
  func last() throws {
    let folder = try TemporaryFolder()
    let run = RunFolder(folder.path)
    #expect(run.last == nil)
    for name in [
      "step-000123.h5", "step-1000000.h5", "step-999999.h5", "step-12.h5", "step-0001234.h5",
      "step-000124.h5.bak", "best.h5", ".step-9999999.h5", "step--00001.h5",
    ] { _ = try folder.file(name, []) }
    #expect(run.checkpoints.map(\.step) == [123, 999_999, 1_000_000])
    #expect(run.last == folder.file("step-1000000.h5"))
    #expect(run.checkpoint(step: 123) == folder.file("step-000123.h5"))
  }

  @Test("as many checkpoints stay as are wanted, one at least")
  func keeping() throws {
    let folder = try TemporaryFolder()
    let run = RunFolder(folder.path)
    for step in [10, 20, 30, 40] { _ = try folder.file("step-0000\(step).h5", []) }
    _ = try folder.file("best.h5", [])
    run.prune(keep: 2)
    #expect(try folder.names == ["best.h5", "step-000030.h5", "step-000040.h5"])
    run.prune(keep: 0)
    #expect(try folder.names == ["best.h5", "step-000040.h5"])
  }
}
