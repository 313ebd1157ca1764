import AviaryFormats
import AviaryCheckpoint
import AviaryTestSupport
import Foundation
import Testing

@Suite("aviary inspect")
struct InspectTests {
  @Test("a checkpoint is described without reading its weights")
  func checkpoint() throws {
    let folder = try TemporaryFolder()
    let path = folder.file("tiny.h5")
    let hash = try #require(
      try Outcome(["convert", fixture("weights/whole.pt"), path, "--json"]).json()["contentHash"]
        as? String)
    let plain = try Outcome(["inspect", path])
    #expect(plain.status == 0)
    for line in [
      "Format         Aviary checkpoint, version 1", "Written by     aviary 0.3.0",
      "Content hash   \(hash) (as stored, not verified)",
      "Tensors        6, 221 values, 884 B", "conv1.weight  [2, 1, 9, 9]  float32",
    ] {
      #expect(plain.output.contains(line))
    }
    #expect(
      try Outcome(["inspect", path, "--verify"]).output
        .contains("Content hash   \(hash) (verified)"))
    let json = try Outcome(["inspect", path, "--json"]).json()
    #expect(json["format"] as? String == "aviaryCheckpoint")
    #expect(json["formatVersion"] as? Int == 1)
    #expect(json["isVerified"] as? Bool == false)
    #expect(json["contentHash"] as? String == hash)
    #expect((json["configuration"] as? [String: Any])?["padding"] as? String == "same")
    let tensors = try #require(json["tensors"] as? [[String: Any]])
    #expect(tensors.count == 6)
    #expect(tensors[0]["name"] as? String == "conv1.weight")
    #expect(tensors[0]["shape"] as? [Int] == [2, 1, 9, 9])
    #expect(tensors[0]["dtype"] as? String == "float32")
  }

  @Test("weights that were altered are found only by reading them")
  func altered() throws {
    let folder = try TemporaryFolder()
    let path = folder.file("tiny.h5")
    #expect(try Outcome(["convert", fixture("weights/whole.pt"), path]).status == 0)
    var bytes = try Data(contentsOf: URL(filePath: path))
    let offset = try #require(try CheckpointSummary(of: path).tensors[0].offset)
    bytes[offset] ^= 1
    try bytes.write(to: URL(filePath: path))
    #expect(try Outcome(["inspect", path]).status == 0)
    let verified = try Outcome(["inspect", path, "--verify"])
    #expect(verified.status == 65)
    #expect(verified.output == "")
    #expect(verified.error.hasPrefix("aviary: \(path): the tensors were changed: "))
    #expect(verified.error.contains("their content hash is sha256:"))
  }

  @Test("other frameworks' weights: what they would be, and their hash is the checkpoint's")
  func external() throws {
    let folder = try TemporaryFolder()
    let conversion = try Outcome([
      "convert", fixture("weights/whole.pt"), folder.file("tiny.h5"), "--json",
    ]).json()
    let json = try Outcome(["inspect", fixture("weights/whole.pt"), "--verify", "--json"]).json()
    #expect(json["format"] as? String == "torchZip")
    let recognised = try #require(json["recognised"] as? [String: Any])
    #expect(recognised["architecture"] as? String == "srcnn")
    #expect(
      recognised["assumed"] as? [String] == [
        #"activation: "relu""#, #"padding: "same""#, #"picture.colour: "luma""#,
        "picture.range: [0,1]",
      ])
    #expect(json["contentHash"] as? String == conversion["contentHash"] as? String)
  }

  @Test("statistics show what is wrong with values")
  func statistics() throws {
    let json = try Outcome([
      "inspect", fixture("weights/not-a-number.pt"), "--statistics", "--json",
    ]).json()
    let tensors = try #require(json["tensors"] as? [[String: Any]])
    let spoilt = try #require(tensors.first { $0["name"] as? String == "conv2.weight" })
    #expect((spoilt["statistics"] as? [String: Any])?["nanCount"] as? Int == 4)
    let table = try Outcome(["inspect", fixture("weights/not-a-number.pt"), "--statistics"])
    #expect(table.output.contains("DEVIATION  NAN  INF  ZERO CHANNELS"))
  }

  @Test("weights that nothing fits: what comes nearest, and what it lacks")
  func unrecognised() throws {
    let text = try Outcome(["inspect", fixture("weights/missing.pt")])
    #expect(text.status == 0)
    #expect(text.output.contains("Recognised  no: no architecture has exactly these tensors"))
    #expect(text.output.contains("(missing conv3.bias)"))
    let json = try Outcome(["inspect", fixture("weights/wrong-shape.pt"), "--json"]).json()
    let nearest = try #require((json["nearest"] as? [[String: Any]])?.first)
    #expect((nearest["network"] as? String)?.hasPrefix("srcnn ") == true)
    let mismatch = try #require((nearest["mismatched"] as? [[String: Any]])?.first)
    #expect(mismatch["name"] as? String == "conv2.weight")
    #expect(mismatch["expected"] as? [Int] == [2, 2, 1, 1])
    #expect(mismatch["found"] as? [Int] == [2, 3, 1, 1])
  }

  @Test("formats that are known and not read yet")
  func unsupported() throws {
    let folder = try TemporaryFolder()
    let path = try folder.file("weights.gguf", Array("GGUF".utf8))
    expectFailure(
      try Outcome(["inspect", path]), 69,
      "\(path): reading a GGUF file (its tensors saved as safetensors are read) is not supported")
  }
}
