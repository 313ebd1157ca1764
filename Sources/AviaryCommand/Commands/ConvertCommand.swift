import ArgumentParser
import Aviary
import AviaryCheckpoint
import AviaryGraph

/// `aviary convert`: weights of any format as weights of another.
struct ConvertCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "convert",
    abstract: "Make a checkpoint of other people's weights, or theirs of a checkpoint.",
    discussion: """
      The network is the one that the file describes, else recognised by names and shapes, or \
      stated. What was renamed, transposed, assumed or left out is reported and kept in the card. \
      The output's name says its format, or --to: .h5 a checkpoint, .keras, .weights.h5, .pt, .pth, \
      .safetensors, .onnx; --to keras-h5 is Keras's own .h5. What was written is loaded and \
      compared: by the content hash where the format keeps the layout, else by the outputs for a \
      test picture. A checkpoint written as a checkpoint has what is stated changed.

      EXAMPLES
        aviary convert srcnn_x3.pth srcnn-x3.h5 --scale 3
        aviary convert autoencoder.keras autoencoder.h5
        aviary convert model.h5 model.keras
        aviary convert model.h5 model.pt --module model.py
        aviary convert FSRCNN-x2.pt fsrcnn-x2.h5 --input ycbcr-jpeg --licence MIT
        aviary convert srcnn.pth srcnn.h5 --config '{"padding": "valid"}'
      """)

  @Argument(
    help: ArgumentHelp("Weights of any format, or the name of a checkpoint.", valueName: "in"),
    completion: .models)
  var input: String

  @Argument(
    help: ArgumentHelp("The file to write.", valueName: "out"),
    completion: .file())
  var outputPath: String

  @Option(
    name: .customLong("to"),
    help: ArgumentHelp(
      "The output's format, where its name does not say it: \(TargetFormat.words).",
      valueName: "format"),
    completion: .list(TargetFormat.allCases.map(\.rawValue)),
    transform: { text in
      guard let format = TargetFormat(rawValue: text) else {
        throw ValidationError("one of \(TargetFormat.words) expected")
      }
      return format
    })
  var target: TargetFormat?

  @Option(
    help: ArgumentHelp(
      "With a PyTorch file: a Python file to write, with the module that it loads into.",
      valueName: "file.py"),
    completion: .file(extensions: ["py"]))
  var module: String?

  @Flag(
    help: "With a PyTorch file: keep the optimiser's state beside the weights, as training does.")
  var training = false

  @OptionGroup var weights: WeightsOptions

  @Option(
    help: ArgumentHelp(
      "The scale that weights were trained for, where pictures are enlarged first.",
      valueName: "number"))
  var scale: Int?

  @OptionGroup var card: CardStatements

  @Flag(help: "Accept weights that lack parameters (they become zero) or have tensors left over.")
  var allowMissing = false

  @Flag(help: "Replace the output if it is there.")
  var force = false

  @OptionGroup var output: OutputOptions
  @OptionGroup var zooOptions: ZooOptions

  func run() throws {
    guard let format = target ?? TargetFormat(path: outputPath) else {
      throw CommandError.outputFormat(outputPath)
    }
    let forPyTorch = (module == nil ? [] : ["--module"]) + (training ? ["--training"] : [])
    if !forPyTorch.isEmpty, format != .pytorch {
      throw CommandError.notForModel(
        outputPath, options: forPyTorch, why: "it is not a PyTorch file")
    }
    let zoo = try zooOptions.zoo()
    let path = zoo.file(input) ?? input
    for output in [outputPath, module].compactMap(\.self) {
      try OutputFile.check(output, replaces: force, inputs: [path])
    }
    if let module, module == outputPath || module.isSameFile(as: outputPath) {
      throw CommandError.outputTaken(module, by: "--module")
    }
    let file = try SniffedFile(path)
    var model =
      file.format == .aviaryCheckpoint
      ? try restated(file)
      : try naming(input) {
        let options = try weights.importOptions(scale: scale, allowMissing: allowMissing)
        return try StoredModel.imported(
          WeightsFile.read(file, options.reading), options, registry: zoo.registry)
      }
    let statements = weights.statements + (scale.map { ["scale: \($0) (stated)"] } ?? [])
    if !statements.isEmpty {
      model.card.provenance[model.card.provenance.count - 1].assumptions += statements
    }
    if let licence = card.licence { model.card.licence = licence }
    model.card.notes += card.note
    if training, model.optimizer == nil {
      throw CommandError.notForModel(
        input, options: ["--training"], why: "it holds no optimiser's state")
    }
    let export = try model.write(
      to: outputPath, as: format, module: module, training: training)
    Console.warn(ofValues: export.notFinite, in: input)
    let conversion = Conversion(input: input, output: outputPath, model: model, export: export)
    try output.print(conversion.text, json: conversion.json)
  }

  /// A checkpoint with what is stated in the place of what it says.
  private func restated(_ file: SniffedFile) throws -> StoredModel {
    let path = file.path
    let refused =
      weights.stated.filter { $0 != "--input" } + (allowMissing ? ["--allow-missing"] : [])
    guard refused.isEmpty else {
      throw CommandError.notForModel(
        input, options: refused, why: "a checkpoint holds its own network")
    }
    var model = try StoredModel(checkpoint: file)
    // The card's history grows: this file is one more step.
    model.addSource(
      Card.Provenance(
        file: path.split(separator: "/").last.map(String.init) ?? path,
        format: FileFormat.aviaryCheckpoint.name), hashing: path)
    try model.verify(path)
    // The same checks as on import.
    try ImportOptions(picture: weights.picture?.json ?? [:], scale: scale)
      .apply(to: &model.network)
    return model
  }
}

extension TargetFormat {
  /// All of them, for help and messages.
  fileprivate static var words: String { allCases.map(\.rawValue).joined(separator: ", ") }
}
