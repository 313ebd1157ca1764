@testable import AviaryContainers
import AviaryFiles
import AviaryTensor
import AviaryTestSupport
import FoundationEssentials
import Testing

/// The helper, this process and the host's own reading past the library give the same.
@Suite struct HDF5AccessTests {
  /// Every HDF5 file of the fixtures, and of other people's weights where they are.
  static let files = files(in: Fixture.path("")) + (SharedFolder.path("weights").map(files) ?? [])

  private static func files(in folder: String) -> [String] {
    let names = (try? FileManager.default.contentsOfDirectory(atPath: folder)) ?? []
    return names.sorted().flatMap { name in
      let path = URL(filePath: folder).appending(path: name).path
      return name.hasSuffix(".h5") || name.hasSuffix(".hdf5") ? [path] : files(in: path)
    }
  }

  @Test(arguments: files) func trustedIsIsolated(path: String) throws {
    // Pointers of Git LFS and saved pages are called .h5 too.
    guard try bytes(path).starts(with: [0x89, 0x48, 0x44, 0x46]) else { return }
    let trusted = Result { try HDF5Tree(reading: path, access: .trusted) }
    let isolated = Result { try HDF5Tree(reading: path, access: .isolated) }
    switch (trusted, isolated) {
    case (.success(let trusted), .success(let isolated)):
      #expect(try trusted.reader.answer() == isolated.reader.answer())
      var compressed = 0
      for dataSet in Self.dataSets(in: isolated.root) {
        let a = Result { try trusted.tensor(dataSet) }
        let b = Result { try isolated.tensor(dataSet) }
        switch (a, b) {
        case (.success(let a), .success(let b)):
          #expect(a == b, "\(dataSet.path)")
          // Past the library and through it; the helper a few times, as it is started for each.
          var c = try Tensor(zeros: a.shape, elementType: a.elementType)
          if c.count == 0 { continue }
          try unsafe c.withUnsafeMutableBytes { try unsafe trusted.reader.read(dataSet, into: $0) }
          #expect(a == c, "\(dataSet.path)")
          compressed += 1
          if compressed > 2 { continue }
          try unsafe c.withUnsafeMutableBytes { try unsafe isolated.reader.read(dataSet, into: $0) }
          #expect(a == c, "\(dataSet.path)")
        case (.failure(let a), .failure(let b)): #expect("\(a)" == "\(b)")
        default: Issue.record("\(dataSet.path): \(a), \(b)")
        }
      }
    case (.failure(let trusted), .failure(let isolated)): #expect("\(trusted)" == "\(isolated)")
    default: Issue.record("\(trusted), \(isolated)")
    }
  }

  @Test(arguments: [HDF5Access.isolated, .trusted])
  func allKindsAreRead(access: HDF5Access) throws {
    let tree = try HDF5Tree(reading: Fixture.path("hdf5-hostile/kinds.h5"), access: access)
    let root = tree.root
    #expect(
      root.attributes == [
        "format": .strings(["aviary-checkpoint"]), "text": .strings(["é ✓"]),
        "texts": .strings(["one", "three"]), "words": .strings(["a", "", "ccc"]),
        "none": .floats([]), "empty": .floats([]), "number": .integers([-3]),
        "bytes": .integers([1, 255]), "fraction": .floats([0.5]),
      ])
    for order in ["little", "big"] {
      for (name, type) in [
        ("f2", ElementType.float16), ("f4", .float32), ("f8", .float64), ("i1", .int8),
        ("i2", .int16), ("i4", .int32), ("i8", .int64), ("u1", .uint8), ("u2", .uint16),
        ("u4", .uint32), ("u8", .uint64),
      ] {
        let dataSet = try #require(root.dataSet("numbers/\(order)/\(name)"))
        #expect(dataSet.elementType == type)
        #expect(dataSet.isPlain == (order == "little" || type.byteCount == 1))
        let tensor = try tree.tensor(dataSet)
        #expect(tensor.shape == [2, 3])
        #expect(tensor.floats == [0, 1, 2, 3, 4, 5])
      }
    }
    func floats(_ name: String) throws -> [Float] {
      try tree.tensor(#require(root.dataSet(name))).floats
    }
    #expect(try floats("chunked") == (0..<100).map(Float.init))
    #expect(try floats("checked") == (0..<100).map(Float.init))
    #expect(try floats("unwritten") == [0, 0, 0, 0, 0])
    #expect(try floats("filled") == [2.5, 2.5, 2.5, 2.5, 2.5])
    #expect(try floats("compact") == [1, 2, 3])
    #expect(try floats("nothing") == [])
    #expect(try tree.string(#require(root.dataSet("text"))) == "variable")
    #expect(try tree.string(#require(root.dataSet("fixed"))) == "fixed")
    for (name, message) in [
      ("texts", "damaged: /texts: expected one string, found shape [2]"),
      ("chunked", "damaged: /chunked: expected text, found numbers"),
    ] {
      let dataSet = try #require(root.dataSet(name))
      let error = try #require(throws: CheckpointError.self) { try tree.string(dataSet) }
      #expect(error.description == "\(tree.path): \(message)")
    }
    for name in ["pairs", "flags", "texts"] {
      let dataSet = try #require(root.dataSet(name))
      let error = try #require(throws: CheckpointError.self) { try tree.tensor(dataSet) }
      #expect(
        error.description
          == "\(tree.path): /\(name): elements of another type than numbers is not supported")
    }
  }

  @Test func aFileInAFileIsRead() throws {
    let whole = try bytes(Fixture.path("hdf5/foreign.h5"))
    let folder = try TemporaryFolder()
    let path = try folder.file(
      "x", [UInt8](repeating: 7, count: 100) + whole + [UInt8](repeating: 7, count: 100))
    for access in [HDF5Access.isolated, .trusted] {
      let tree = try HDF5Tree(reading: path, range: 100..<100 + whole.count, access: access)
      let dataSet = try #require(tree.root.dataSet("weights/b"))
      #expect(try tree.tensor(dataSet).floats == [0, 1, 2, 3, 4, 5])
    }
    let error = try #require(throws: CheckpointError.self) {
      try HDF5Tree(reading: path, range: 100..<300 + whole.count, access: .trusted)
    }
    #expect(
      error.description
        == "\(path): truncated: the HDF5 file within: expected \(300 + whole.count) bytes, "
        + "found \(200 + whole.count)")
  }

  static func dataSets(in group: HDF5Tree.Group) -> [HDF5Tree.DataSet] {
    group.members.flatMap { _, member in
      switch member {
      case .group(let group): dataSets(in: group)
      case .dataSet(let dataSet): [dataSet]
      }
    }
  }
}
