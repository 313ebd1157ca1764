import AviaryImage
import AviaryTestSupport
import Testing

/// Networks as people have them that take one size, or make another: converted, run at the size
/// that they take, and refused at others with the sizes that the user has before him.
@Suite("sizes of people's networks")
struct SizeCasesTests {
  private func converted(_ name: String, in folder: borrowing TemporaryFolder) throws -> String {
    let path = folder.file("model.h5")
    let run = try Outcome(["convert", fixture("sizes/\(name)"), path, "--input", "gray"])
    try #require(run.status == 0, "\(run.error)")
    return path
  }

  private func run(_ model: String, _ picture: String, in folder: borrowing TemporaryFolder) throws
    -> Outcome
  {
    try Outcome(["run", model, fixture("sizes/\(picture)"), "-o", folder.file("out.png")])
  }

  @Test("a network through a row of numbers gives what its framework gives")
  func dense() throws {
    let folder = try TemporaryFolder()
    let model = try converted("dense_fixed.onnx", in: folder)
    #expect(try run(model, "p28.png", in: folder).status == 0)
    let found = try Image(contentsOf: folder.file("out.png"))
    let wanted = try Image(contentsOf: fixture("sizes/dense_fixed.want.png"))
    #expect(found.width == 28 && found.height == 28)
    for row in 0..<28 {
      for column in 0..<28 {
        #expect(abs(found[0, row, column] - wanted[0, row, column]) <= 1.01 / 255)
      }
    }
    let other = try run(model, "p27x21.png", in: folder)
    #expect(other.status != 0)
    #expect(other.error.contains("expected an image of 28x28, found 27x21"))
  }

  @Test(
    "a network of one size is written, and read back at that size", arguments: ["onnx", "keras"])
  func export(_ ending: String) throws {
    let folder = try TemporaryFolder()
    let model = try converted("dense_fixed.onnx", in: folder)
    let run = try Outcome(["convert", model, folder.file("written.\(ending)")])
    #expect(run.status == 0, "\(run.error)")
    #expect(run.output.contains("outputs for an image of 28x28"))
  }

  @Test("a network that crops for one size runs at that")
  func crop() throws {
    let folder = try TemporaryFolder()
    let model = try converted("crop_skip.onnx", in: folder)
    #expect(try run(model, "p27x21.png", in: folder).status == 0)
    #expect(try Image(contentsOf: folder.file("out.png")).height == 21)
    let other = try run(model, "p28.png", in: folder)
    #expect(other.error.contains("expected an image of 27x21, found 28x28"))
  }

  @Test("what makes smaller images is refused for that reason")
  func half() throws {
    let folder = try TemporaryFolder()
    let model = try converted("half.keras", in: folder)
    let run = try run(model, "p28.png", in: folder)
    #expect(run.status != 0)
    #expect(run.error.contains("expected scale a whole number, found 1/2"))
  }

  @Test("what makes other channels is refused for that reason")
  func channels() throws {
    let folder = try TemporaryFolder()
    let path = folder.file("model.h5")
    #expect(try Outcome(["convert", fixture("sizes/rgb2gray.keras"), path]).status == 0)
    let run = try run(path, "rgb.png", in: folder)
    #expect(run.status != 0)
    #expect(
      run.error.contains("expected a colour space of 3 channels, found 1 of output for 3 of image"))
  }
}
