import AviaryImage
import AviaryTestSupport
import Foundation
import Testing

/// `aviary run` to sizes that no network makes by itself.
@Suite("aviary run: sizes")
struct SizeRunTests {
  /// A part of a photograph of the repository's, 23x17 pixels.
  private func picture(in folder: borrowing TemporaryFolder) throws -> String {
    let photograph = try Image(
      contentsOf: SharedFolder.repository.appending(path: "Docs/pictures/coffee.png").path)
    let path = folder.file("in.png")
    try photograph.cropped(x: 100, y: 80, width: 23, height: 17).write(to: path)
    return path
  }

  static let sizes: [([String], width: Int, height: Int)] = [
    (["--scale", "1.5"], 35, 26), (["--scale", "3"], 69, 51), (["--scale", "5"], 115, 85),
    (["--width", "100"], 100, 74), (["--height", "34"], 46, 34), (["--fit", "40x400"], 40, 30),
    (["--width", "30", "--height", "60"], 30, 60), (["--scale", "0.5"], 12, 9),
    (["--crop", "1,2,10,8"], 20, 16), (["--ensemble", "--width", "60"], 60, 44),
    (["--seamless", "--blend", "0.5"], 46, 34), (["--chain", "nearest,bicubic"], 184, 136),
    (["--chain", "nearest", "--scale", "3"], 69, 51),
  ]

  @Test("sizes", arguments: sizes, ["bicubic", "architectures/fusion-cae.x2/weights.pt"])
  func size(_ wanted: ([String], width: Int, height: Int), _ model: String) throws {
    let folder = try TemporaryFolder()
    let output = folder.file("out.png")
    let run = try Outcome(
      ["run", model == "bicubic" ? model : fixture(model), try picture(in: folder), "-o", output]
        + ["--quiet"]
        + wanted.0)
    try #require(run.status == 0, "\(run.error)")
    let header = try ImageReader(path: output).header
    #expect(header.width == wanted.width && header.height == wanted.height)
  }

  static let refused: [([String], Int32, String)] = [
    (
      ["--scale", "0"], 64,
      "--scale: expected a number above 0, 64 at most, found 0 (see aviary run --help)"
    ),
    (["--width", "0"], 64, "--width: expected 1 to 1048576, found 0 (see aviary run --help)"),
    (["--blend", "2"], 64, "--blend: expected 0 to 1, found 2.0 (see aviary run --help)"),
    (
      ["--fit", "10"], 64, "The value '10' is invalid for '--fit <size>' (see aviary run --help)"
    ),
    (
      ["--fit", "10x10", "--scale", "2"], 64,
      "--scale and --fit exclude each other; give one of them (see aviary run --help)"
    ),
    (
      ["--crop", "20,0,10,10"], 65,
      "crop: expected a part of 23x17, found 10x10 at (20, 0)"
    ),
    (
      ["--chain", "bicubc"], 66,
      "bicubc: no file, checkpoint or architecture has this name; did you mean bicubic?"
    ),
  ]

  @Test("what cannot be", arguments: refused)
  func refusal(_ arguments: [String], _ status: Int32, _ line: String) throws {
    let folder = try TemporaryFolder()
    expectFailure(
      try Outcome(
        ["run", "bicubic", try picture(in: folder), "-o", folder.file("out.png")] + arguments),
      status, line)
    #expect(try folder.names == ["in.png"])
  }

  @Test(
    "the nearest pixel stays a pixel of the image", arguments: [[], ["--seamless"], ["--ensemble"]])
  func nearestPixels(_ options: [String]) throws {
    let folder = try TemporaryFolder()
    let (input, output) = (try picture(in: folder), folder.file("out.png"))
    let run = try Outcome(["run", "nearest", input, "-o", output, "--scale", "1.5"] + options)
    try #require(run.status == 0, "\(run.error)")
    func colors(_ path: String) throws -> Set<[Float]> {
      let image = try Image(contentsOf: path)
      return Set(
        (0..<image.height).flatMap { y in
          (0..<image.width).map { x in (0..<3).map { image[$0, y, x] } }
        })
    }
    #expect(try colors(output).isSubset(of: colors(input)))
  }

  @Test("a hard edge of alpha stays hard", .enabled(if: SharedFolder.isPresent))
  func hardAlpha() throws {
    let folder = try TemporaryFolder()
    let input = try #require(SharedFolder.path("cases/metadata/hard_alpha.png"))
    let output = folder.file("out.png")
    #expect(try Outcome(["run", "nearest", input, "-o", output]).status == 0)
    let (small, large) = (try Image(contentsOf: input), try Image(contentsOf: output))
    for channel in 0..<4 {
      for row in 0..<large.height {
        for column in 0..<large.width {
          #expect(large[channel, row, column] == small[channel, row / 2, column / 2])
        }
      }
    }
  }
}
