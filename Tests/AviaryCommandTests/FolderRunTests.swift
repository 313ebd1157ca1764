import AviaryFiles
import AviaryImage
import AviaryTestSupport
import Foundation
import Testing

/// `aviary run` from folders into folders.
@Suite("aviary run: folders and names")
struct FolderRunTests {
  private let picture = fixture("pictures/rgb-8.png")

  /// A folder `in` with images, a text, a folder with an image, and a hidden file.
  private func fill(_ folder: borrowing TemporaryFolder) throws {
    try folder.makeFolder("in/deep/er")
    for (source, name) in [
      ("rgb-8.png", "a.png"), ("gray.jpg", "b.jpg"), ("rgb-8.png", "no ending"),
      ("rgb-8.png", "deep/er/a.png"), ("rgb-8.png", ".hidden.png"),
    ] {
      try FileManager.default.copyItem(
        atPath: fixture("pictures/\(source)"), toPath: folder.file("in/\(name)"))
    }
    _ = try folder.file("in/notes.txt", Array("no image".utf8))
  }

  private func names(_ path: String) throws -> [String] {
    try FileManager.default.subpathsOfDirectory(atPath: path).sorted()
  }

  @Test("the output folder is made, content decides, and what is skipped is listed")
  func flat() throws {
    let folder = try TemporaryFolder()
    try fill(folder)
    let run = try Outcome(["run", "nearest", "in", "-o", "results/"], in: folder.path)
    #expect(run.status == 0)
    #expect(try names(folder.file("results")) == ["a.png", "b.png", "no ending.png"])
    #expect(
      run.error == """
        aviary: note: in/deep: skipped: a folder (-r enters it)
        aviary: note: in/notes.txt: skipped: a text file, no image

        """)
    #expect(run.output.hasSuffix("\n5 files: 3 written, 2 skipped\n"))
    // Without a slash, and quietly.
    let quiet = try Outcome(["run", "nearest", "in", "-o", "more", "--quiet"], in: folder.path)
    #expect(quiet.status == 0 && quiet.error == "")
    #expect(quiet.output.hasSuffix("\n5 files: 3 written, 2 skipped\n"))
  }

  @Test("-r keeps the tree, and never enters the folder of the results")
  func recursive() throws {
    let folder = try TemporaryFolder()
    try fill(folder)
    try FileManager.default.createSymbolicLink(
      atPath: folder.file("in/deep/round"), withDestinationPath: folder.file("in"))
    for _ in 0..<2 {
      let run = try Outcome(["run", "nearest", "in", "-r", "-o", "in/out"], in: folder.path)
      #expect(run.status == 0)
      #expect(
        try names(folder.file("in/out"))
          == ["a.png", "b.png", "deep", "deep/er", "deep/er/a.png", "no ending.png"])
    }
  }

  @Test("names are made by a pattern, and images whose output is there are skipped")
  func patterns() throws {
    let folder = try TemporaryFolder()
    try fill(folder)
    let arguments = [
      "run", "bicubic", "in", "-o", "out", "--name", "{name}-{model}-x{scale}.{ext}",
      "--skip-existing", "--scale", "1.5", "--json",
    ]
    let run = try Outcome(arguments, in: folder.path)
    #expect(run.status == 0)
    #expect(
      try names(folder.file("out"))
        == ["a-bicubic-x1.5.png", "b-bicubic-x1.5.png", "no ending-bicubic-x1.5.png"])
    let again = try Outcome(arguments, in: folder.path).json()
    #expect((again["results"] as? [Any])?.isEmpty == true)
    let skipped = try #require(again["skipped"] as? [[String: String]])
    #expect(
      skipped.contains([
        "input": "in/a.png", "reason": "out/a-bicubic-x1.5.png is there",
      ]))
    let summary = try #require(again["summary"] as? [String: Int])
    #expect(summary == ["written": 0, "failed": 0, "skipped": 5])
    for (pattern, status, line) in [
      (
        "{nme}.png", 64,
        "The value '{nme}.png' is invalid for '--name <pattern>' (see aviary run --help)"
      ),
      (
        "../{name}.png", 64,
        "The value '../{name}.png' is invalid for '--name <pattern>' (see aviary run --help)"
      ),
    ] as [(String, Int32, String)] {
      expectFailure(
        try Outcome(["run", "nearest", "in", "-o", "x", "--name", pattern], in: folder.path),
        status, line)
    }
  }

  @Test("a failure has its line and its status, and the summary counts it")
  func failures() throws {
    let folder = try TemporaryFolder()
    try fill(folder)
    _ = try folder.file("in/broken.jpg", Array("nothing".utf8))
    let run = try Outcome(["run", "nearest", "in", "-o", "out", "--quiet"], in: folder.path)
    #expect(run.status == 65)
    #expect(
      run.error == "aviary: in/broken.jpg: expected \(ImageFormat.list(ImageFormat.readable)), "
        + "found a text file\n")
    #expect(run.output.hasSuffix("\n6 files: 3 written, 1 failed, 2 skipped\n"))
  }

  @Test("a manifest is never written over a result, nor after work that it could not record")
  func manifestInTheWay() throws {
    let folder = try TemporaryFolder()
    try folder.makeFolder("out")
    for (output, manifest) in [
      ("out/a.png", "./out/a.png"), ("out/a.png", "out/../out/a.png"),
      ("out", "\(folder.path)/out/rgb-8.png"), ("new/", "./new/rgb-8.png"),
    ] {
      expectFailure(
        try Outcome(
          ["run", "nearest", picture, "-o", output, "--manifest", manifest], in: folder.path), 73,
        "\(manifest): two outputs would be written there, the second for the manifest")
    }
    let missing = "none/made.json"
    expectFailure(
      try Outcome(
        ["run", "nearest", picture, "-o", "out", "--manifest", missing], in: folder.path), 73,
      "\(missing): cannot be written: there is no folder none")
    #expect(try names(folder.path) == ["out"])
  }

  @Test("a manifest tells what was done")
  func manifest() throws {
    let folder = try TemporaryFolder()
    try fill(folder)
    let run = try Outcome(
      ["run", fixture("architectures/fusion-cae.x2/weights.pt"), "in", "-o", "out", "--quiet"]
        + ["--manifest", "made.json"], in: folder.path)
    #expect(run.status == 0)
    let data = try Data(contentsOf: URL(filePath: folder.file("made.json")))
    let manifest = try #require(
      JSONSerialization.jsonObject(with: data) as? [String: Any])
    #expect(
      (manifest["results"] as? [[String: Any]])?.map { $0["output"] as? String } == [
        "out/a.png", "out/b.png", "out/no ending.png",
      ])
    let model = try #require((manifest["models"] as? [[String: String]])?.first)
    #expect(model["name"] == "fusion-cae")
    #expect(model["contentHash"]?.hasPrefix("sha256:") == true)
    #expect((manifest["arguments"] as? [String])?.contains("--manifest") == true)
    #expect(manifest["started"] is String && manifest["seconds"] is Double)
    expectFailure(
      try Outcome(
        ["run", "nearest", "in", "-o", "out", "--manifest", "in/a.png"], in: folder.path), 73,
      "in/a.png: would overwrite an input; name another output")
  }

  @Test("a folder that has a model's name hides no model")
  func shadowed() throws {
    let folder = try TemporaryFolder()
    try folder.makeFolder("nearest")
    try folder.makeFolder("tiny")
    #expect(
      try Outcome(["run", "nearest", picture, "-o", "large.png"], in: folder.path).status == 0)
    let model = folder.file("tiny.h5")
    let convert = try Outcome(["convert", fixture("weights/whole.pt"), model, "--scale", "2"])
    #expect(convert.status == 0)
    let run = try Outcome(
      ["run", "tiny", picture, "-o", "large.png"],
      environment: ["AVIARY_CHECKPOINTS": folder.path], in: folder.path)
    #expect(run.status == 0, "\(run.error)")
    try folder.makeFolder("other")
    expectFailure(
      try Outcome(["run", "other", picture, "-o", "large.png"], in: folder.path), 66,
      "other: cannot be read: it is a folder")
  }

  @Test("standard input and standard output")
  func streams() throws {
    let folder = try TemporaryFolder()
    let output = folder.file("out.png")
    let run = try Outcome(
      ["run", "nearest", "-", "-o", "-"], after: "exec <'\(picture)' >'\(output)'")
    #expect(run.status == 0)
    #expect(run.error == "")
    #expect(try Outcome(["run", "nearest", picture, "-o", folder.file("file.png")]).status == 0)
    #expect(
      try Data(contentsOf: URL(filePath: output))
        == Data(contentsOf: URL(filePath: folder.file("file.png"))))
    // Through a pipe.
    let piped = try Outcome(
      ["run", "nearest", "-", "-o", folder.file("piped.png")],
      after: "cat '\(picture)' | { ulimit -t 900; exec \"$0\" \"$@\"; }; exit $?")
    #expect(piped.status == 0, "\(piped.error)")
    #expect(try ImageReader(path: folder.file("piped.png")).header.width > 0)
    expectFailure(
      try Outcome(["run", "nearest", "-", "-o", folder.file("none.png")]), 65,
      "standard input: expected \(ImageFormat.list(ImageFormat.readable)), found an empty file")
    expectFailure(
      try Outcome(["run", "nearest", picture, "-o", "-", "--json"]), 64,
      "standard output: --json cannot be used: the image goes there")
    expectFailure(
      try Outcome(["run", "nearest", "-", "-", "-o", folder.file("out")]), 64,
      "standard input: named twice, and it can be read once only")
  }

  @Test("names of files that are no text")
  func bytes() throws {
    let folder = try TemporaryFolder()
    try folder.makeFolder("in")
    let name = String(pathBytes: [0xFF, 0xFE, 0x2E, 0x70, 0x6E, 0x67])
    let file = try AtomicFile(replacing: folder.file("in/\(name)"))
    try file.write(Array(try Data(contentsOf: URL(filePath: picture))))
    try file.commit()
    let run = try Outcome(["run", "nearest", "in", "-o", "out"], in: folder.path)
    #expect(run.status == 0)
    #expect(run.output.hasPrefix(#"in/\xFF\xFE.png -> out/\xFF\xFE.png: 11x9 to 22x18"#))
    #expect(try Folder.names(in: folder.file("out")) == [name])
    // On the command line, too.
    let named = try Outcome(
      ["run", "nearest", "-o", "large.png"], in: folder.path,
      after: #"set -- "$@" in/*.png; exec "$0" "$@"; :"#)
    #expect(named.status == 0, "\(named.error)")
    #expect(named.output.hasPrefix(#"in/\xFF\xFE.png -> large.png: "#))
  }

  @Test("several images do not go into what has the name of a file")
  func places() throws {
    let folder = try TemporaryFolder()
    expectFailure(
      try Outcome(["run", "nearest", picture, picture, "-o", "out.png"], in: folder.path), 73,
      "out.png: expected a folder to write to, found the name of a file")
    #expect(try folder.names == [])
  }

  @Test(
    "every name of the cases comes through",
    .enabled(if: SharedFolder.path("cases/pictures/odd names") != nil))
  func oddNames() throws {
    let folder = try TemporaryFolder()
    let names = try #require(SharedFolder.path("cases/pictures/odd names"))
    let run = try Outcome(["run", "nearest", names, "-o", folder.file("out"), "--quiet"])
    #expect(run.status == 0, "\(run.error)")
    let read = try Folder.names(in: names).count
    #expect(try Folder.names(in: folder.file("out")).count == read)
  }

  @Test("--watch goes on with images that come")
  func watch() throws {
    let folder = try TemporaryFolder()
    try folder.makeFolder("in")
    let process = Process()
    process.executableURL = Outcome.program
    process.arguments = [
      "run", "nearest", folder.file("in"), "-o", folder.file("out"), "--scale", "2", "--watch",
      "--quiet",
    ]
    process.environment = ProcessInfo.processInfo.environment.merging(["AVIARY_TUNE": "never"]) {
      $1
    }
    process.standardOutput = FileHandle.nullDevice
    process.standardError = FileHandle.nullDevice
    try process.run()
    defer { if process.isRunning { kill(process.processIdentifier, SIGKILL) } }
    for name in ["a.png", "b.png"] {
      try FileManager.default.copyItem(atPath: picture, toPath: folder.file("in/\(name)"))
      let result = folder.file("out/\(name)")
      for _ in 0..<600 where process.isRunning && !FileManager.default.fileExists(atPath: result) {
        usleep(50_000)
      }
      #expect(FileManager.default.fileExists(atPath: result))
    }
    #expect(process.isRunning)
    // Any other signal may be blocked by who starts the tests, and by what they start.
    kill(process.processIdentifier, SIGKILL)
    process.waitUntilExit()
    expectFailure(
      try Outcome([
        "run", "nearest", picture, "-o", folder.file("x.png"), "--scale", "2", "--watch",
      ]), 64, "\(picture): --watch cannot be used: folders of images are watched")
  }
}
