@testable import AviaryCheckpoint
@testable import AviaryContainers
@testable import AviaryFormats
import AviaryTensor
import AviaryTestSupport
import Testing

/// What is found on a thread of its own while a file is written.
@Suite struct BackgroundTests {
  @Test func wordsThatAreKnownLastStandInFrontOfTheTensors() throws {
    let folder = try TemporaryFolder()
    let tensors = TensorSource(NamedTensors([("a", randomTensor([3], seed: 1))]))
    let path = folder.file("a.safetensors")
    try SafeTensorsFile.write(tensors, metadata: ["hash": "000"], to: path) {
      () throws(CheckpointError) in ["hash": "123"]
    }
    let metadata = try SafeTensorsFile.tensors(path).metadata
    #expect(metadata == ["hash": "123"])
    #expect(try WeightsFile.read(path).tensors.loaded()["a"] == randomTensor([3], seed: 1))
  }

  @Test func wordsOfAnotherLengthLeaveNothingBehind() throws {
    let folder = try TemporaryFolder()
    let tensors = TensorSource(NamedTensors([("a", randomTensor([3], seed: 1))]))
    let path = folder.file("a.safetensors")
    #expect {
      try SafeTensorsFile.write(tensors, metadata: ["hash": "000"], to: path) {
        () throws(CheckpointError) in ["hash": "1234567890"]
      }
    } throws: { "\($0)".contains("expected a header of ") }
    #expect(try folder.names.isEmpty)
  }
}
