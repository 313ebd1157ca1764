import AviaryCheckpoint
import AviaryFormats
import AviaryImage
import AviaryTensor
import AviaryTestSupport
import AviaryTraining
import Foundation
import Testing

@Suite("train and plot")
struct TrainTests {
  /// A folder `pictures` with two images in which there is something to learn.
  private func pictures(in folder: borrowing TemporaryFolder) throws {
    try FileManager.default.createDirectory(
      atPath: folder.file("pictures"), withIntermediateDirectories: true)
    var random = SplitMix64(seed: 1)
    for name in ["a", "b"] {
      var image = try Image(width: 48, height: 48, format: PixelFormat(.rgb))
      for y in stride(from: 0, to: 48, by: 8) {
        for x in stride(from: 0, to: 48, by: 8) {
          try image.fill(x: x, y: y, width: 8, height: 8, with: (0..<3).map { _ in random.unit() })
        }
      }
      try image.write(to: folder.file("pictures/\(name).png"))
    }
  }

  private let recipe = """
    architecture: srcnn
    scale: 2
    data: {targets: pictures}
    batch: {size: 1, patch: 12}
    steps: 4
    threads: 1
    validation: {every: 2, samples: 1}
    saving: {every: 2}

    """

  @Test("a recipe, validated and resumed, with curves")
  func run() throws {
    let folder = try TemporaryFolder()
    try pictures(in: folder)
    _ = try folder.file("tiny.yaml", Array(recipe.utf8))
    let first = try Outcome(
      ["train", "tiny.yaml", "--steps", "2", "--validation", "pictures"], in: folder.path)
    #expect(first.status == 0, "\(first.error)")
    #expect(first.output == "runs/tiny/model.h5\n")
    #expect(first.error.contains("step 2  PSNR "))
    #expect(first.error.contains("dB, bicubic "))
    // A second training must not take the first's place.
    expectFailure(
      try Outcome(["train", "tiny.yaml"], in: folder.path), 65,
      "runs/tiny: expected a folder without checkpoints, or that the training there is resumed, "
        + "found checkpoints up to step 2")
    let second = try Outcome(
      ["train", "--resume", "runs/tiny", "--steps", "4", "--quiet"], in: folder.path)
    #expect(second.status == 0)
    #expect(second.error == "")
    let table = try LogTable(contentsOf: folder.file("runs/tiny/log.csv"))
    #expect(table.rows.map(\.step) == [1, 2, 2, 3, 4, 4])
    let plot = try Outcome(["plot", "runs/tiny"], in: folder.path)
    #expect(plot.output == "runs/tiny/curves.png: runs/tiny to step 4\n")
    #expect(try Image(contentsOf: folder.file("runs/tiny/curves.png")).width == 1200)
    let drawing = try Outcome(
      ["plot", "runs/tiny/log.csv", "-o", "c.svg", "--json"], in: folder.path)
    #expect(try drawing.json()["output"] as? String == "c.svg")
    #expect(try folder.names.contains("c.svg"))
  }

  @Test("starts from another framework's weights, whose network it trains")
  func foreign() throws {
    let folder = try TemporaryFolder()
    try pictures(in: folder)
    let (checkpoint, weights) = (folder.file("first.h5"), folder.file("mine.pth"))
    #expect(try Outcome(["convert", fixture("weights/whole.pt"), checkpoint]).status == 0)
    #expect(try Outcome(["convert", checkpoint, weights]).status == 0)
    let settings = [
      "--data", "pictures", "--patch", "12", "--batch-size", "1", "--scale", "2", "--steps", "1",
      "--learning-rate", "1e-12", "--threads", "1",
    ]
    let run = try Outcome(["train", "--from", "mine.pth"] + settings, in: folder.path)
    #expect(run.status == 0, "\(run.error)")
    #expect(run.output == "runs/mine/model.h5\n")
    #expect(run.error.contains("mine.pth: the network is srcnn"))
    #expect(run.error.contains("mine.pth: 6 of 6 tensors taken"))
    let trained = try Checkpoint(contentsOf: folder.file("runs/mine/model.h5"))
    #expect(trained.card.provenance.contains { $0.conversions.contains { $0.contains("6 of 6") } })
    for (name, tensor) in try Checkpoint(contentsOf: checkpoint).weights {
      let found = try #require(trained.weights[name])
      #expect(zip(tensor.floats, found.floats).allSatisfy { abs($0 - $1) < 1e-9 })
    }
    // Stopped and resumed, it is still that network.
    let more = try Outcome(
      ["train", "--resume", "runs/mine", "--steps", "2", "--quiet"], in: folder.path)
    #expect(more.status == 0, "\(more.error)")
    // What a recipe states of the network stays.
    let other = try Outcome(
      ["train", "srcnn", "--from", "mine.pth", "--preset", "9-3-5", "--output", "other"] + settings,
      in: folder.path)
    #expect(other.error.contains("tensors taken; begun anew: conv1.weight"))
    _ = try folder.file("nonsense.pth", Array("nonsense".utf8))
    let wrong = try Outcome(["train", "--from", "nonsense.pth"] + settings, in: folder.path)
    #expect(wrong.status == 65)
    #expect(wrong.error.contains("nonsense.pth"))
  }

  @Test("goes on from before a damaged checkpoint, and takes nobody's place")
  func damaged() throws {
    let folder = try TemporaryFolder()
    try pictures(in: folder)
    _ = try folder.file("tiny.yaml", Array(recipe.utf8))
    let first = try Outcome(["train", "tiny.yaml", "--quiet"], in: folder.path)
    try #require(first.status == 0, "\(first.error)")
    expectFailure(
      try Outcome(["train", "vdsr", "--resume", "runs/tiny"], in: folder.path), 65,
      "runs/tiny/step-000004.h5: expected a checkpoint of vdsr to resume from, found one of srcnn")
    let last = folder.file("runs/tiny/step-000004.h5")
    try Data(contentsOf: URL(filePath: last)).prefix(9000).write(to: URL(filePath: last))
    let second = try Outcome(["train", "srcnn", "--resume", "runs/tiny"], in: folder.path)
    #expect(second.status == 0, "\(second.error)")
    #expect(second.error.contains("aviary: warning: runs/tiny/step-000004.h5: "))
    #expect(
      second.error.contains(
        "set aside, for the training goes on from before: runs/tiny/step-000004.h5.aside\n"))
    #expect(second.error.contains("resumed at step 2: the weights will be those"))
    for name in ["step-000002.h5", "step-000004.h5", "step-000004.h5.aside-2"] {
      try? FileManager.default.removeItem(atPath: folder.file("runs/tiny/\(name)"))
    }
    expectFailure(
      try Outcome(["train", "tiny.yaml"], in: folder.path), 65,
      "runs/tiny: expected a folder without networks of another training, found runs/tiny/model.h5")
  }

  @Test("a dry run checks everything and writes nothing")
  func dryRun() throws {
    let folder = try TemporaryFolder()
    try pictures(in: folder)
    let outcome = try Outcome(
      [
        "train", "srcnn", "--data", "pictures", "--scale", "3", "--patch", "12", "--no-rot90",
        "--dry-run",
      ], in: folder.path)
    #expect(outcome.status == 0, "\(outcome.error)")
    #expect(outcome.output.contains("architecture: srcnn\n"))
    #expect(outcome.output.contains("  rot90: false\n"))
    #expect(outcome.output.contains("  folder: runs/srcnn\n"))
    #expect(outcome.output.contains("Images      2, 0 left out"))
    #expect(outcome.output.contains("Parameters  57,281"))
    #expect(try folder.names == ["pictures"])
  }

  @Test("a training that goes wrong says where")
  func notFinite() throws {
    let folder = try TemporaryFolder()
    try pictures(in: folder)
    let outcome = try Outcome(
      [
        "train", "srcnn", "--data", "pictures", "--patch", "12", "--batch-size", "1", "--optimizer",
        "sgd", "--learning-rate", "1000", "--losses", "l2", "--threads", "1", "--steps", "200",
        "--quiet",
      ], in: folder.path)
    #expect(outcome.status == 70)
    #expect(outcome.error.hasPrefix("aviary: step "))
    #expect(outcome.error.contains("finite number"))
  }

  @Test("bad input is said before any time is spent")
  func refused() throws {
    let folder = try TemporaryFolder()
    try pictures(in: folder)
    func refuse(
      _ arguments: [String], _ status: Int32, _ line: String,
      sourceLocation: SourceLocation = #_sourceLocation
    ) throws {
      expectFailure(
        try Outcome(arguments, in: folder.path), status, line, sourceLocation: sourceLocation)
    }
    let wrong = try folder.file(
      "wrong.yaml", Array("architecture: srcnn\nbatch:\n  sise: 3\n".utf8))
    try refuse(
      ["train", "wrong.yaml"], 65,
      "wrong.yaml:3: batch.sise: no such field; did you mean batch.size?")
    #expect(wrong.hasSuffix("wrong.yaml"))
    try refuse(["train", "none.yaml"], 66, "none.yaml: cannot be read: no such file or directory")
    try refuse(["train", "srcn"], 66, "srcn: no such architecture; did you mean srcnn?")
    try refuse(["train", "srcnn"], 65, "data.targets: expected a folder (--data), found nothing")
    try refuse(
      ["train", "--resume", "pictures"], 66,
      "pictures: no checkpoint to resume from; give the folder of a training")
    try refuse(
      ["plot", "pictures"], 66, "pictures/log.csv: cannot be read: no such file or directory")
    try refuse(
      ["plot", "pictures", "-o", "a.pdf"], 64,
      "a.pdf: give a name that ends in .png, .jpg, .jpeg, .webp, .tif, .tiff, .ppm, .pgm, .pnm, "
        + ".pam, .pfm or .svg")
    #expect(try folder.names == ["pictures", "wrong.yaml"])
  }
}
