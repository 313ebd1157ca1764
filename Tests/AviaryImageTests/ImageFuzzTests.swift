@testable import AviaryImage
import AviaryTestSupport
import FoundationEssentials
import Testing

/// Changed image files of every format: each gives an error or an image, and soon.
@Suite struct ImageFuzzTests {
  static let formats = ["png", "jpg", "webp", "tif", "gif", "bmp", "ppm", "pam", "pfm", "pbm"]

  /// Sound files of a format.
  private func originals(_ ending: String) throws -> [[UInt8]] {
    try ["images", "pictures"].flatMap { folder in
      let path = SharedFolder.repository.appending(path: "Tests/Fixtures/\(folder)").path
      return try FileManager.default.contentsOfDirectory(atPath: path).sorted()
        .filter { $0.hasSuffix(".\(ending)") || ending == "ppm" && $0.hasSuffix(".pgm") }
        .map { [UInt8](try Data(contentsOf: URL(filePath: "\(path)/\($0)"))) }
    }
  }

  @Test(arguments: formats) func changedFilesAreReadOrRefused(_ ending: String) throws {
    let folder = try TemporaryFolder()
    let fuzzing = try Fuzzing(
      ending, try originals(ending), in: folder, name: "x.\(ending)", share: Self.formats.count
    ) { path in
      var reader = try ImageReader(path: path)
      // A sound header may promise many rows; they are taken in bands, as the program takes them.
      while let band = try reader.read(rows: max(1, (1 << 20) / max(reader.header.width, 1))) {
        guard band.height > 0, reader.position < 1 << 14 else { break }
      }
    }
    #expect(fuzzing.slowest < 10, "\(fuzzing)")
  }
}
