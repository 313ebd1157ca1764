@testable import AviaryImage
import AviaryTestSupport
import FoundationEssentials
import Testing

/// Files of every format that others made (Tests/Fixtures/images/export.py), sample by sample.
@Suite struct FormatReadingTests {
  static func path(_ name: String) -> String {
    SharedFolder.repository.appending(path: "Tests/Fixtures/images/\(name)").path
  }

  /// Holds that an image is a pattern, to the last integer.
  private func expect(
    _ name: String, _ format: PixelFormat, page: Int? = nil, width: Int = Fixture.width,
    height: Int = Fixture.height, _ sample: (_ x: Int, _ y: Int, _ channel: Int) -> Int
  ) throws {
    var reader = try ImageReader(path: Self.path(name), page: page)
    #expect(reader.header.format == format)
    let image = try reader.readAll()
    try #require(image.width == width && image.height == height)
    let depth: BitDepth = format.bitDepth == .float ? .sixteen : format.bitDepth
    var wrong = 0
    for channel in 0..<format.channels {
      for y in 0..<height {
        for x in 0..<width {
          let value = Int((image[channel, y, x] * Float(depth.maximum)).rounded())
          if value != sample(x, y, channel) { wrong += 1 }
        }
      }
    }
    #expect(wrong == 0, "\(name)")
    // In bands of any height.
    var again = try ImageReader(path: Self.path(name), page: page)
    var bands: [Image] = []
    while let band = try again.read(rows: 2) { bands.append(band) }
    #expect(try Image.stacked(bands) == image)
  }

  private func pattern(_ depth: Int) -> (Int, Int, Int) -> Int {
    { x, y, channel in Fixture.sample(x, y, channel, depth: depth) }
  }

  private func paletteSample(_ x: Int, _ y: Int, _ channel: Int) -> Int {
    Fixture.palette((x + y) % 16)[channel]
  }

  @Test(arguments: [
    "tiff-strips.tif", "tiff-lzw.tif", "tiff-planar.tif", "tiff-big.tif", "lossless.webp",
    "rgb.bmp", "alpha.bmp", "rgb.ppm", "text.ppm",
  ])
  func rgb(_ name: String) throws { try expect(name, PixelFormat(.rgb), pattern(8)) }

  @Test(arguments: ["tiff-packbits.tif", "tiff-white-is-zero.tif", "gray.bmp"])
  func gray(_ name: String) throws { try expect(name, PixelFormat(.gray), pattern(8)) }

  @Test(arguments: ["tiff-deflate-16.tif", "tiff-big-endian-16.tif", "tiff-planar-tiled-16.tif"])
  func sixteenBits(_ name: String) throws {
    try expect(name, PixelFormat(.rgb, bitDepth: .sixteen), pattern(16))
  }

  @Test(arguments: ["tiff-gray-16.tif", "gray-16.pgm"])
  func sixteenBitsOfGray(_ name: String) throws {
    try expect(name, PixelFormat(.gray, bitDepth: .sixteen), pattern(16))
  }

  @Test func commentsAmongSamples() throws {
    let folder = try TemporaryFolder()
    let bits = try folder.file("a.pbm", Array("P1 3 1\n1#0 1\n0 # 1\n# 0\n1#".utf8))
    #expect(try Image(contentsOf: bits).integers(.eight) == [0, 255, 0])
    let gray = try folder.file("a.pgm", Array("P2 2 1 255\n7 # 9 9\n9\n".utf8))
    #expect(try Image(contentsOf: gray).integers(.eight) == [7, 9])
    let open = try folder.file("b.pgm", Array("P2 2 1 255\n7 # 9 9 9".utf8))
    #expect(throws: ImageError.damaged(path: open, reason: "the file ends too early")) {
      try Image(contentsOf: open)
    }
  }

  @Test func aStreamOfImages() throws {
    let folder = try TemporaryFolder()
    let one = Array("P5 2 1 255\n".utf8) + [80, 53]
    for (bytes, remarks) in [
      (one, []), (one + [10], []),
      (one + one, ["the first of several images; take them apart to read the others"]),
    ] as [([UInt8], [String])] {
      var reader = try ImageReader(path: try folder.file("a.pgm", bytes))
      #expect(reader.header.remarks == remarks)
      #expect(try reader.readAll().integers(.eight) == [80, 53])
    }
  }

  @Test(arguments: ["tiff-alpha.tif", "lossless-alpha.webp", "alpha-fields.bmp", "alpha.pam"])
  func alpha(_ name: String) throws {
    try expect(name, PixelFormat(.rgb, hasAlpha: true), pattern(8))
  }

  @Test(arguments: ["tiff-float.tif", "tiff-float-predicted.tif", "big-endian.pfm"])
  func floats(_ name: String) throws {
    try expect(name, PixelFormat(.rgb, bitDepth: .float), pattern(16))
  }

  @Test(arguments: ["tiff-double.tif", "tiff-uint32.tif"])
  func widerNumbers(_ name: String) throws {
    try expect(name, PixelFormat(.gray, bitDepth: .float), pattern(16))
  }

  @Test func halves() throws {
    let image = try Image(contentsOf: Self.path("tiff-half.tif"))
    for y in 0..<9 {
      for x in 0..<11 {
        #expect(image[0, y, x] == Float(Fixture.sample(x, y, 0, depth: 8)) / 256)
      }
    }
  }

  @Test func tilesThatStandOver() throws {
    try expect("tiff-tiled.tif", PixelFormat(.rgb), width: 37, height: 40, pattern(8))
  }

  @Test(arguments: ["tiff-palette.tif", "palette.bmp", "palette.gif", "runs.bmp"])
  func palettes(_ name: String) throws {
    try expect(name, PixelFormat(.rgb), paletteSample)
  }

  @Test func transparencyOfAPalette() throws {
    var reader = try ImageReader(path: Self.path("transparent.gif"))
    let image = try reader.readAll()
    #expect(image.format == PixelFormat(.rgb, hasAlpha: true))
    for y in 0..<9 {
      for x in 0..<11 { #expect(image[3, y, x] == ((x + y) % 16 == 3 ? 0 : 1)) }
    }
  }

  /// What lies around a small image takes no bytes, and neither does an end that is not marked.
  @Test func aSmallImageOnALargeScreen() throws {
    var bytes = [UInt8](try Data(contentsOf: URL(filePath: Self.path("palette.gif"))))
    bytes.replaceSubrange(6..<10, with: [0x00, 0x20, 0x00, 0x10])
    try #require(bytes.last == 0x3B)
    bytes.removeLast()
    let folder = try TemporaryFolder()
    var reader = try ImageReader(path: try folder.file("screen.gif", bytes))
    #expect(reader.header.width == 0x2000 && reader.header.height == 0x1000)
    let image = try #require(try reader.read(rows: 10))
    #expect(image.format == PixelFormat(.rgb, hasAlpha: true))
    let original = try Image(contentsOf: Self.path("palette.gif"))
    for y in 0..<10 {
      for x in 0..<20 {
        let isInside = x < original.width && y < original.height
        #expect(image[3, y, x] == (isInside ? 1 : 0))
        #expect(image[1, y, x] == (isInside ? original[1, y, x] : 0))
      }
    }
    // Where the image itself breaks off, much is missing.
    let short = try folder.file("short.gif", Array(bytes.dropLast(3)))
    #expect(throws: ImageError.self) { _ = try ImageReader(path: short) }
  }

  /// An index beyond the palette is black, but where it is the transparent one.
  @Test func indicesWithoutColours() throws {
    var bytes = [UInt8](try Data(contentsOf: URL(filePath: Self.path("transparent.gif"))))
    // The second half of the palette is left out, and 9 is transparent.
    bytes[0x43] = 9
    bytes[10] = 0x82
    bytes.removeSubrange(13 + 24..<13 + 48)
    let folder = try TemporaryFolder()
    let image = try Image(contentsOf: try folder.file("half.gif", bytes))
    for y in 0..<9 {
      for x in 0..<11 {
        let index = (x + y) % 16
        #expect(image[3, y, x] == (index == 9 ? 0 : 1))
        let color = index < 8 ? Fixture.palette(index) : [0, 0, 0]
        #expect((0..<3).map { Int((image[$0, y, x] * 255).rounded()) } == color)
      }
    }
  }

  @Test(arguments: ["tiff-bits.tif", "bits.bmp"]) func bits(_ name: String) throws {
    try expect(name, PixelFormat(.gray)) { x, y, _ in (x + y) % 3 == 0 ? 255 : 0 }
  }

  /// Where 1 is black.
  @Test(arguments: ["text.pbm", "bits.pbm"]) func blackBits(_ name: String) throws {
    try expect(name, PixelFormat(.gray)) { x, y, _ in (x + y) % 3 == 0 ? 0 : 255 }
  }

  @Test func otherLargestSamples() throws {
    try expect("fifteen.pgm", PixelFormat(.gray)) { x, y, _ in (x + y) % 16 * 17 }
    try expect("fields.bmp", PixelFormat(.rgb)) { x, y, channel in
      let largest = channel == 1 ? 63 : 31
      let value = Fixture.sample(x, y, channel, depth: 8) >> (channel == 1 ? 2 : 3)
      return (value * 255 + largest / 2) / largest
    }
  }

  /// A bit field without bits is a black channel, not a missing one.
  @Test(
    arguments: [
      ([0xFF, 0, 0, 0], [51, 0, 0]), ([0xFF, 0, 0xFF_0000, 0], [51, 0, 153]),
      ([0, 0xFF00, 0xFF, 0], [0, 102, 51]), ([0xFF, 0, 0, 0xFF00_0000], [51, 0, 0, 204]),
    ] as [([Int], [Int])])
  func bitFieldsWithoutBits(_ masks: [Int], _ samples: [Int]) throws {
    func word(_ value: Int) -> [UInt8] { (0..<4).map { UInt8(value >> (8 * $0) & 255) } }
    let pixels = (0..<6).flatMap { _ in word(0xCC99_6633) }
    let fields: [Int] = [108, 3, 2, 32 << 16 | 1, 3, 24, 0, 0, 0, 0] + masks
    let header = Array("BM".utf8) + [122 + 24, 0, 122].flatMap(word) + fields.flatMap(word)
    let folder = try TemporaryFolder()
    let path = try folder.file(
      "fields.bmp", header + [UInt8](repeating: 0, count: 122 - header.count) + pixels)
    let image = try Image(contentsOf: path)
    #expect(image.format == PixelFormat(.rgb, hasAlpha: samples.count == 4))
    #expect(image.integers(.eight) == samples.flatMap { [Int](repeating: $0, count: 6) })
  }

  @Test func inksBecomeRGB() throws {
    let header = try ImageReader(path: Self.path("tiff-cmyk.tif")).header
    #expect(header.isConvertedFromCMYK && header.format == PixelFormat(.rgb))
    try expect("tiff-cmyk.tif", PixelFormat(.rgb)) { x, y, channel in
      let (ink, black) = (
        Fixture.sample(x, y, channel, depth: 8), Fixture.sample(x, y, 3, depth: 8)
      )
      return Int((Double((255 - ink) * (255 - black)) / 255).rounded())
    }
  }

  @Test func inksOfWhichAlphaIsAFactor() throws {
    let folder = try TemporaryFolder()
    // A fifth of the inks 100 and 50; nothing where alpha is nothing.
    let bytes = Fixture.tiff(
      width: 2, height: 1, samples: 5, bits: 8, photometric: 5, [(338, 3, [1])],
      [20, 10, 0, 0, 51, 9, 9, 9, 9, 0])
    let image = try Image(contentsOf: try folder.file("inks.tif", bytes))
    #expect(image.format == PixelFormat(.rgb, hasAlpha: true))
    #expect(image.integers(.eight) == [155, 255, 205, 255, 255, 255, 51, 0])
  }

  /// White, of which alpha is a factor, may have been rounded up; more than white is refused.
  @Test(arguments: [(Float(1.001), true), (1.01, false)])
  func floatsOfWhichAlphaIsAFactor(_ excess: Float, _ isRounded: Bool) throws {
    let alpha: Float = 0.3
    let data = [alpha * excess, alpha / 2, 0, alpha].flatMap { value in
      (0..<4).map { UInt8(truncatingIfNeeded: value.bitPattern >> (8 * $0)) }
    }
    let folder = try TemporaryFolder()
    let path = try folder.file(
      "alpha.tif",
      Fixture.tiff(
        width: 1, height: 1, samples: 4, bits: 32, photometric: 2,
        [(338, 3, [1]), (339, 3, [3, 3, 3, 3])], data))
    guard isRounded else {
      #expect { try Image(contentsOf: path) } throws: {
        "\($0)".hasPrefix("\(path): expected values from 0 (black) to 1 (white), found 0.0 to 1.0")
      }
      return
    }
    let image = try Image(contentsOf: path)
    #expect(image.floats == [1, 0.5, 0, alpha])
  }

  /// As Pillow's ImageCms has it (Tests/Fixtures/images/cmyk.py).
  @Test(arguments: ["cmyk-profile.tif", "cmyk-profile.jpg"])
  func inksBecomeWhatTheirProfileSays(_ name: String) throws {
    var reader = try ImageReader(path: Self.path(name))
    #expect(reader.header.isConvertedFromCMYK && reader.header.isConvertedByProfile)
    // The colours are those of sRGB now.
    #expect(reader.header.metadata.icc == nil)
    let expected = try Image(contentsOf: Self.path("\(name).png")).integers(.eight)
    let difference = try zip(reader.readAll().integers(.eight), expected)
      .reduce(0) { max($0, abs($1.0 - $1.1)) }
    #expect(difference <= 1)
  }

  @Test("a profile of other colours says nothing about inks", .enabled(if: SharedFolder.isPresent))
  func foreignProfile() throws {
    let path = try #require(SharedFolder.path("cases/pictures/cmyk_icc.jpg"))
    let header = try ImageReader(path: path).header
    #expect(header.isConvertedFromCMYK && !header.isConvertedByProfile)
  }

  @Test(arguments: ["tiff-jpeg.tif", "lossy.webp"]) func lossy(_ name: String) throws {
    let image = try Image(contentsOf: Self.path(name))
    let colors = [[200, 30, 40], [20, 180, 60], [40, 50, 220], [230, 220, 30]]
    for (i, color) in colors.enumerated() {
      for channel in 0..<3 {
        // In the middle of a block of one colour.
        let value = image[channel, i / 2 * 8 + 4, i % 2 * 8 + 4] * 255
        #expect(abs(value - Float(color[channel])) <= 6)
      }
    }
  }

  @Test func pages() throws {
    let first = try ImageReader(path: Self.path("tiff-pages.tif")).header
    #expect(first.remarks == ["the first of 2 pages (--page takes another)"])
    try expect("tiff-pages.tif", PixelFormat(.gray), page: 1, pattern(8))
    try expect("tiff-pages.tif", PixelFormat(.rgb), page: 2, pattern(8))
    let path = Self.path("tiff-pages.tif")
    #expect(
      throws: ImageError.damaged(path: path, reason: "page 3 asked for, there are 2")
    ) { _ = try ImageReader(path: path, page: 3) }
    let bitmap = Self.path("rgb.bmp")
    #expect(throws: ImageError.noPages(path: bitmap, format: "BMP")) {
      _ = try ImageReader(path: bitmap, page: 1)
    }
  }

  @Test func whatIsBesideThePixels() throws {
    let metadata = try ImageReader(path: Self.path("tiff-metadata.tif")).header.metadata
    #expect(metadata.pixelsPerMetre ?? (0, 0) == (11811, 5906))
    #expect(metadata.icc?.bytes == Array(0..<128))
    #expect(
      Dictionary(uniqueKeysWithValues: metadata.text.map { ($0.keyword, $0.text) })
        == ["Description": "a pattern", "Software": "Pillow", "Author": "nobody"])
    let webP = try ImageReader(path: Self.path("lossless-alpha.webp")).header.metadata
    #expect(String(decoding: try #require(webP.xmp), as: UTF8.self).contains("xmpmeta"))
    #expect(webP.exif != nil)
    #expect(
      try ImageReader(path: Self.path("runs.bmp")).header.metadata.pixelsPerMetre ?? (0, 0)
        == (2835, 2835))
  }

  @Test("what is not carried is told", .enabled(if: SharedFolder.isPresent)) func leftBehind()
    throws
  {
    let path = try #require(SharedFolder.path("cases/pictures/mpo.jpg"))
    #expect(
      try ImageReader(path: path).header.remarks
        == ["the other images of an MPO file cannot be carried"])
  }

  @Test(arguments: [(1, 11811, 5906), (6, 5906, 11811)])
  func densityTurnsWithTheImage(_ orientation: Int, _ x: Int, _ y: Int) throws {
    let folder = try TemporaryFolder()
    let bytes = Fixture.tiff(
      width: 1, height: 1, samples: 1, bits: 8, photometric: 1,
      [(274, 3, [orientation]), (282, 5, [300, 1]), (283, 5, [150, 1]), (296, 3, [2])], [7])
    let metadata = try ImageReader(path: try folder.file("a.tif", bytes)).header.metadata
    #expect(metadata.pixelsPerMetre ?? (0, 0) == (x, y))
  }

  /// Each once, and all of them.
  @Test func allThatIsLeftBehind() throws {
    let folder = try TemporaryFolder()
    let tiff = Fixture.tiff(
      width: 1, height: 1, samples: 1, bits: 8, photometric: 1,
      [(33723, 7, [28, 2, 0, 0, 0]), (34377, 1, [56, 66, 73, 77, 4]), (34735, 3, [1, 1, 0])], [7])
    var gif = [UInt8](try Data(contentsOf: URL(filePath: Self.path("palette.gif"))))
    gif.removeLast()
    for name in ["one", "two"] { gif += [0x21, 0xFE, 3] + Array(name.utf8) + [0] }
    gif += [0x21, 0xFF, 11] + Array("XMP DataXMP".utf8) + [1, 0x20, 0, 0x3B]
    var jpeg = try Fixture.bytes("gray.jpg")
    // A thumbnail without bytes.
    let block = Array("8BIM".utf8) + [0x04, 0x0C, 0, 0, 0, 0, 0, 0]
    for (marker, name, content) in [
      (0xED, "Photoshop 3.0", block), (0xED, "Photoshop 3.0", block), (0xE2, "MPF", []),
    ] as [(UInt8, String, [UInt8])] {
      let segment = Array(name.utf8) + [0] + content
      jpeg.insert(contentsOf: [0xFF, marker, 0, UInt8(segment.count + 2)] + segment, at: 2)
    }
    for (name, bytes, words) in [
      ("a.tif", tiff, "IPTC data, Photoshop data, GeoTIFF data"), ("a.gif", gif, "comments, XMP"),
      ("a.jpg", jpeg, "Photoshop data, the other images of an MPO file"),
      ("a.pgm", Array("P2 # nothing\n1 1 255 7".utf8), "comments"),
    ] {
      let header = try ImageReader(path: try folder.file(name, bytes)).header
      #expect(header.remarks == ["\(words) cannot be carried"])
    }
  }

  // MARK: What is refused

  private func message(_ name: String) -> String {
    do {
      _ = try Image(contentsOf: Self.path(name))
      return "no error"
    } catch {
      return "\(error)".replacing(Self.path(name), with: "FILE")
    }
  }

  @Test(arguments: ["bomb.tif", "bomb.bmp", "bomb.gif", "bomb.ppm", "bomb.webp"])
  func bombs(_ name: String) {
    let text = message(name)
    #expect(
      text.contains("image data cannot hold") || text.contains("must be held whole"), "\(text)")
  }

  @Test func animations() {
    for name in ["animated.gif", "animated.webp"] {
      #expect(
        message(name)
          == "FILE: an animation of 2 images, of which none is enlarged; take its images "
          + "apart first")
    }
  }

  @Test(arguments: [
    (
      "tiff-five-channels.tif",
      "damaged image: 5 channels, of which 1 are colours: images have 1 (gray) or 3 (RGB), and alpha"
    ),
    (
      "tiff-signed.tif",
      "damaged image: signed or complex samples: unsigned integers or floats expected"
    ),
    ("tiff-beyond.tif", "expected values from 0 (black) to 1 (white), found 0.0 to 175.0"),
  ])
  func refused(_ name: String, _ text: String) { #expect(message(name) == "FILE: " + text) }

  /// What libtiff fills up and only warns of: a JPEG that is lower than its strip, one that breaks
  /// off, and a fax of other lengths.
  @Test(
    arguments: [
      ("tiff-jpeg.tif", 16, [8], "Improper JPEG strip/tile size, expected 16x16, got 16x8"),
      ("tiff-jpeg.tif", 50, [0xFF, 0xD9], "Corrupt JPEG data: premature end of data segment"),
      (
        "tiff-bits.tif", 12, [0x7D],
        "Line length mismatch at line 1 of strip 0 (got 40, expected 11)"
      ),
    ] as [(String, Int, [UInt8], String)])
  func whatTIFFLacks(_ name: String, _ place: Int, _ change: [UInt8], _ reason: String) throws {
    var bytes = [UInt8](try Data(contentsOf: URL(filePath: Self.path(name))))
    bytes.replaceSubrange(place..<place + change.count, with: change)
    let folder = try TemporaryFolder()
    let path = try folder.file("lacking.tif", bytes)
    #expect(throws: ImageError.damaged(path: path, reason: reason)) {
      try Image(contentsOf: path)
    }
  }

  /// A fourth channel that is not alpha.
  @Test func tuplesOfAnotherDepth() throws {
    let folder = try TemporaryFolder()
    let header = "P7\nWIDTH 1\nHEIGHT 1\nDEPTH 4\nMAXVAL 255\nTUPLTYPE RGB\nENDHDR\n"
    let path = try folder.file("a.pam", Array(header.utf8) + [1, 2, 3, 4])
    let reason = "tuples of kind RGB: expected a depth of 3, found 4"
    #expect(throws: ImageError.damaged(path: path, reason: reason)) { try Image(contentsOf: path) }
  }

  @Test(
    "a NaN is refused, whatever comes after it", arguments: [[Float.nan, 0, 1], [0.5, 1, .nan]])
  func notANumber(_ values: [Float]) throws {
    let folder = try TemporaryFolder()
    let bytes = values.flatMap { value in
      (0..<4).map { UInt8(truncatingIfNeeded: value.bitPattern >> ($0 * 8)) }
    }
    let path = try folder.file("nan.pfm", Array("Pf\n3 1\n-1.0\n".utf8) + bytes)
    #expect { try Image(contentsOf: path) } throws: {
      "\($0)" == "\(path): expected values from 0 (black) to 1 (white), found nan to 1.0"
    }
  }

  @Test(
    "files of the cases", .enabled(if: SharedFolder.isPresent),
    arguments: [
      ("t.tif", "rgb.png"), ("t.webp", ""), ("t.bmp", "rgb.png"), ("tiff_named.png", "rgb.png"),
      ("bmp_named.jpg", "rgb.png"), ("webp_named.png", "rgb.png"),
    ])
  func cases(_ name: String, _ equal: String) throws {
    let image = try Image(contentsOf: try #require(SharedFolder.path("cases/pictures/\(name)")))
    #expect(image.width == 56 && image.height == 40)
    guard !equal.isEmpty else { return }
    #expect(
      try image == Image(contentsOf: try #require(SharedFolder.path("cases/pictures/\(equal)"))))
  }

  @Test("an animated PNG says so", .enabled(if: SharedFolder.isPresent)) func animatedPNG() throws {
    let path = try #require(SharedFolder.path("cases/pictures/apng.png"))
    #expect(throws: ImageError.animation(path: path, frames: 2)) { _ = try ImageReader(path: path) }
  }
}
