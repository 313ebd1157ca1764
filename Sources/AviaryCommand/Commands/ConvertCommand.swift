import AviaryCheckpoint
import AviaryFormats
import ArgumentParser
import Aviary
import AviaryFiles
import AviaryGraph

/// `aviary convert`: converts weights from any format to another.
struct ConvertCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "convert",
    abstract: "Convert weights between frameworks and formats.",
    discussion: """
      The network is taken from the file if the file describes one, else detected by names and \
      shapes, or stated with --as. Renamed, transposed, assumed and skipped tensors are reported and \
      kept in the model card. The output's name gives its format, or --to does: .h5 (checkpoint), \
      .keras, .weights.h5, .pt, .pth, .safetensors, .onnx, .param (ncnn; the weights go into a .bin \
      beside it); --to keras-h5 is Keras's own .h5. The \
      written file is loaded and verified: by content hash where the format keeps the layout, else \
      by the outputs for a test image. Converting a checkpoint to a checkpoint changes only what is \
      stated.

      EXAMPLES
        aviary convert srcnn_x3.pth srcnn-x3.h5 --scale 3
        aviary convert autoencoder.keras autoencoder.h5
        aviary convert model.h5 model.keras
        aviary convert model.h5 model.pt --module model.py
        aviary convert FSRCNN-x2.pt fsrcnn-x2.h5 --input ycbcr-jpeg --licence MIT
        aviary convert srcnn.pth srcnn.h5 --config '{"padding": "valid"}'
      """)

  @Argument(
    help: ArgumentHelp("Weights file of any format, or the name of a checkpoint.", valueName: "in"),
    completion: .models)
  var input: String

  @Argument(
    help: ArgumentHelp("File to write.", valueName: "out"),
    completion: .file())
  var outputPath: String

  @Option(
    name: .customLong("to"),
    help: ArgumentHelp(
      "Output format, if the name does not give it: \(TargetFormat.words).",
      valueName: "format"),
    completion: .list(TargetFormat.allCases.map(\.rawValue)),
    transform: { text in
      guard let format = TargetFormat(rawValue: text) else {
        throw ValidationError("expected one of \(TargetFormat.words)")
      }
      return format
    })
  var target: TargetFormat?

  @Option(
    help: ArgumentHelp(
      "For a PyTorch file: also write a Python file with its nn.Module.",
      valueName: "file.py"),
    completion: .file(extensions: ["py"]))
  var module: String?

  @Flag(
    help: "For a PyTorch file: include the optimizer state.")
  var training = false

  @Option(
    help: ArgumentHelp(
      "For PyTorch and safetensors: whose names the layers get. file: those that the weights came "
        + "with (the default); aviary: the network's own; or a source that 'aviary info' lists.",
      valueName: "source"))
  var names: String?

  @OptionGroup var weights: WeightsOptions

  @Option(
    help: ArgumentHelp(
      "Scale that the weights were trained for, if images are enlarged first.",
      valueName: "number"))
  var scale: Int?

  @OptionGroup var card: CardStatements

  @Flag(help: "Accept missing parameters (they become zero) and unused tensors.")
  var allowMissing = false

  @Flag(help: "Overwrite the output if it exists.")
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
    if names != nil, format != .pytorch, format != .safetensors {
      throw CommandError.notForModel(
        outputPath, options: ["--names"], why: "it is neither a PyTorch nor a safetensors file")
    }
    let zoo = try zooOptions.zoo()
    let path = zoo.file(input) ?? input
    for output in format.files(outputPath) + [module].compactMap(\.self) {
      try OutputFile.check(output, replaces: force, inputs: [path])
    }
    if let module, module == outputPath || module.isSameFile(as: outputPath) {
      throw CommandError.outputTaken(module, by: "--module")
    }
    var model: StoredModel
    switch try ModelFile.open(path, weights.reading) {
    case .native(let file): model = try restated(file)
    case .external(let file):
      model = try naming(input) {
        let options = try weights.importOptions(scale: scale, allowMissing: allowMissing)
        return try StoredModel.imported(file, options, registry: zoo.registry)
      }
    }
    model.takeUnusedTensors(from: zoo.registry)
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
      to: outputPath, as: format, module: module, training: training,
      names: try names.map { try model.names($0, in: zoo.registry) })
    Console.warn(ofValues: export.notFinite, in: input)
    // Larger ones are read a tensor at a time.
    if model.report != nil, export.notFinite.isEmpty,
      model.network.graph.parameterCount <= ImportProbe.mostParameters,
      let probe = ImportProbe(try model.loaded())
    {
      Console.warn(of: probe, in: input)
      model.report = model.report.map { probe.compared($0, zoo.registry) }
    }
    let conversion = Conversion(input: input, output: outputPath, model: model, export: export)
    try output.print(conversion.text, json: conversion.json)
  }

  /// A checkpoint in which the user's statements replace what it says.
  private func restated(_ file: ProbedFile) throws -> StoredModel {
    let path = file.path
    let refused =
      weights.stated.filter { $0 != "--input" } + (allowMissing ? ["--allow-missing"] : [])
    guard refused.isEmpty else {
      throw CommandError.notForModel(
        input, options: refused, why: "a checkpoint holds its own network")
    }
    var model = try StoredModel(checkpoint: file)
    // The model card's history grows by this file.
    model.addSource(
      Card.Provenance(
        file: path.fileName,
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
