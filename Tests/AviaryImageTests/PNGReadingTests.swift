@testable import AviaryImage
import AviaryTestSupport
import Testing

/// Every colour type and depth that PNG has, against the formula that made the files.
@Suite struct PNGReadingTests {
  struct Kind: Sendable, CustomTestStringConvertible {
    let name: String
    let color: ColorModel
    let hasAlpha: Bool
    let depths: [Int]
    var testDescription: String { name }
  }

  static let kinds = [
    Kind(name: "gray", color: .gray, hasAlpha: false, depths: [1, 2, 4, 8, 16]),
    Kind(name: "rgb", color: .rgb, hasAlpha: false, depths: [8, 16]),
    Kind(name: "palette", color: .rgb, hasAlpha: false, depths: [1, 2, 4, 8]),
    Kind(name: "gray-alpha", color: .gray, hasAlpha: true, depths: [8, 16]),
    Kind(name: "rgba", color: .rgb, hasAlpha: true, depths: [8, 16]),
  ]

  @Test(arguments: kinds, [false, true])
  func everyTypeAndDepth(_ kind: Kind, isInterlaced: Bool) throws {
    for depth in kind.depths {
      let name = "\(kind.name)-\(depth)\(isInterlaced ? "-interlaced" : "").png"
      var reader = try ImageReader(path: Fixture.path(name))
      let header = reader.header
      #expect(header.container == .png)
      #expect(header.width == Fixture.width && header.height == Fixture.height)
      #expect(
        header.format
          == PixelFormat(
            kind.color, hasAlpha: kind.hasAlpha, bitDepth: depth == 16 ? .sixteen : .eight))
      #expect(header.storedBitDepth == depth)
      #expect(header.isPalette == (kind.name == "palette"))
      #expect(header.isInterlaced == isInterlaced && header.isHeldWhole == isInterlaced)
      #expect(header.metadata == ImageMetadata() || header.metadata.chunkTypes.isEmpty)

      let image = try reader.readAll()
      let integers = image.integers(header.format.bitDepth)
      var i = 0
      for c in 0..<image.channels {
        for y in 0..<Fixture.height {
          for x in 0..<Fixture.width {
            let sample: Int
            if kind.name == "palette" {
              sample = Fixture.palette(Fixture.sample(x, y, 0, depth: depth))[c]
            } else {
              let value = Fixture.sample(x, y, c, depth: depth)
              // 1, 2 and 4 bits are spread over 8.
              sample = depth < 8 ? value * 255 / ((1 << depth) - 1) : value
            }
            try #require(integers[i] == sample, "\(name) channel \(c) at (\(x), \(y))")
            i += 1
          }
        }
      }
    }
  }

  @Test func transparencyBecomesAlpha() throws {
    let gray = try Image(contentsOf: Fixture.path("gray-4-transparent.png"))
    let rgb = try Image(contentsOf: Fixture.path("rgb-16-transparent.png"))
    let palette = try Image(contentsOf: Fixture.path("palette-4-transparent.png"))
    #expect(gray.format == PixelFormat(.gray, hasAlpha: true))
    #expect(rgb.format == PixelFormat(.rgb, hasAlpha: true, bitDepth: .sixteen))
    #expect(palette.format == PixelFormat(.rgb, hasAlpha: true))
    for y in 0..<Fixture.height {
      for x in 0..<Fixture.width {
        let level = Fixture.sample(x, y, 0, depth: 4)
        #expect(gray[1, y, x] == (level == Fixture.sample(3, 2, 0, depth: 4) ? 0 : 1))
        // The pattern repeats (7 x + 13 y): other places may have the colour too.
        let isClear = x * 7 + y * 13 == 5 * 7 + 4 * 13
        #expect(rgb[3, y, x] == (isClear ? 0 : 1))
        #expect(palette[3, y, x] == Float(Fixture.paletteAlpha(level)) / 255)
      }
    }
  }

  /// As in a JPEG: what is written may have no place for an orientation.
  @Test(arguments: 1...8, ["rgb-8.png", "rgb-8-interlaced.png"])
  func orientationIsAppliedAndReset(_ orientation: Int, _ name: String) throws {
    func exif(_ orientation: Int) -> [UInt8] {
      // One entry: tag 0x0112, a SHORT, one of it.
      Array("II*\0".utf8) + [
        8, 0, 0, 0, 1, 0, 0x12, 1, 3, 0, 1, 0, 0, 0, UInt8(orientation), 0, 0, 0,
      ]
        + [0, 0, 0, 0]
    }
    let density: [UInt8] = [0, 0, 0, 5, 0, 0, 0, 7, 1]
    let folder = try TemporaryFolder()
    var bytes = try Fixture.bytes(name)
    // Behind the image data, where it may stand, too.
    let end = bytes.suffix(12)
    bytes.removeLast(12)
    bytes.insert(contentsOf: PNGChunk(type: "pHYs", data: density).fileBytes, at: 33)
    bytes += PNGChunk(type: "eXIf", data: exif(orientation)).fileBytes + end
    var reader = try ImageReader(path: try folder.file("turned.png", bytes))
    let header = reader.header, image = try reader.readAll()
    #expect(header.metadata.exif == exif(1))
    let stored = try Image(contentsOf: Fixture.path(name))
    let exchanges = orientation >= 5
    #expect(
      header.metadata.pixelsPerMetre ?? (0, 0) == (exchanges ? (7, 5) : (5, 7)))
    try #require(
      image.width == (exchanges ? stored.height : stored.width)
        && image.height == (exchanges ? stored.width : stored.height))
    let (lastX, lastY) = (stored.width - 1, stored.height - 1)
    for y in 0..<image.height {
      for x in 0..<image.width {
        // EXIF 2.3: which side of what is seen the first row and the first column are.
        let (column, row) =
          switch orientation {
          case 1: (x, y)
          case 2: (lastX - x, y)
          case 3: (lastX - x, lastY - y)
          case 4: (x, lastY - y)
          case 5: (y, x)
          case 6: (y, lastY - x)
          case 7: (lastX - y, lastY - x)
          default: (lastX - y, x)
          }
        #expect(image[1, y, x] == stored[1, row, column])
      }
    }
  }

  @Test(arguments: ["rgba-16.png", "rgba-16-interlaced.png", "orientation-6.jpg"], [1, 2, 4, 100])
  func bandsMakeUpTheWhole(name: String, rows: Int) throws {
    let whole = try Image(contentsOf: Fixture.path(name))
    var reader = try ImageReader(path: Fixture.path(name))
    var bands: [Image] = []
    while let band = try reader.read(rows: rows) {
      #expect(band.height <= rows)
      bands.append(band)
      #expect(reader.position == bands.map(\.height).reduce(0, +))
    }
    #expect(try Image.stacked(bands) == whole)
    #expect(try reader.read(rows: 1) == nil)
    #expect(try reader.readAll().height == 0)
  }
}
