internal import AviaryContainers
internal import FoundationEssentials

/// The folder of a training, and what lies in it:
///
/// - `step-000123.h5`: checkpoints to go on from, the last few;
/// - `best.h5`: the averaged weights that validation liked best, without the state of the training;
/// - `model.h5`: the trained network, once all steps are done;
/// - `samples/`: results of validation;
/// - the recipe and the logs.
public struct RunFolder: Sendable {
  /// The folder.
  public let path: String

  /// The folder of a path; it need not be there.
  public init(_ path: String) { self.path = path.isEmpty ? "." : path }

  /// The best so far.
  public var best: String { "\(path)/best.h5" }
  /// The trained network.
  public var model: String { "\(path)/model.h5" }
  /// Results of validation.
  public var samples: String { "\(path)/samples" }

  /// The checkpoint of a step.
  public func checkpoint(step: Int) -> String { "\(path)/step-\(RunFolder.text(step)).h5" }

  /// The checkpoints to go on from, the earliest first.
  public var checkpoints: [(step: Int, path: String)] {
    let names = (try? FileManager.default.contentsOfDirectory(atPath: path)) ?? []
    return names.compactMap { name in
      guard name.hasPrefix("step-"), name.hasSuffix(".h5"),
        let step = Int(name.dropFirst(5).dropLast(3)), name == "step-\(RunFolder.text(step)).h5"
      else { return nil }
      return (step, "\(path)/\(name)")
    }.sorted { $0.step < $1.step }
  }

  /// The latest checkpoint: found by listing, for a link would be one more thing to go wrong.
  public var last: String? { checkpoints.last?.path }

  /// The networks that are there already.
  var networks: [String] {
    [best, model].filter { FileManager.default.fileExists(atPath: $0) }
  }

  /// Makes the folder and those above it.
  ///
  /// - Throws: `CheckpointError.cannotWrite`.
  func create() throws(CheckpointError) { try RunFolder.create(path) }

  /// Makes the folder of the samples.
  ///
  /// - Throws: `CheckpointError.cannotWrite`.
  func createSamples() throws(CheckpointError) { try RunFolder.create(samples) }

  /// Removes checkpoints, the earliest first, until no more than `keep` are left (one at least). One
  /// that cannot be removed stays.
  package func prune(keep: Int) {
    for checkpoint in checkpoints.dropLast(max(keep, 1)) {
      try? FileManager.default.removeItem(atPath: checkpoint.path)
    }
  }

  /// Renames the checkpoints after a step to `step-000123.h5.aside`: those of another way that the
  /// training took, or damaged ones. They would be taken for the latest.
  ///
  /// - Returns: the new paths; one that cannot be renamed stays.
  package func setAside(after step: Int) -> [String] {
    checkpoints.filter { $0.step > step }.compactMap { checkpoint in
      var aside = "\(checkpoint.path).aside"
      for number in 2...1000 where FileManager.default.fileExists(atPath: aside) {
        aside = "\(checkpoint.path).aside-\(number)"
      }
      do { try FileManager.default.moveItem(atPath: checkpoint.path, toPath: aside) } catch {
        return nil
      }
      return aside
    }
  }

  /// Six digits at least, so that a listing by name is one by step.
  static func text(_ step: Int) -> String {
    let digits = "\(step)"
    return String(repeating: "0", count: max(6 - digits.count, 0)) + digits
  }

  private static func create(_ path: String) throws(CheckpointError) {
    do {
      try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
    } catch {
      throw .cannotWrite(path: path, reason: "no folder can be made there")
    }
  }
}
