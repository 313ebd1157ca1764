@testable import AviaryContainers
import AviaryFiles
import AviaryTestSupport
import Glibc
import Testing

/// What is read of an HDF5 file without the library is what the library reads, or nothing.
@Suite struct HDF5OutlineTests {
  private func reader(_ path: String) throws -> HDF5Reader {
    try HDF5Reader(trusting: HDF5Range(try InputFile(weights: path), nil))
  }

  @Test(arguments: HDF5AccessTests.files) func itIsWhatTheLibraryReads(path: String) throws {
    guard try bytes(path).starts(with: [0x89, 0x48, 0x44, 0x46]) else { return }
    let reader = try? reader(path)
    guard let reader, let outline = HDF5Outline.root(of: reader) else { return }
    try expectSame(outline, HDF5Tree(reader).root)
  }

  /// Checkpoints, and the simpler files of other writers, need no library.
  @Test func whatIsSimpleIsRead() throws {
    let names = [
      "checkpoint/version-1.h5", "hdf5-state/groups.h5", "keras/networks/fusion-cae-2.weights.h5",
    ]
    for name in names {
      #expect(HDF5Outline.root(of: try reader(Fixture.path(name))) != nil, "\(name)")
    }
    for name in ["kinds", "fan", "deep", "soft_circle", "type", "latin", "shape"] {
      let path = Fixture.path("hdf5-hostile/\(name).h5")
      #expect(HDF5Outline.root(of: try reader(path)) == nil, "\(name)")
    }
  }

  /// Thousands of files with bytes changed, taken out and put in: what is read keeps to the file,
  /// and wherever the library reads them too, it reads the same.
  @Test func changedFilesAreReadOrLeft() throws {
    for name in ["checkpoint/version-1.h5", "hdf5-state/groups.h5", "hdf5-hostile/fan.h5"] {
      var mutations = Mutations(of: [try bytes(Fixture.path(name))], seed: 5)
      var left = 0
      for _ in 0..<3000 {
        let changed = mutations.next()
        if changed.isEmpty { continue }
        // In memory: thousands of files would keep the disk busy.
        let file = try InputFile(memory: changed.count, "changed.h5")
        unsafe #expect(pwrite(file.descriptor, changed, changed.count, 0) == changed.count)
        // The library's own faults are for another process; here it opens nothing.
        let range = try HDF5Range(file, nil)
        let reader = HDF5Reader(isolating: range, HDF5Helper(program: "/absent"))
        guard let root = HDF5Outline.root(of: reader) else {
          left += 1
          continue
        }
        let tree = HDF5Tree(path: "changed.h5", root: root, reader: reader)
        for dataSet in HDF5AccessTests.dataSets(in: root) {
          #expect(dataSet.shape.reduce(1, *) < 1 << 48)
          #expect((dataSet.offset ?? 0) + dataSet.storedByteCount <= reader.range.byteCount)
          if dataSet.isPlain { _ = try tree.tensor(dataSet) }
        }
      }
      #expect(left > 300, "\(name)")
    }
  }

  private func expectSame(_ one: HDF5Tree.Group, _ other: HDF5Tree.Group) throws {
    #expect(one.path == other.path)
    #expect(one.attributes == other.attributes, "\(one.path)")
    #expect(one.members.map(\.name) == other.members.map(\.name), "\(one.path)")
    for (one, other) in zip(one.members, other.members) {
      switch (one.member, other.member) {
      case (.group(let one), .group(let other)): try expectSame(one, other)
      case (.dataSet(let one), .dataSet(let other)): #expect(one == other, "\(one.path)")
      default: Issue.record("\(one), \(other)")
      }
    }
  }
}
