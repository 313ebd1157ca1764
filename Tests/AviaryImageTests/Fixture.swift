@testable import AviaryImage
import AviaryTestSupport
import FoundationEssentials

/// The images under Tests/Fixtures/pictures, and the pattern that is in them (see export.py there).
enum Fixture {
  static let width = 11
  static let height = 9

  static func path(_ name: String) -> String {
    SharedFolder.repository.appending(path: "Tests/Fixtures/pictures/\(name)").path
  }

  static func bytes(_ name: String) throws -> [UInt8] {
    [UInt8](try Data(contentsOf: URL(filePath: path(name))))
  }

  /// The sample of the pattern, as an integer of so many bits.
  static func sample(_ x: Int, _ y: Int, _ c: Int, depth: Int) -> Int {
    (x * 7 + y * 13 + c * 29 + 1) * (depth == 16 ? 2749 : 1) % (1 << depth)
  }

  /// A TIFF of one strip without compression, little-endian.
  ///
  /// - Parameter others: further entries, of type 1 or 7 (bytes), 3 (SHORT), 4 (LONG) or 5 (RATIONAL, as
  ///   two values each).
  static func tiff(
    width: Int, height: Int, samples: Int, bits: Int, photometric: Int,
    _ others: [(tag: Int, type: Int, values: [Int])], _ data: [UInt8]
  ) -> [UInt8] {
    func word(_ value: Int, _ count: Int) -> [UInt8] {
      (0..<count).map { UInt8(value >> (8 * $0) & 255) }
    }
    let entries: [(tag: Int, type: Int, values: [Int])] = [
      (256, 4, [width]), (257, 4, [height]), (258, 3, [Int](repeating: bits, count: samples)),
      (259, 3, [1]), (262, 3, [photometric]), (273, 4, [8]), (277, 3, [samples]),
      (278, 4, [height]), (279, 4, [data.count]),
    ]
    var directory = word(entries.count + others.count, 2)
    var body = Array("II*\0    ".utf8) + data
    for entry in (entries + others).sorted(by: { $0.tag < $1.tag }) {
      let size = [3: 2, 4: 4, 5: 4][entry.type] ?? 1
      let bytes = entry.values.flatMap { word($0, size) }
      directory += word(entry.tag, 2) + word(entry.type, 2)
      directory += word(entry.values.count / (entry.type == 5 ? 2 : 1), 4)
      if bytes.count <= 4 {
        directory += bytes + [UInt8](repeating: 0, count: 4 - bytes.count)
      } else {
        if body.count % 2 == 1 { body.append(0) }
        directory += word(body.count, 4)
        body += bytes
      }
    }
    if body.count % 2 == 1 { body.append(0) }
    body.replaceSubrange(4..<8, with: word(body.count, 4))
    return body + directory + [0, 0, 0, 0]
  }

  static func palette(_ i: Int) -> [Int] { [i * 37 % 256, i * 59 % 256, i * 83 % 256] }

  static func paletteAlpha(_ i: Int) -> Int { i * 17 % 256 }

  /// An image of pseudo-random values, some beyond 0...1, the same in every run.
  static func noise(
    width: Int, height: Int, _ format: PixelFormat, seed: UInt32 = 1
  ) throws -> Image {
    var state = seed
    var image = try Image(width: width, height: height, format: format)
    unsafe image.withMutableFloats { values in
      for i in values.indices {
        state = state &* 1_664_525 &+ 1_013_904_223
        unsafe values[i] = Float(state >> 8) / Float(1 << 24) * 1.2 - 0.1
      }
    }
    return image
  }
}

extension Image {
  /// Samples as integers of so many bits, plane after plane.
  func integers(_ depth: BitDepth) -> [Int] {
    unsafe withFloats { values in
      unsafe values.map { Int(($0 * Float(depth.maximum)).rounded()) }
    }
  }

  var floats: [Float] { unsafe withFloats { unsafe Array($0) } }
}

extension ImageMetadata {
  /// The PNG chunks that it makes, in their order.
  var chunkTypes: [String] { PNGMetadata.chunks(self).map(\.type) }
}
