import AviaryImage
import AviaryTensor
import Testing

@Suite struct ImageTests {
  @Test func partsAndPasting() throws {
    let image = try Fixture.noise(width: 7, height: 5, PixelFormat(.rgb))
    let part = try image.cropped(x: 2, y: 1, width: 4, height: 3)
    #expect(part[2, 2, 3] == image[2, 3, 5])
    var copy = try Image(width: 7, height: 5, format: PixelFormat(.rgb))
    try copy.paste(image, x: 0, y: 0)
    #expect(copy == image)
    // Over the corner: only one pixel falls in; far away: none, and no overflow.
    try copy.paste(part, x: 6, y: 4)
    #expect(copy[1, 4, 6] == part[1, 0, 0])
    let before = copy
    for (x, y) in [(Int.max, 0), (Int.min, 0), (0, Int.max), (7, 5), (-4, -3)] {
      try copy.paste(part, x: x, y: y)
    }
    #expect(copy == before)
    #expect(throws: ImageError.self) { try image.cropped(x: .max, y: 0, width: 1, height: 1) }
    #expect(try image.cropped(toMultipleOf: 3).width == 6)
  }

  @Test func planesAndAlpha() throws {
    let image = try Fixture.noise(width: 4, height: 3, PixelFormat(.rgb, hasAlpha: true))
    let alpha = try #require(try image.alpha)
    #expect(alpha[0, 2, 1] == image[3, 2, 1])
    #expect(try image.opaque.alpha == nil)
    #expect(try image.opaque.withAlpha(alpha) == image)
    var other = image
    try other.replacePlane(1, with: alpha)
    #expect(try other.plane(1) == alpha)
    #expect(throws: ImageError.self) { try image.plane(4) }
  }

  @Test func impossibleSizes() throws {
    for (width, height) in [(-1, 1), (1, -1), (1 << 40, 1 << 40), (1 << 16, 1 << 16)] {
      do {
        _ = try Image(width: width, height: height, format: PixelFormat(.rgb))
        Issue.record("\(width)x\(height) accepted")
      } catch {
        let text = "image: expected at most 2^31 samples, found \(width)x\(height) with 3 channels"
        #expect("\(error)" == text)
      }
    }
    do {
      _ = try Image(pixels: try Tensor(zeros: [1, 3, 2, 2]), format: PixelFormat(.rgb))
      Issue.record("a batch accepted")
    } catch {
      #expect(
        "\(error)"
          == "pixels: expected float32 of shape [3, height, width], found float32 of shape "
          + "[1, 3, 2, 2]")
    }
  }

  @Test func windowOfRows() throws {
    let image = try Fixture.noise(width: 3, height: 10, PixelFormat(.gray))
    var window = try RowWindow(width: 3, format: image.format)
    try window.append(image.rows(0..<4))
    try window.append(image.rows(4..<7))
    #expect(try window.rows(2..<6) == image.rows(2..<6))
    try window.discard(before: 5)
    #expect(window.range == 5..<7)
    try window.append(image.rows(7..<10))
    #expect(try window.rows(6..<10) == image.rows(6..<10))
    do {
      _ = try window.rows(4..<6)
      Issue.record("a row that is gone")
    } catch { #expect("\(error)" == "window: expected rows 4..<6, found rows 5..<10") }
    try window.discard(before: 100)
    #expect(window.range == 10..<10)
  }

  /// Hidden colour does not show in what is enlarged.
  @Test func bleedingMakesNoFringes() throws {
    // A red disc on transparent green.
    var image = try Image(width: 24, height: 24, format: PixelFormat(.rgb, hasAlpha: true))
    try image.fill(x: 0, y: 0, width: 24, height: 24, with: [0, 1, 0, 0])
    for y in 0..<24 {
      for x in 0..<24 where (x - 12) * (x - 12) + (y - 12) * (y - 12) < 25 {
        try image.fill(x: x, y: y, width: 1, height: 1, with: [1, 0, 0, 1])
      }
    }
    let bled = image.bledUnderTransparency()
    #expect(try bled.alpha == image.alpha)
    let enlarged = try Resampling().resize(bled, by: ScaleFactor(3))
    for y in 0..<72 {
      for x in 0..<72 where enlarged[3, y, x] > 0 {
        #expect(abs(enlarged[0, y, x] - 1) < 1e-5 && abs(enlarged[1, y, x]) < 1e-5)
      }
    }
    #expect(bled[1, 0, 0] == 1, "beyond the margin colour stays")
    #expect(try image.opaque.bledUnderTransparency() == image.opaque)
  }

  @Test func bleedingWorksInBands() throws {
    var image = try Fixture.noise(width: 20, height: 60, PixelFormat(.gray, hasAlpha: true))
    for y in 0..<60 {
      for x in 0..<20 where (x * 31 + y * 17) % 97 != 0 { image[1, y, x] = 0 }
    }
    let whole = image.bledUnderTransparency()
    let margin = Image.bleedingMargin
    for start in stride(from: 0, to: 60, by: 6) {
      let given = max(0, start - margin)..<min(60, start + 6 + margin)
      let band = try image.rows(given).bledUnderTransparency()
      let first = start - given.lowerBound
      #expect(try band.rows(first..<first + 6) == whole.rows(start..<start + 6))
    }
  }

  @Test func drawing() throws {
    var image = try Image(width: 14, height: 9, format: PixelFormat(.gray))
    try image.draw("i|ß", x: 1, y: 1, with: [1])
    let rows = (0..<9).map { y in
      String((0..<14).map { x in image[0, y, x] == 1 ? "#" : "." })
    }
    #expect(
      rows == [
        "..............", "..###....#....", "...#.....#...#", "...#.....#...#", "...#.....#....",
        "...#.....#....", "...#.....#....", "..###....#...#", "..............",
      ])
    #expect(Image.textSize("28.42 dB", dotSize: 2) == (94, 14))
    let magnified = try image.magnified(by: 3)
    #expect(magnified.width == 42 && magnified[0, 3, 6] == 1 && magnified[0, 2, 6] == 0)
  }
}
