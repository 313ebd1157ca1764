import AviaryCheckpoint
import AviaryFormats
import AviaryFiles
import Aviary
import AviaryGraph

/// What `convert` did.
struct Conversion {
  var input: String
  var output: String
  var model: StoredModel
  var export: ExportReport

  /// As text.
  var text: String {
    var sheet = FactSheet()
    sheet.add("Network", model.network.title)
    sheet.add("Image", model.network.picture.json.text)
    if let report = model.report { Conversion.describe(report, model, in: &sheet) }
    sheet.add("Optimiser", model.optimizer?.text)
    sheet.add("Licence", model.card.licence ?? "not stated (--licence)")
    sheet.add("Written as", export.format.rawValue)
    sheet.add("Names", export.names)
    sheet.add("Files", export.files.count > 1 ? export.files : [])
    sheet.add("Changed", Conversion.shortened(export.changes))
    sheet.add("Left behind", Conversion.shortened(export.leftBehind))
    switch export.check {
    case .hash: sheet.add("Content hash", "\(export.contentHash) (read back)")
    case .tensors:
      sheet.add("Content hash", export.contentHash)
      sheet.add("Read back", "the tensors; the network's one size is too large to compare outputs")
    case .outputs(let height, let width, let largest, let relative):
      sheet.add("Content hash", export.contentHash)
      sheet.add(
        "Read back",
        "outputs for an image of \(width)x\(height) differ by \(NumberText.short(largest)) at most "
          + "(\(NumberText.short(relative)) relative)")
    }
    return "\(input.printable) -> \(output.printable)\n\n\(sheet.text)"
  }

  private static func describe(
    _ report: LoadReport, _ model: StoredModel, in sheet: inout FactSheet
  ) {
    sheet.add("Format", report.format)
    sheet.add("Origin", report.origin)
    sheet.add("Recognised by", report.reason)
    report.unwrapping.describe(in: &sheet)
    sheet.add(
      "Applied", "\(report.applied.count) of \(model.network.graph.parameters.count) parameters")
    sheet.add(
      "Renamed",
      report.names.map { "\(report.renamed.count) translated from \($0)'s" }
        ?? (report.renamed.isEmpty
          ? nil
          : "\(report.renamed.count), such as \(report.renamed[0].from) to \(report.renamed[0].to)")
    )
    sheet.add("Transposed", summary(report.transposed))
    sheet.add("Permuted", summary(report.permuted))
    sheet.add("Padded", summary(report.padded))
    sheet.add("Converted", summary(report.converted))
    sheet.add("Assumed", report.assumptions)
    sheet.add("Missing", shortened(report.missing))
    sheet.add("Unused", shortened(report.unused))
    sheet.add("Notes", shortened(report.notes))
  }

  /// How many tensors each kind of change affected, one line per kind.
  private static func summary(_ changes: [LoadReport.Change]) -> [String] {
    Dictionary(grouping: changes, by: \.what).sorted { $0.key < $1.key }.map { what, changes in
      changes.count == 1
        ? "\(changes[0].name): \(what)" : "\(changes.count) tensors \(what)"
    }
  }

  /// The first lines of many.
  private static func shortened(_ lines: [String]) -> [String] {
    lines.count <= 10 ? lines : lines.prefix(9) + ["and \(lines.count - 9) more"]
  }

  /// As JSON.
  var json: JSON {
    get throws {
      var members: [String: JSON] = [
        "input": .string(input), "output": .string(output),
        "contentHash": .string(export.contentHash),
        "architecture": .string(model.network.architecture),
        "configuration": model.network.configuration, "picture": model.network.picture.json,
        "card": try JSON(encoding: model.card), "export": try JSON(encoding: export),
      ]
      members["optimizer"] = model.optimizer?.json
      members["report"] = try model.report.map { try JSON(encoding: $0) }
      return .object(members)
    }
  }
}

extension Network {
  /// The architecture and its configuration, or that the file describes its own network.
  var title: String {
    architecture.isEmpty
      ? "described by the file: \(graph.nodes.count) operations, \(graph.parameterCount) parameters"
      : label
  }
}
