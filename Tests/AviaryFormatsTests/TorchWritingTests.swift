import AviaryCheckpoint
import AviaryContainers
import AviaryFormats
import AviaryFiles
import AviaryTensor
import AviaryTestSupport
import FoundationEssentials
import Testing

/// State dicts that are written and read again.
@Suite struct TorchWritingTests {
  @Test func everyElementTypeComesBack() throws {
    var tensors = NamedTensors()
    for type in ElementType.allCases {
      let values = try Tensor(shape: [2, 3], [0, 1, 1, 0, 1, 0])
      tensors["layer.\(type)"] = values.converted(to: type)
    }
    tensors["scalar"] = try Tensor(zeros: [], elementType: .int64)
    tensors["empty"] = try Tensor(zeros: [0, 4])
    let folder = try TemporaryFolder()
    let path = folder.file("weights.pt")
    try TorchZip.write(TensorSource(tensors), record: #"{"a": 1}"#, to: path)
    let file = try WeightsFile.read(path)
    #expect(file.format == .torchZip)
    #expect(file.record == #"{"a": 1}"#)
    let found = try file.tensors.loaded()
    #expect(found.names == tensors.names)
    for (name, tensor) in tensors { #expect(found[name] == tensor, "\(name)") }
    #expect(ContentHash.of(found) == ContentHash.of(tensors))
  }

  @Test func namesAreTextAndNothingElse() throws {
    let names = [
      "a", "weight\nc__builtin__\neval\n", "quote\"'\\", "größe", "\u{0}", "", "x/y", "..", "語.語",
    ]
    var tensors = NamedTensors()
    for (position, name) in names.enumerated() {
      tensors[name] = try Tensor(shape: [1], [Float(position)])
    }
    let folder = try TemporaryFolder()
    let path = folder.file("weights.pt")
    try TorchZip.write(TensorSource(tensors), record: nil, to: path)
    let found = try WeightsFile.read(path).tensors.loaded()
    #expect(found.names == names)
  }

  @Test func oneStorageStaysOne() throws {
    let tensor = try Tensor(shape: [1000], (0..<1000).map(Float.init))
    let descriptions = [
      TensorDescription(name: "a", shape: [1000], elementType: .float32),
      TensorDescription(name: "b", shape: [1000], elementType: .float32, alias: "a"),
      TensorDescription(name: "c", shape: [1000], elementType: .float32, alias: "b"),
    ]
    let source = TensorSource(descriptions) { (_) throws(CheckpointError) in tensor }
    let folder = try TemporaryFolder()
    let path = folder.file("weights.pt")
    try TorchZip.write(source, record: nil, to: path)
    #expect(try Data(contentsOf: URL(filePath: path)).count < 6_000)
    let tensors = try WeightsFile.read(path).tensors
    #expect(tensors.aliases == ["b": "a", "c": "a"])
    #expect(try tensors.tensor("c") == tensor)
  }

  @Test func storagesBeginAtWholeLines() throws {
    var tensors = NamedTensors()
    for count in 1...20 {
      tensors["t\(count)"] = try Tensor(shape: [count], .init(repeating: 7, count: count))
    }
    let folder = try TemporaryFolder()
    let path = folder.file("weights.pt")
    try TorchZip.write(TensorSource(tensors), record: nil, to: path)
    let bytes = try [UInt8](Data(contentsOf: URL(filePath: path)))
    // Local headers: signature, 22 bytes on the lengths of name and extra field.
    var found = 0
    for start in bytes.indices where bytes[start...].starts(with: [0x50, 0x4B, 3, 4]) {
      let name = Int(bytes[start + 26]) + Int(bytes[start + 27]) << 8
      let extra = Int(bytes[start + 28]) + Int(bytes[start + 29]) << 8
      #expect((start + 30 + name + extra) % 64 == 0)
      found += 1
    }
    #expect(found == 24)
  }

  @Test func theSameTensorsAreTheSameBytes() throws {
    var tensors = NamedTensors()
    tensors["a"] = try Tensor(shape: [2], [1, 2])
    let folder = try TemporaryFolder()
    try TorchZip.write(TensorSource(tensors), record: nil, to: folder.file("a.pt"))
    try TorchZip.write(TensorSource(tensors), record: nil, to: folder.file("b.pt"))
    let first = try Data(contentsOf: URL(filePath: folder.file("a.pt")))
    #expect(try Data(contentsOf: URL(filePath: folder.file("b.pt"))) == first)
  }

  @Test func aReaderThatGivesAnotherTensorIsAnError() throws {
    let description = TensorDescription(name: "a", shape: [2], elementType: .float32)
    let source = TensorSource([description]) { (_) throws(CheckpointError) in
      do { return try Tensor(zeros: [3]) } catch { throw .invalidName("a") }
    }
    let folder = try TemporaryFolder()
    let error = #expect(throws: CheckpointError.self) {
      try TorchZip.write(source, record: nil, to: folder.file("weights.pt"))
    }
    #expect(error?.description == "a: damaged: a: expected float32 [2], found float32 [3]")
    #expect(try folder.names.isEmpty)
  }
}
