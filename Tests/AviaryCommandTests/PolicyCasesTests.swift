import AviaryImage
import AviaryTestSupport
import Testing

/// Files of which the program once made another network, or other numbers, with status 0: each is
/// right now, or refused with a line that names the reason.
@Suite("cases that were wrong with status 0", .enabled(if: SharedFolder.isPresent))
struct PolicyCasesTests {
  private func path(_ name: String) throws -> String {
    try #require(SharedFolder.path("cases/\(name)"))
  }

  /// The largest difference of two images of one size.
  private func difference(_ first: String, _ second: String) throws -> Float {
    let (a, b) = (try Image(contentsOf: first), try Image(contentsOf: second))
    try #require(a.width == b.width && a.height == b.height && a.channels == b.channels)
    var largest: Float = 0
    for row in 0..<a.height {
      for column in 0..<a.width {
        for channel in 0..<a.channels {
          largest = max(largest, abs(a[channel, row, column] - b[channel, row, column]))
        }
      }
    }
    return largest
  }

  @Test(
    "what cannot be read is refused by layer, class and place, and never another network",
    arguments: [
      ("keras-refused-layer/srcnn_lambda.keras", "layer lambda of class Lambda (layer 5 of 5"),
      ("keras-refused-layer/srcnn_lambda.h5", "layer lambda of class Lambda (layer 5 of 5"),
      ("keras-int8/q8.keras", "of class Dense"),
      ("keras-int8/q8b.keras", "is left over"),
      ("torch-negview/neg.pth", "the bit 'neg'"),
      ("torch-own-cae/srcnn_leaky.script.pt", "TorchScript archive, whose graph is not read"),
      ("torch-own-cae/pair_relu.pt", "export it as ONNX, or state the architecture with --as"),
    ])
  func refused(_ name: String, _ reason: String) throws {
    let folder = try TemporaryFolder()
    let convert = try Outcome(["convert", try path(name), folder.file("model.h5")])
    #expect(convert.status == 69, "\(convert.output)")
    #expect(convert.error.contains(reason), "\(convert.error)")
  }

  @Test("the user may state an architecture for what is refused")
  func stated() throws {
    let folder = try TemporaryFolder()
    for name in ["keras-refused-layer/srcnn_lambda.keras", "torch-own-cae/pair_relu.pt"] {
      let convert = try Outcome([
        "convert", try path(name), folder.file("model.h5"), "--as", "srcnn", "--force",
      ])
      #expect(convert.status == 0, "\(convert.error)")
    }
  }

  @Test(
    "a range of values that layers state is carried over",
    arguments: [
      "in1_out1.keras", "in255_out255.keras", "in255_out255.h5", "in255_m11.keras", "in255_m11.h5",
    ])
  func rescaling(_ name: String) throws {
    let folder = try TemporaryFolder()
    let model = folder.file("model.h5"), out = folder.file("out.png")
    let file = try path("keras-rescaling/\(name)"), image = try path("keras-rescaling/gray.png")
    #expect(try Outcome(["convert", file, model]).status == 0)
    let stem = name.split(separator: ".")[0]
    for reference in [file, model] {
      let run = try Outcome(["run", reference, image, "-o", out])
      try #require(run.status == 0, "\(run.error)")
      let wanted = try path("keras-rescaling/\(stem).want.png")
      #expect(try difference(out, wanted) <= 1.01 / 255)
    }
  }

  @Test("a range that is stated for one end only is asked for", arguments: ["keras", "h5"])
  func openRange(_ ending: String) throws {
    let folder = try TemporaryFolder()
    let file = try path("keras-rescaling/in255_out1.\(ending)")
    let image = try path("keras-rescaling/gray.png"), out = folder.file("out.png")
    let asked = try Outcome(["run", file, image, "-o", out])
    #expect(asked.status == 65)
    #expect(asked.error.contains("takes values from 0 to 255, and nothing in it says which values"))
    let run = try Outcome([
      "run", file, image, "-o", out, "--input", #"{"outputRange": [0, 1]}"#,
    ])
    try #require(run.status == 0, "\(run.error)")
    #expect(try difference(out, try path("keras-rescaling/in255_out1.want.png")) <= 1.01 / 255)
  }

  @Test("a tanh at the end gives values from -1 to 1, and takes such, which is assumed")
  func tanh() throws {
    let folder = try TemporaryFolder()
    let convert = try Outcome([
      "convert", try path("run-shapes/m11.keras"), folder.file("model.h5"), "--json",
    ]).json()
    #expect((convert["picture"] as? [String: Any])?["range"] as? [Double] == [-1, 1])
    let assumed = try #require((convert["report"] as? [String: Any])?["assumed"] as? [String])
    #expect(assumed.contains("picture.range: [-1,1]"))
  }

  @Test(
    "networks that were not read are never called the same",
    arguments: [
      ("torch-own-cae/pair_relu.pt", "torch-own-cae/pair_leaky.pt"),
      ("keras-refused-layer/pair_softplus.keras", "keras-refused-layer/pair_relu.keras"),
    ])
  func difference(first: String, second: String) throws {
    let diff = try Outcome(["diff", try path(first), try path(second)])
    #expect(diff.status == 1, "\(diff.output)")
    #expect(!diff.output.contains("the same network with equal weights"))
  }

  @Test("a result that is no image is warned of, with what to try")
  func saturated() throws {
    let folder = try TemporaryFolder()
    let convert = try Outcome([
      "convert", try path("keras-rescaling/in255_out255.keras"), folder.file("model.h5"),
      "--input", #"{"range": [0, 1], "outputRange": [200, 255]}"#,
    ])
    #expect(convert.status == 0)
    #expect(convert.error.contains(#"try --input '{"range": [0, 255]}'"#), "\(convert.error)")
  }
}
