import Aviary
import AviaryCheckpoint
import AviaryContainers
import AviaryFiles
import AviaryFormats
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
      sheet.add("Image", network.picture.json.text)
      sheet.add("Assumed", report.assumptions)
      sheet.add("Notes", report.notes)
    case .none(let nearest):
      sheet.add(
        "Recognised",
        file.tensors.isEmpty
          ? "no: there are no weights in it" : "no: no architecture has exactly these tensors")
      sheet.add("Nearest", nearest.map(\.description))
      if !file.tensors.isEmpty {
        sheet.add("Otherwise", "exported as ONNX, the network itself would run")
      }
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
      "network": .string(network), "byShape": .bool(isByShape),
      "missing": .array(missing.map(JSON.string)),
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

/// A tensor in the description of a file, native or third-party.
struct TensorEntry {
  var name: String
  var shape: [Int]
  var elementType: ElementType
  /// A remark: `nonPersistent`, or the tensor whose storage it shares.
  var remark: String?
  /// The name in the file, if the reader renamed the tensor.
  var storedName: String?
  /// Nil unless the data were read.
  var statistics: TensorStatistics?

  /// A tensor of a native checkpoint.
  init(
    name: String, shape: [Int], elementType: ElementType, remark: String?,
    statistics: TensorStatistics?
  ) {
    self.name = name
    self.shape = shape
    self.elementType = elementType
    self.remark = remark
    self.statistics = statistics
  }

  /// A tensor of a third-party file.
  init(_ tensor: TensorDescription, statistics: TensorStatistics?) {
    let remarks =
      (tensor.alias.map { ["the storage of \($0)"] } ?? []) + tensor.steps.map { "\($0)" }
    self.init(
      name: tensor.name, shape: tensor.shape, elementType: tensor.elementType,
      remark: remarks.isEmpty ? nil : remarks.joined(separator: ", "), statistics: statistics)
    storedName = tensor.storedName == tensor.name ? nil : tensor.storedName
  }

  /// All of them in columns.
  static func table(_ entries: [TensorEntry]) -> TextTable {
    let hasStatistics = entries.contains { $0.statistics != nil }
    var table = TextTable(
      ["Tensor", "Shape", "Type"]
        + (hasStatistics ? ["Min", "Max", "Mean", "Deviation", "NaN", "Inf", "Zero channels"] : [])
        + [""],
      numeric: hasStatistics ? Set(3...9) : [])
    table.rows = entries.map { entry in
      let numbers =
        entry.statistics.map { statistics in
          [
            statistics.minimum, statistics.maximum, statistics.mean, statistics.deviation,
          ].map(NumberText.short)
            + [statistics.nanCount, statistics.infinityCount, statistics.zeroChannelCount]
            .map(String.init)
        } ?? []
      return [entry.name, "\(entry.shape)", entry.elementType.rawValue] + numbers
        + [entry.remark ?? ""]
    }
    return table
  }

  /// The number of tensors and elements in total.
  static func total(_ entries: [TensorEntry]) -> String {
    let values = entries.reduce(0) { $0 + $1.count }
    let bytes = entries.reduce(0) { $0 + $1.count * $1.elementType.byteCount }
    return "\(entries.count), \(NumberText.grouped(values)) values, \(NumberText.bytes(bytes))"
  }

  /// The number of elements. Shapes of files that were read are within limits; a description that
  /// was not checked against data may say anything.
  private var count: Int { (try? Tensor.count(of: shape)) ?? 0 }

  /// For machines.
  var json: JSON {
    get throws {
      var members: [String: JSON] = [
        "name": .string(name), "shape": .array(shape.map(JSON.int)),
        "dtype": .string(elementType.rawValue),
      ]
      members["remark"] = remark.map(JSON.string)
      members["storedName"] = storedName.map(JSON.string)
      if let statistics { members["statistics"] = try JSON(encoding: statistics) }
      return .object(members)
    }
  }
}
