import AviaryFormats
import AviaryCheckpoint
import AviaryContainers
import AviaryTestSupport
import AviaryTensor
import FoundationEssentials
import Testing

@Suite struct CheckpointTests {
  @Test func whatIsWrittenIsRead() throws {
    let folder = try TemporaryFolder()
    let path = folder.file("a.h5")
    let written = try sampleCheckpoint()
    try written.write(to: path)
    let read = try Checkpoint(contentsOf: path)
    #expect(read.architecture == "plain-cae")
    #expect(read.configuration == written.configuration)
    #expect(read.graph == written.graph)
    #expect(read.picture == written.picture)
    #expect(read.card == written.card)
    #expect(read.nonPersistent == written.nonPersistent)
    #expect(read.createdBy == written.createdBy)
    #expect(read.storedHash == written.contentHash)
    #expect(read.weights.names == written.weights.names)
    for (name, tensor) in written.weights { #expect(read.weights[name] == tensor, "\(name)") }
    #expect(try folder.names == ["a.h5"])
  }

  @Test func sameCheckpointSameBytes() throws {
    let folder = try TemporaryFolder()
    try sampleCheckpoint().write(to: folder.file("a.h5"))
    try sampleCheckpoint().write(to: folder.file("b.h5"))
    #expect(try bytes(folder.file("a.h5")) == bytes(folder.file("b.h5")))
  }

  /// The fixture of each version of the format stays for ever.
  @Test func versionOneIsRead() throws {
    let sample = try sampleCheckpoint()
    let read = try Checkpoint(contentsOf: Fixture.path("checkpoint/version-1.h5"))
    #expect(read.weights.names == sample.weights.names)
    for (name, tensor) in sample.weights { #expect(read.weights[name] == tensor, "\(name)") }
    #expect(read.card == sample.card)
    #expect(read.picture == sample.picture)
    #expect(read.nonPersistent == sample.nonPersistent)
  }

  @Test func aSummaryReadsNoWeights() throws {
    let path = Fixture.path("checkpoint/version-1.h5")
    let summary = try CheckpointSummary(of: path)
    let sample = try sampleCheckpoint()
    #expect(summary.formatVersion == 1)
    #expect(summary.architecture == "plain-cae")
    #expect(summary.graph == sample.graph)
    #expect(summary.storedHash == sample.contentHash)
    #expect(summary.tensors.map(\.name) == sample.weights.names)
    #expect(summary.tensors.map(\.elementType) == sample.weights.map(\.tensor.elementType))
    #expect(summary.tensors.map(\.shape) == sample.weights.map(\.tensor.shape))
    #expect(summary.tensors.map(\.byteCount) == sample.weights.map(\.tensor.byteCount))
    #expect(summary.tensors.filter(\.isNonPersistent).map(\.name) == ["norm.num_batches_tracked"])
    // The offsets are where the elements are.
    let file = try bytes(path)
    let bias = try #require(summary.tensors.first { $0.name == "encoder.0.bias" })
    let offset = try #require(bias.offset)
    let pi = Float(
      bitPattern: file[offset..<offset + 4].reversed().reduce(0) { $0 << 8 | UInt32($1) })
    #expect(pi == .pi)
  }

  @Test func absentMembersStayAbsent() throws {
    let folder = try TemporaryFolder()
    let weights = NamedTensors([("w", try Tensor(shape: [1], [1]))])
    try Checkpoint(weights: weights).write(to: folder.file("a.h5"))
    let read = try Checkpoint(contentsOf: folder.file("a.h5"))
    #expect(read.architecture == nil)
    #expect(read.configuration == nil)
    #expect(read.graph == nil)
    #expect(read.picture == nil)
    #expect(read.card == Card())
  }

  /// Attributes end at 64 KiB; graphs and names do not.
  @Test func longTextsAndManyTensors() throws {
    let folder = try TemporaryFolder()
    var weights = NamedTensors()
    for i in 0..<600 { weights["layer.\(i).weight"] = try Tensor(shape: [2], [Float(i), 0]) }
    let graph = "[" + String(repeating: "1,", count: 100_000) + "1]"
    try Checkpoint(weights: weights, graph: graph).write(to: folder.file("a.h5"))
    let read = try Checkpoint(contentsOf: folder.file("a.h5"))
    #expect(read.graph == graph)
    #expect(read.weights.names == weights.names)
    #expect(read.weights["layer.599.weight"]?.floats == [599, 0])
  }

  @Test(arguments: ["", "a/b", "a..b", ".", "a.", "x\0"])
  func namesThatHDF5CannotHoldAreRefused(name: String) throws {
    let folder = try TemporaryFolder()
    let weights = NamedTensors([(name, try Tensor(shape: [1], [1]))])
    let error = #expect(throws: CheckpointError.self) {
      try Checkpoint(weights: weights).write(to: folder.file("a.h5"))
    }
    #expect(error == .invalidName(name))
    #expect(try folder.names.isEmpty)
  }

  @Test func typesOutsideTheFormatAreRefusedAndConverted() throws {
    let folder = try TemporaryFolder()
    let values = try Tensor(shape: [2], [1, 0.1])
    let weights = NamedTensors([
      ("double", values.converted(to: .float64)), ("mask", values.converted(to: .bool)),
      ("float", values),
    ])
    let error = #expect(throws: CheckpointError.self) {
      try Checkpoint(weights: weights).write(to: folder.file("a.h5"))
    }
    #expect(
      error?.description
        == "double: expected element type float32, float16, bfloat16, int8 or int64, found float64")
    let storable = TensorSource(weights).storable
    #expect(
      storable.map { $0.steps.map(\.description) } == [
        ["float64 to float32"], ["bool to int64"], [],
      ])
    try Checkpoint(weights: storable.loaded()).write(to: folder.file("a.h5"))
    let read = try Checkpoint(contentsOf: folder.file("a.h5"))
    #expect(read.weights["double"] == values)
    #expect(read.weights["mask"]?.elementType == .int64)
  }

  @Test func aCardWithoutMembersIsRead() throws {
    let card = try JSONDecoder().decode(Card.self, from: Data(#"{"licence": "MIT", "x": 1}"#.utf8))
    #expect(card.licence == "MIT")
    #expect(card.quality.isEmpty)
  }
}
