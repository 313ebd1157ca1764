@testable import AviaryContainers
@testable import AviaryFormats
import AviaryFiles
import AviaryTestSupport
import Testing

/// Archives of more members than the old directory counts.
@Suite struct ZipWritingTests {
  @Test func manyMembersNeedZip64() throws {
    let folder = try TemporaryFolder()
    let path = folder.file("many.zip")
    var zip = try ZipWriter(replacing: path)
    for number in 0..<66_000 { try zip.add("\(number)", [UInt8]()) }
    try zip.add("last", Array("content".utf8))
    try zip.finish()
    let file = try InputFile(path)
    let archive = try ZipArchive(file)
    #expect(archive.entries.count == 66_001)
    let last = try #require(archive["last"])
    #expect(try archive.content(of: last, in: file) == Array("content".utf8))
  }

  @Test func aFileIsAMemberLikeAny() throws {
    let folder = try TemporaryFolder()
    let bytes = (0..<3_000_000).map { UInt8(truncatingIfNeeded: $0 &* 31) }
    let source = try folder.file("source", bytes)
    var zip = try ZipWriter(replacing: folder.file("a.zip"))
    try zip.add("source", try InputFile(source))
    try zip.finish()
    let file = try InputFile(folder.file("a.zip"))
    let archive = try ZipArchive(file)
    let entry = try #require(archive["source"])
    #expect(entry.crc == CRC32.of(bytes))
    #expect(try archive.content(of: entry, in: file) == bytes)
  }

  @Test func anHDF5FileInAnArchiveIsNoHDF5File() throws {
    let signature: [UInt8] = [0x89, 0x48, 0x44, 0x46, 0x0D, 0x0A, 0x1A, 0x0A]
    let folder = try TemporaryFolder()
    // Whatever comes before moves it over the places where HDF5 may begin.
    for count in stride(from: 0, to: 1024, by: 64) {
      var zip = try ZipWriter(replacing: folder.file("a.keras"))
      try zip.add("config.json", [UInt8](repeating: UInt8(ascii: " "), count: count))
      try zip.add("model.weights.h5", signature)
      try zip.add("metadata.json", [])
      try zip.finish()
      #expect(try FileFormat.probe(folder.file("a.keras")) == .kerasArchive, "\(count)")
    }
  }
}
