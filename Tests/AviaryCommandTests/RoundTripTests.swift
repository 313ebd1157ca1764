import AviaryTestSupport
import Testing

/// From every format that is written to every other and back, by the program: the content hash is
/// the same at every step.
@Suite("Round trips through every container")
struct RoundTripTests {
  /// What `--to` takes, and how such a file is called.
  static let formats = [
    ("aviary", "h5"), ("keras", "keras"), ("keras-weights", "weights.h5"), ("keras-h5", "keras.h5"),
    ("pytorch", "pt"), ("safetensors", "safetensors"), ("onnx", "onnx"),
  ]

  @Test(
    "there and back", arguments: ["residual-cae.default", "fsrcnn.x3", "espcn.x3"], formats)
  func thereAndBack(_ network: String, _ format: (String, String)) throws {
    let folder = try TemporaryFolder()
    let original = fixture("architectures/\(network)/weights.pt")
    func converted(_ source: String, _ format: (String, String), _ name: String) throws -> String {
      let path = folder.file("\(name).\(format.1)")
      // Nothing in the file says what lies between an ESPCN's layers.
      let stated =
        source == original && network == "espcn.x3" ? ["--config", #"{"activation": "tanh"}"#] : []
      let convert = try Outcome(["convert", source, path, "--to", format.0, "--json"] + stated)
      try #require(convert.status == 0, "\(format.0): \(convert.error)")
      let json = try convert.json()
      let hash = try #require(json["contentHash"] as? String)
      if hashes.isEmpty { hashes.append(hash) }
      #expect(hash == hashes[0], "\(source) as \(format.0)")
      return path
    }
    var hashes: [String] = []
    let first = try converted(original, format, "first")
    for (number, other) in Self.formats.enumerated() where other.0 != format.0 {
      let there = try converted(first, other, "there\(number)")
      let back = try converted(there, format, "back\(number)")
      let diff = try Outcome(["diff", first, back])
      #expect(diff.status == 0, "\(format.0), \(other.0): \(diff.output)")
    }
  }
}
