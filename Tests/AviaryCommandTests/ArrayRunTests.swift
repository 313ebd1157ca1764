import AviaryFormats
import AviaryTensor
import AviaryTestSupport
import Testing

/// `aviary run` on arrays.
@Suite struct ArrayRunTests {
  /// 2 images of 1 channel, 3 rows and 4 columns.
  private func images(_ shape: [Int] = [2, 1, 3, 4]) throws -> Tensor {
    try Tensor(shape: shape, (0..<shape.reduce(1, *)).map { Float($0 * 7 % 24) * 20 - 100 })
  }

  /// Values are neither scaled nor limited, and every dimension is kept.
  @Test func nearestOfAnyValues() throws {
    let folder = try TemporaryFolder()
    let (given, result) = (folder.file("in.npy"), folder.file("out.npy"))
    let array = try images([2, 3, 3, 4])
    try NumPyArray.write(array, to: given)
    let outcome = try Outcome(["run", "nearest", given, "-o", result, "--scale", "2"])
    #expect(outcome.status == 0, "\(outcome.error)")
    let found = try NumPyArray.read(result)
    #expect(found.shape == [2, 3, 6, 8])
    for plane in 0..<6 {
      for row in 0..<6 {
        for column in 0..<8 {
          #expect(
            found.floats[(plane * 6 + row) * 8 + column]
              == array.floats[(plane * 3 + row / 2) * 4 + column / 2])
        }
      }
    }
  }

  @Test func channelsLast() throws {
    let folder = try TemporaryFolder()
    let (given, result) = (folder.file("in.npy"), folder.file("out.npy"))
    try NumPyArray.write(images([3, 4, 3]), to: given)
    let outcome = try Outcome(
      ["run", "nearest", given, "-o", result, "--scale", "1", "--layout", "hwc"])
    #expect(outcome.status == 0, "\(outcome.error)")
    #expect(try NumPyArray.read(result) == images([3, 4, 3]))
  }

  @Test func whatIsRefused() throws {
    let folder = try TemporaryFolder()
    let given = folder.file("in.npy")
    try NumPyArray.write(images([2, 2, 3, 4]), to: given)
    let channels = try Outcome([
      "run", "nearest", given, "-o", folder.file("a.npy"), "--scale", "2",
    ])
    #expect(channels.status == 65)
    #expect(channels.error.contains("[2, 2, 3, 4]"))
    let image = try Outcome(["run", "nearest", given, "-o", folder.file("a.png"), "--scale", "2"])
    #expect(image.status == 64)
    #expect(image.error.contains(".npy"))
    let mixed = try Outcome(
      ["run", "nearest", given, fixture("pictures/gray-16.png"), "-o", folder.path, "--scale", "2"])
    #expect(mixed.status == 64)
    let layout = try Outcome(
      [
        "run", "nearest", fixture("pictures/gray-16.png"), "-o", folder.file("a.png"), "--layout",
        "hwc",
      ])
    #expect(layout.status == 64)
  }
}
