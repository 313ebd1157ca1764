@testable import AviaryContainers
@testable import AviaryFormats
import AviaryTestSupport
import Testing

/// Files that lead a reader in circles, answers that do not add up, and both with bytes changed.
@Suite struct HostileHDF5Tests {
  @Test(arguments: [
    ("circle", "groups inside groups: 65 exceeds the limit of 64"),
    ("soft_circle", "/a: a link of the soft kind is not supported"),
    ("dangling", "/a: a link of the soft kind is not supported"),
    ("deep", "groups inside groups: 65 exceeds the limit of 64"),
    ("type", "/t: neither group nor data set, which is not supported"),
    ("latin", "/: a name that is not UTF-8 is not supported"),
    (
      "shape",
      "/w, shape [2147483648, 2147483648, 4], elements: 9223372036854775807 exceeds the "
        + "limit of 281474976710656"
    ),
  ]) func isRefused(name: String, message: String) throws {
    let path = Fixture.path("hdf5-hostile/\(name).h5")
    let error = try #require(throws: CheckpointError.self) { try FileFormat.probe(path) }
    #expect(error.description == "\(path): \(message)")
  }

  /// A file of a few kilobytes that stands for 2 to the 14th groups.
  @Test func aFanOfLinksIsRefused() throws {
    let path = Fixture.path("hdf5-hostile/fan.h5")
    let most = try bytes(path).count / 16 + 16
    let error = try #require(throws: CheckpointError.self) { try FileFormat.probe(path) }
    #expect(error.description == "\(path): objects: \(most + 1) exceeds the limit of \(most)")
  }

  /// Thousands of answers with bytes changed, taken out and put in: decoded or refused.
  @Test func answersAreHostileToo() throws {
    for name in ["hdf5-hostile/kinds.h5", "hdf5/foreign.h5", "checkpoint/version-1.h5"] {
      let tree = try HDF5Tree(reading: Fixture.path(name), access: .trusted)
      let (answer, byteCount) = (try tree.reader.answer(), tree.reader.range.byteCount)
      var mutations = Mutations(of: [answer], seed: 3)
      var refused = 0
      for _ in 0..<3000 {
        let changed = mutations.next()
        do throws(CheckpointError) {
          var decoder = HDF5Tree.Decoder(changed, path: "x.h5", byteCount: byteCount)
          let root = try decoder.root()
          // What is decoded can be asked for, and keeps to the file.
          for (_, member) in root.members {
            guard case .dataSet(let dataSet) = member else { continue }
            #expect(dataSet.shape.reduce(1, *) < 1 << 48)
            #expect((dataSet.offset ?? 0) + dataSet.storedByteCount <= byteCount)
            _ = try? tree.tensor(dataSet)
          }
        } catch {
          refused += 1
          #expect(!error.description.contains("\n"))
        }
      }
      #expect(refused > 1500)
    }
  }
}
