import AviaryCheckpoint
import AviaryFormats
import AviaryFiles
import ArgumentParser
import Aviary
import AviaryGraph
import AviaryTraining

/// `aviary quantize`: calibrates a checkpoint for int8.
struct QuantizeCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "quantize",
    abstract: "Calibrate a checkpoint for int8 inference.",
    discussion: """
      Runs image patches through the network and records the range of each convolution's input, to \
      choose quantization scales; convolutions that lose too much stay in floating point. The float32 \
      weights stay beside the scales, so the content hash does not change and the checkpoint runs in \
      every precision. Images are downscaled by the model's scale and degraded as in the training \
      recipe, or as stated.

      EXAMPLES
        aviary quantize fusion-cae-x2 --data images -o fusion-cae-x2-int8.h5
        aviary quantize model.h5 --data images --budget 0.02
        aviary quantize plain-cae-denoise --data images -o denoise-int8.h5 --noise 25
      """)

  @Argument(
    help: ArgumentHelp("Checkpoint (path or name).", valueName: "checkpoint"), completion: .models)
  var reference: String

  @Option(
    help: ArgumentHelp(
      "Folder of calibration images; not those that quality is measured on.", valueName: "folder"),
    completion: .directory)
  var data: String

  @Option(
    name: [.customShort("o"), .customLong("output")],
    help: ArgumentHelp(
      "Checkpoint to write (default: in place).", valueName: "out"),
    completion: .file(extensions: ["h5"]))
  var destination: String?

  @Option(
    help: ArgumentHelp("Scale to calibrate for, of several.", valueName: "number"))
  var scale: Int?

  @Option(help: ArgumentHelp("Number of images to use.", valueName: "number"))
  var images = 24

  /// The name of version 0.2.
  @Option(name: .customLong("pictures"), help: .hidden)
  var formerImages: Int?

  @Option(
    help: ArgumentHelp("Side of the patch taken from each.", valueName: "pixels"))
  var patch = 192

  @Option(
    help: ArgumentHelp("Random seed for the choice of images and patches.", valueName: "number"))
  var seed: UInt64 = 1

  @Option(
    help: ArgumentHelp(
      "Largest acceptable loss of PSNR on these images, in dB.", valueName: "dB"))
  var budget = 0.05

  @OptionGroup var degradations: DegradationOptions

  @Option(
    help: ArgumentHelp("Number of threads (default: all available cores).", valueName: "number"))
  var threads: Int?

  @Flag(help: "Overwrite the output if it exists.")
  var force = false

  @OptionGroup var output: OutputOptions
  @OptionGroup var zooOptions: ZooOptions

  func validate() throws {
    for (name, value, range) in [
      ("--images", formerImages ?? images, 1...10_000), ("--patch", patch, 32...4096),
      ("--threads", threads ?? 1, 1...1024),
    ] where !range.contains(value) {
      throw ValidationError(
        "\(name): expected \(range.lowerBound) to \(range.upperBound), found \(value)")
    }
    guard budget >= 0, budget <= 100 else {
      throw ValidationError("--budget: expected 0 to 100, found \(budget)")
    }
  }

  func run() throws {
    if formerImages != nil, !output.quiet { Console.note("--pictures is called --images now") }
    _ = try OutputPlan.images(in: data)
    let zoo = try zooOptions.zoo()
    let path = try zoo.weightsFile(reference)
    let target = destination ?? path
    if let destination {
      try OutputFile.check(destination, replaces: force, inputs: [path])
    }
    if let format = TargetFormat(path: target), format != .aviary {
      throw CommandError.checkpointName(target)
    }
    let model = try Model(checkpoint: path)
    model.warnOfValues(reference)
    let assumed = model.card.provenance.flatMap(\.assumptions).joined(separator: ", ")
    if !output.quiet, !assumed.isEmpty { Console.note("\(reference): assumed: \(assumed)") }
    var bar = ProgressBar(data, amount: 1, unit: "", isEnabled: !output.quiet)
    defer { bar.finish() }
    let calibration = try Calibration(
      model, scale: scale,
      QuantizationOptions(
        data: data, images: formerImages ?? images, patch: patch, seed: seed, budget: budget,
        degradations: degradations.list.isEmpty ? nil : degradations.list, threads: threads)
    ) { bar.update($0) }
    bar.finish()
    // Keep the file as it is, including an unfinished training; add the scales and what the model
    // card says about them.
    var checkpoint = try CheckpointFile(path)
    checkpoint.quantization = calibration.model.quantization
    checkpoint.card = calibration.model.card
    try checkpoint.write(to: target)
    var sheet = FactSheet()
    calibration.model.card.describe(in: &sheet)
    var table = TextTable(["Convolution", "Share of the error", "Computes in"], numeric: [1])
    let whole = Set(checkpoint.quantization.map(\.node))
    table.rows = calibration.costs.map {
      [
        $0.node, "\(NumberText.fixed($0.share * 100, 1)) %",
        whole.contains($0.node) ? "int8" : "its own",
      ]
    }
    try output.print(
      "\(reference.printable) -> \(target.printable)\n\n\(sheet.text)\n\n\(table.text)",
      json: [
        "input": .string(reference), "output": .string(target),
        "quantization": try JSON(encoding: checkpoint.card.quantization),
        "shares": .object(
          Dictionary(
            uniqueKeysWithValues: calibration.costs.map { ($0.node, .number($0.share)) })),
      ])
  }
}
