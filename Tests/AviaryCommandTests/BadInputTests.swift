import AviaryFormats
import AviaryCheckpoint
import AviaryImage
import AviaryTensor
import AviaryTestSupport
import Foundation
import Testing

@Suite("Bad input: one line, a status, nothing written")
struct BadInputTests {
  private let picture = fixture("pictures/rgb-8.png")

  /// Holds that a file of weights is refused alike by every command that reads it, and that nothing
  /// is written.
  private func expectRefused(
    _ path: String, _ status: Int32, _ line: String,
    sourceLocation: SourceLocation = #_sourceLocation
  ) throws {
    let folder = try TemporaryFolder()
    let commands = [
      ["inspect", path], ["info", path], ["convert", path, folder.file("out.h5")],
      ["run", path, picture, "-o", folder.file("out.png"), "--scale", "2"],
      ["eval", path, "--data", fixture("pictures"), "--scale", "2"],
    ]
    for command in commands {
      expectFailure(
        try Outcome(command), status, "\(path): \(line)", sourceLocation: sourceLocation)
    }
    #expect(try folder.names == [], sourceLocation: sourceLocation)
  }

  // MARK: Weights

  @Test("a missing file")
  func missing() throws {
    let folder = try TemporaryFolder()
    try expectRefused(folder.file("none.pt"), 66, "cannot be read: no such file or directory")
    try expectRefused(folder.path, 66, "cannot be read: it is a folder")
  }

  @Test(
    "files that are something else",
    arguments: [
      ("empty.pt", "", "an empty file"),
      (
        "pointer.pt", "version https://git-lfs.github.com/spec/v1\noid sha256:4d7a\nsize 12345\n",
        "a Git LFS pointer (the file itself comes with `git lfs pull`)"
      ),
      (
        "page.h5", "<!DOCTYPE html>\n<html><body>404 Not Found</body></html>\n",
        "a saved web page (was the download's address right?)"
      ),
    ])
  func notWeights(_ name: String, _ content: String, _ found: String) throws {
    let folder = try TemporaryFolder()
    let path = try folder.file(name, Array(content.utf8))
    try expectRefused(path, 65, "expected a file of weights, found \(found)")
  }

  @Test("a truncated .pt")
  func truncatedTorch() throws {
    let folder = try TemporaryFolder()
    let whole = try Data(contentsOf: URL(filePath: fixture("weights/whole.pt")))
    let path = try folder.file("cut.pt", Array(whole.prefix(2_000)))
    try expectRefused(
      path, 65,
      "damaged: the zip container: the directory that ends it is missing after 2000 bytes: "
        + "truncated")
  }

  @Test("a truncated .h5")
  func truncatedHDF5() throws {
    let folder = try TemporaryFolder()
    let whole = folder.file("whole.h5")
    #expect(try Outcome(["convert", fixture("weights/whole.pt"), whole]).status == 0)
    let bytes = try Data(contentsOf: URL(filePath: whole))
    let path = try folder.file("cut.h5", Array(bytes.prefix(bytes.count / 2)))
    // What the library says after this differs between its versions.
    let inspect = try Outcome(["inspect", path])
    #expect(inspect.error.hasPrefix("aviary: \(path): damaged: the file: truncated file: "))
    let line = try #require(inspect.error.split(separator: "\n").first)
    #expect(inspect.error == "\(line)\n")
    try expectRefused(path, 65, String(line.dropFirst("aviary: \(path): ".count)))
  }

  @Test("a pickle that names os.system")
  func attack() throws {
    try expectRefused(
      fixture("pytorch/refused/os_system.pt"), 65,
      "the pickle names posix.system, which no weights file needs; refused, nothing was run")
  }

  @Test(
    "weights that lack a tensor, have one too many, or one of a wrong shape",
    arguments: [
      ("missing.pt", 5, "missing conv3.bias"),
      ("extra.pt", 7, "unexpected conv4.weight"),
      (
        "wrong-shape.pt", 6,
        "mismatched conv2.weight: expected shape [2, 2, 1, 1], found [2, 3, 1, 1] (input channels: deduced 2, found 3)"
      ),
    ])
  func doNotFit(_ name: String, _ count: Int, _ difference: String) throws {
    let folder = try TemporaryFolder()
    let path = fixture("weights/\(name)")
    let line =
      "\(path): no architecture has exactly these \(count) tensors; nearest: srcnn "
      + #"{"activation":"relu","channels":1,"filters":[2,2],"kernels":[9,1,5],"padding":"same"} (\#(difference))"#
    for command in [
      ["info", path], ["convert", path, folder.file("out.h5")],
      ["run", path, picture, "-o", folder.file("out.png"), "--scale", "2"],
    ] {
      let outcome = try Outcome(command)
      #expect(outcome.status == 65)
      #expect(outcome.error.hasPrefix("aviary: \(line); then espcn {"), "\(outcome.error)")
      #expect(outcome.error.split(separator: "\n").count == 1)
      #expect(outcome.output == "")
    }
    #expect(try folder.names == [])
  }

  @Test("a checkpoint whose weights are not those of its graph")
  func checkpointDoesNotFit() throws {
    let folder = try TemporaryFolder()
    let whole = folder.file("whole.h5"), path = folder.file("spoilt.h5")
    #expect(try Outcome(["convert", fixture("weights/whole.pt"), whole]).status == 0)
    for (change, difference) in [
      ({ $0["conv3.bias"] = nil }, "missing conv3.bias"),
      ({ $0["conv4.bias"] = try Tensor(zeros: [1]) }, "unexpected conv4.bias"),
      (
        { $0["conv2.weight"] = try Tensor(zeros: [2, 3, 1, 1]) },
        "mismatched conv2.weight: expected shape [2, 2, 1, 1], found [2, 3, 1, 1] (input channels: deduced 2, found 3)"
      ),
    ] as [((inout NamedTensors) throws -> Void, String)] {
      var checkpoint = try Checkpoint(contentsOf: whole)
      try change(&checkpoint.weights)
      try checkpoint.write(to: path)
      expectFailure(
        try Outcome(["run", path, picture, "-o", folder.file("out.png"), "--scale", "2"]), 65,
        "\(path): the weights do not fit the network: srcnn (\(difference))")
    }
    #expect(try folder.names == ["spoilt.h5", "whole.h5"])
  }

  @Test("NaN weights are warned of, and run all the same")
  func notANumber() throws {
    let folder = try TemporaryFolder()
    let weights = fixture("weights/not-a-number.pt")
    let run = try Outcome([
      "run", weights, picture, "-o", folder.file("out.png"), "--scale", "2", "--quiet",
    ])
    #expect(run.status == 0)
    #expect(
      run.error
        == "aviary: warning: \(weights): there are NaN or infinite weights in "
        + "conv2.weight\n")
    #expect(try folder.names == ["out.png"])
  }

  @Test(
    "graphs whose sizes overflow",
    arguments: [
      (
        #"[{"name": "a", "op": "convolution", "inputs": ["image"], "filters": 9000000000000000000, "kernel": 3}]"#,
        "a: outChannels: expected 1 to 1048576, found 9000000000000000000"
      ),
      (
        #"[{"name": "a", "op": "convolution", "inputs": ["image"], "filters": 8, "kernel": 3, "border": [0, 0, 0, 9223372036854775807]}]"#,
        "a: padding: expected 0 to 4096, found 9223372036854775807"
      ),
      (
        #"[{"name": "a", "op": "resize", "inputs": ["image"], "kernel": "nearest", "factor": 4000}, {"name": "b", "op": "resize", "inputs": ["a"], "kernel": "nearest", "factor": 4000}]"#,
        "a: resize: shape [1, 1, 30720000, 30720000] has 2^48 elements or more"
      ),
    ])
  func overflow(_ nodes: String, _ line: String) throws {
    let folder = try TemporaryFolder()
    let path = folder.file("overflow.h5")
    let last = nodes.contains(#""b""#) ? "b" : "a"
    let graph =
      #"{"version": 1, "inputs": [{"name": "image", "channels": 1}], "nodes": \#(nodes), "#
      + #""outputs": [{"name": "output", "value": "\#(last)"}]}"#
    try Checkpoint(weights: NamedTensors(), architecture: "hostile", graph: graph).write(to: path)
    for command in [
      ["run", path, picture, "-o", folder.file("out.png"), "--scale", "2"],
      ["convert", path, folder.file("out.h5")],
      ["eval", path, "--data", fixture("pictures"), "--scale", "2"],
    ] {
      expectFailure(try Outcome(command), 65, "\(path): graph: \(line)")
    }
    // What can be said without the graph is said.
    #expect(try Outcome(["inspect", path]).status == 0)
    let info = try Outcome(["info", path])
    #expect(info.status == 0)
    #expect(info.error == "aviary: warning: \(path): graph or image: \(line)\n")
    #expect(try folder.names == ["overflow.h5"])
  }

  @Test("a graph whose ratios of sizes overflow although its sizes do not")
  func ratios() throws {
    let folder = try TemporaryFolder()
    let path = folder.file("ratios.h5")
    var nodes: [String] = []
    var previous = "image"
    for i in 0..<12 {
      let (n, d) = (4095 - 2 * i, 4094 - 2 * i)
      nodes.append(
        #"{"name": "n\#(i)", "op": "resize", "inputs": ["\#(previous)"], "kernel": "nearest", "#
          + #""factor": [\#(n), \#(d)]}"#)
      previous = "n\(i)"
    }
    let graph =
      #"{"version": 1, "inputs": [{"name": "image", "channels": 1}], "nodes": "#
      + #"[\#(nodes.joined(separator: ","))], "outputs": [{"name": "output", "value": "\#(previous)"}]}"#
    try Checkpoint(weights: NamedTensors(), architecture: "hostile", graph: graph).write(to: path)
    #expect(try Outcome(["info", path]).status == 0)
    let run = try Outcome(["run", path, picture, "-o", folder.file("out.png")])
    #expect(run.status == 69)
    #expect(try folder.names == ["ratios.h5"])
  }

  // MARK: Images

  @Test(
    "images that are none",
    arguments: [
      ("pictures/no-pixels.png", "damaged image: Image width is zero in IHDR"),
      (
        "pictures/huge-header.png", "damaged image: the file ends too early, within chunk IDAT"
      ),
      (
        "pictures/huge-hollow.png",
        "damaged image: 61 bytes of image data cannot hold 30000x30000 pixels"
      ),
    ])
  func pictures(_ name: String, _ line: String) throws {
    let folder = try TemporaryFolder()
    let path = folder.file("out.png")
    expectFailure(
      try Outcome(["run", "bicubic", fixture(name), "-o", path]), 65, "\(fixture(name)): \(line)")
    #expect(try folder.names == [])
  }

  @Test("a missing, an empty, a cut-off image, and a folder without images")
  func moreImages() throws {
    let folder = try TemporaryFolder()
    let output = folder.file("out.png")
    expectFailure(
      try Outcome(["run", "bicubic", folder.file("none.png"), "-o", output]), 66,
      "\(folder.file("none.png")): cannot be read: no such file or directory")
    let empty = try folder.file("empty.png", [])
    expectFailure(
      try Outcome(["run", "bicubic", empty, "-o", output]), 65,
      "\(empty): expected \(ImageFormat.list(ImageFormat.readable)), found an empty file")
    let whole = try Data(contentsOf: URL(filePath: picture))
    let cut = try folder.file("cut.png", Array(whole.prefix(whole.count / 2)))
    let old = try folder.file("out.png", Array("old".utf8))
    expectFailure(
      try Outcome(["run", "bicubic", cut, "-o", old]), 65,
      "\(cut): damaged image: the file ends too early, within chunk IDAT")
    #expect(try String(contentsOfFile: old, encoding: .utf8) == "old")
    #expect(try folder.names == ["cut.png", "empty.png", "out.png"])
  }

  @Test(
    "images with sides of 1 pixel run, whatever the network",
    arguments: ["fusion-cae.x2", "residual-cae.default", "plain-cae.valid", "srcnn.9-5-5-valid"])
  func onePixel(_ name: String) throws {
    let folder = try TemporaryFolder()
    for (width, height) in [(1, 1), (1, 9), (9, 1)] {
      let input = folder.file("small.png"), output = folder.file("out.png")
      try Image(width: width, height: height, format: PixelFormat(.rgb)).write(to: input)
      let run = try Outcome([
        "run", fixture("architectures/\(name)/weights.pt"), input, "-o", output, "--scale", "2",
        "--quiet",
      ])
      #expect(run.error == "")
      #expect(run.status == 0)
      let header = try ImageReader(path: output).header
      #expect((header.width, header.height) == (2 * width, 2 * height))
    }
  }

  // MARK: Outputs

  @Test("an output folder that is not there")
  func noFolder() throws {
    let folder = try TemporaryFolder()
    let weights = fixture("weights/whole.pt")
    expectFailure(
      try Outcome(["convert", weights, folder.file("none/out.h5")]), 73,
      "\(folder.file("none/out.h5")): cannot be written: there is no folder \(folder.file("none"))")
    expectFailure(
      try Outcome(["run", "bicubic", picture, "-o", folder.file("none/out.png")]), 73,
      "\(folder.file("none/out.png")): cannot be written: there is no folder \(folder.file("none"))"
    )
    let file = try folder.file("file", [])
    expectFailure(
      try Outcome(["run", "bicubic", picture, picture, "-o", file]), 73,
      "\(file): expected a folder to write to, found a file")
    expectFailure(
      try Outcome(["run", "bicubic", picture, "-o", folder.file("out.gif")]), 64,
      "\(folder.file("out.gif")): the name does not say the format; end it in .png, .jpg, .jpeg, "
        + ".webp, .tif, .tiff, .ppm, .pgm, .pnm, .pam, .pfm, or use --format")
    #expect(try folder.names == ["file"])
  }

  @Test("an output folder that cannot be written")
  func readOnlyFolder() throws {
    // Not even root may make a file there.
    let weights = fixture("weights/whole.pt")
    expectFailure(
      try Outcome(["convert", weights, "/proc/out.h5"]), 73,
      "/proc/out.h5: cannot be written: no such file or directory")
    let run = try Outcome(["run", "bicubic", picture, "-o", "/proc/out.png"])
    #expect(run.status == 73)
    #expect(run.error.hasPrefix("aviary: /proc/out.png: cannot be written: "))
    #expect(run.error.split(separator: "\n").count == 1)
  }

  @Test("a disk that is full in the middle of it leaves the old file whole")
  func fullDisk() throws {
    let folder = try TemporaryFolder()
    let weights = fixture("architectures/fusion-cae.x2/weights.pt")
    let checkpoint = try folder.file("out.h5", Array("old checkpoint".utf8))
    // The limit is 4 KiB or 8, by the shell.
    expectFailure(
      try Outcome(["convert", weights, checkpoint, "--force"], after: "ulimit -f 8"), 73,
      "\(checkpoint): cannot be written: file too large")
    let output = try folder.file("out.png", Array("old image".utf8))
    let noise = SharedFolder.repository.appending(path: "Docs/pictures/coffee.png").path
    let run = try Outcome(
      ["run", "nearest", noise, "-o", output, "--scale", "1"], after: "ulimit -f 8")
    #expect(run.status == 73)
    #expect(run.error.hasPrefix("aviary: \(output): cannot be written: "))
    #expect(run.error.split(separator: "\n").count == 1)
    #expect(try String(contentsOfFile: checkpoint, encoding: .utf8) == "old checkpoint")
    #expect(try String(contentsOfFile: output, encoding: .utf8) == "old image")
    #expect(try folder.names == ["out.h5", "out.png"])
  }
}
