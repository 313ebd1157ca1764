import AviaryImage
import Testing

/// Compression and decompression without a file.
@Suite struct JPEGInMemoryTests {
  @Test(arguments: ["gray.jpg", "noise.jpg", "progressive.jpg", "cmyk.jpg"])
  func readAsFromAFile(_ name: String) throws {
    let image = try Image(jpeg: Fixture.bytes(name))
    #expect(try image == Image(contentsOf: Fixture.path(name)))
  }

  @Test(arguments: [ColorModel.gray, .rgb])
  func bestQualityChangesLittle(_ color: ColorModel) throws {
    var image = try Image(width: 37, height: 21, format: PixelFormat(color))
    for c in 0..<image.channels {
      for y in 0..<21 { for x in 0..<37 { image[c, y, x] = Float(x * 3 + y * 4 + c * 20) / 255 } }
    }
    let found = try Image(jpeg: image.jpeg(quality: 100))
    #expect(found.format == image.format)
    let difference = zip(found.integers(.eight), image.integers(.eight)).map { abs($0 - $1) }.max()
    #expect(difference ?? 255 <= 3)
    #expect(try image.jpeg(quality: 5).count < image.jpeg(quality: 95).count)
  }

  /// The first quantiser of luma is 16 at quality 50, and doubled at 25: Annex K of the standard,
  /// and the Independent JPEG Group's scaling of it.
  @Test(arguments: [(50, UInt8(16)), (25, 32), (75, 8), (100, 1)])
  func qualityIsTheLibrarys(_ quality: Int, _ quantiser: UInt8) throws {
    let bytes = try Fixture.noise(width: 8, height: 8, PixelFormat(.gray)).jpeg(quality: quality)
    let marker = bytes.indices.first { bytes[$0] == 0xFF && bytes[$0 + 1] == 0xDB } ?? 0
    #expect(bytes[marker + 5] == quantiser)
  }

  @Test func damage() throws {
    let whole = try Fixture.noise(width: 40, height: 40, PixelFormat(.rgb)).jpeg(quality: 90)
    #expect {
      try Image(jpeg: Array(whole.prefix(whole.count / 2)))
    } throws: { "\($0)" == "JPEG in memory: damaged image: Premature end of JPEG file" }
    for bytes in [[], [0xFF], Array("no image".utf8)] as [[UInt8]] {
      #expect { try Image(jpeg: bytes) } throws: {
        "\($0)".hasPrefix("JPEG in memory: damaged image: ")
      }
    }
  }

  @Test func whatIsNoJPEG() throws {
    let image = try Image(width: 4, height: 4, format: PixelFormat(.rgb))
    #expect { try image.jpeg(quality: 0) } throws: {
      "\($0)" == "JPEG's quality: expected 1 to 100, found 0"
    }
    let luma = try Image(width: 4, height: 4, format: PixelFormat(.luma))
    #expect { try luma.jpeg(quality: 50) } throws: {
      "\($0)" == "JPEG: expected gray or rgb, found luma, 8 bits"
    }
    let wide = try Image(width: 70000, height: 1, format: PixelFormat(.gray))
    #expect { try wide.jpeg(quality: 50) } throws: {
      "\($0)"
        == "JPEG in memory: cannot be written: Maximum supported image dimension is 65500 pixels"
    }
  }
}
