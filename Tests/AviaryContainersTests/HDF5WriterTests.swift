@testable import AviaryContainers
import AviaryTensor
import AviaryTestSupport
import Testing

/// What the writers of HDF5 formats need: groups in groups, attributes of every kind, tensors.
@Suite struct HDF5WriterTests {
  @Test func whatIsWrittenIsRead() throws {
    let folder = try TemporaryFolder()
    let path = folder.file("a.h5")
    let writer = try HDF5Writer(replacing: path)
    let root = try writer.root()
    try writer.attribute("names", strings: ["a", "", "é ✓"], of: root)
    try writer.attribute("none", strings: [], of: root)
    try writer.attribute("text", "words", of: root)
    try writer.attribute("empty", "", of: root)
    try writer.attribute("integer", -5, of: root)
    try writer.attribute("float", 0.25, of: root)
    try writer.attribute("floats", floats: [1, 2], of: root)
    let outer = try writer.group("outer", in: root)
    let inner = try writer.group("inner", in: outer)
    try writer.attribute("where", "inner", of: inner)
    for type in [ElementType.float64, .uint8, .bool, .bfloat16, .uint64] {
      _ = try writer.tensor(
        type.rawValue, Tensor(shape: [2], [1, 0]).converted(to: type), in: inner)
    }
    let kernel = try writer.tensor("kernel:0", Tensor(shape: [1, 2], [1, 2]), in: inner)
    try writer.attribute("note", "of a data set", of: kernel)
    try writer.text("json", "{}", in: outer)
    try writer.commit()

    let tree = try HDF5Tree(reading: path, access: .isolated)
    #expect(
      tree.root.attributes == [
        "names": .strings(["a", "", "é ✓"]), "none": .floats([]), "text": .strings(["words"]),
        "empty": .strings([""]), "integer": .integers([-5]), "float": .floats([0.25]),
        "floats": .floats([1, 2]),
      ])
    let group = try #require(tree.root.group("outer")?.group("inner"))
    #expect(group.attributes == ["where": .strings(["inner"])])
    #expect(
      group.members.map(\.name) == ["bfloat16", "bool", "float64", "kernel:0", "uint64", "uint8"])
    let dataSet = try #require(group.dataSet("kernel:0"))
    #expect(dataSet.attributes == ["note": .strings(["of a data set"])])
    #expect(try tree.tensor(dataSet).floats == [1, 2])
    #expect(try tree.string(#require(tree.root.dataSet("outer/json"))) == "{}")
  }

  @Test func whatIsNotFinishedIsNotThere() throws {
    let folder = try TemporaryFolder()
    do {
      let writer = try HDF5Writer(replacing: folder.file("a.h5"))
      _ = try writer.tensor("w", Tensor(shape: [1], [1]), in: writer.root())
    }
    #expect(try folder.names == [])
  }

  @Test func aNameGivenTwiceIsAnError() throws {
    let folder = try TemporaryFolder()
    let path = folder.file("a.h5")
    let writer = try HDF5Writer(replacing: path)
    let root = try writer.root()
    _ = try writer.group("a", in: root)
    let message: String
    do throws(CheckpointError) {
      _ = try writer.group("a", in: root)
      message = "no error"
    } catch {
      message = error.description
    }
    #expect(message.hasPrefix("\(path): cannot be written: a: name already exists"), "\(message)")
  }
}
