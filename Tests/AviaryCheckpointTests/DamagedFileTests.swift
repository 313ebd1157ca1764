import AviaryCheckpoint
import AviaryContainers
import AviaryFormats
import AviaryTestSupport
import AviaryTensor
import Testing

/// Files that are not what they seem, end too early, or have changed bytes: always an error of one
/// line or, where the damage hits nothing of importance, a success; never a trap, never a hang.
@Suite struct DamagedFileTests {
  @Test(arguments: [
    ("", "expected a file of weights, found an empty file"),
    (
      "version https://git-lfs.github.com/spec/v1\noid sha256:00\nsize 5\n",
      "expected a file of weights, found a Git LFS pointer (the file itself comes with `git lfs pull`)"
    ),
    (
      "\n<!DOCTYPE html><html>",
      "expected a file of weights, found a saved web page (was the download's address right?)"
    ),
    ("hello", "expected a file of weights, found a text file"),
    ("{\"a\": 1}", "expected a file of weights, found a JSON file"),
    ("\u{7F}ELF\u{1}", "expected a file of weights, found an executable or library"),
    ("7767517\n", "damaged: line 2: expected the counts of layers and blobs"),
  ]) func isNamedForWhatItIs(content: String, message: String) throws {
    let folder = try TemporaryFolder()
    let path = try folder.file("x.pt", Array(content.utf8))
    let external = try #require(throws: CheckpointError.self) { try WeightsFile.read(path) }
    #expect(external.description == "\(path): \(message)")
    let native = try #require(throws: CheckpointError.self) { try Checkpoint(contentsOf: path) }
    #expect(native.description.hasPrefix("\(path): expected a file of weights, "))
  }

  @Test func whatIsNoFileIsSaid() throws {
    let folder = try TemporaryFolder()
    let error = try #require(throws: CheckpointError.self) { try WeightsFile.read(folder.path) }
    #expect(error.description == "\(folder.path): cannot be read: it is a folder")
    let path = folder.file("absent.pt")
    let absent = try #require(throws: CheckpointError.self) { try WeightsFile.read(path) }
    #expect(absent.description == "\(path): cannot be read: no such file or directory")
    let device = try #require(throws: CheckpointError.self) { try WeightsFile.read("/dev/null") }
    #expect(device.description == "/dev/null: cannot be read: it is not a file")
  }

  @Test(arguments: ["pytorch/containers/zip.pt", "pytorch/containers/legacy.pt"])
  func truncatedTorchSaysHowMuchIsThere(fixture: String) throws {
    let whole = try bytes(Fixture.path(fixture))
    let folder = try TemporaryFolder()
    let path = try folder.file("x.pt", Array(whole[..<1400]))
    let error = try #require(throws: CheckpointError.self) { try WeightsFile.read(path) }
    let format = /truncated: .*: expected [0-9]+ bytes, found [0-9]+$/
    #expect(error.description.contains(format), "\(error)")
  }

  @Test func truncatedCheckpointSaysHowMuchIsThere() throws {
    let folder = try TemporaryFolder()
    try sampleCheckpoint().write(to: folder.file("a.h5"))
    let whole = try bytes(folder.file("a.h5"))
    let path = try folder.file("b.h5", Array(whole[..<(whole.count - 100)]))
    let error = try #require(throws: CheckpointError.self) { try Checkpoint(contentsOf: path) }
    #expect(
      error.description.hasPrefix(
        "\(path): damaged: the file: truncated file: eof = \(whole.count - 100), "))
  }

  @Test(arguments: ["zip", "legacy", "module", "module_legacy", "views_legacy", "types"])
  func torchOfAnyLengthAndWithAnyByteChanged(name: String) throws {
    let whole = try bytes(Fixture.path("pytorch/containers/\(name).pt"))
    let folder = try TemporaryFolder()
    var refused = 0
    for damaged in damage(whole) {
      let path = try folder.file("x.pt", damaged)
      do throws(CheckpointError) {
        _ = try WeightsFile.read(path)
      } catch {
        refused += 1
        #expect(!error.description.contains("\n"))
      }
    }
    // Most bytes of these small files are structure, and most damage to structure shows.
    #expect(refused > 40)
  }

  @Test func checkpointOfAnyLengthAndWithAnyByteChanged() throws {
    let folder = try TemporaryFolder()
    try sampleCheckpoint().write(to: folder.file("a.h5"))
    let original = try Checkpoint(contentsOf: folder.file("a.h5"))
    let whole = try bytes(folder.file("a.h5"))
    for damaged in damage(whole) {
      let path = try folder.file("x.h5", damaged)
      do throws(CheckpointError) {
        let file = try ProbedFile(path)
        _ = try? CheckpointSummary(of: file)
        // Whatever is read and verified has the original's weights, non-persistent buffers aside.
        let read = try Checkpoint(contentsOf: file)
        #expect(read.contentHash == original.contentHash)
      } catch {
        #expect(!error.description.contains("\n"))
      }
    }
  }

  /// The file cut at every 97th byte, then with single bytes changed in three ways.
  private func damage(_ whole: [UInt8]) -> [[UInt8]] {
    var files: [[UInt8]] = []
    for length in stride(from: 0, to: whole.count, by: 97) { files.append(Array(whole[..<length])) }
    for i in stride(from: 0, to: whole.count, by: max(whole.count / 150, 1)) {
      for changed in [whole[i] ^ 0xFF, whole[i] ^ 1 << UInt8(i % 8), UInt8(truncatingIfNeeded: i)] {
        var file = whole
        file[i] = changed
        files.append(file)
      }
    }
    return files
  }
}

@Suite struct ErrorTextTests {
  /// Names in files may hold anything; a message is one line, and no terminal obeys it.
  @Test func aMessageIsOneLine() {
    let error = CheckpointError.damaged(path: "a\nb", part: "\u{1B}[2J", reason: "x\u{202E}y")
    #expect(error.description == #"a b: damaged: \u{1b}[2J: x\u{202e}y"#)
  }
}
