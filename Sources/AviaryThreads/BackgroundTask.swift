internal import Glibc
internal import Synchronization

/// A function that runs once on a thread of its own while the caller does something else, such as
/// the hash of a file while another is written, or that goes on until it is told to stop.
///
/// Nothing is left running: whoever lets go of the last reference waits.
package final class BackgroundTask<Value: Sendable, Failure: Error>: Sendable {
  /// The system's name of the thread, as long as it may run; a number on this system.
  private let running = Mutex<pthread_t?>(nil)
  private let outcome: Monitor<Result<Value, Failure>?>

  /// Runs `body` on a thread of its own; nil where no thread is to be had, and then `body` does not
  /// run: for a function that goes on until it is told to stop.
  package init?(onThread body: @escaping @Sendable () throws(Failure) -> Value) {
    let outcome = Monitor<Result<Value, Failure>?>(nil)
    self.outcome = outcome
    let thread = ThreadMaker.exclusively { maker in
      maker.start {
        let result = Result { () throws(Failure) in try body() }
        outcome.withLock { $0 = result }
      }
    }
    guard let thread else { return nil }
    running.withLock { $0 = thread }
  }

  private init(ended result: Result<Value, Failure>) { outcome = Monitor(result) }

  /// Runs `body` on a thread of its own or, where no thread is to be had, at once, which takes
  /// longer and is no error.
  ///
  /// - Parameter body: what it throws is thrown by `value`.
  package static func start(
    _ body: @escaping @Sendable () throws(Failure) -> Value
  ) -> BackgroundTask {
    BackgroundTask(onThread: body)
      ?? BackgroundTask(ended: Result { () throws(Failure) in try body() })
  }

  deinit { join() }

  /// The value, once it is found; any number of times, from any thread.
  ///
  /// - Throws: what finding it threw.
  package func value() throws(Failure) -> Value { try outcome.wait { $0 }.get() }

  /// Waits for the end; any number of times, from any thread.
  package func join() {
    running.withLock {
      if let thread = $0 { _ = pthread_join(thread, nil) }
      $0 = nil
    }
  }
}
