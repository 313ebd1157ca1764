import AviaryCheckpoint
import AviaryContainers
import AviaryFormats
import AviaryFiles
import Aviary
import AviaryGraph
import AviaryTensor

/// What a third-party weights file holds, and which network its weights belong to. If no
/// architecture fits, that is not an error here: the user came to learn why.
struct WeightsInspection {
  private let file: WeightsFile
  private let tensors: [TensorEntry]
  private let recognition: Recognition
  private let contentHash: String?

  private enum Recognition {
    case network(Network, LoadReport)
    /// Nothing fits; the nearest differences.
    case none(nearest: [StateDictDifference])
    /// The network cannot be determined, or cannot be computed.
    case problem(String)
  }

  /// - Throws: `CheckpointError` for a file that cannot be read.
  init(
    _ file: WeightsFile, statistics: Bool, verify: Bool, _ options: ImportOptions,
    registry: Registry
  ) throws {
    self.file = file
    let source = file.tensors
    tensors = try source.enumerated().map { position, tensor in
      TensorEntry(
        tensor,
        statistics: statistics ? TensorStatistics(of: try source.tensor(at: position)) : nil)
    }
    var hashed = source
    var options = options
    options.verifiesRecord = verify
    options.hashesFile = false
    do {
      let model = try StoredModel.imported(file, options, registry: registry)
      // Under canonical names the hash is that of the checkpoint that `convert` would write.
      hashed = model.weights
      recognition = model.report.map { .network(model.network, $0) } ?? .problem("no report")
    } catch RegistryError.unrecognised(_, let nearest) {
      recognition = .none(nearest: nearest)
    } catch let error as CheckpointError {
      throw error
    } catch {
      recognition = .problem("\(error)")
    }
    contentHash = verify ? try ContentHash.of(hashed) : nil
  }

  /// As text.
  var text: String {
    var sheet = FactSheet()
    sheet.add("Format", file.format.name)
    sheet.add("Origin", file.origin.text)
    file.unwrapping.describe(in: &sheet)
    switch recognition {
    case .network(let network, let report):
      sheet.add("Recognised", network.title)
      sheet.add("By", report.reason)
      sheet.add("Picture", network.picture.json.text)
      sheet.add("Assumed", report.assumed)
      sheet.add("Notes", report.notes)
    case .none(let nearest):
      sheet.add(
        "Recognised",
        file.tensors.isEmpty
          ? "no: there are no weights in it" : "no: no architecture has exactly these tensors")
      sheet.add("Nearest", nearest.map(\.description))
    case .problem(let problem): sheet.add("Recognised", "no: \(problem)")
    }
    sheet.add("Content hash", contentHash.map { "\($0) (computed)" })
    sheet.add("Optimiser", file.optimizer?.text)
    sheet.add("Tensors", TensorEntry.total(tensors))
    if tensors.isEmpty { return "\(file.path.printable)\n\n\(sheet.text)" }
    return "\(file.path.printable)\n\n\(sheet.text)\n\n\(TensorEntry.table(tensors).text)"
  }

  /// As JSON.
  var json: JSON {
    get throws {
      var members: [String: JSON] = [
        "file": .string(file.path), "format": .string(file.format.rawValue),
        "framework": .string(file.origin.framework.rawValue),
        "frameworkVersion": file.origin.version.map(JSON.string) ?? .null,
        "unwrapping": try JSON(encoding: file.unwrapping),
        "tensors": .array(try tensors.map { try $0.json }),
      ]
      switch recognition {
      case .network(let network, let report):
        members["recognised"] = [
          "architecture": .string(network.architecture), "configuration": network.configuration,
          "picture": network.picture.json, "reason": .string(report.reason),
          "assumed": .array(report.assumed.map(JSON.string)),
          "notes": .array(report.notes.map(JSON.string)),
          "names": report.names.map { .string($0) } ?? .null,
        ]
      case .none(let nearest): members["nearest"] = .array(nearest.map(\.json))
      case .problem(let problem): members["problem"] = .string(problem)
      }
      members["optimizer"] = file.optimizer?.json
      members["contentHash"] = contentHash.map(JSON.string)
      return .object(members)
    }
  }
}

extension StateDictDifference {
  /// As JSON.
  fileprivate var json: JSON {
    [
      "network": .string(network), "missing": .array(missing.map(JSON.string)),
      "unexpected": .array(extra.map(JSON.string)),
      "mismatched": .array(
        mismatched.map {
          [
            "name": .string($0.name), "expected": .array($0.expected.map(JSON.int)),
            "found": .array($0.found.map(JSON.int)),
            "dimensions": .array($0.dimensions.map(JSON.string)),
          ]
        }),
    ]
  }
}

extension Unwrapping {
  /// Adds how the tensors were found to a sheet.
  func describe(in sheet: inout FactSheet) {
    sheet.add("Taken from", path.joined(separator: "."))
    sheet.add("Prefix removed", prefix)
    sheet.add("Module", moduleClass)
    sheet.add("Also there", metadata.map { "\($0.name): \($0.value)" })
    sheet.add("Left aside", ignored)
    sheet.add("Note", notes)
  }
}
