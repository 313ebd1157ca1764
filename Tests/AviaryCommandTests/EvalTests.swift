import AviaryImage
import AviaryTestSupport
import Foundation
import Testing

@Suite("aviary eval and compare")
struct EvalTests {
  /// A folder with one photograph of the repository's, cut small.
  private func originals(in folder: borrowing TemporaryFolder) throws -> String {
    let photograph = try Image(
      contentsOf: SharedFolder.repository.appending(path: "Docs/pictures/coffee.png").path)
    let path = folder.file("originals")
    try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: false)
    try photograph.cropped(x: 200, y: 100, width: 61, height: 50).write(to: "\(path)/cup.png")
    try photograph.cropped(x: 300, y: 200, width: 48, height: 64).write(to: "\(path)/spoon.png")
    return path
  }

  @Test("bicubic is as good as bicubic")
  func json() throws {
    let folder = try TemporaryFolder()
    let data = try originals(in: folder)
    let eval = try Outcome(["eval", "bicubic", "--data", data, "--scale", "3", "--json"])
    #expect(eval.status == 0)
    #expect(eval.error == "")
    let json = try eval.json()
    #expect(Set(json.keys) == ["mean", "pictures"])
    let pictures = try #require(json["pictures"] as? [[String: Any]])
    #expect(pictures.map { $0["name"] as? String } == ["cup.png", "spoon.png"])
    for scores in pictures + [try #require(json["mean"] as? [String: Any])] {
      let bicubic = try #require(scores["bicubic"] as? [String: Double])
      let psnr = try #require(scores["psnr"] as? Double),
        ssim = try #require(scores["ssim"] as? Double)
      #expect(psnr > 15 && psnr < 60)
      #expect(ssim > 0.4 && ssim < 1)
      let expected = (try #require(bicubic["psnr"]), try #require(bicubic["ssim"]))
      // One enlarges in floating point and the other as the measure of all does: both are rounded
      // to 8 bits, and differ where a value lies between two.
      #expect(abs(psnr - expected.0) < 0.02)
      #expect(abs(ssim - expected.1) < 0.001)
    }
  }

  @Test("for people: a line for each image, and the mean")
  func table() throws {
    let folder = try TemporaryFolder()
    let data = try originals(in: folder)
    let lines = try Outcome(["eval", "nearest", "--data", data, "--scale", "2"]).output
      .split(separator: "\n")
    #expect(lines.count == 4)
    #expect(lines[0].hasPrefix("IMAGE "))
    #expect(lines[3].hasPrefix("mean "))
  }

  @Test("given images take the place of reduced ones")
  func lowResolution() throws {
    let folder = try TemporaryFolder()
    let data = try originals(in: folder)
    let small = folder.file("small")
    try FileManager.default.createDirectory(atPath: small, withIntermediateDirectories: false)
    for name in ["cup.png", "spoon.png"] {
      let original = try Image(contentsOf: "\(data)/\(name)")
      try Image(
        width: original.width / 2, height: original.height / 2, format: original.format
      ).write(to: "\(small)/\(name)")
    }
    let arguments = ["eval", "bicubic", "--data", data, "--scale", "2", "--json"]
    let made = try Outcome(arguments).json(),
      given = try Outcome(arguments + ["--lr", small]).json()
    func mean(_ json: [String: Any]) throws -> Double {
      try #require((json["mean"] as? [String: Any])?["psnr"] as? Double)
    }
    // What was given is black.
    #expect(try mean(given) < mean(made) - 5)
  }

  @Test("images that cannot be measured are named, and the others measured all the same")
  func unmeasurable() throws {
    let folder = try TemporaryFolder()
    let data = try originals(in: folder)
    try Image(width: 8, height: 8, format: PixelFormat(.rgb)).write(to: "\(data)/dot.png")
    try Data("no image".utf8).write(to: URL(filePath: "\(data)/words.png"))
    let arguments = ["eval", "nearest", "--data", data, "--scale", "2"]
    let eval = try Outcome(arguments + ["--json"])
    let small = "\(data)/dot.png: expected an image of at least 16x16 pixels, found 8x8"
    let words =
      "\(data)/words.png: expected \(ImageFormat.list(ImageFormat.readable)), found a text file"
    #expect(eval.status == 65)
    #expect(eval.error == "aviary: \(small)\naviary: \(words)\n")
    let json = try eval.json()
    let pictures = try #require(json["pictures"] as? [[String: Any]])
    #expect(pictures.map { $0["name"] as? String } == ["cup.png", "spoon.png"])
    let failures = try #require(json["failures"] as? [[String: String]])
    #expect(
      failures == [["name": "dot.png", "error": small], ["name": "words.png", "error": words]])
    #expect(try Outcome(arguments).output.split(separator: "\n").count == 4)
    // Where none is left there is no mean.
    for name in ["cup.png", "spoon.png", "words.png"] {
      try FileManager.default.removeItem(atPath: "\(data)/\(name)")
    }
    expectFailure(try Outcome(arguments), 65, small)
  }

  @Test("a comparison of an image that is too small")
  func smallComparison() throws {
    let folder = try TemporaryFolder()
    let picture = folder.file("tiny.png")
    try Image(width: 8, height: 8, format: PixelFormat(.rgb)).write(to: picture)
    expectFailure(
      try Outcome(["compare", "bicubic", picture, "-o", folder.file("q.png"), "--scale", "16"]), 65,
      "\(picture): expected an image of at least 48x48 pixels, found 8x8")
    #expect(try folder.names == ["tiny.png"])
  }

  @Test("folders that are none, or hold nothing")
  func folders() throws {
    let folder = try TemporaryFolder()
    expectFailure(
      try Outcome(["eval", "bicubic", "--data", folder.file("none"), "--scale", "2"]), 66,
      "\(folder.file("none")): expected a folder, found none")
    let file = try folder.file("file", [])
    expectFailure(
      try Outcome(["eval", "bicubic", "--data", file, "--scale", "2"]), 66,
      "\(file): expected a folder, found a file")
    expectFailure(
      try Outcome(["eval", "bicubic", "--data", folder.path, "--scale", "2"]), 66,
      "\(folder.path): contains no \(ImageFormat.list(ImageFormat.readable)) images")
    expectFailure(
      try Outcome([
        "eval", "bicubic", "--data", fixture("pictures"), "--lr", folder.file("none"), "--scale",
        "2",
      ]), 66, "\(folder.file("none")): expected a folder, found none")
  }

  @Test("a comparison is an image with the figures of both")
  func compare() throws {
    let folder = try TemporaryFolder()
    let data = try originals(in: folder), path = folder.file("comparison.png")
    let compare = try Outcome([
      "compare", "lanczos", "\(data)/cup.png", "-o", path, "--scale", "2", "--region",
      "10,8,20,16", "--zoom", "3", "--json",
    ])
    #expect(compare.error == "")
    #expect(compare.status == 0)
    let json = try compare.json()
    #expect(json["region"] as? [String: Int] == ["x": 10, "y": 8, "width": 20, "height": 16])
    #expect(((json["model"] as? [String: Double])?["psnr"] ?? 0) > 15)
    #expect(try ImageReader(path: path).header.width > 3 * 3 * 20)
    expectFailure(
      try Outcome(["compare", "lanczos", "\(data)/cup.png", "-o", "\(data)/cup.png"]), 73,
      "\(data)/cup.png: would overwrite an input; name another output")
  }
}
