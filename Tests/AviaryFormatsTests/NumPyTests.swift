import AviaryCheckpoint
import AviaryContainers
import AviaryFormats
import AviaryTestSupport
import Testing

/// NumPy's own files, alone, in archives, in folders and in pickles, and what is refused.
@Suite struct NumPyTests {
  static let files = [
    "big.npy", "big_fortran.npy", "deflated.npz", "empty.npy", "fortran.npy", "keras", "layers",
    "one.npy", "protocol2.pkl", "protocol3.pkl", "protocol4.pkl", "protocol5.pkl", "scalar.npy",
    "stored.npz", "version1.npy", "version2.npy", "version3.npy",
  ]

  @Test func everyFixtureIsTested() throws {
    #expect(try Fixture.expected("numpy").keys.sorted() == Self.files)
  }

  @Test(arguments: files) func arraysAreThoseOfNumPy(file: String) throws {
    let read = try WeightsFile.read(Fixture.path("numpy/" + file))
    try #require(try Fixture.expected("numpy")[file]).check(read.tensors)
    #expect(read.origin.framework == .arrays)
    switch file.split(separator: ".").last {
    case "npy": #expect(read.format == .npy)
    case "npz": #expect(read.format == .npz)
    case "pkl":
      #expect(read.format == .pickle)
      #expect(read.unwrapping.path == ["params"])
      #expect(read.unwrapping.metadata.map(\.name) == ["params.step"])
    default: #expect(read.format == .numPyFolder)
    }
  }

  @Test func kernelsOfAnotherLayoutAreTransposed() throws {
    let read = try WeightsFile.read(Fixture.path("numpy/keras"))
    #expect(read.tensors["conv1.weight"]?.steps == [.permuted([3, 2, 0, 1])])
    #expect(read.unwrapping.notes.count == 1)
    let other = try WeightsFile.read(Fixture.path("numpy/layers"))
    #expect(other.tensors["conv1.weight"]?.steps == [])
    #expect(other.unwrapping.notes.isEmpty)
    #expect(other.tensors.map(\.storedName) == ["conv1_b", "conv1_w", "conv2_w"])
  }

  @Test(arguments: [
    ("objects.npy", "the array: an array of Python objects, which is a pickle and no numbers, is"),
    ("complex.npy", "the array: an array of element type <c16 is not supported"),
    ("records.npy", "the array: an array of records is not supported"),
    ("text.npy", "the array: an array of element type <U3 is not supported"),
    ("truncated.npy", "truncated: the array: expected 96 bytes, found 91"),
    ("two.npy", "damaged: the array: expected 96 bytes, found 320"),
    ("overflow.npy", "damaged: the array: shape [4611686018427387904, 4, 4] overflows"),
    ("objects.pkl", "a: an array of Python objects is not supported"),
    ("big.pkl", "a: an array of element type >f4 in a pickle is not supported"),
  ]) func whatIsNoNumbersIsRefused(file: String, message: String) throws {
    let path = Fixture.path("numpy/" + file)
    let error = try #require(throws: CheckpointError.self) { try WeightsFile.read(path) }
    #expect(error.description.contains(message), "\(error)")
  }

  /// Protocol 2 keeps bytes as text, of which one character may be no byte.
  @Test func textThatIsNoBytesIsRefused() throws {
    var file = try bytes(Fixture.path("numpy/protocol2.pkl"))
    let lead = try #require(file.lastIndex { $0 == 0xC2 || $0 == 0xC3 })
    file[lead] = 0xC4
    let folder = try TemporaryFolder()
    let read = try WeightsFile.read(folder.file("x.pkl", file))
    let error = #expect(throws: CheckpointError.self) { try read.tensors.loaded() }
    #expect(error?.description.contains(" bytes, found 0") == true, "\(error as Any)")
  }

  @Test func aFolderHasAHash() throws {
    let folder = Fixture.path("numpy/keras")
    let hash = try WeightsFile.sha256(folder)
    #expect(hash.count == 64)
    #expect(try WeightsFile.sha256(Fixture.path("numpy/layers")) != hash)
  }

  @Test(.enabled(if: SharedFolder.isPresent, "needs the shared folder"))
  func publishedFolderHasTheLayersOfItsTwin() throws {
    let folder = "weights/pytorch/Fivefold_SRCNN/"
    let arrays = try WeightsFile.read(
      #require(SharedFolder.path(folder + "Numpy/weights"))
    ).tensors
    let twin = try WeightsFile.read(
      #require(SharedFolder.path(folder + "Torch/weights/x3.pth"))
    ).tensors
    #expect(arrays.names.sorted() == twin.names.sorted())
    for tensor in twin { #expect(arrays[tensor.name]?.shape == tensor.shape, "\(tensor.name)") }
  }
}
