internal import AviaryContainers
internal import FoundationEssentials
internal import Glibc
internal import Synchronization

/// The folder of a training, and what lies in it:
///
/// - `step-000123.h5`: the last few checkpoints to resume from;
/// - `best.h5`: the averaged weights with the best validation result, without training state;
/// - `model.h5`: the trained network, written after the last step;
/// - `samples/`: validation results;
/// - the recipe and the logs.
public struct RunFolder: Sendable {
  /// The folder.
  public let path: String

  /// The run folder at a path; it need not exist.
  public init(_ path: String) { self.path = path.isEmpty ? "." : path }

  /// The best checkpoint so far.
  public var best: String { "\(path)/best.h5" }
  /// The trained network.
  public var model: String { "\(path)/model.h5" }
  /// Validation results.
  public var samples: String { "\(path)/samples" }

  /// The checkpoint of a step.
  public func checkpoint(step: Int) -> String { "\(path)/step-\(RunFolder.text(step)).h5" }

  /// The checkpoints to resume from, earliest first.
  public var checkpoints: [(step: Int, path: String)] {
    let names = (try? FileManager.default.contentsOfDirectory(atPath: path)) ?? []
    return names.compactMap { name in
      guard name.hasPrefix("step-"), name.hasSuffix(".h5"),
        let step = Int(name.dropFirst(5).dropLast(3)), name == "step-\(RunFolder.text(step)).h5"
      else { return nil }
      return (step, "\(path)/\(name)")
    }.sorted { $0.step < $1.step }
  }

  /// The latest checkpoint, found by listing: a link would be one more thing to go wrong.
  public var last: String? { checkpoints.last?.path }

  /// The networks that already exist.
  var networks: [String] {
    [best, model].filter { FileManager.default.fileExists(atPath: $0) }
  }

  /// Creates the folder and its parents.
  ///
  /// - Throws: `CheckpointError.cannotWrite`.
  func create() throws(CheckpointError) { try RunFolder.create(path) }

  /// Creates the folder of samples.
  ///
  /// - Throws: `CheckpointError.cannotWrite`.
  func createSamples() throws(CheckpointError) { try RunFolder.create(samples) }

  /// Removes checkpoints, earliest first, until no more than `keep` are left (at least one). One
  /// that cannot be removed stays.
  package func prune(keep: Int) {
    for checkpoint in checkpoints.dropLast(max(keep, 1)) {
      try? FileManager.default.removeItem(atPath: checkpoint.path)
    }
  }

  /// Renames the checkpoints after a step to `step-000123.h5.aside`. They belong to an abandoned
  /// continuation of the training, or are damaged, and would be taken for the latest.
  ///
  /// - Returns: the new paths; one that cannot be renamed stays.
  package func quarantine(after step: Int) -> [String] {
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

  /// At least six digits, so that sorting by name sorts by step.
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

/// Catches SIGINT and SIGTERM as a request to stop after the current step.
///
/// A second signal ends the process at once, as it would have without this.
public struct Interruption: ~Copyable {
  /// A handler receives only the signal's number, so the place where it stores it must be global;
  /// of all types, only an atomic number may be written there.
  private static let received = Atomic<Int32>(0)
  private static let signals = [SIGINT, SIGTERM]
  /// The previous handlers of the signals.
  private var previous: [sigaction] = []
  private var previousMask = sigset_t()

  /// Starts listening; the previous behaviour returns when the value is destroyed.
  public init() {
    Interruption.received.store(0, ordering: .relaxed)
    for signal in Interruption.signals {
      var action = sigaction()
      unsafe action.__sigaction_handler.sa_handler = { number in
        let earlier = Interruption.received.exchange(number, ordering: .relaxed)
        guard earlier != 0 else { return }
        // Both calls are allowed in a handler. The signal is blocked until it returns, and then
        // ends the process.
        Glibc.signal(number, SIG_DFL)
        raise(number)
      }
      // Reading and writing files continues.
      action.sa_flags = SA_RESTART
      var old = sigaction()
      unsafe sigaction(signal, &action, &old)
      previous.append(old)
    }
    // Whoever started the process may have left the signals blocked, as a thread of a library's
    // pool does.
    var mask = sigset_t()
    unsafe sigemptyset(&mask)
    for signal in Interruption.signals { unsafe sigaddset(&mask, signal) }
    unsafe pthread_sigmask(SIG_UNBLOCK, &mask, &previousMask)
  }

  deinit {
    for (signal, old) in zip(Interruption.signals, previous) {
      var old = old
      unsafe sigaction(signal, &old, nil)
    }
    var mask = previousMask
    unsafe pthread_sigmask(SIG_SETMASK, &mask, nil)
  }

  /// The signal received; nil for none.
  public var signal: Int32? {
    let number = Interruption.received.load(ordering: .relaxed)
    return number == 0 ? nil : number
  }
}
