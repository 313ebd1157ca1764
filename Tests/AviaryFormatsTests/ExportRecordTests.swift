import AviaryCheckpoint
import AviaryContainers
import AviaryFormats
import AviaryGraph
import AviaryTensor
import Testing

/// What leads back from a file of another framework to our own tensors.
@Suite struct ExportRecordTests {
  private static let record = EmbeddedMetadata(
    architecture: "srcnn", configuration: ["channels": 1], graph: ["version": 1],
    picture: ["colour": "luma"], card: ["licence": "MIT"], contentHash: "sha256:00",
    tensors: [
      "layers/conv2d/vars/0": .init(name: "conv.weight", undo: [.permuted([3, 2, 0, 1])]),
      "layers/conv2d/vars/1": .init(
        name: "conv.bias",
        undo: [
          .reversed([0]), .reshaped(from: [2], to: [2, 1]),
          .reordered(dimension: 0, indices: [1, 0]), .cropped([0, 0, 0, 1]),
          .converted(from: .float32, to: .float16),
        ]),
    ])

  @Test func jsonGoesThereAndBack() throws {
    let text = Self.record.json.text
    #expect(EmbeddedMetadata(json: try JSON(parsing: text)) == Self.record)
  }

  @Test(arguments: [
    #"{"format": "aviary-record", "version": 2}"#, #"{"format": "other", "version": 1}"#, "[]",
    #"{"format": "aviary-record", "version": 1, "tensors": {"a": {"name": "a"}}}"#,
    #"{"format": "aviary-record", "version": 1, "tensors": {"a": {"name": "a", "undo": [{"bent": []}]}}}"#,
    // A step that grows is none of ours, and would let a small file fill the memory.
    #"{"format": "aviary-record", "version": 1, "tensors": {"a": {"name": "a", "undo": [{"padded": [0, 0, 9, 9]}]}}}"#,
  ])
  func whatIsNoRecordIsNone(_ text: String) throws {
    #expect(EmbeddedMetadata(json: try JSON(parsing: text)) == nil)
  }

  @Test func tensorsAreRestoredWhateverTheReaderMadeOfThem() throws {
    let kernel = try Tensor(shape: [2, 1, 3, 3], (0..<18).map(Float.init))
    let stored = try kernel.permuted([2, 3, 1, 0])
    let record = EmbeddedMetadata(tensors: [
      "layers/conv2d/vars/0": .init(name: "conv.weight", undo: [.permuted([3, 2, 0, 1])])
    ])
    // One reader leaves the layout as it is, another makes PyTorch's of it and calls it what it
    // likes.
    for steps in [[], [TensorStep.permuted([3, 2, 0, 1])]] {
      let given = try steps.applied(to: stored)
      let descriptions = [
        TensorDescription(
          name: "whatever", shape: given.shape, elementType: .float32,
          storedName: "/layers/conv2d/vars/0", steps: steps),
        TensorDescription(name: "one-hot", shape: [1], elementType: .float32),
      ]
      let source = TensorSource(descriptions) { (_) throws(CheckpointError) in given }
      let file = WeightsFile(
        path: "a.keras", format: .kerasArchive, tensors: source, origin: Origin(.keras))
      let restored = try #require(record.restored(file))
      #expect(restored.names == ["conv.weight"])
      #expect(try restored.tensor("conv.weight") == kernel)
    }
  }

  @Test func aRecordOfAnotherFileRestoresNothing() throws {
    let tensors = TensorSource(NamedTensors([("a", try Tensor(zeros: [3]))]))
    let file = WeightsFile(
      path: "a.keras", format: .kerasArchive, tensors: tensors, origin: Origin(.keras))
    #expect(EmbeddedMetadata(tensors: ["b": .init(name: "b", undo: [])]).restored(file) == nil)
    // A step that the shape does not allow.
    let bent = EmbeddedMetadata(tensors: ["a": .init(name: "a", undo: [.permuted([1, 0])])])
    #expect(bent.restored(file) == nil)
    #expect(EmbeddedMetadata().restored(file)?.names == ["a"])
  }
}
