@testable import AviaryImage
import AviaryTestSupport
import Testing

/// What image files say besides pixels, read and carried.
@Suite struct MetadataTests {
  private func metadata(_ name: String) throws -> ImageMetadata {
    try ImageReader(path: Fixture.path("../metadata/\(name)")).header.metadata
  }

  /// What is written again is what was read.
  private func carried(_ metadata: ImageMetadata) throws -> ImageMetadata {
    let folder = try TemporaryFolder()
    let path = folder.file("copy.png")
    try Image(width: 1, height: 1, format: PixelFormat(.rgb)).write(to: path, metadata: metadata)
    return try ImageReader(path: path).header.metadata
  }

  @Test func textsAreCarried() throws {
    let found = try metadata("text.png")
    #expect(!found.text.isEmpty)
    #expect(found.text.allSatisfy { !$0.keyword.isEmpty && !$0.text.isEmpty })
    #expect(try carried(found) == found)
  }

  @Test(arguments: ["text.png", "xmp.jpg"]) func xmpIsCarried(_ name: String) throws {
    let found = try metadata(name)
    let packet = String(decoding: try #require(found.xmp), as: UTF8.self)
    #expect(packet.contains("x:xmpmeta") || packet.contains("rdf:RDF"))
    #expect(try carried(found) == found)
  }

  @Test func commentsOfJPEGAreTexts() throws {
    #expect(try metadata("xmp.jpg").text.contains { $0.keyword == "Comment" })
  }

  /// The beginning of a profile, whose header says what colours it is for.
  private func profile(_ space: String) -> [UInt8] {
    var bytes = [UInt8](repeating: 0, count: 128)
    bytes.replaceSubrange(16..<20, with: space.utf8)
    bytes.replaceSubrange(36..<40, with: "acsp".utf8)
    return bytes
  }

  @Test(
    "a profile says itself what colours it is for",
    arguments: [
      ("GRAY", ColorModel.gray, "gray"), ("RGB ", .rgb, "rgb"), ("CMYK", nil, "other colours"),
    ] as [(String, ColorModel?, String)])
  func colorsOfAProfile(_ space: String, _ color: ColorModel?, _ words: String) throws {
    let folder = try TemporaryFolder()
    for image in [ColorModel.gray, .rgb] {
      var metadata = ImageMetadata()
      metadata.icc = ICCProfile(name: "ICC profile", bytes: profile(space), color: image)
      #expect(metadata.icc?.color == color)
      let path = folder.file("image.png")
      var writer = try ImageWriter(
        path: path, width: 1, height: 1, format: PixelFormat(image), metadata: metadata)
      let lost = "\(path): PNG does not hold an ICC profile for \(words) in an image of \(image)"
      #expect(writer.dropped == (color == image ? [] : [lost]))
      try writer.write(try Image(width: 1, height: 1, format: PixelFormat(image)))
      try writer.finish()
      let back = try ImageReader(path: path).header.metadata
      #expect(back.icc == (color == image ? metadata.icc : nil))
    }
  }

  @Test func everythingSurvives() throws {
    var metadata = ImageMetadata()
    metadata.icc = ICCProfile(name: "a profile", bytes: [1, 2, 3], color: .rgb)
    metadata.exif = Array("II*\0".utf8)
    metadata.xmp = Array("<x/>".utf8)
    metadata.density = ImageDensity(x: 2, y: 3, isPerMetre: false)
    metadata.cicp = CodePoints(primaries: 9, transfer: 16, matrix: 0, fullRange: 1)
    metadata.gamma = 45455
    metadata.chromaticities = [31270, 32900, 64000, 33000, 30000, 60000, 15000, 6000]
    metadata.srgbIntent = 1
    metadata.text = [
      ImageText(keyword: "Author", text: "Zo\u{EB}"),
      ImageText(
        keyword: "Title", text: "\u{65E5}\u{672C}", language: "ja", translatedKeyword: "\u{984C}"),
    ]
    #expect(try carried(metadata) == metadata)
    // A ratio of sides is no density.
    #expect(metadata.pixelsPerMetre == nil)
  }

  /// A stream that inflates without end is not followed to its end.
  @Test func whatIsTooLongIsLeftBehind() throws {
    var metadata = ImageMetadata()
    let long = String(repeating: "a", count: ImageMetadata.mostBytes)
    metadata.text = [ImageText(keyword: "a", text: "short"), ImageText(keyword: "b", text: long)]
    metadata.limit()
    #expect(metadata.text.map(\.keyword) == ["a"])
  }

  /// Many small chunks that inflate to much are not all inflated.
  @Test func textsThatInflate() throws {
    let long = [UInt8](repeating: 97, count: ImageMetadata.mostBytes / 4)
    var profile = ImageMetadata()
    profile.icc = ICCProfile(name: "a", bytes: long, color: .rgb)
    // The stream of a profile stands after its name in the same way as that of a text.
    let data = try #require(PNGMetadata.chunks(profile).first { $0.type == "iCCP" }).data
    let chunks = [PNGChunk](repeating: PNGChunk(type: "zTXt", data: data), count: 200)
    let found = PNGMetadata.metadata(chunks, color: .rgb)
    #expect(found.text.count == 4)
  }

  @Test func damagedTextsAreLeftOut() {
    for (type, data) in [
      ("zTXt", Array("a".utf8) + [0, 0, 1, 2, 3]), ("zTXt", Array("a".utf8) + [0]),
      ("tEXt", Array("no end".utf8)), ("iTXt", Array("a".utf8) + [0, 0]), ("iTXt", []),
      ("iCCP", Array("a".utf8) + [0, 0, 9]), ("tEXt", [UInt8](repeating: 65, count: 90) + [0]),
    ] {
      #expect(
        PNGMetadata.metadata([PNGChunk(type: type, data: data)], color: .rgb) == ImageMetadata())
    }
  }

  /// An image turned upright is not said to be turned by its XMP either.
  @Test(arguments: ["tiff:Orientation=\"6\"", "<tiff:Orientation>6</tiff:Orientation>"])
  func orientationInXMPIsReset(_ text: String) {
    let found = String(decoding: XMP.upright(Array(text.utf8)), as: UTF8.self)
    #expect(found == text.replacing("6", with: "1"))
  }
}
