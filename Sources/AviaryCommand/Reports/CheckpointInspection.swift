import Aviary
import AviaryCheckpoint
import AviaryContainers
import AviaryFiles
import AviaryFormats
import AviaryGraph
import AviaryTensor

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
        remark: entry.isNonPersistent ? "non-persistent" : nil,
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
    sheet.add("Image", summary.picture)
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

/// A checkpoint in a list.
struct CheckpointEntry {
  private let name: String
  private let path: String
  private let summary: CheckpointSummary
  private let network: NetworkSummary?

  /// The checkpoints found by name, with a warning for each that cannot be read: one broken file
  /// must not hide the others.
  static func all(in zoo: Zoo, matching pattern: String) -> [CheckpointEntry] {
    zoo.checkpoints.filter { Registry.matches($0.name, pattern) }.compactMap { name, path in
      do throws(CheckpointError) {
        return CheckpointEntry(name, path, try CheckpointSummary(of: path))
      } catch {
        Console.warn("\(error)")
        return nil
      }
    }
  }

  private init(_ name: String, _ path: String, _ summary: CheckpointSummary) {
    self.name = name
    self.path = path
    self.summary = summary
    network = try? summary.network().map { NetworkSummary($0.graph, $0.picture) }
  }

  static func table(_ entries: [CheckpointEntry]) -> TextTable {
    var table = TextTable(
      ["Checkpoint", "Parameters", "Scale", "Architecture", "Licence", "File"], numeric: [1])
    table.rows = entries.map { entry in
      [
        entry.name, NumberText.grouped(entry.parameters), entry.network?.scaleText ?? "unknown",
        entry.summary.architecture ?? "unknown", entry.summary.card.licence ?? "not stated",
        entry.path,
      ]
    }
    return table
  }

  private var parameters: Int {
    // By their bytes, which lie in the file: shapes may say anything.
    network?.parameters
      ?? summary.tensors.reduce(0) { $0 + $1.byteCount / $1.elementType.byteCount }
  }

  /// For machines.
  var json: JSON {
    var members: [String: JSON] = [
      "name": .string(name), "file": .string(path), "parameters": .int(parameters),
      "scales": .array((network?.scales ?? []).map(JSON.int)),
    ]
    members["architecture"] = summary.architecture.map(JSON.string)
    members["licence"] = summary.card.licence.map(JSON.string)
    return .object(members)
  }
}

extension CheckpointSummary {
  /// The network in the checkpoint; nil if there is none.
  ///
  /// - Throws: `GraphError` if it cannot be read.
  func network() throws(GraphError) -> (graph: Graph, picture: ImageSpec)? {
    guard let graph else { return nil }
    let network = try Graph(json: JSON(parsing: graph))
    guard let picture else { return (network, ImageSpec(channels: network.inputs[0].channels)) }
    return (network, try ImageSpec(json: JSON(parsing: picture)))
  }
}

extension Card {
  /// Adds the model card to a fact sheet.
  func describe(in sheet: inout FactSheet) {
    sheet.add("Licence", licence ?? "not stated")
    sheet.add("Trained on", trainingData)
    if let training {
      sheet.add(
        "Training", "\(training.steps) steps, seed \(training.seed), by \(training.program)")
    }
    if let quantization {
      let kept = quantization.kept
      sheet.add(
        "Quantised",
        [
          "\(quantization.layers) convolutions to int8, \(kept.count) kept"
            + (kept.isEmpty ? "" : ": \(kept.joined(separator: ", "))"),
          "calibrated with \(quantization.pictures) images of \(quantization.data), on which "
            + "\(NumberText.fixed(quantization.loss, 3)) dB of "
            + "\(NumberText.fixed(quantization.psnr, 2)) are lost",
        ])
    }
    sheet.add(
      "Quality",
      quality.map { entry in
        "\(entry.set) x\(entry.scale): \(NumberText.fixed(entry.psnr, 2)) dB"
          + (entry.ssim.map { ", SSIM \(NumberText.fixed($0, 4))" } ?? "") + " (\(entry.measured))"
      })
    sheet.add("Provenance", provenance.flatMap(\.lines))
    sheet.add("Notes", notes)
  }
}

extension Card.Provenance {
  /// The source, followed by what was done to it.
  fileprivate var lines: [String] {
    ["\(file) (\(format))"] + (sha256.map { ["  sha256:\($0)"] } ?? [])
      + conversions.map { "  \($0)" } + assumptions.map { "  assumed: \($0)" }
  }
}

extension TrainingState {
  /// In words, for people who look at a checkpoint.
  func describe(in sheet: inout FactSheet) {
    if let progress {
      sheet.add("Training", progress.text)
      sheet.add("Recipe", progress.recipeLine)
      sheet.add("Trained by", progress.circumstances)
    }
    sheet.add("Optimiser", optimizer?.text)
    sheet.add("Adversary", adversary.map { "\($0.weights.count) tensors" })
  }
}

extension TrainingProgress {
  /// The progress so far: "step 200, best 37.53 at step 150, 3200 pairs, 45 s".
  fileprivate var text: String {
    let parts = [
      "step \(step)", best.map { "best \(NumberText.fixed($0.figure, 2)) at step \($0.step)" },
      "\(samples) pairs", "\(NumberText.fixed(seconds, 0)) s",
    ]
    return parts.compactMap { $0 }.joined(separator: ", ")
  }

  /// The recipe, however many lines its text has, in one.
  fileprivate var recipeLine: String {
    recipe.split(whereSeparator: \.isNewline).map { $0.trimmed }.filter { !$0.isEmpty }
      .joined(separator: ", ")
  }

  /// What exact reproduction depends on apart from the recipe.
  fileprivate var circumstances: String {
    let several = processes.map { "\($0) processes of " } ?? ""
    return "\(program), \(several)\(threads) thread\(threads == 1 ? "" : "s"), "
      + "data \(dataFingerprint)"
  }
}

extension Substring {
  /// Without the spaces at either end.
  fileprivate var trimmed: Substring {
    let start = drop { $0 == " " }
    return start[..<(start.lastIndex { $0 != " " }.map(start.index(after:)) ?? start.startIndex)]
  }
}

extension OptimizerState {
  /// In words: "adam, step 300000, 18 tensors, 1.2 MB".
  var text: String {
    let parts = [
      algorithm ?? "of an unknown kind", step.map { "step \($0)" },
      "\(tensors.count) tensors", NumberText.bytes(byteCount),
    ]
    return parts.compactMap { $0 }.joined(separator: ", ")
  }

  /// For machines.
  var json: JSON {
    var members: [String: JSON] = [
      "tensors": .int(tensors.count), "bytes": .int(byteCount), "groups": .int(groups.count),
    ]
    members["algorithm"] = algorithm.map(JSON.string)
    members["step"] = step.map(JSON.int)
    return .object(members)
  }

  /// Shapes of a native checkpoint are checked against its data only when these are read.
  private var byteCount: Int {
    tensors.reduce(0) { sum, tensor in
      let count = (try? Tensor.count(of: tensor.shape)) ?? 0
      return sum.addingReportingOverflow(count * tensor.elementType.byteCount).partialValue
    }
  }
}
