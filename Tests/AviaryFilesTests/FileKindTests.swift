import AviaryFiles
import Testing

@Suite struct FileKindTests {
  @Test(
    arguments: [
      ([], .empty), ([0x89, 0x50, 0x4E, 0x47, 0x0D, 0x0A, 0x1A, 0x0A], .png),
      ([0x89, 0x50, 0x4E, 0x47, 0x0A, 0x1A, 0x0A], .spoiltPNG), ([0xFF, 0xD8, 0xFF, 0xE0], .jpeg),
      ([0xFF, 0x0A, 0x00], .jpegXL), ([0, 0, 0, 12] + Array("JXL \r".utf8), .jpegXL),
      ([0x42, 0x4D, 0x46, 0, 0, 0, 0, 0, 0, 0, 0x36], .bmp),
      ([0, 0, 0, 32] + Array("ftypavif".utf8), .heif),
      ([0x89, 0x48, 0x44, 0x46, 0x0D, 0x0A, 0x1A, 0x0A], .hdf5), ([0x1F, 0x8B, 8], .gzip),
      ([0x80, 0x02, 0x7D], .unknown), ([0, 1, 2], .unknown),
    ] as [([UInt8], FileKind)])
  func binaryFilesAreTold(_ content: [UInt8], _ kind: FileKind) {
    #expect(FileKind(beginning: content) == kind)
  }

  @Test(
    arguments: [
      ("GIF89a", .gif), ("RIFF0000WEBPVP8 ", .webP), ("RIFF0000WAVEfmt ", .text),
      ("II*\0", .tiff), ("MM\0*", .tiff), ("P6\n2 2\n255\n", .pnm), ("P6x", .text),
      ("BMW", .text), ("%PDF-1.7", .pdf), ("PK\u{3}\u{4}", .zip), ("\u{7F}ELF\u{1}", .elf),
      ("version https://git-lfs.github.com/spec/v1\noid sha256:0\n", .gitLFSPointer),
      ("\n <!DOCTYPE html>\n", .webPage), ("\u{FEFF}<HTML>", .webPage), ("<svg xmlns=''/>", .xml),
      ("<?xml version='1.0'?>", .xml), (" {\"a\": 1}", .json), ("hello", .text), ("\n", .text),
    ] as [(String, FileKind)])
  func textIsTold(_ content: String, _ kind: FileKind) {
    #expect(FileKind(beginning: Array(content.utf8)) == kind)
  }

  @Test func everyKindHasALabel() {
    #expect(Set(FileKind.allCases.map(\.label)).count == FileKind.allCases.count)
  }
}
