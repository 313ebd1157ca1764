package import AviaryContainers
import AviaryFiles
import Synchronization

/// A value that is found on a thread of its own while the caller does something else, such as the hash
/// of a file while another is written.
///
/// Nothing is left running: whoever lets go of the last reference waits.
package final class Background<Value: Sendable>: Sendable {
  private let thread: JoinableThread
  private let outcome: Outcome

  /// What both threads know.
  private final class Outcome: Sendable {
    let result = Mutex<Result<Value, CheckpointError>?>(nil)
  }

  /// Starts.
  ///
  /// - Parameter body: runs once; what it throws is thrown by `value`.
  package init(_ body: @escaping @Sendable () throws(CheckpointError) -> Value) {
    let outcome = Outcome()
    self.outcome = outcome
    thread = JoinableThread {
      let result = Result { () throws(CheckpointError) in try body() }
      outcome.result.withLock { $0 = result }
    }
  }

  /// The value, once it is found; any number of times, from any thread.
  ///
  /// - Throws: what finding it threw.
  package func value() throws(CheckpointError) -> Value {
    thread.join()
    guard let result = outcome.result.withLock({ $0 }) else {
      preconditionFailure("a thread that has ended without a result")
    }
    return try result.get()
  }
}
