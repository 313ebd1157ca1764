import AviaryCheckpoint
import AviaryFormats
import AviaryFiles
import AviaryGraph

/// What is in a native checkpoint.
struct CheckpointInspection {
  private let path: String
  private let summary: CheckpointSummary
  private let tensors: [TensorEntry]
  private let training: TrainingState?
  private let isVerified: Bool

  /// - Throws: `CheckpointError`; `.hashMismatch` if `verify` is set and the weights do not match
  ///   the stored hash.
  init(_ file: ProbedFile, statistics: Bool, verify: Bool) throws {
    path = file.path
    summary = try CheckpointSummary(of: file)
    isVerified = verify
    let checkpoint = try CheckpointFile(file)
    training = checkpoint.training
    if verify { try checkpoint.verify(path) }
    tensors = try summary.tensors.map { entry in
      let tensor = statistics ? try checkpoint.tensors.tensor(entry.name) : nil
      return TensorEntry(
        name: entry.name, shape: entry.shape, elementType: entry.elementType,
        remark: entry.isBookkeeping ? "nonPersistent" : nil,
        statistics: tensor.map { TensorStatistics(of: $0) })
    }
  }

  /// As text.
  var text: String {
    var sheet = FactSheet()
    sheet.add("Format", "Aviary checkpoint, version \(summary.formatVersion)")
    sheet.add("Written by", summary.createdBy)
    sheet.add("Architecture", summary.architecture ?? "not known")
    sheet.add("Configuration", summary.configuration)
    sheet.add("Picture", summary.picture)
    sheet.add(
      "Content hash",
      "\(summary.storedHash) (\(isVerified ? "verified" : "as stored, not verified"))")
    summary.card.describe(in: &sheet)
    sheet.add(
      "Computes in int8",
      summary.quantization.map { layer in
        "\(layer.node): \(layer.isSigned ? "int8" : "uint8") of step "
          + "\(NumberText.short(Double(layer.inputScale)))"
      })
    training?.describe(in: &sheet)
    sheet.add("Tensors", TensorEntry.total(tensors))
    return "\(path.printable)\n\n\(sheet.text)\n\n\(TensorEntry.table(tensors).text)"
  }

  /// As JSON.
  var json: JSON {
    get throws {
      // In a damaged file, a part that is not JSON is shown as text.
      func part(_ text: String?) -> JSON? {
        text.map { (try? JSON(parsing: $0)) ?? .string($0) }
      }
      var members: [String: JSON] = [
        "file": .string(path), "format": .string(FileFormat.aviaryCheckpoint.rawValue),
        "formatVersion": .int(summary.formatVersion), "createdBy": .string(summary.createdBy),
        "contentHash": .string(summary.storedHash), "isVerified": .bool(isVerified),
        "card": try JSON(encoding: summary.card),
        "tensors": .array(try tensors.map { try $0.json }),
      ]
      members["architecture"] = summary.architecture.map(JSON.string)
      if !summary.quantization.isEmpty {
        members["quantization"] = .object(
          Dictionary(
            uniqueKeysWithValues: summary.quantization.map { layer in
              (
                layer.node,
                [
                  "inputScale": .number(Double(layer.inputScale)),
                  "inputType": .string(layer.isSigned ? "int8" : "uint8"),
                  "weightScales": .array(layer.weightScales.map { .number(Double($0)) }),
                ]
              )
            }))
      }
      members["optimizer"] = training?.optimizer?.json
      members["training"] = try training?.progress.map { try JSON(encoding: $0) }
      members["configuration"] = part(summary.configuration)
      members["picture"] = part(summary.picture)
      return .object(members)
    }
  }
}
