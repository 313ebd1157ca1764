import AviaryCheckpoint
import AviaryContainers
import AviaryFormats
import AviaryTensor
import AviaryTestSupport
import Testing

/// safetensors files of the real library, and broken ones.
@Suite struct SafeTensorsTests {
  @Test(arguments: ["types", "pytorch", "ema"]) func tensorsAreThoseOfTheLibrary(file: String)
    throws
  {
    let read = try WeightsFile.read(Fixture.path("safetensors/\(file).safetensors"))
    #expect(read.format == .safetensors)
    try #require(try Fixture.expected("safetensors")["\(file).safetensors"]).check(read.tensors)
  }

  @Test func whatTheFileSaysOfItselfIsKept() throws {
    let read = try WeightsFile.read(Fixture.path("safetensors/pytorch.safetensors"))
    #expect(read.origin.framework == .pytorch)
    #expect(read.record == #"{"architecture": "toy"}"#)
    #expect(read.unwrapping.prefix == "module.model.")
    #expect(read.unwrapping.metadata.map(\.name) == ["epoch", "format"])
    #expect(read.unwrapping.metadata.map(\.value) == ["7", "pt"])
    let types = try WeightsFile.read(Fixture.path("safetensors/types.safetensors"))
    #expect(types.origin.framework == .arrays)
    #expect(types.record == nil)
  }

  @Test func averagedWeightsArePreferred() throws {
    let read = try WeightsFile.read(Fixture.path("safetensors/ema.safetensors"))
    #expect(read.unwrapping.path == ["params_ema"])
    #expect(read.unwrapping.ignored == ["params (a dictionary of 2)"])
    #expect(
      read.unwrapping.notes == ["params_ema (averaged weights) preferred to params"])
  }

  @Test func anIndexLeadsToItsFiles() throws {
    let read = try WeightsFile.read(Fixture.path("safetensors/model.safetensors.index.json"))
    #expect(read.format == .shardIndex)
    #expect(read.origin.framework == .pytorch)
    #expect(Set(read.tensors.names) == ["a.weight", "a.bias"])
    let whole = try WeightsFile.read(Fixture.path("safetensors/pytorch.safetensors"))
    for (name, tensor) in try read.tensors.loaded() {
      #expect(try tensor == whole.tensors.tensor(name))
    }
  }

  @Test(arguments: [
    ("escape.index.json", "damaged: the index: expected files beside it, "),
    ("hole.safetensors", "damaged: b: expected data_offsets from 4 on, found 8: a hole"),
    (
      "overlap.safetensors", "damaged: b: expected data_offsets from 8 on, found 4: tensors overlap"
    ),
    ("longer.safetensors", "damaged: the tensors: expected 4 bytes, found 8"),
    ("shorter.safetensors", "truncated: the tensors: expected 4 bytes, found 2"),
    ("shape.safetensors", "expected data_offsets of 8 bytes for shape [2] of F32, found 0 to 4"),
    (
      "overflow.safetensors", "damaged: a: shape [4611686018427387904, 4, 4611686018427387904] over"
    ),
    ("huge.safetensors", "expected data_offsets of 4 bytes for shape [1] of F32"),
    ("float8.safetensors", "a: a tensor of element type F8_E4M3 is not supported"),
    ("twice.safetensors", "expected a name of its own"),
    ("metadata.safetensors", "damaged: __metadata__: expected an object of strings"),
    ("header.safetensors", "truncated: the safetensors header: expected 5000 bytes, found 25"),
  ]) func whatIsBrokenIsRefused(file: String, message: String) throws {
    let path = Fixture.path("safetensors/" + file)
    let error = try #require(throws: CheckpointError.self) { try WeightsFile.read(path) }
    #expect(error.description.contains(message), "\(error)")
    #expect(!error.description.contains("\n"))
  }

  /// The library's own bytes: with one word of metadata at most it writes no other.
  @Test(arguments: ["types", "model-00001-of-00002", "ema"])
  func whatIsWrittenIsWhatTheLibraryWrites(file: String) throws {
    let path = Fixture.path("safetensors/\(file).safetensors")
    let read = try WeightsFile.read(path)
    let folder = try TemporaryFolder()
    let metadata = read.unwrapping.metadata.map { ($0.name, $0.value) }
    // Of the file with two sets the other one is not there any more.
    guard file != "ema" else {
      try SafeTensorsFile.write(read.tensors, metadata: [:], to: folder.file("x"))
      let again = try WeightsFile.read(folder.file("x"))
      #expect(try again.tensors.loaded().names.sorted() == read.tensors.names.sorted())
      return
    }
    try SafeTensorsFile.write(
      read.tensors, metadata: Dictionary(uniqueKeysWithValues: metadata), to: folder.file("x"))
    #expect(try bytes(folder.file("x")) == bytes(path))
    #expect(try folder.names == ["x"])
  }

  @Test func namesWithQuotesComeBack() throws {
    let tensor = try Tensor(shape: [2], [1, 2])
    let folder = try TemporaryFolder()
    try SafeTensorsFile.write(
      TensorSource(NamedTensors([("a\"\\\n/ü", tensor)])), metadata: ["x": "\"y\""],
      to: folder.file("x"))
    let read = try WeightsFile.read(folder.file("x"))
    #expect(read.tensors.names == ["a\"\\\n/ü"])
    #expect(try read.tensors.tensor(at: 0) == tensor)
    let error = #expect(throws: CheckpointError.self) {
      try SafeTensorsFile.write(
        TensorSource(NamedTensors([("__metadata__", tensor)])), metadata: [:],
        to: folder.file("y"))
    }
    #expect(
      error?.description
        == "\(folder.file("y")): cannot be written: safetensors keeps the name __metadata__ to itself"
    )
  }
}
