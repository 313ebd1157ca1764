import Aviary
import AviaryCheckpoint
import AviaryGraph
import AviaryTensor

/// What is in another framework's file of weights, and what network they would be. Weights that no
/// architecture fits are no error here: saying why is what the user came for.
struct WeightsInspection {
  private let file: WeightsFile
  private let tensors: [TensorEntry]
  private let recognition: Recognition
  private let contentHash: String?

  private enum Recognition {
    case network(Fit)
    case none(RegistryError)
  }

  /// - Throws: `CheckpointError` for a file that cannot be read or holds no weights.
  init(_ path: String, statistics: Bool, verify: Bool, registry: Registry) throws {
    file = try WeightsFile.read(path)
    let source = file.tensors
    tensors = try source.enumerated().map { position, tensor in
      TensorEntry(
        name: tensor.name, shape: tensor.shape, elementType: tensor.elementType,
        remark: tensor.alias.map { "the storage of \($0)" },
        statistics: statistics ? TensorStatistics(of: try source.tensor(at: position)) : nil)
    }
    let hashed: NamedTensors?
    do {
      let (fit, found) = try Model.recognise(file, ImportOptions(), registry)
      // Under canonical names the hash is that of the checkpoint that `convert` would write.
      hashed = verify ? fit.hashed(try found.tensors.loaded()) : nil
      recognition = .network(fit)
    } catch let error as RegistryError {
      hashed = verify ? try file.tensors.loaded() : nil
      recognition = .none(error)
    }
    contentHash = hashed.map { ContentHash.of($0) }
  }

  /// For people.
  var text: String {
    var sheet = FactSheet()
    sheet.add("Format", file.format.name)
    file.unwrapping.describe(in: &sheet)
    switch recognition {
    case .network(let fit):
      sheet.add("Recognised", fit.network.label)
      sheet.add("Names", fit.names.map { "those of \($0.source)" })
      sheet.add("Assumed", fit.assumed.joined(separator: ", "))
    case .none(.unrecognised(_, let nearest)):
      sheet.add("Recognised", "no: no architecture has exactly these tensors")
      sheet.add("Nearest", nearest.map(\.description))
    case .none(let error): sheet.add("Recognised", "no: \(error)")
    }
    sheet.add("Content hash", contentHash.map { "\($0) (computed)" })
    sheet.add("Tensors", TensorEntry.total(tensors))
    return "\(file.path.printable)\n\n\(sheet.text)\n\n\(TensorEntry.table(tensors).text)"
  }

  /// For machines.
  var json: JSON {
    get throws {
      var members: [String: JSON] = [
        "file": .string(file.path), "format": .string(file.format.rawValue),
        "unwrapping": try JSON(encoding: file.unwrapping),
        "tensors": .array(try tensors.map { try $0.json }),
      ]
      switch recognition {
      case .network(let fit):
        members["recognised"] = [
          "architecture": .string(fit.network.architecture),
          "configuration": fit.network.configuration, "picture": fit.network.picture.json,
          "assumed": .array(fit.assumed.map(JSON.string)),
          "names": fit.names.map { .string($0.source) } ?? .null,
        ]
      case .none(.unrecognised(_, let nearest)):
        members["nearest"] = .array(nearest.map(\.json))
      case .none(let error): members["problem"] = .string("\(error)")
      }
      members["contentHash"] = contentHash.map(JSON.string)
      return .object(members)
    }
  }
}

extension Fit {
  /// The tensors that count for the content hash, under the network's names.
  fileprivate func hashed(_ tensors: NamedTensors) -> NamedTensors {
    let names = Set(
      network.graph.parameters.filter { $0.role != .bookkeeping }.map(\.name))
    return NamedTensors(
      tensors.renamed(canonical).filter { names.contains($0.name) }.map { ($0.name, $0.tensor) })
  }
}

extension Difference {
  /// For machines.
  fileprivate var json: JSON {
    [
      "network": .string(network), "missing": .array(missing.map(JSON.string)),
      "unexpected": .array(extra.map(JSON.string)),
      "mismatched": .array(
        mismatched.map {
          [
            "name": .string($0.name), "expected": .array($0.expected.map(JSON.int)),
            "found": .array($0.found.map(JSON.int)),
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
