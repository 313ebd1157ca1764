import AviaryImage
import Testing

@Suite struct ColorTests {
  func pixel(_ values: [Float], _ color: ColorModel) throws -> Image {
    var image = try Image(width: 1, height: 1, format: PixelFormat(color))
    for (c, value) in values.enumerated() { image[c, 0, 0] = value }
    return image
  }

  /// MATLAB: `rgb2ycbcr(uint8(cat(3, r, g, b)))`.
  @Test(arguments: [
    ([0, 0, 0], [16, 128, 128]), ([255, 255, 255], [235, 128, 128]), ([255, 0, 0], [81, 90, 240]),
    ([0, 255, 0], [145, 54, 34]), ([0, 0, 255], [41, 240, 110]), ([10, 200, 100], [129, 112, 52]),
  ])
  func studioRangeAsInMATLAB(rgb: [Int], ycbcr: [Int]) throws {
    let image = try pixel(rgb.map { Float($0) / 255 }, .rgb)
    #expect(try image.converted(to: .ycbcr).rounded(to: .eight).integers(.eight) == ycbcr)
    #expect(try image.converted(to: .luma).rounded(to: .eight).integers(.eight) == [ycbcr[0]])
  }

  /// JFIF's formulas, rounded.
  @Test(arguments: [
    ([0, 0, 0], [0, 128, 128]), ([255, 255, 255], [255, 128, 128]), ([255, 0, 0], [76, 85, 255]),
    ([0, 255, 0], [150, 44, 21]), ([0, 0, 255], [29, 255, 107]),
  ])
  func fullRangeAsInJPEG(rgb: [Int], ycbcr: [Int]) throws {
    let image = try pixel(rgb.map { Float($0) / 255 }, .rgb)
    let rounded = try image.converted(to: .fullRangeYCbCr).rounded(to: .eight)
    #expect(rounded.integers(.eight) == ycbcr)
    #expect(try image.converted(to: .gray).rounded(to: .eight).integers(.eight) == [ycbcr[0]])
  }

  @Test(arguments: [ColorModel.ycbcr, .fullRangeYCbCr])
  func thereAndBack(_ color: ColorModel) throws {
    let image = try Fixture.noise(width: 9, height: 7, PixelFormat(.rgb, hasAlpha: true))
    let back = try image.converted(to: color).converted(to: .rgb)
    #expect(back.format == image.format)
    #expect(try back.alpha == image.alpha)
    for (a, b) in zip(back.floats, image.floats) { #expect(abs(a - b) < 2e-6) }
  }

  @Test func grayAndLuma() throws {
    let gray = try pixel([0.5], .gray)
    #expect(try gray.converted(to: .luma).floats == [0.5])
    #expect(try gray.converted(to: .luma).converted(to: .gray) == gray)
    #expect(try gray.converted(to: .rgb).floats == [0.5, 0.5, 0.5])
    #expect(try abs(gray.converted(to: .ycbcr)[0, 0, 0] - (16 + 219 * 0.5) / 255) < 1e-6)
    do {
      _ = try gray.converted(to: .luma).converted(to: .rgb)
      Issue.record("luma alone has become colour")
    } catch { #expect("\(error)" == "colour: no conversion from luma to rgb") }
  }
}
