import AviaryCheckpoint
import AviaryFormats
import AviaryTestSupport
import Testing

/// ONNX files changed at random: each is read and imported, or refused, and soon.
@Suite struct ONNXFuzzTests {
  @Test func changedFilesAreReadOrRefused() throws {
    let originals = try ONNXFixture.all().map { try bytes($0.path) }
    let fuzzing = try Fuzzing("ONNX", originals, in: TemporaryFolder()) { path in
      let imported = try ONNXNetwork.graph(WeightsFile.read(path))
      for position in imported.weights.indices { _ = try imported.weights.tensor(at: position) }
    }
    #expect(fuzzing.slowest < 10, "\(fuzzing)")
    #expect(fuzzing.refused > 0 && fuzzing.refused < fuzzing.files, "\(fuzzing)")
  }
}
