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
