import Aviary
import AviaryCheckpoint
import AviaryFiles
import AviaryGraph
import FoundationEssentials

/// What became of all inputs of `aviary run`.
struct RunSummary {
  /// Images written or failed, by all processes, in the order of the inputs.
  var results: [ImageResult] = []
  /// Files left aside, with the reason.
  var skipped: [InputList.Skipped] = []

  /// How many failed.
  private var failures: Int { results.count { $0.failure != nil } }

  /// One line: `4 files: 2 written, 1 failed, 1 skipped`.
  var line: String {
    let counts = [
      (results.count - failures, "written"), (failures, "failed"), (skipped.count, "skipped"),
    ]
    let total = results.count + skipped.count
    return "\(total) \(total == 1 ? "file" : "files"): "
      + counts.filter { $0.0 > 0 || $0.1 == "written" }.map { "\($0.0) \($0.1)" }
      .joined(separator: ", ")
  }

  /// For machines.
  var json: [String: JSON] {
    [
      "results": .array(results.map(\.json)),
      "skipped": .array(
        skipped.map { ["input": .string($0.path.pathText), "reason": .string($0.reason)] }),
      "summary": [
        "written": .int(results.count - failures), "failed": .int(failures),
        "skipped": .int(skipped.count),
      ],
    ]
  }

  /// What can be put beside the images to tell how they were made: the model by its content hash, the
  /// command line, the time, and what became of each input.
  ///
  /// - Parameters:
  ///   - models: what each was called, and what it is.
  ///   - start: when the program began.
  func manifest(
    models: [(reference: String, model: Model)], arguments: [String], start: Date, seconds: Double
  ) -> JSON {
    var members = json
    members["program"] = .string("aviary \(Aviary.version)")
    members["started"] = .string(start.formatted(.iso8601))
    members["seconds"] = .number(seconds)
    members["arguments"] = .array(arguments.map { .string($0.pathText) })
    members["models"] = .array(
      models.map { reference, model in
        var members: [String: JSON] = [
          "reference": .string(reference.pathText), "name": .string(model.name),
        ]
        if !model.weights.isEmpty {
          members["contentHash"] = .string(model.checkpoint.contentHash)
        }
        return .object(members)
      })
    return .object(members)
  }
}
