import AviaryTestSupport
import Glibc
import Testing

@testable import AviaryCheckpoint

/// Files that lead a reader in circles, answers that do not add up, and both with bytes changed.
@Suite struct HostileHDF5Tests {
  @Test(arguments: [
    ("circle", "groups inside groups: at most 64 expected, 65 found"),
    ("soft_circle", "/a: a link of the soft kind is not supported"),
    ("dangling", "/a: a link of the soft kind is not supported"),
    ("deep", "groups inside groups: at most 64 expected, 65 found"),
    ("type", "/t: neither group nor data set, which is not supported"),
    ("latin", "/: a name that is not UTF-8 is not supported"),
    (
      "shape",
      "/w, shape [2147483648, 2147483648, 4], elements: at most 281474976710656 expected, "
        + "9223372036854775807 found"
    ),
  ]) func isRefused(name: String, message: String) throws {
    let path = Fixture.path("hdf5-hostile/\(name).h5")
    let error = try #require(throws: CheckpointError.self) { try FileFormat.sniff(path) }
    #expect(error.description == "\(path): \(message)")
  }

  /// A file of a few kilobytes that stands for 2 to the 14th groups.
  @Test func aFanOfLinksIsRefused() throws {
    let path = Fixture.path("hdf5-hostile/fan.h5")
    let most = try bytes(path).count / 16 + 16
    let error = try #require(throws: CheckpointError.self) { try FileFormat.sniff(path) }
    #expect(error.description == "\(path): objects: at most \(most) expected, \(most + 1) found")
  }

  /// Thousands of answers with bytes changed, taken out and put in: decoded or refused.
  @Test func answersAreHostileToo() throws {
    var random = SplitMix64(seed: 3)
    for name in ["hdf5-hostile/kinds.h5", "hdf5/foreign.h5", "checkpoint/version-1.h5"] {
      let tree = try HDF5Tree(reading: Fixture.path(name), access: .trusted)
      let (answer, byteCount) = (try tree.reader.answer(), tree.reader.range.byteCount)
      var refused = 0
      for _ in 0..<3000 {
        let changed = mutated(answer, by: &random)
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

  /// A few seconds of files with bytes changed, through the helper; `AVIARY_FUZZ_SECONDS` makes it
  /// longer. The library's faults stay in the helper.
  @Test func changedFilesAreReadOrRefused() throws {
    let seconds = unsafe getenv("AVIARY_FUZZ_SECONDS").flatMap { unsafe Int(String(cString: $0)) }
    let deadline = ContinuousClock.now + .seconds(seconds ?? 3)
    var random = SplitMix64(seed: UInt64(seconds ?? 3))
    let names = [
      "hdf5-hostile/kinds.h5", "hdf5/foreign.h5", "hdf5/deflated.h5", "hdf5/big_endian.h5",
      "hdf5-hostile/fan.h5", "checkpoint/version-1.h5",
    ]
    let files = try names.map { try bytes(Fixture.path($0)) }
    let folder = try TemporaryFolder()
    var counts = (read: 0, refused: 0, failed: [String: Int]())
    while ContinuousClock.now < deadline {
      let whole = files[Int.random(in: 0..<files.count, using: &random)]
      let path = try folder.file("x.h5", mutated(whole, by: &random))
      do throws(CheckpointError) {
        let tree = try HDF5Tree(reading: path, access: .isolated)
        counts.read += 1
        for name in ["chunked", "weights/w", "weights/b", "numbers/big/f4"] {
          if let dataSet = tree.root.dataSet(name) { _ = try tree.tensor(dataSet) }
        }
      } catch .readerFailed(_, let reason) {
        counts.failed[reason, default: 0] += 1
      } catch {
        counts.refused += 1
        #expect(!error.description.contains("\n"))
      }
    }
    print("fuzz: \(counts)")
    #expect(counts.read + counts.refused > 10)
  }

  private func mutated(_ bytes: [UInt8], by random: inout SplitMix64) -> [UInt8] {
    var bytes = bytes
    for _ in 0..<Int.random(in: 1...4, using: &random) {
      let place = Int.random(in: 0..<bytes.count, using: &random)
      switch Int.random(in: 0..<8, using: &random) {
      case 0: bytes[place] = 0xFF
      case 1: bytes[place] = 0
      case 2: bytes[place] ^= 1 << UInt8.random(in: 0..<8, using: &random)
      case 3: bytes[place] &+= 1
      case 4: bytes[place] = UInt8.random(in: 0...255, using: &random)
      case 5:
        for i in place..<min(place + 8, bytes.count) { bytes[i] = 0xFF }
      case 6: bytes.removeSubrange(place..<min(place + 4, bytes.count))
      default: bytes.insert(UInt8.random(in: 0...255, using: &random), at: place)
      }
      if bytes.isEmpty { bytes = [0] }
    }
    return bytes
  }
}
