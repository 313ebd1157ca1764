import AviaryCheckpoint
import AviaryFormats
import AviaryTestSupport
import Testing

/// Changed files of TensorFlow's: each gives tensors or an error of one line.
@Suite struct TensorFlowFuzzTests {
  private func fuzz(_ label: String, _ file: String, beside other: [String], as name: String) throws
  {
    let folder = try TemporaryFolder()
    for other in other {
      _ = try folder.file(
        other.split(separator: "/").last.map(String.init) ?? other,
        bytes(Fixture.path("tensorflow/\(other)")))
    }
    let fuzzing = try Fuzzing(
      label, [bytes(Fixture.path("tensorflow/\(file)"))], in: folder, name: name, share: 2
    ) { path in
      do {
        _ = try WeightsFile.read(folder.file("model")).tensors.loaded()
      } catch {
        #expect(!"\(error)".contains("\n"))
        throw error
      }
    }
    #expect(fuzzing.slowest < 10, "\(label): \(fuzzing)")
  }

  @Test func indexesAreReadOrRefused() throws {
    try fuzz(
      "TensorFlow index", "weights/model.index", beside: ["weights/model.data-00000-of-00001"],
      as: "model.index")
  }

  /// Most of the changes are in the object graph, and the checksum over it fails; Snappy and the
  /// blocks have tests of their own.
  @Test func dataAreReadOrRefused() throws {
    try fuzz(
      "TensorFlow data", "weights/model.data-00000-of-00001", beside: ["weights/model.index"],
      as: "model.data-00000-of-00001")
  }
}
