import AviaryFormats
@testable import AviaryCheckpoint
@testable import AviaryContainers
import AviaryTensor
import AviaryTestSupport
import Synchronization
import Testing

/// Checkpoints larger than the memory: described, read and written tensor by tensor.
@Suite struct StreamingTests {
  @Test func aStreamGivesTheSameBytes() throws {
    let folder = try TemporaryFolder()
    let sample = try sampleCheckpoint()
    try sample.write(to: folder.file("a.h5"))
    // From the file itself, each tensor read when it is written.
    let file = try CheckpointFile(folder.file("a.h5"))
    #expect(file.tensors.names == sample.weights.names)
    let hash = try file.write(to: folder.file("b.h5"))
    #expect(hash == sample.contentHash)
    #expect(file.storedHash == hash)
    #expect(try ContentHash.of(file.tensors) == hash)
    #expect(try bytes(folder.file("a.h5")) == bytes(folder.file("b.h5")))
    try file.verify(folder.file("a.h5"))
    // Onto itself: the open file is the old one to the end.
    try file.write(to: folder.file("a.h5"))
    #expect(try bytes(folder.file("a.h5")) == bytes(folder.file("b.h5")))
    #expect(try folder.names == ["a.h5", "b.h5"])
  }

  @Test func eachTensorIsReadOnceAndByName() throws {
    let folder = try TemporaryFolder()
    let read = ReadNames()
    let descriptions = ["c", "a", "b.weight", "b"].map {
      TensorDescription(name: $0, shape: [2], elementType: .float32)
    }
    let source = TensorSource(descriptions) { (position) throws(CheckpointError) in
      read.add(descriptions[position].name)
      guard let tensor = try? Tensor(shape: [2], [Float(position), 1]) else {
        throw .invalidName("")
      }
      return tensor
    }
    let file = CheckpointFile(tensors: source)
    try file.write(to: folder.file("a.h5"))
    #expect(read.names == ["a", "b", "b.weight", "c"])
    let back = try Checkpoint(contentsOf: folder.file("a.h5"))
    #expect(back.weights.names == ["c", "a", "b.weight", "b"])
    #expect(back.weights["b.weight"]?.floats == [2, 1])
  }

  @Test func aTensorThatCannotBeReadLeavesTheOldFile() throws {
    let folder = try TemporaryFolder()
    let path = folder.file("a.h5")
    try sampleCheckpoint().write(to: path)
    let old = try bytes(path)
    let source = TensorSource([
      TensorDescription(name: "a", shape: [1], elementType: .float32)
    ]) { (_) throws(CheckpointError) in
      throw .truncated(path: "x.pt", part: "a", expected: 4, found: 0)
    }
    let error = try #require(throws: CheckpointError.self) {
      try CheckpointFile(tensors: source).write(to: path)
    }
    #expect(error.description == "x.pt: truncated: a: expected 4 bytes, found 0")
    #expect(try bytes(path) == old)
    #expect(try folder.names == ["a.h5"])
  }

  @Test func changedTensorsAreNoticed() throws {
    let path = Fixture.path("hdf5/changed.h5")
    let error = try #require(throws: CheckpointError.self) {
      try CheckpointFile(path).verify(path)
    }
    #expect(error.description.contains("the tensors were changed: "))
  }

  /// The names that were asked for, in order.
  private final class ReadNames: Sendable {
    private let list = Mutex<[String]>([])
    func add(_ name: String) { list.withLock { $0.append(name) } }
    var names: [String] { list.withLock { $0 } }
  }
}
