@testable import AviaryImage
import Testing

/// The table of image formats.
@Suite struct ImageFormatTests {
  @Test func namesAndEndingsAreUnique() {
    let endings = ImageFormat.all.flatMap(\.endings)
    #expect(Set(endings).count == endings.count)
    #expect(endings.allSatisfy { $0 == $0.lowercased() && !$0.contains(".") })
    #expect(Set(ImageFormat.all.map(\.name)).count == ImageFormat.all.count)
    #expect(ImageFormat.all.allSatisfy { !$0.endings.isEmpty })
    // What is read is told by its content.
    #expect(ImageFormat.readable.allSatisfy { !$0.signatures.isEmpty })
  }

  @Test func questions() {
    #expect(
      ImageFormat.readable == [.png, .jpeg, .webP, .tiff, .bmp, .gif, .pnm, .pam, .pfm, .pbm])
    #expect(ImageFormat.writable == [.png, .jpeg, .webP, .tiff, .pnm, .pam, .pfm])
    #expect(ImageFormat.list([.png, .jpeg, .tiff]) == "PNG, JPEG or TIFF")
    #expect(ImageFormat.list([.png]) == "PNG" && ImageFormat.list([]) == "")
    #expect(ImageFormat.named("a/B.JPEG") == .jpeg)
    #expect(ImageFormat.named("a.webp")?.name == "WebP")
    #expect(ImageFormat.named("a.txt") == nil && ImageFormat.named("png") == nil)
    #expect(ImageFormat.writing("a.PnG") == .png && ImageFormat.writing("a.gif") == nil)
    #expect(ImageFormat.reading([0xFF, 0xD8, 0xFF, 0xE0]) == .jpeg)
    #expect(ImageFormat.reading([0xFF, 0xD8]) == nil && ImageFormat.reading([]) == nil)
  }
}
