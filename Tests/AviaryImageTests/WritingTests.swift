@testable import AviaryImage
import FoundationEssentials
import AviaryTestSupport
import Testing

@Suite struct WritingTests {
  /// Every value of 8 and of 16 bits comes back as it was, in every format.
  @Test(arguments: [BitDepth.eight, .sixteen], [ColorModel.gray, .rgb])
  func everyValueSurvives(_ depth: BitDepth, _ color: ColorModel) throws {
    let folder = try TemporaryFolder()
    let path = folder.file("picture.png")
    for hasAlpha in [false, true] {
      let format = PixelFormat(color, hasAlpha: hasAlpha, bitDepth: depth)
      var image = try Image(width: 256, height: 256, format: format)
      unsafe image.withMutableFloats { values in
        for i in values.indices {
          unsafe values[i] = Float((i + i / 65536) % (depth.maximum + 1)) / Float(depth.maximum)
        }
      }
      try image.write(to: path)
      let back = try Image(contentsOf: path)
      #expect(back == image)
      #expect(try folder.names == ["picture.png"])
    }
  }

  @Test func valuesAreLimitedAndRounded() throws {
    let folder = try TemporaryFolder()
    let path = folder.file("picture.png")
    let values: [Float] = [-1, 0.4999 / 255, 0.5001 / 255, 1.7, .nan, .infinity, -.infinity, 0.5]
    var image = try Image(width: 8, height: 1, format: PixelFormat(.gray))
    for (i, value) in values.enumerated() { image[0, 0, i] = value }
    try image.write(to: path)
    let expected = [0, 0, 1, 255, 0, 255, 0, 128]
    #expect(try Image(contentsOf: path).integers(.eight) == expected)
    #expect(image.rounded(to: .eight).integers(.eight) == expected)
  }

  @Test func bandsMakeUpTheWhole() throws {
    let folder = try TemporaryFolder()
    let image = try Image(contentsOf: Fixture.path("rgba-16.png"))
    try image.write(to: folder.file("whole.png"))
    var writer = try ImageWriter(
      path: folder.file("bands.png"), width: image.width, height: image.height,
      format: image.format)
    for rows in [0..<1, 1..<1, 1..<6, 6..<9] { try writer.write(try image.rows(rows)) }
    try writer.finish()
    let whole = try Data(contentsOf: URL(filePath: folder.file("whole.png")))
    #expect(try Data(contentsOf: URL(filePath: folder.file("bands.png"))) == whole)
    #expect(try Image(contentsOf: folder.file("bands.png")) == image)
  }

  @Test func metadataIsCarriedByteForByte() throws {
    let folder = try TemporaryFolder()
    for (name, types) in [
      ("metadata.png", ["gAMA", "cHRM", "iCCP", "pHYs", "eXIf", "tEXt"]),
      ("marks.png", ["sRGB", "cICP"]),
      ("progressive.jpg", ["iCCP"]), ("orientation-6.jpg", ["pHYs", "eXIf"]),
    ] {
      var reader = try ImageReader(path: Fixture.path(name))
      let metadata = reader.header.metadata
      #expect(metadata.chunkTypes == types)
      let path = folder.file("copy.png")
      try reader.readAll().write(to: path, metadata: metadata)
      #expect(try ImageReader(path: path).header.metadata == metadata)
    }
    let metadata = try ImageReader(path: Fixture.path("metadata.png")).header.metadata
    // The image in it was turned, and its density with it.
    #expect(metadata.pixelsPerMetre ?? (0, 0) == (5906, 11811))
    // A profile for RGB is not written to a gray image.
    let path = folder.file("gray.png")
    try Image(width: 1, height: 1, format: PixelFormat(.gray)).write(to: path, metadata: metadata)
    #expect(
      try ImageReader(path: path).header.metadata.chunkTypes == [
        "gAMA", "cHRM", "pHYs", "eXIf", "tEXt",
      ])
  }

  @Test func anAbandonedWriterLeavesNothing() throws {
    let folder = try TemporaryFolder()
    let path = try folder.file("picture.png", [1, 2, 3])
    do {
      var writer = try ImageWriter(path: path, width: 4, height: 4, format: PixelFormat(.rgb))
      try writer.write(try Image(width: 4, height: 2, format: PixelFormat(.rgb)))
      #expect(try Data(contentsOf: URL(filePath: path)) == Data([1, 2, 3]))
      try writer.finish()
      Issue.record("half an image is accepted")
    } catch {
      #expect("\(error)" == "image: expected 4 rows, found 2")
    }
    #expect(try folder.names == ["picture.png"])
    #expect(try Data(contentsOf: URL(filePath: path)) == Data([1, 2, 3]))
  }

  @Test func bandsThatDoNotFit() throws {
    let folder = try TemporaryFolder()
    var writer = try ImageWriter(
      path: folder.file("picture.png"), width: 4, height: 4, format: PixelFormat(.rgb))
    for (band, text) in [
      (
        try Image(width: 4, height: 1, format: PixelFormat(.gray)),
        "band: expected rgb, 8 bits, found gray, 8 bits"
      ),
      (
        try Image(width: 3, height: 1, format: PixelFormat(.rgb)),
        "band: expected 4x4 at most, found 3x1"
      ),
      (
        try Image(width: 4, height: 5, format: PixelFormat(.rgb)),
        "band: expected 4x4 at most, found 4x5"
      ),
    ] {
      do {
        try writer.write(band)
        Issue.record("accepted: \(text)")
      } catch { #expect("\(error)" == text) }
    }
  }

  @Test func placesThatCannotBeWritten() throws {
    let folder = try TemporaryFolder()
    let image = try Image(width: 1, height: 1, format: PixelFormat(.gray))
    for (path, reason) in [
      ("\(folder.path)/none/picture.png", "there is no folder \(folder.path)/none"),
      (folder.path, "it is a folder"), ("/dev/null", "it is not a file"),
      ("/proc/picture.png", "no such file or directory"),
    ] {
      do {
        try image.write(to: path)
        Issue.record("\(path) is written")
      } catch { #expect("\(error)" == "\(path): cannot be written: \(reason)") }
    }
    #expect(throws: ImageError.self) { try image.converted(to: .luma).write(to: "luma.png") }
  }

  @Test func aFullDiskLeavesTheOldFile() async throws {
    await #expect(processExitsWith: .success) {
      let folder = try TemporaryFolder()
      let path = try folder.file("picture.png", [1, 2, 3])
      try FullDisk.begin(bytes: 20_000)
      let image = try Fixture.noise(width: 300, height: 300, PixelFormat(.rgb))
      do {
        try image.write(to: path)
        Issue.record("written in spite of the limit")
      } catch { #expect("\(error)" == "\(path): cannot be written: file too large") }
      #expect(try folder.names == ["picture.png"])
      #expect(try Data(contentsOf: URL(filePath: path)) == Data([1, 2, 3]))
    }
  }
}
