import AviaryImage
import AviaryTestSupport
import Foundation
import Testing

@Suite("aviary run")
struct RunTests {
  /// An image of the tests' own: 11x9, RGB, 8 bits.
  private let picture = fixture("pictures/rgb-8.png")

  @Test("one image goes to a file")
  func file() throws {
    let folder = try TemporaryFolder()
    let path = folder.file("large.png")
    let run = try Outcome(["run", "bicubic", picture, "-o", path, "--scale", "3"])
    #expect(run.status == 0)
    #expect(run.error == "")
    let small = try ImageReader(path: picture).header,
      large = try ImageReader(path: path).header
    #expect(large.width == 3 * small.width)
    #expect(large.height == 3 * small.height)
    #expect(
      run.output.hasPrefix(
        "\(picture) -> \(path): \(small.width)x\(small.height) to \(large.width)x\(large.height), ")
    )
    #expect(try folder.names == ["large.png"])
  }

  @Test("JSON tells of tiles, memory and time")
  func json() throws {
    let folder = try TemporaryFolder()
    let run = try Outcome([
      "run", "bicubic", picture, "-o", folder.file("large.png"), "--json",
    ])
    let result = try #require((try run.json()["results"] as? [[String: Any]])?.first)
    #expect(result["input"] as? String == picture)
    #expect(result["output"] as? String == folder.file("large.png"))
    #expect(result["tiles"] as? Int == 1)
    #expect((result["arenaBytes"] as? Int ?? 0) > 0)
    #expect((result["seconds"] as? Double ?? 0) > 0)
    #expect((result["warnings"] as? [Any])?.isEmpty == true)
  }

  @Test("other frameworks' weights run on the fly, and what is assumed is noted")
  func external() throws {
    let folder = try TemporaryFolder()
    let weights = fixture("weights/whole.pt")
    let arguments = ["run", weights, picture, "-o", folder.file("large.png"), "--scale", "2"]
    let run = try Outcome(arguments)
    #expect(run.status == 0)
    #expect(
      run.errorWithoutProbe == "aviary: note: \(weights): taken for srcnn "
        + #"{"activation":"relu","channels":1,"filters":[2,2],"kernels":[9,1,5],"padding":"same"}; "#
        + #"assumed: activation: "relu" (--config '{"activation": "tanh"}' changes it, and the result "#
        + "for a natural image by up to 1 of 255), "
        + #"padding: "same", picture.colour: "luma", picture.range: [0,1]"# + "\n")
    #expect(try Outcome(arguments + ["--quiet"]).errorWithoutProbe == "")
    let stated = try Outcome(
      arguments + ["--input", "gray", "--config", #"{"padding": "valid"}"#, "--quiet"])
    #expect(stated.errorWithoutProbe == "")
    #expect(stated.status == 0)
  }

  @Test("a checkpoint runs with what it says of itself, and refuses other statements")
  func checkpoint() throws {
    let folder = try TemporaryFolder()
    let model = folder.file("tiny.h5"), path = folder.file("large.png")
    let convert = try Outcome(["convert", fixture("weights/whole.pt"), model, "--scale", "2"])
    #expect(convert.status == 0)
    let run = try Outcome(["run", model, picture, "-o", path])
    #expect(run.status == 0)
    #expect(run.error == "")
    // By name, too.
    let named = try Outcome(
      ["run", "tiny", picture, "-o", path], environment: ["AVIARY_CHECKPOINTS": folder.path])
    #expect(named.status == 0)
    expectFailure(
      try Outcome(["run", model, picture, "-o", path, "--input", "gray"]), 64,
      "\(model): --input cannot be used: a checkpoint says so itself (aviary convert changes it)")
    expectFailure(
      try Outcome(["run", "bicubic", picture, "-o", path, "--config", "{}"]), 64,
      "bicubic: --config cannot be used: it has no weights")
  }

  @Test(
    "several images and folders go into a folder, and one that fails does not stop the others")
  func folders() throws {
    let folder = try TemporaryFolder()
    try FileManager.default.createDirectory(
      atPath: folder.file("in"), withIntermediateDirectories: false)
    try FileManager.default.createDirectory(
      atPath: folder.file("out"), withIntermediateDirectories: false)
    for (name, source) in [("a.png", "rgb-8.png"), ("c.jpg", "gray.jpg")] {
      try FileManager.default.copyItem(
        atPath: fixture("pictures/\(source)"), toPath: folder.file("in/\(name)"))
    }
    let broken = try folder.file("in/b.PNG", Array("nothing".utf8))
    let run = try Outcome(
      ["run", "nearest", folder.file("in"), picture, "-o", folder.file("out"), "--json"])
    #expect(run.status == 65)
    #expect(
      run.error
        == "aviary: \(broken): expected \(ImageFormat.list(ImageFormat.readable)), found a text file\n"
    )
    let results = try #require(try run.json()["results"] as? [[String: Any]])
    #expect(results.count == 4)
    #expect(
      results[1]["error"] as? String
        == "\(broken): expected \(ImageFormat.list(ImageFormat.readable)), found a text file")
    #expect(
      try FileManager.default.contentsOfDirectory(atPath: folder.file("out")).sorted()
        == ["a.png", "c.png", "rgb-8.png"])
  }

  @Test("no input is ever overwritten, and no output twice")
  func collisions() throws {
    let folder = try TemporaryFolder()
    let input = folder.file("a.png")
    try FileManager.default.copyItem(atPath: picture, toPath: input)
    try FileManager.default.createSymbolicLink(
      atPath: folder.file("link.png"), withDestinationPath: input)
    let before = try Data(contentsOf: URL(filePath: input))
    for output in [input, folder.path, folder.file("link.png")] {
      let path = output == folder.path ? "\(output)/a.png" : output
      expectFailure(
        try Outcome(["run", "nearest", input, "-o", output]), 73,
        "\(path): would overwrite an input; name another output")
    }
    #expect(try Data(contentsOf: URL(filePath: input)) == before)
    try FileManager.default.createDirectory(
      atPath: folder.file("out"), withIntermediateDirectories: false)
    let other = folder.file("a.jpg")
    try FileManager.default.copyItem(atPath: fixture("pictures/gray.jpg"), toPath: other)
    let run = try Outcome(["run", "nearest", input, other, "-o", folder.file("out")])
    #expect(run.status == 73)
    #expect(
      run.error == "aviary: \(folder.file("out/a.png")): two outputs would be written there, "
        + "the second for \(other)\n")
    let written = try ImageReader(path: folder.file("out/a.png")).header
    #expect(written.width == 2 * (try ImageReader(path: input).header.width))
  }

  @Test("the file behind standard input is an input")
  func standardInputIsNotOverwritten() throws {
    let folder = try TemporaryFolder()
    let input = folder.file("a.png")
    try FileManager.default.copyItem(atPath: picture, toPath: input)
    for arguments in [["-o", input], ["-o", folder.file("b.png"), "--manifest", input]] {
      expectFailure(
        try Outcome(["run", "nearest", "-"] + arguments, after: "exec < '\(input)'"), 73,
        "\(input): would overwrite an input; name another output")
    }
    #expect(try folder.names == ["a.png"])
    #expect(
      try Data(contentsOf: URL(filePath: input)) == Data(contentsOf: URL(filePath: picture)))
  }

  @Test("two outputs that links lead to one file are two outputs written there")
  func linkedOutputs() throws {
    let folder = try TemporaryFolder()
    try folder.makeFolder("out")
    for name in ["a.png", "b.png"] {
      try FileManager.default.copyItem(atPath: picture, toPath: folder.file(name))
    }
    // To what is not there yet.
    try FileManager.default.createSymbolicLink(
      atPath: folder.file("out/b.png"), withDestinationPath: "a.png")
    let run = try Outcome(["run", "nearest", "a.png", "b.png", "-o", "out"], in: folder.path)
    #expect(run.status == 73)
    #expect(
      run.error
        == "aviary: out/b.png: two outputs would be written there, the second for b.png\n")
    #expect(try ImageReader(path: folder.file("out/a.png")).header.width > 0)
  }

  @Test("an output that is there is replaced")
  func replaced() throws {
    let folder = try TemporaryFolder()
    let path = try folder.file("large.png", Array("old".utf8))
    #expect(try Outcome(["run", "nearest", picture, "-o", path]).status == 0)
    #expect(try ImageReader(path: path).header.width > 0)
    #expect(try folder.names == ["large.png"])
  }

  static let unfit: [([String], Int32, String)] = [
    (
      ["srcnn"], 66,
      "srcnn: is an architecture of 57281 parameters, without weights; give a checkpoint of it, or "
        + "train one"
    ),
    (
      ["bicubc"], 66,
      "bicubc: no file, checkpoint or architecture has this name; "
        + "did you mean bicubic?"
    ),
    (
      [fixture("weights/whole.pt"), "--quiet"], 69,
      "srcnn: expected scale to be stated (images are enlarged first, by any), found none"
    ),
  ]

  @Test("models that cannot", arguments: unfit)
  func models(_ arguments: [String], _ status: Int32, _ line: String) throws {
    let folder = try TemporaryFolder()
    expectFailure(
      try Outcome(["run"] + arguments + [picture, "-o", folder.file("large.png")]), status, line)
    #expect(try folder.names == [])
  }

  @Test("the memory allowed is kept to, or it is said what is needed")
  func memory() throws {
    let folder = try TemporaryFolder()
    let run = try Outcome([
      "run", fixture("architectures/fusion-cae.x2/weights.pt"), picture, "--quiet", "--memory",
      "10K", "-o", folder.file("large.png"),
    ])
    #expect(run.status == 69)
    #expect(run.error.contains(" MiB are needed, 0 MiB allowed ("))
    #expect(try folder.names == [])
  }
}
