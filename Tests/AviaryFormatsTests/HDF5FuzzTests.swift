@testable import AviaryCheckpoint
@testable import AviaryContainers
@testable import AviaryFormats
import AviaryTestSupport
import Testing

/// Changed files of every HDF5 format, read by the helper program: the library's own faults stay
/// there, and each file gives tensors or an error of one line.
@Suite struct HDF5FuzzTests {
  @Test func treesAreReadOrRefused() throws {
    let names = [
      "hdf5-hostile/kinds.h5", "hdf5/foreign.h5", "hdf5/deflated.h5", "hdf5/big_endian.h5",
      "hdf5-hostile/fan.h5", "checkpoint/version-1.h5",
    ]
    try fuzz("HDF5", names) { path in
      let tree = try HDF5Tree(reading: path, access: .isolated)
      for name in ["chunked", "weights/w", "weights/b", "numbers/big/f4"] {
        if let dataSet = tree.root.dataSet(name) { _ = try tree.tensor(dataSet) }
      }
    }
  }

  @Test func checkpointsAreReadOrRefused() throws {
    try fuzz("checkpoint", ["checkpoint/version-1.h5"]) { _ = try Checkpoint(contentsOf: $0) }
  }

  @Test(arguments: [
    ("Keras 1 and 2", ["two.h5", "two-model.h5", "one-th.h5", "chunked.h5"]),
    ("Keras 3", ["three.weights.h5", "dependencies.weights.h5", "bfloat16.weights.h5"]),
    (".keras", ["stored.keras", "deflated.keras"]), ("shards", ["shards.weights.json"]),
  ]) func kerasFilesAreReadOrRefused(label: String, files: [String]) throws {
    try fuzz(label, files.map { "keras/layers/" + $0 }) { path in
      _ = try WeightsFile.read(path).tensors.loaded()
    }
  }

  @Test func stateDictsAreReadOrRefused() throws {
    try fuzz("HDF5 state dict", ["flat.h5", "groups.h5", "training.h5"].map { "hdf5-state/" + $0 })
    {
      _ = try WeightsFile.read($0).tensors.loaded()
    }
  }

  private func fuzz(
    _ label: String, _ files: [String], _ body: (String) throws(any Error) -> Void
  ) throws {
    let fuzzing = try Fuzzing(
      label, files.map { try bytes(Fixture.path($0)) }, in: TemporaryFolder()
    ) {
      path in
      do {
        try body(path)
      } catch {
        #expect(!"\(error)".contains("\n"))
        throw error
      }
    }
    // The helper's own deadline, and what a busy machine adds.
    #expect(fuzzing.slowest < 45, "\(label): \(fuzzing)")
    #expect(fuzzing.files > 0)
  }
}
