import AviaryGraph
import AviaryImage
import AviaryTestSupport
import FoundationEssentials
import Testing

@testable import AviaryTraining

/// Folders that no training can begin with say so before any time is spent.
@Suite struct DataErrorTests {
  private func load(
    _ data: DataRecipe, scale: Int = 1, patch: Int = 8, size: Int = 4, memoryLimit: Int = 1 << 20
  ) throws -> TrainingSet {
    try TrainingSet(
      data, DataFixture.recipe(size: size, patch: patch), picture: ImageSpec(.rgb),
      geometry: DataFixture.geometry(scale: scale, patch: patch), seed: 1,
      memoryLimit: memoryLimit)
  }

  private func message(_ body: () throws -> TrainingSet) -> String {
    do {
      return "no error, \(try body().imageCount) images"
    } catch {
      return "\(error)"
    }
  }

  @Test func folders() throws {
    let folder = try TemporaryFolder()
    let missing = folder.file("missing")
    #expect(
      message { try load(DataRecipe(targets: missing)) }
        == "\(missing): expected a folder, found nothing")
    #expect(
      message { try load(DataRecipe(targets: folder.path)) }
        == "\(folder.path): expected images (\(ImageFormat.list(ImageFormat.readable))), found none"
    )
    let notes = try folder.file("notes.txt", Array("a".utf8))
    _ = try folder.file(".hidden.png", [1])
    #expect(
      message { try load(DataRecipe(targets: folder.path)) }
        == "\(folder.path): expected images (\(ImageFormat.list(ImageFormat.readable))), found none"
    )
    #expect(
      message { try load(DataRecipe(targets: notes)) }
        == "\(notes): expected a folder, found a file")
  }

  @Test func picturesSmallerThanThePatch() throws {
    let folder = try TemporaryFolder()
    try DataFixture.write(try DataFixture.noise(9, 30), "tall.png", in: folder)
    try DataFixture.write(try DataFixture.noise(15, 15), "square.png", in: folder)
    #expect(
      message { try load(DataRecipe(targets: folder.path), scale: 2, patch: 8) }
        == "\(folder.path): expected images of at least 16x16 pixels, "
        + "found at most 9x30 (tall.png)")
  }

  @Test func aCorruptImageAmongGoodOnes() throws {
    let folder = try TemporaryFolder()
    for i in 0..<9 {
      try DataFixture.write(
        try DataFixture.noise(10, 10, seed: UInt64(i)), "deep/er/\(i).png", in: folder)
    }
    _ = try folder.file("broken.png", Array("no image".utf8))
    let set = try load(DataRecipe(targets: folder.path))
    #expect(set.imageCount == 9)
    #expect(
      set.skipped == [
        .init(
          name: "broken.png",
          reason:
            "\(folder.path)/broken.png: expected \(ImageFormat.list(ImageFormat.readable)), found a text file"
        )
      ])

    // One more is too many.
    try DataFixture.write(try DataFixture.noise(7, 10), "small.jpg", in: folder)
    #expect(
      message { try load(DataRecipe(targets: folder.path)) }
        == "\(folder.path): expected at most 10.0 % of 11 images to be left out, found 2 (the first "
        + "broken.png: \(folder.path)/broken.png: expected \(ImageFormat.list(ImageFormat.readable)), found a text file)"
    )
    var lenient = DataRecipe(targets: folder.path)
    lenient.maxInvalidShare = 0.2
    #expect(
      try load(lenient).skipped.last
        == .init(name: "small.jpg", reason: "expected at least 8x8 pixels, found 7x10"))
    lenient.maxInvalidShare = 1.5
    #expect(message { try load(lenient) } == "data.max-invalid-share: expected 0 to 1, found 1.5")
  }

  @Test func onlyCorruptImages() throws {
    let folder = try TemporaryFolder()
    let picture = try folder.file("a.heic", Array("\0\0\0\u{18}ftypheic".utf8))
    var data = DataRecipe(targets: folder.path)
    data.maxInvalidShare = 1
    #expect(
      message { try load(data) }
        == "\(folder.path): expected at most 100.0 % of 1 images to be left out, found 1 (the first "
        + "a.heic: \(picture): expected \(ImageFormat.list(ImageFormat.readable)), found a HEIF, AVIF or video file)"
    )
  }

  @Test func pairs() throws {
    let targets = try TemporaryFolder(), inputs = try TemporaryFolder()
    var data = DataRecipe(targets: targets.path)
    data.inputs = inputs.path
    try DataFixture.write(try DataFixture.noise(21, 20), "sub/a.png", in: targets)
    #expect(
      message { try load(data, scale: 2) }
        == "\(inputs.path): expected an image for \(targets.path)/sub/a.png (sub/a.png, sub/ax2.png, "
        + "sub/a_x2.png, sub/a.jpg, sub/a.webp, sub/a.tif, sub/a.bmp, sub/a.gif, sub/a.ppm, sub/a.pam, "
        + "sub/a.pfm, sub/a.pbm), found none")
    try DataFixture.write(try DataFixture.noise(9, 10), "sub/ax2.png", in: inputs)
    #expect(
      message { try load(data, scale: 2) }
        == "\(inputs.path)/sub/ax2.png: expected 10x10 (sub/a.png is 21x20, the scale 2), "
        + "found 9x10")
    // 21 is no multiple of 2: published sets are made of the multiple.
    try DataFixture.write(try DataFixture.noise(10, 10), "sub/a.png", in: inputs)
    #expect(try load(data, scale: 2).imageCount == 1)
    data.inputs = inputs.file("missing")
    #expect(
      message { try load(data, scale: 2) }
        == "\(inputs.path)/missing: expected a folder, found nothing")
  }

  @Test func tooMuch() throws {
    let folder = try TemporaryFolder()
    try DataFixture.write(try DataFixture.noise(10, 10), "a.png", in: folder)
    try DataFixture.write(try DataFixture.noise(10, 10), "b.png", in: folder)
    #expect(
      message { try load(DataRecipe(targets: folder.path), memoryLimit: 999) }
        == "\(folder.path): expected images of at most 999 bytes in memory, "
        + "found more from b.png on")
    #expect(
      message { try load(DataRecipe(targets: folder.path), size: 0) }
        == "batch.size: expected 1 to 65536, found 0")
  }

  /// Links that lead round in a circle are followed once.
  @Test func circles() throws {
    let folder = try TemporaryFolder()
    try DataFixture.write(try DataFixture.noise(10, 10), "sub/a.png", in: folder)
    try FileManager.default.createSymbolicLink(
      atPath: folder.file("sub/up"), withDestinationPath: folder.path)
    #expect(try load(DataRecipe(targets: folder.path)).imageCount == 1)
  }

  /// The fingerprint knows names and contents, what is done to them, and not where they lie.
  @Test func fingerprints() throws {
    let first = try TemporaryFolder(), second = try TemporaryFolder()
    for folder in [first.path, second.path] {
      try DataFixture.noise(10, 10).write(to: "\(folder)/a.png")
    }
    let one = try load(DataRecipe(targets: first.path)).fingerprint
    #expect(one.count == 64)
    #expect(try load(DataRecipe(targets: second.path)).fingerprint == one)
    var noisy = DataRecipe(targets: first.path)
    noisy.degradations = [.noise(deviation: 1...2)]
    #expect(try load(noisy).fingerprint != one)
    try DataFixture.noise(10, 10, seed: 2).write(to: second.file("a.png"))
    #expect(try load(DataRecipe(targets: second.path)).fingerprint != one)
  }
}
