@testable import AviaryImage
import Testing

@Suite struct JPEGReadingTests {
  /// Three blocks across, two down, each 8x8 pixels of one colour.
  static let blocks = [
    [200, 30, 40], [20, 180, 60], [40, 50, 220], [230, 220, 30], [120, 120, 120], [10, 10, 10],
  ]

  /// The codec changes blocks of one colour by its rounding alone.
  func expectBlocks(_ image: Image, tolerance: Int = 3) {
    #expect(image.width == 24 && image.height == 16)
    let integers = image.integers(.eight)
    var worst = 0
    for c in 0..<3 {
      for y in 0..<16 {
        for x in 0..<24 {
          let block = JPEGReadingTests.blocks[y / 8 * 3 + x / 8]
          worst = max(worst, abs(integers[(c * 16 + y) * 24 + x] - block[c]))
        }
      }
    }
    #expect(worst <= tolerance)
  }

  @Test(arguments: 1...8) func orientationIsAppliedAndReset(_ orientation: Int) throws {
    var reader = try ImageReader(path: Fixture.path("orientation-\(orientation).jpg"))
    #expect(reader.header.container == .jpeg)
    #expect(reader.header.width == 24 && reader.header.height == 16)
    #expect(reader.header.isHeldWhole == (orientation > 2))
    expectBlocks(try reader.readAll())
    // Pillow writes big-endian: two entries, Make (0x010F) and Orientation (0x0112), in this order.
    let exif = try #require(reader.header.metadata.exif)
    let tag = try #require((0..<exif.count - 12).first { exif[$0] == 0x01 && exif[$0 + 1] == 0x12 })
    #expect(exif[tag..<tag + 12] == [1, 0x12, 0, 3, 0, 0, 0, 1, 0, 1, 0, 0])
    #expect(String(decoding: exif, as: UTF8.self).contains("Aviary"))
    let density = try #require(reader.header.metadata.pixelsPerMetre)
    // It turns with the image.
    #expect(density == (orientation > 4 ? (5906, 11811) : (11811, 5906)))
  }

  @Test func grayStaysGray() throws {
    let image = try Image(contentsOf: Fixture.path("gray.jpg"))
    #expect(image.format == PixelFormat(.gray))
    // 0.299 x 200 + 0.587 x 30 + 0.114 x 40
    #expect(abs(image[0, 0, 0] * 255 - 82) <= 1)
  }

  @Test func progressiveCarriesItsProfile() throws {
    var reader = try ImageReader(path: Fixture.path("progressive.jpg"))
    #expect(reader.header.metadata.chunkTypes == ["iCCP"])
    expectBlocks(try reader.readAll())
  }

  @Test func inksBecomeRGB() throws {
    var reader = try ImageReader(path: Fixture.path("cmyk.jpg"))
    #expect(reader.header.isConvertedFromCMYK)
    #expect(reader.header.format == PixelFormat(.rgb))
    expectBlocks(try reader.readAll())
  }
}
