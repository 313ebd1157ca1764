import AviaryImage
import Testing

/// Blurring, held against PyTorch's convolution of the mirrored image in float64.
@Suite struct GaussianBlurTests {
  private func pattern() throws -> Image {
    var image = try Image(width: 5, height: 4, format: PixelFormat(.gray))
    for y in 0..<4 { for x in 0..<5 { image[0, y, x] = Float((x * 7 + y * 13) % 10) / 10 } }
    return image
  }

  @Test func values() throws {
    // Deviation 0.8, reach 3, beyond the height of the image's half.
    let expected: [Float] = [
      0.2041897, 0.3905246, 0.4089734, 0.3659047, 0.5055175,
      0.2977539, 0.3178110, 0.3887945, 0.3911647, 0.3660929,
      0.5158146, 0.3714558, 0.3172978, 0.3878920, 0.4184950,
      0.7229928, 0.5160030, 0.3072854, 0.3099061, 0.4961308,
    ]
    let found = try pattern().blurred(deviation: 0.8).floats
    for (a, b) in zip(found, expected) { #expect(abs(a - b) <= 1e-6) }
  }

  @Test func nothingAndTooMuch() throws {
    #expect(try pattern().blurred(deviation: 0) == pattern())
    #expect(try pattern().blurred(deviation: 0.1) == pattern())
    // Far beyond the image's sides: all become the mean.
    #expect(try pattern().blurred(deviation: 64).floats.allSatisfy { abs($0 - 0.42) < 0.03 })
    for deviation in [-1, 64.5, .nan, .infinity] {
      #expect(
        throws: ImageError.sizeMismatch(
          thing: "blur", expected: "a deviation of 0 to 64.0 pixels", found: "\(deviation)")
      ) { try pattern().blurred(deviation: deviation) }
    }
  }
}
