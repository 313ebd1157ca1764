@testable import AviaryImage
import AviaryTestSupport
import FoundationEssentials
import Testing

/// What is written in every format is read back as it was, and what a format cannot hold is told.
@Suite struct FormatWritingTests {
  private func image(_ format: PixelFormat, width: Int = 37, height: Int = 29) throws -> Image {
    var image = try Fixture.noise(width: width, height: height, format)
    if format.bitDepth == .float {
      unsafe image.withMutableFloats { values in
        for i in values.indices { unsafe values[i] = unsafe min(max(values[i], 0), 1) }
      }
    }
    return image.rounded(to: format.bitDepth)
  }

  static let lossless: [(ending: String, PixelFormat)] = [
    ("tif", PixelFormat(.rgb)), ("tif", PixelFormat(.gray, hasAlpha: true)),
    ("tif", PixelFormat(.rgb, hasAlpha: true, bitDepth: .sixteen)),
    ("tif", PixelFormat(.gray, bitDepth: .sixteen)), ("tif", PixelFormat(.rgb, bitDepth: .float)),
    ("tif", PixelFormat(.gray, bitDepth: .float)), ("ppm", PixelFormat(.rgb)),
    ("pgm", PixelFormat(.gray, bitDepth: .sixteen)),
    ("pam", PixelFormat(.rgb, hasAlpha: true)), ("pam", PixelFormat(.gray, bitDepth: .sixteen)),
    ("pfm", PixelFormat(.rgb, bitDepth: .float)), ("pfm", PixelFormat(.gray, bitDepth: .float)),
    ("webp", PixelFormat(.rgb)), ("webp", PixelFormat(.rgb, hasAlpha: true)),
  ]

  @Test(arguments: lossless) func comesBack(_ ending: String, _ format: PixelFormat) throws {
    let folder = try TemporaryFolder()
    let path = folder.file("image.\(ending)")
    let image = try image(format)
    var options = EncodingOptions()
    options.isLossless = true
    var writer = try ImageWriter(
      path: path, width: image.width, height: image.height, format: format, options: options)
    #expect(writer.dropped == [])
    for rows in [0..<1, 1..<1, 1..<20, 20..<29] { try writer.write(try image.rows(rows)) }
    try writer.finish()
    #expect(try Image(contentsOf: path) == image)
    #expect(try folder.names == ["image.\(ending)"])
  }

  @Test func tiffOfManyStrips() throws {
    let folder = try TemporaryFolder()
    let image = try image(PixelFormat(.rgb, bitDepth: .sixteen), width: 301, height: 400)
    try image.write(to: folder.file("image.tiff"))
    #expect(try Image(contentsOf: folder.file("image.tiff")) == image)
  }

  @Test func qualityAndChroma() throws {
    let folder = try TemporaryFolder()
    let image = try Image(
      contentsOf: SharedFolder.repository.appending(path: "Docs/pictures/coffee.png").path)
    func size(_ ending: String, _ change: (inout EncodingOptions) -> Void) throws -> (Int, Double) {
      var options = EncodingOptions()
      change(&options)
      let path = folder.file("image.\(ending)")
      try image.write(to: path, options: options)
      let back = try Image(contentsOf: path)
      let quality = try ImageQuality(of: back, original: image, border: 0)
      return (try Data(contentsOf: URL(filePath: path)).count, quality.psnr)
    }
    for ending in ["jpg", "webp"] {
      let usual = try size(ending) { _ in }, low = try size(ending) { $0.quality = 30 }
      #expect(low.0 < usual.0 / 2 && low.1 < usual.1 - 3)
      #expect(usual.1 > 38)
    }
    let full = try size("jpg") { _ in }, half = try size("jpg") { $0.isChromaHalved = true }
    #expect(half.0 < full.0)
    let progressive = try size("jpg") { $0.isProgressive = true }
    #expect(progressive.0 < full.0 && abs(progressive.1 - full.1) < 0.01)
    let bytes = [UInt8](try Data(contentsOf: URL(filePath: folder.file("image.jpg"))))
    // The marker of a progressive frame.
    #expect(bytes.indices.dropLast().contains { bytes[$0] == 0xFF && bytes[$0 + 1] == 0xC2 })
  }

  private var metadata: ImageMetadata {
    var metadata = ImageMetadata()
    metadata.icc = ICCProfile(name: "ICC profile", bytes: (0..<200).map { UInt8($0) }, color: .rgb)
    metadata.exif = Array("II*\0".utf8) + [8, 0, 0, 0, 0, 0, 0, 0, 0, 0]
    metadata.xmp = Array("<x:xmpmeta xmlns:x='adobe:ns:meta/'/>".utf8)
    metadata.density = ImageDensity(x: 11811, y: 5906, isPerMetre: true)
    metadata.text = [ImageText(keyword: "Author", text: "Zo\u{EB}")]
    metadata.cicp = CodePoints(primaries: 9, transfer: 16, matrix: 0, fullRange: 1)
    return metadata
  }

  @Test func metadataThatAFormatHolds() throws {
    let folder = try TemporaryFolder()
    let image = try image(PixelFormat(.rgb))
    for (ending, dropped) in [
      ("png", []), ("jpg", ["cICP"]), ("webp", ["text", "the density", "cICP"]),
      ("tif", ["EXIF", "cICP"]),
      ("ppm", ["the ICC profile", "EXIF", "XMP", "text", "the density", "cICP"]),
    ] as [(String, [String])] {
      let path = folder.file("image.\(ending)")
      var writer = try ImageWriter(
        path: path, width: image.width, height: image.height, format: image.format,
        metadata: metadata)
      let format = try #require(ImageFormat.writing(path)).name
      #expect(writer.dropped == dropped.map { "\(path): \(format) does not hold \($0)" })
      try writer.write(image)
      try writer.finish()
      let back = try ImageReader(path: path).header.metadata
      func isKept(_ word: String) -> Bool { !dropped.contains(word) }
      #expect(back.icc == (isKept("the ICC profile") ? metadata.icc : nil))
      #expect(back.exif == (isKept("EXIF") ? metadata.exif : nil))
      #expect(back.xmp == (isKept("XMP") ? metadata.xmp : nil))
      #expect(back.density == (isKept("the density") ? metadata.density : nil), "\(ending)")
      // A comment of JPEG has no keyword.
      let text = ImageText(keyword: "Comment", text: "Author: Zo\u{EB}")
      #expect(back.text == (isKept("text") ? ending == "jpg" ? [text] : metadata.text : []))
    }
  }

  /// A gray image is written as RGB: a profile for gray would be a lie there.
  @Test func grayProfileInAnRGBFile() throws {
    let folder = try TemporaryFolder()
    var metadata = ImageMetadata()
    metadata.icc = ICCProfile(name: "gray", bytes: [1, 2, 3], color: .gray)
    let image = try image(PixelFormat(.gray))
    for (ending, dropped) in [
      ("webp", ["WebP does not hold an ICC profile for gray in an image of rgb"]), ("png", []),
      ("jpg", []),
    ] {
      let path = folder.file("image.\(ending)")
      var writer = try ImageWriter(
        path: path, width: image.width, height: image.height, format: image.format,
        metadata: metadata)
      #expect(writer.dropped == dropped.map { "\(path): \($0)" })
      try writer.write(image)
      try writer.finish()
      let back = try ImageReader(path: path).header.metadata
      #expect(back.icc?.bytes == (ending == "webp" ? nil : [1, 2, 3]))
    }
  }

  @Test func alphaAndDepthThatAFormatDoesNotHold() throws {
    let folder = try TemporaryFolder()
    let format = PixelFormat(.rgb, hasAlpha: true, bitDepth: .sixteen)
    let image = try image(format)
    let path = folder.file("image.ppm")
    var writer = try ImageWriter(
      path: path, width: image.width, height: image.height, format: format)
    #expect(writer.dropped == ["\(path): PNM does not hold alpha (composed over white)"])
    try writer.write(image)
    try writer.finish()
    #expect(try Image(contentsOf: path) == image.composedOverWhite().rounded(to: .sixteen))
    let jpeg = try ImageWriter(
      path: folder.file("image.jpg"), width: 9, height: 9, format: format)
    #expect(
      jpeg.dropped.last
        == "\(folder.file("image.jpg")): JPEG does not hold 16 bits (written with 8 bits)")
    // Floats go into 16 bits where there are no floats.
    let png = try ImageWriter(
      path: folder.file("image.png"), width: 9, height: 9,
      format: PixelFormat(.gray, bitDepth: .float))
    #expect(
      png.dropped == [
        "\(folder.file("image.png")): PNG does not hold floats (written with 16 bits)"
      ])
  }

  @Test func whatCannotBeWritten() throws {
    let folder = try TemporaryFolder()
    for (name, width, format, text) in [
      ("a.pgm", 4, PixelFormat(.rgb), "expected gray (PPM has colour), found rgb"),
      (
        "a.webp", 16384, PixelFormat(.rgb),
        "expected sides of 1 to 16383 pixels, found 16384x1 with 3 channels"
      ),
    ] {
      let path = folder.file(name)
      do {
        try Image(width: width, height: 1, format: format).write(to: path)
        Issue.record("\(name) is written")
      } catch { #expect("\(error)" == "\(path): \(text)") }
    }
    #expect(try folder.names == [])
  }

  /// A full disk, played by a limit on the size of files, in a process of its own.
  @Test func aFullDiskLeavesTheOldFile() async throws {
    await #expect(processExitsWith: .success) {
      for ending in ["jpg", "tif", "webp", "ppm"] {
        try FormatWritingTests.writeToAFullDisk(ending)
      }
    }
  }

  static func writeToAFullDisk(_ ending: String) throws {
    let folder = try TemporaryFolder()
    let path = try folder.file("image.\(ending)", [1, 2, 3])
    try FullDisk.begin(bytes: 20_000)
    let image = try Fixture.noise(width: 300, height: 300, PixelFormat(.rgb))
    do {
      try image.write(to: path)
      Issue.record("written in spite of the limit")
    } catch { #expect("\(error)" == "\(path): cannot be written: file too large") }
    #expect(try folder.names == ["image.\(ending)"])
    #expect(try Data(contentsOf: URL(filePath: path)) == Data([1, 2, 3]))
  }
}
