import AviaryTestSupport
import Foundation
import Testing

/// What an image says besides pixels, as exiftool reads it before and after `aviary run`.
@Suite("aviary run: metadata, by exiftool")
struct MetadataTests {
  private static let isThere =
    (ProcessInfo.processInfo.environment["PATH"] ?? "").split(separator: ":").contains {
      FileManager.default.isExecutableFile(atPath: "\($0)/exiftool")
    }

  /// What is written into the image, as exiftool names it with its group.
  private static let tags = [
    "IFD0:Make": "Aviary", "IFD0:Model": "Nest 1",
    "ExifIFD:DateTimeOriginal": "2024:01:02 03:04:05",
    "ExifIFD:ISO": "200", "GPS:GPSLatitude": "52.5", "XMP-dc:Title": "Nest",
    "XMP-dc:Creator": "Wren",
    "IPTC:Keywords": "feather", "IPTC:Caption-Abstract": "perch", "File:Comment": "hello",
  ]

  /// All tags of a file with their groups, numbers as such.
  private func read(_ path: String) throws -> [String: String] {
    let folder = try TemporaryFolder()
    let file = folder.file("tags.json")
    try Tool.run(["sh", "-c", "exiftool -j -n -G1 -s -a \"$0\" > \"$1\"", path, file])
    let object = try JSONSerialization.jsonObject(with: Data(contentsOf: URL(filePath: file)))
    let first = try #require((object as? [[String: Any]])?.first)
    return first.mapValues { "\($0)" }
  }

  static let targets: [(ending: String, lost: Set<String>, words: [String])] = [
    ("jpg", [], []),
    (
      "png", ["IPTC:Keywords", "IPTC:Caption-Abstract", "File:Comment"], ["PNG does not hold IPTC"]
    ),
    (
      "webp", ["IPTC:Keywords", "IPTC:Caption-Abstract", "File:Comment"],
      ["WebP does not hold IPTC", "WebP does not hold text", "WebP does not hold the density"]
    ),
    (
      "tif",
      [
        "IPTC:Keywords", "IPTC:Caption-Abstract", "File:Comment", "IFD0:Make", "IFD0:Model",
        "ExifIFD:DateTimeOriginal", "ExifIFD:ISO", "GPS:GPSLatitude",
      ], ["TIFF does not hold EXIF", "TIFF does not hold IPTC"]
    ),
  ]

  @Test(
    "what a format holds is there, what it does not is told",
    .enabled(if: isThere, "exiftool is not on PATH"), arguments: targets)
  func kept(_ target: (ending: String, lost: Set<String>, words: [String])) throws {
    let folder = try TemporaryFolder()
    let input = folder.file("in.jpg")
    try FileManager.default.copyItem(atPath: fixture("pictures/progressive.jpg"), toPath: input)
    try Tool.run(
      ["exiftool", "-q", "-overwrite_original", "-n"]
        + Self.tags.map { name, value in "-\(name)=\(value)" }
        + ["-GPS:GPSLatitudeRef=N", "-JFIF:XResolution=300", "-JFIF:YResolution=300"]
        + ["-JFIF:ResolutionUnit=1", input])
    let before = try read(input)
    for (name, value) in Self.tags { try #require(before[name] == value, "\(name)") }
    let output = folder.file("out.\(target.ending)")
    let run = try Outcome(["run", "nearest", input, "-o", output, "--scale", "2"])
    try #require(run.status == 0, "\(run.error)")
    let after = try read(output)
    for (name, value) in Self.tags where !target.lost.contains(name) {
      #expect(after[name] == value, "\(name)")
    }
    for name in target.lost where name != "File:Comment" { #expect(after[name] == nil, "\(name)") }
    // A comment has another place, where it has one.
    switch target.ending {
    case "png": #expect(after["PNG:Comment"] == "hello")
    case "tif": #expect(after["IFD0:ImageDescription"] == "hello")
    default: break
    }
    let words = run.error.split(separator: "\n").map {
      String($0.dropFirst("aviary: warning: \(output): ".count))
    }
    #expect(words.sorted() == target.words.sorted())
    // 300 per inch, by each format's unit.
    switch target.ending {
    case "jpg": #expect(after["JFIF:XResolution"] == "300" && after["JFIF:ResolutionUnit"] == "1")
    case "png": #expect(after["PNG-pHYs:PixelsPerUnitX"] == "11811")
    case "tif": #expect(abs((after["IFD0:XResolution"].flatMap(Double.init) ?? 0) - 118.11) < 0.01)
    default: break
    }
  }
}
