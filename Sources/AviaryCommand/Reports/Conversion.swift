import Aviary
import AviaryCheckpoint
import AviaryGraph

/// What `convert` did.
struct Conversion {
  var input: String
  var output: String
  var model: Model
  /// Nil where the input was a checkpoint already.
  var report: LoadReport?
  var contentHash: String

  /// For people.
  var text: String {
    var sheet = FactSheet()
    sheet.add("Architecture", "\(model.architecture) \(model.configuration.text)")
    sheet.add("Picture", model.picture.json.text)
    if let report {
      sheet.add("Format", report.format)
      report.unwrapping.describe(in: &sheet)
      sheet.add("Names", report.names.map { "\(report.renamed.count) translated from \($0)'s" })
      sheet.add(
        "Applied", "\(report.applied.count) of \(model.graph.parameters.count) parameters")
      sheet.add("Converted", Conversion.shortened(report.converted))
      sheet.add("Assumed", report.assumed)
      sheet.add("Missing", Conversion.shortened(report.missing))
      sheet.add("Unused", Conversion.shortened(report.unused))
      sheet.add("Not finite", Conversion.shortened(report.notFinite))
    }
    sheet.add("Licence", model.card.licence ?? "not stated (--licence)")
    sheet.add("Content hash", "\(contentHash) (read back)")
    return "\(input.printable) -> \(output.printable)\n\n\(sheet.text)"
  }

  /// The first lines of many.
  private static func shortened(_ lines: [String]) -> [String] {
    lines.count <= 10 ? lines : lines.prefix(9) + ["and \(lines.count - 9) more"]
  }

  /// For machines.
  var json: JSON {
    get throws {
      var members: [String: JSON] = [
        "input": .string(input), "output": .string(output), "contentHash": .string(contentHash),
        "architecture": .string(model.architecture), "configuration": model.configuration,
        "picture": model.picture.json, "card": try JSON(encoding: model.card),
      ]
      members["report"] = try report.map { try JSON(encoding: $0) }
      return .object(members)
    }
  }
}
