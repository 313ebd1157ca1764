import Aviary
import AviaryGraph
import AviaryImage
import AviaryTensor
import AviaryTestSupport
import Foundation
import Testing

/// A network sees sRGB, whatever the profile of an image is.
@Suite("Profiles and networks")
struct WideGamutTests {
  /// A profile of version 2: primaries for the white of D50, and one gamma.
  private static func profile(
    red: [Double], green: [Double], blue: [Double], gamma: Double
  ) -> [UInt8] {
    func number(_ value: Int, _ count: Int) -> [UInt8] {
      (0..<count).reversed().map { UInt8(truncatingIfNeeded: value >> (8 * $0)) }
    }
    func fixed(_ values: [Double]) -> [UInt8] {
      Array("XYZ \0\0\0\0".utf8) + values.flatMap { number(Int(($0 * 65536).rounded()), 4) }
    }
    let curve =
      Array("curv\0\0\0\0".utf8) + number(1, 4) + number(Int((gamma * 256).rounded()), 2) + [0, 0]
    let text = Array("text\0\0\0\0none\0\0\0\0".utf8)
    let description =
      Array("desc\0\0\0\0".utf8) + number(2, 4) + Array("w\0".utf8)
      + [UInt8](repeating: 0, count: 78)
    let tags: [(String, [UInt8])] = [
      ("desc", description), ("cprt", text), ("wtpt", fixed([0.9642, 1, 0.8249])),
      ("rXYZ", fixed(red)), ("gXYZ", fixed(green)), ("bXYZ", fixed(blue)), ("rTRC", curve),
      ("gTRC", curve), ("bTRC", curve),
    ]
    var table = number(tags.count, 4), data: [UInt8] = []
    for (name, content) in tags {
      table += Array(name.utf8) + number(128 + 4 + 12 * tags.count + data.count, 4)
      table += number(content.count, 4)
      data += content + [UInt8](repeating: 0, count: (4 - content.count % 4) % 4)
    }
    let head =
      number(128 + table.count + data.count, 4) + [0, 0, 0, 0] + number(0x0210_0000, 4)
      + Array("mntrRGB XYZ ".utf8) + [UInt8](repeating: 0, count: 12) + Array("acsp".utf8)
      + [UInt8](repeating: 0, count: 28) + fixed([0.9642, 1, 0.8249]).dropFirst(8)
      + [UInt8](repeating: 0, count: 48)
    return head + table + data
  }

  /// Adobe RGB (1998).
  private static let wide = profile(
    red: [0.60974, 0.31111, 0.01947], green: [0.20528, 0.62567, 0.06087],
    blue: [0.14919, 0.06322, 0.74457], gamma: 2.19921875)

  /// The matrix from linear Adobe RGB to linear sRGB, both for the white of D50, by the published
  /// primaries.
  private static let toSRGB: [[Double]] = {
    let adobe = [
      [0.60974, 0.20528, 0.14919], [0.31111, 0.62567, 0.06322], [0.01947, 0.06087, 0.74457],
    ]
    // Lindbloom's inverse for sRGB under D50.
    let inverse = [
      [3.1338561, -1.6168667, -0.4906146], [-0.9787684, 1.9161415, 0.0334540],
      [0.0719453, -0.2289914, 1.4052427],
    ]
    return inverse.map { row in
      (0..<3).map { column in (0..<3).reduce(0) { $0 + row[$1] * adobe[$1][column] } }
    }
  }()

  private func sRGB(_ colour: [Double]) -> [Double] {
    let linear = colour.map { pow($0, 2.19921875) }
    return Self.toSRGB.map { row in
      let value = zip(row, linear).reduce(0) { $0 + $1.0 * $1.1 }
      return value <= 0.0031308 ? 12.92 * value : 1.055 * pow(value, 1 / 2.4) - 0.055
    }
  }

  private func image() throws -> Image {
    var image = try Image(width: 24, height: 20, format: PixelFormat(.rgb, bitDepth: .sixteen))
    for row in 0..<20 {
      for column in 0..<24 {
        image[0, row, column] = Float(column) / 23
        image[1, row, column] = Float(row) / 19
        image[2, row, column] = Float((row * column) % 17) / 16
      }
    }
    return image
  }

  @Test("colours are converted by the formulas of both, and back")
  func formulas() throws {
    let profile = ICCProfile(name: "wide", bytes: Self.wide, color: .rgb)
    let colors = try #require(ProfileColors(profile))
    #expect(!colors.isSRGB && colors.isReversible)
    let image = try image()
    let converted = colors.toSRGB(image)
    let back = colors.fromSRGB(converted)
    for row in 0..<20 {
      for column in 0..<24 {
        let wanted = sRGB((0..<3).map { Double(image[$0, row, column]) })
        // A step of 8 bits, for the profile's numbers are rounded; a tenth of one there and back.
        for channel in 0..<3 {
          #expect(abs(Double(converted[channel, row, column]) - wanted[channel]) < 1 / 255)
          #expect(abs(back[channel, row, column] - image[channel, row, column]) < 1 / 2550)
        }
      }
    }
    #expect(ProfileColors(ICCProfile(name: "bad", bytes: [1, 2, 3], color: .rgb)) == nil)
  }

  @Test("a network sees sRGB, interpolation the values themselves")
  func network() throws {
    let folder = try TemporaryFolder()
    let image = try image()
    var metadata = ImageMetadata()
    let profile = ICCProfile(name: "wide", bytes: Self.wide, color: .rgb)
    metadata.icc = profile
    let input = folder.file("in.png")
    try image.write(to: input, metadata: metadata)
    let stored = try Image(contentsOf: input)
    let colors = try #require(ProfileColors(profile))
    let weights = SharedFolder.repository.appending(
      path: "Tests/Fixtures/architectures/fusion-cae.x2/weights.pt"
    ).path
    let zoo = Zoo(folders: [])
    for (reference, seesSRGB) in [(weights, true), ("nearest", false)] {
      let upscaler = try Upscaler(zoo.model(reference, scale: 2).model, scale: 2)
      let output = folder.file("out.png")
      _ = try upscaler.enlarge(from: input, to: output)
      let found = try Image(contentsOf: output)
      let wanted =
        seesSRGB
        ? colors.fromSRGB(try upscaler.enlarge(colors.toSRGB(stored)))
        : try upscaler.enlarge(stored)
      let path = folder.file("wanted.png")
      try wanted.write(to: path, metadata: metadata)
      let difference =
        try zip(found.pixels.floats, Image(contentsOf: path).pixels.floats)
        .map { abs($0 - $1) }.max() ?? 1
      #expect(difference <= 1.5 / 65535)
      #expect(try ImageReader(path: output).header.metadata.icc?.bytes == Self.wide)
    }
  }
}
