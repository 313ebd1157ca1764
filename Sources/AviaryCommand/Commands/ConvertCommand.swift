import ArgumentParser
import Aviary
import AviaryCheckpoint
import AviaryGraph

/// `aviary convert`: other frameworks' weights, or a checkpoint, as a checkpoint.
struct ConvertCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "convert",
    abstract: "Make a checkpoint of other people's weights.",
    discussion: """
      The architecture is recognised by names and shapes, or stated. What was renamed, assumed or \
      left out is reported and kept in the checkpoint's card. The file is read back and its content \
      hash compared. A checkpoint of ours as input is written again with what is stated changed.

      EXAMPLES
        aviary convert srcnn_x3.pth srcnn-x3.h5 --scale 3
        aviary convert FSRCNN-x2.pt fsrcnn-x2.h5 --input ycbcr-jpeg --licence MIT
        aviary convert srcnn.pth srcnn.h5 --config '{"padding": "valid"}'
        aviary convert model.h5 model.h5 --note 'Trained on DIV2K' --force
      """)

  @Argument(
    help: ArgumentHelp("Weights: a PyTorch state dict, or a checkpoint.", valueName: "in"),
    completion: .models)
  var input: String

  @Argument(
    help: ArgumentHelp("The checkpoint to write.", valueName: "out"),
    completion: .file(extensions: ["h5"]))
  var outputPath: String

  @OptionGroup var weights: WeightsOptions

  @Option(
    help: ArgumentHelp(
      "The scale that weights were trained for, where pictures are enlarged first.",
      valueName: "number"))
  var scale: Int?

  @Option(help: ArgumentHelp("The licence of the weights, for the card.", valueName: "text"))
  var licence: String?

  @Option(help: ArgumentHelp("A note for the card; may be repeated.", valueName: "text"))
  var note: [String] = []

  @Flag(help: "Accept weights that lack parameters (they become zero) or have tensors left over.")
  var allowMissing = false

  @Flag(help: "Replace the output if it is there.")
  var force = false

  @OptionGroup var output: OutputOptions
  @OptionGroup var zooOptions: ZooOptions

  func run() throws {
    guard force || PathKind(of: outputPath) == nil else {
      throw CommandError.outputExists(outputPath)
    }
    let zoo = try zooOptions.zoo()
    let path = zoo.file(input) ?? input
    var model: Model
    var report: LoadReport?
    if try FileFormat.sniff(path) == .aviaryCheckpoint {
      model = try restated(path)
    } else {
      let options = weights.importOptions(scale: scale, allowMissing: allowMissing)
      (model, report) = try naming(input) {
        try Model.imported(from: path, options, registry: zoo.registry)
      }
    }
    if !statements.isEmpty {
      model.card.provenance[model.card.provenance.count - 1].assumptions += statements
    }
    if let licence { model.card.licence = licence }
    model.card.notes += note
    model.warnOfValues(input)
    // Written in one step, then read back as any user would: what was written is what is there.
    let checkpoint = model.checkpoint
    try checkpoint.write(to: outputPath)
    let written = try Checkpoint(contentsOf: outputPath)
    guard written.contentHash == checkpoint.contentHash else {
      throw AviaryError.hash(
        path: outputPath, stored: checkpoint.contentHash, found: written.contentHash)
    }
    let conversion = Conversion(
      input: input, output: outputPath, model: model, report: report,
      contentHash: written.contentHash)
    try output.print(conversion.text, json: conversion.json)
  }

  /// A checkpoint with what is stated in the place of what it says.
  private func restated(_ path: String) throws -> Model {
    let refused =
      weights.stated.filter { $0 != "--input" } + (allowMissing ? ["--allow-missing"] : [])
    guard refused.isEmpty else {
      throw CommandError.notForModel(
        input, options: refused, why: "a checkpoint holds its own network")
    }
    var model = try Model(checkpoint: path)
    // The same checks as on import.
    var fit = Fit(
      network: Network(
        architecture: model.architecture, configuration: model.configuration, graph: model.graph,
        picture: model.picture))
    try ImportOptions(colour: weights.colour, scale: scale).apply(to: &fit)
    model.picture = fit.network.picture
    // The card's history grows: this file is one more step.
    model.card.provenance.append(
      Card.Provenance(
        file: path.split(separator: "/").last.map(String.init) ?? path,
        sha256: try WeightsFile.sha256(path), format: FileFormat.aviaryCheckpoint.name))
    return model
  }

  /// What the user states, for the card.
  private var statements: [String] {
    [
      weights.architecture.map { "architecture: \($0)" },
      weights.config.map { "configuration: \($0.json.text)" },
      weights.colour.map { "picture.colour: \($0.rawValue)" },
      scale.map { "scale: \($0)" },
    ].compactMap { $0 }.map { "\($0) (stated)" }
  }
}
