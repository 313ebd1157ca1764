import AviaryFiles
import ArgumentParser
import Aviary
import AviaryCheckpoint
import AviaryGraph
import AviaryTraining

/// `aviary quantize`: a checkpoint that computes in whole numbers.
struct QuantizeCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "quantize",
    abstract: "Calibrate a checkpoint to compute in int8.",
    discussion: """
      Restores parts of pictures and observes the inputs of convolutions, to find the scales that \
      they are quantized by; convolutions whose quantization costs too much stay in float32. The \
      weights stay in float32 beside the scales, so that the checkpoint is of the same content and \
      computes in every precision. Pictures are downscaled by the model's scale, and degraded as in the \
      recipe that the weights were trained by, or as stated.

      EXAMPLES
        aviary quantize fusion-cae-x2 --data pictures -o fusion-cae-x2-int8.h5
        aviary quantize model.h5 --data pictures --budget 0.02
        aviary quantize plain-cae-denoise --data pictures -o denoise-int8.h5 --noise 25
      """)

  @Argument(
    help: ArgumentHelp("A checkpoint or its name.", valueName: "checkpoint"), completion: .models)
  var reference: String

  @Option(
    help: ArgumentHelp(
      "A folder of pictures, best not those that quality is measured on.", valueName: "folder"),
    completion: .directory)
  var data: String

  @Option(
    name: [.customShort("o"), .customLong("output")],
    help: ArgumentHelp(
      "The checkpoint to write (default: the scales are added to the checkpoint itself).",
      valueName: "out"),
    completion: .file(extensions: ["h5"]))
  var destination: String?

  @Option(
    help: ArgumentHelp("The scale to calibrate for, of several.", valueName: "number"))
  var scale: Int?

  @Option(help: ArgumentHelp("Pictures to take.", valueName: "number"))
  var pictures = 24

  @Option(
    help: ArgumentHelp("The side of the part that is taken of each.", valueName: "pixels"))
  var patch = 192

  @Option(help: ArgumentHelp("What chooses pictures and parts.", valueName: "number"))
  var seed: UInt64 = 1

  @Option(
    help: ArgumentHelp(
      "What may be lost on these pictures, in dB of PSNR.", valueName: "dB"))
  var budget = 0.05

  @OptionGroup var degradations: DegradationOptions

  @Option(
    help: ArgumentHelp("Threads (default: the cores that may be used).", valueName: "number"))
  var threads: Int?

  @Flag(help: "Replace the output if it is there.")
  var force = false

  @OptionGroup var output: OutputOptions
  @OptionGroup var zooOptions: ZooOptions

  func validate() throws {
    for (name, value, range) in [
      ("--pictures", pictures, 1...10_000), ("--patch", patch, 32...4096),
      ("--threads", threads ?? 1, 1...1024),
    ] where !range.contains(value) {
      throw ValidationError(
        "\(name): \(range.lowerBound) to \(range.upperBound) expected, \(value) found")
    }
    guard budget >= 0, budget <= 100 else {
      throw ValidationError("--budget: 0 to 100 expected, \(budget) found")
    }
  }

  func run() throws {
    _ = try OutputPlan.pictures(in: data)
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
    var bar = ProgressBar(data, amount: 1, unit: "", isEnabled: !output.quiet)
    defer { bar.finish() }
    let calibration = try Calibration(
      model, scale: scale,
      QuantizationOptions(
        data: data, pictures: pictures, patch: patch, seed: seed, budget: budget,
        degradations: degradations.list.isEmpty ? nil : degradations.list, threads: threads)
    ) { bar.update($0) }
    bar.finish()
    // The file as it is, an unfinished training in it too, with the scales and what the card says.
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
