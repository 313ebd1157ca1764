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
    let thread = ThreadMaker.start {
      let result = Result { () throws(Failure) in try body() }
      outcome.withLock { $0 = result }
    }
    guard let thread else { return nil }
    running.withLock { $0 = thread }
  }

  private init(ended result: Result<Value, Failure>) { outcome = Monitor(result) }

  /// Runs `body` on a thread of its own or, where no thread is to be had, at once, which takes longer
  /// and is no error.
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

/// Asks the system for threads.
package enum ThreadMaker {
  /// By thread, what stands in for a system that refuses some.
  private static let refusals = Mutex<[pthread_t: @Sendable () -> Bool]>([:])

  /// Calls `body`, asking `refuses` before each thread that the calling thread wants meanwhile: stands
  /// in for a system that refuses some. For tests. (A task-local value would do, but pushing one from
  /// a function that is not asynchronous crashes in optimized builds.)
  package static func refusing<R>(
    _ refuses: @escaping @Sendable () -> Bool, _ body: () throws -> R
  ) rethrows -> R {
    let thread = pthread_self()
    let before = refusals.withLock { $0.updateValue(refuses, forKey: thread) }
    defer { refusals.withLock { $0[thread] = before } }
    return try body()
  }

  /// What a thread's stack has at least, whatever the shell's limit for the first one is.
  private static let leastStack = 1 << 20

  /// Starts a thread that runs `body`, and says what the system calls it; nil where it gives none.
  fileprivate static func start(_ body: @escaping @Sendable () -> Void) -> pthread_t? {
    if let refuses = refusals.withLock({ $0[pthread_self()] }), refuses() { return nil }
    var attributes = pthread_attr_t()
    guard unsafe pthread_attr_init(&attributes) == 0 else { return nil }
    defer { unsafe pthread_attr_destroy(&attributes) }
    var stack = 0
    if unsafe pthread_attr_getstacksize(&attributes, &stack) == 0, stack < leastStack {
      unsafe pthread_attr_setstacksize(&attributes, leastStack)
    }
    let job = unsafe Unmanaged.passRetained(Job(body))
    var thread = pthread_t()
    let failure = unsafe pthread_create(
      &thread, &attributes,
      { context in
        guard let context = unsafe context else { return nil }
        unsafe Unmanaged<Job>.fromOpaque(context).takeRetainedValue().body()
        return nil
      }, job.toOpaque())
    guard failure == 0 else {
      unsafe job.release()
      return nil
    }
    return thread
  }

  private final class Job: Sendable {
    let body: @Sendable () -> Void

    init(_ body: @escaping @Sendable () -> Void) { self.body = body }
  }
}
