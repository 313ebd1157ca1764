@testable import AviaryCheckpoint
@testable import AviaryContainers
@testable import AviaryFormats
import AviaryTensor
import AviaryTestSupport
import Synchronization
import Testing

/// What is found on a thread of its own while a file is written.
@Suite struct BackgroundTests {
  @Test func aValueIsFoundOnceAndGivenAsOftenAsAsked() throws {
    let runs = Mutex(0)
    let value = Background { () throws(CheckpointError) in
      runs.withLock {
        $0 += 1
        return $0
      }
    }
    #expect(try value.value() == 1)
    #expect(try value.value() == 1)
    #expect(runs.withLock { $0 } == 1)
  }

  @Test func anErrorIsThrownToWhoAsks() {
    let value = Background { () throws(CheckpointError) -> Int in
      throw .cannotRead(path: "a", reason: "b")
    }
    #expect(throws: CheckpointError.cannotRead(path: "a", reason: "b")) { try value.value() }
    #expect(throws: CheckpointError.cannotRead(path: "a", reason: "b")) { try value.value() }
  }

  @Test func whoeverLetsGoWaits() {
    let isDone = Mutex(false)
    do {
      _ = Background { () throws(CheckpointError) in isDone.withLock { $0 = true } }
    }
    #expect(isDone.withLock { $0 })
  }

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
    } throws: { "\($0)".contains("bytes expected") }
    #expect(try folder.names.isEmpty)
  }
}
