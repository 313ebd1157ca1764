import AviaryFormats
import AviaryCheckpoint
import AviaryFiles
import AviaryImage
import AviaryTestSupport
import Foundation
import Testing

@Suite("aviary quantize")
struct QuantizeTests {
  private static let checkpoint =
    SharedFolder.repository.appending(path: "checkpoints/plain-cae-x2.h5").path

  /// A folder with parts of one photograph of the repository's.
  private func pictures(in folder: borrowing TemporaryFolder) throws -> String {
    let photograph = try Image(
      contentsOf: SharedFolder.repository.appending(path: "Docs/pictures/coffee.png").path)
    let path = folder.file("pictures")
    try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: false)
    for i in 0..<4 {
      try photograph.cropped(x: 40 + 90 * i, y: 60 + 50 * i, width: 80, height: 72)
        .write(to: "\(path)/\(i).png")
    }
    return path
  }

  private func psnr(_ arguments: [String]) throws -> Double {
    let outcome = try Outcome(["eval"] + arguments + ["--json"])
    #expect(outcome.status == 0, "\(outcome.error)")
    return try #require((outcome.json()["mean"] as? [String: Any])?["psnr"] as? Double)
  }

  @Test("a checkpoint that computes in whole numbers, with the weights that it had")
  func quantizes() throws {
    let folder = try TemporaryFolder()
    let (data, path) = (try pictures(in: folder), folder.file("whole.h5"))
    let arguments = [
      "quantize", Self.checkpoint, "--data", data, "-o", path, "--images", "3", "--patch", "64",
      "--quiet",
    ]
    let outcome = try Outcome(arguments + ["--json"])
    #expect(outcome.status == 0, "\(outcome.error)")
    let found = try #require(try outcome.json()["quantization"] as? [String: Any])
    #expect(found["pictures"] as? Int == 3)
    #expect(found["data"] as? String == "pictures")
    #expect(try #require(found["layers"] as? Int) > 0)
    #expect(try #require(found["loss"] as? Double) <= 0.05)
    // The weights, and so the hash, are those of before.
    let (before, after) = (
      try Checkpoint(contentsOf: Self.checkpoint), try Checkpoint(contentsOf: path)
    )
    #expect(before.storedHash == after.storedHash)
    #expect(after.quantization.count == found["layers"] as? Int)
    let inspection = try Outcome(["inspect", path])
    #expect(inspection.output.contains("Quantised"))
    #expect(inspection.output.contains("calibrated with 3 images of pictures"))
    let json = try Outcome(["inspect", path, "--json"]).json()
    #expect((json["quantization"] as? [String: Any])?.count == after.quantization.count)

    // Whole numbers unless stated otherwise, and not where exactness is asked for.
    let whole = try psnr([path, "--data", data])
    let float = try psnr([path, "--data", data, "--precision", "f32"])
    #expect(try psnr([Self.checkpoint, "--data", data]) == float)
    #expect(whole != float && abs(whole - float) < 0.15)
    #expect(try psnr([path, "--data", data, "--precision", "int8"]) == whole)
    let exact = try psnr([path, "--data", data, "--exact"])
    #expect(exact == (try psnr([Self.checkpoint, "--data", data, "--exact"])))

    // The same images give the same file, and no other is replaced unasked.
    let bytes = try Data(contentsOf: URL(filePath: path))
    let again = try Outcome(arguments)
    #expect(again.status == 73)
    #expect(again.error.contains("\(path): already exists; use --force to overwrite it"))
    #expect(try Outcome(arguments + ["--force"]).status == 0)
    #expect(try Data(contentsOf: URL(filePath: path)) == bytes)

    // Other formats have the weights, and say what they have not; other weights have no scales.
    let torch = try Outcome(["convert", path, folder.file("a.pt")])
    #expect(torch.status == 0, "\(torch.error)")
    #expect((torch.output + torch.error).contains("scales of"))
    let edited = folder.file("half.h5")
    #expect(try Outcome(["edit", path, edited, "--cast", "float16"]).status == 0)
    let half = try Checkpoint(contentsOf: edited)
    #expect(half.quantization.isEmpty && half.card.quantization == nil)
    let noted = folder.file("noted.h5")
    #expect(try Outcome(["edit", path, noted, "--note", "n"]).status == 0)
    #expect(try Checkpoint(contentsOf: noted).quantization == after.quantization)
    let copy = folder.file("copy.h5")
    #expect(try Outcome(["convert", path, copy]).status == 0)
    #expect(try Checkpoint(contentsOf: copy).quantization == after.quantization)
  }

  private func expectRefusal(
    _ arguments: [String], _ status: Int32, _ words: String,
    sourceLocation: SourceLocation = #_sourceLocation
  ) throws {
    let outcome = try Outcome(arguments)
    #expect(outcome.status == status, sourceLocation: sourceLocation)
    #expect(outcome.error.contains(words), "\(outcome.error)", sourceLocation: sourceLocation)
  }

  @Test("whole numbers without scales, and scales that belong to no layer")
  func refuses() throws {
    let folder = try TemporaryFolder()
    let data = try pictures(in: folder)
    try expectRefusal(
      ["eval", Self.checkpoint, "--data", data, "--precision", "int8"], 69,
      "is not quantized, as int8 needs it; run aviary quantize first")
    try expectRefusal(
      ["eval", Self.checkpoint, "--data", data, "--precision", "int4"], 64,
      "expected one of f32, bf16, int8")
    var checkpoint = try Checkpoint(contentsOf: Self.checkpoint)
    let path = folder.file("odd.h5")
    for (node, message) in [
      ("nowhere", "nowhere: expected a convolution of the graph, found none"),
      ("encoder.0", "encoder.0: expected 32 scales, found 1"),
    ] {
      checkpoint.quantization = [
        QuantizedLayer(node: node, inputScale: 1, isSigned: false, weightScales: [1])
      ]
      try checkpoint.write(to: path)
      try expectRefusal(["eval", path, "--data", data], 65, "\(path): quantization: \(message)")
    }
    try expectRefusal(
      ["quantize", path, "--data", data, "-o", path, "--force"], 73,
      "\(path): would overwrite an input; name another output")
    // A network without a convolution that could be quantized.
    let tiny = folder.file("tiny.h5")
    #expect(try Outcome(["convert", fixture("weights/whole.pt"), tiny]).status == 0)
    try expectRefusal(
      ["quantize", tiny, "--data", data, "--scale", "2", "-o", folder.file("q.h5")], 69,
      "has no convolution of 16 channels or more, and so nothing to quantize")
    try expectRefusal(
      ["quantize", "nothing-of-the-kind", "--data", data], 66,
      "nothing-of-the-kind: no file, checkpoint or architecture has this name")
    try expectRefusal(
      ["quantize", Self.checkpoint, "--data", folder.file("none")], 66, "\(folder.file("none"))")
    try expectRefusal(
      ["quantize", Self.checkpoint, "--data", data, "--images", "0"], 64,
      "--images: expected 1 to 10000, found 0")
    let former = try Outcome([
      "quantize", Self.checkpoint, "--data", folder.file("none"), "--pictures", "3",
    ])
    #expect(former.error.hasPrefix("aviary: note: --pictures is called --images now\n"))
  }
}
