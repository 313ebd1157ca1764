import AviaryCheckpoint
import AviaryFormats
import AviaryImage
import AviaryTensor
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

  /// What the framework gives for an image: rows, columns, channels.
  private func expect(_ path: String, equals name: String) throws {
    let array = try #require(
      try WeightsFile.read(fixture("sizes/\(name).npy")).tensors.loaded().first?.tensor)
    let found = try Image(contentsOf: path)
    #expect([found.height, found.width, found.channels] == array.shape)
    let values = array.floats
    for row in 0..<found.height {
      for column in 0..<found.width {
        for channel in 0..<found.channels {
          let place = (row * found.width + column) * found.channels + channel
          let wanted = min(max(values[place], 0), 1)
          #expect(abs(found[channel, row, column] - wanted) <= 1.01 / 255)
        }
      }
    }
  }

  @Test(
    "other channels and smaller images come out as the framework has them",
    arguments: [
      ("rgb2gray", "rgb.png"), ("gray2rgb", "gray.png"), ("rgba4", "rgb.png"), ("half", "gray.png"),
    ])
  func otherChannelsAndSizes(_ name: String, _ image: String) throws {
    let folder = try TemporaryFolder()
    // Straight from the framework's file, and by way of a checkpoint.
    let path = folder.file("model.h5")
    #expect(try Outcome(["convert", fixture("sizes/\(name).keras"), path]).status == 0)
    for model in [fixture("sizes/\(name).keras"), path] {
      let run = try run(model, image, in: folder)
      try #require(run.status == 0, "\(run.error)")
      try expect(folder.file("out.png"), equals: name)
    }
  }

  @Test("a network of two channels is refused, and converted with a word")
  func twoChannels() throws {
    let folder = try TemporaryFolder()
    let reason = "takes 2 channels; images have 1 (gray), 3 (RGB) or 4 (RGB and alpha)"
    let path = folder.file("model.h5")
    let conversion = try Outcome(["convert", fixture("sizes/two_ch.keras"), path])
    #expect(conversion.status == 0)
    #expect(conversion.output.contains(reason))
    let run = try run(path, "gray.png", in: folder)
    #expect(run.status == 69)
    #expect(run.error.contains(reason))
  }

  @Test("a network without an architecture has words for what it is taken for")
  func nameless() throws {
    let folder = try TemporaryFolder()
    let run = try run(fixture("sizes/half.keras"), "gray.png", in: folder)
    #expect(run.error.contains("taken for the network that the file describes; assumed: "))
  }
}
