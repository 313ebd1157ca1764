import AviaryImage
import FoundationEssentials
import AviaryTestSupport
import Testing

/// Files that are not images, or no longer: each a one-line error that says what is the matter.
@Suite struct DamagedFileTests {
  /// The text of the error that reading the file throws.
  func message(_ path: String) -> String {
    do {
      _ = try Image(contentsOf: path)
      return "no error"
    } catch {
      #expect(!"\(error)".contains("\n"))
      return "\(error)".replacing(path, with: "FILE")
    }
  }

  func message(_ bytes: [UInt8]) throws -> String {
    let folder = try TemporaryFolder()
    return message(try folder.file("picture", bytes))
  }

  @Test(arguments: [
    ("", "an empty file"),
    (
      "version https://git-lfs.github.com/spec/v1\noid sha256:0\n",
      "a Git LFS pointer (the file itself comes with `git lfs pull`)"
    ),
    ("\n <!DOCTYPE html>\n<html></html>", "a saved web page (was the download's address right?)"),
    ("<html><body>404</body></html>", "a saved web page (was the download's address right?)"),
    ("<svg xmlns=''/>", "an XML or SVG file"),
    ("%PDF-1.7", "a PDF file"),
    ("hello", "a text file"),
    ("x", "a text file"),
  ])
  func otherContentIsNamed(content: String, found: String) throws {
    #expect(
      try message(Array(content.utf8))
        == "FILE: expected \(ImageFormat.list(ImageFormat.readable)), found \(found)")
  }

  @Test func binaryContentIsNamed() throws {
    #expect(
      try message(Array("\0\0\0\u{18}ftypheic".utf8))
        == "FILE: expected \(ImageFormat.list(ImageFormat.readable)), found a HEIF, AVIF or video file"
    )
    #expect(
      try message([0x89, 0x48, 0x44, 0x46, 0x0D])
        == "FILE: expected \(ImageFormat.list(ImageFormat.readable)), found an HDF5 file")
    #expect(
      try message([0x89, 0x50, 0x4E, 0x47, 0x0A, 0x1A, 0x0A])
        == "FILE: expected \(ImageFormat.list(ImageFormat.readable)), found a PNG spoilt by a transfer as text"
    )
  }

  @Test func filesThatCannotBeOpened() throws {
    let folder = try TemporaryFolder()
    #expect(
      message("\(folder.path)/none.png") == "FILE: cannot be read: no such file or directory")
    #expect(message(folder.path) == "FILE: cannot be read: it is a folder")
    #expect(message("/dev/null") == "FILE: cannot be read: it is not a file")
  }

  @Test func hugeHeadersCostNothing() {
    #expect(
      message(Fixture.path("huge-header.png"))
        == "FILE: damaged image: the file ends too early, within chunk IDAT")
    #expect(
      message(Fixture.path("huge-hollow.png"))
        == "FILE: damaged image: 61 bytes of image data cannot hold 30000x30000 pixels")
    #expect(
      message(Fixture.path("no-pixels.png"))
        == "FILE: damaged image: Image width is zero in IHDR")
  }

  /// A JPEG's sides stand in its frame header: changed there, the data no longer suffices.
  @Test func hugeJPEGHeader() throws {
    var bytes = try Fixture.bytes("gray.jpg")
    let frame = try #require(
      (0..<bytes.count - 8).first { bytes[$0] == 0xFF && bytes[$0 + 1] == 0xC0 })
    bytes.replaceSubrange(frame + 5..<frame + 9, with: [0x75, 0x30, 0x75, 0x30])
    #expect(
      try message(bytes)
        == "FILE: damaged image: \(bytes.count) bytes of image data cannot hold 30000x30000 pixels"
    )
  }

  @Test func aWideHeaderIsRefusedBySide() throws {
    // 2^31 - 1 columns: libpng's own limit holds before ours.
    var bytes = try Fixture.bytes("gray-8.png")
    bytes.replaceSubrange(16..<20, with: [0x7F, 0xFF, 0xFF, 0xFF])
    bytes.replaceSubrange(29..<33, with: crc(bytes[12..<29]))
    #expect(
      try message(bytes) == "FILE: damaged image: Image width exceeds user limit in IHDR")
  }

  /// Wherever a file is cut off, the answer is an error, in no time.
  @Test(arguments: ["rgb-16.png", "palette-4-interlaced.png", "metadata.png"])
  func truncatedPNG(_ name: String) throws {
    let bytes = try Fixture.bytes(name)
    for count in 8..<bytes.count {
      let text = try message(Array(bytes.prefix(count)))
      #expect(
        text.hasPrefix("FILE: damaged image: the file ends too early"), "\(count): \(text)")
    }
  }

  @Test(arguments: ["noise.jpg", "progressive.jpg", "orientation-6.jpg"])
  func truncatedJPEG(_ name: String) throws {
    let bytes = try Fixture.bytes(name)
    // The last two bytes are the end mark.
    for count in stride(from: 3, to: bytes.count - 2, by: 7) {
      let text = try message(Array(bytes.prefix(count)))
      #expect(text.hasPrefix("FILE: damaged image: "), "\(count): \(text)")
    }
    #expect(
      try message(Array(bytes.prefix(bytes.count * 2 / 3)))
        == "FILE: damaged image: Premature end of JPEG file")
  }

  /// One bit of a PNG's chunks changed anywhere is found by a checksum, if nothing else.
  @Test(arguments: ["rgb-8.png", "metadata.png", "gray-16-interlaced.png"])
  func flippedBits(_ name: String) throws {
    let bytes = try Fixture.bytes(name)
    for i in 8..<bytes.count {
      var changed = bytes
      changed[i] ^= 0x10
      let text = try message(changed)
      #expect(text.hasPrefix("FILE: damaged image: "), "\(i): \(text)")
    }
  }

  @Test func checksumsAreNamed() throws {
    var bytes = try Fixture.bytes("rgb-8.png")
    bytes[bytes.count - 13] ^= 1
    #expect(try message(bytes) == "FILE: damaged image: IDAT: CRC error")
  }

  /// Random damage to a JPEG may go unseen, but must neither trap nor hang.
  @Test(arguments: ["noise.jpg", "progressive.jpg", "cmyk.jpg", "orientation-5.jpg"])
  func changedJPEGBytes(_ name: String) throws {
    let bytes = try Fixture.bytes(name)
    var state: UInt32 = 3
    for _ in 0..<300 {
      var changed = bytes
      for _ in 0..<3 {
        state = state &* 1_664_525 &+ 1_013_904_223
        changed[2 + Int(state >> 8) % (bytes.count - 2)] = UInt8(truncatingIfNeeded: state >> 3)
      }
      let text = try message(changed)
      #expect(text == "no error" || text.hasPrefix("FILE: "), "\(text)")
    }
  }

  /// CRC-32 as PNG has it, big-endian.
  private func crc(_ bytes: ArraySlice<UInt8>) -> [UInt8] {
    var value: UInt32 = ~0
    for byte in bytes {
      value ^= UInt32(byte)
      for _ in 0..<8 { value = value >> 1 ^ (value & 1 == 1 ? 0xEDB8_8320 : 0) }
    }
    return [24, 16, 8, 0].map { UInt8(truncatingIfNeeded: ~value >> $0) }
  }
}
