import Glibc
import Synchronization

/// A thread that runs a function once; letting go of it waits for its end.
package final class JoinableThread: Sendable {
  /// The system's name of it, as long as it may run; a number on this system.
  private let running = Mutex<pthread_t?>(nil)
  /// Whether there is such a thread.
  package let isStarted: Bool

  /// Starts it; where no thread is to be had, runs the function at once, which takes longer and is
  /// no error.
  package convenience init(_ body: @escaping @Sendable () -> Void) {
    self.init(starting: body)
    if !isStarted { body() }
  }

  /// Starts it, where a thread is to be had: for a function that goes on until it is told to stop.
  package init(starting body: @escaping @Sendable () -> Void) {
    let job = unsafe Unmanaged.passRetained(Job(body))
    var thread = pthread_t()
    let failure = unsafe pthread_create(
      &thread, nil,
      { context in
        guard let context = unsafe context else { return nil }
        unsafe Unmanaged<Job>.fromOpaque(context).takeRetainedValue().body()
        return nil
      }, job.toOpaque())
    if failure == 0 {
      let started = thread
      running.withLock { $0 = started }
    } else {
      unsafe job.release()
    }
    isStarted = failure == 0
  }

  deinit { join() }

  /// Waits for its end; any number of times, from any thread.
  package func join() {
    running.withLock {
      if let thread = $0 { _ = pthread_join(thread, nil) }
      $0 = nil
    }
  }

  private final class Job: Sendable {
    let body: @Sendable () -> Void

    init(_ body: @escaping @Sendable () -> Void) { self.body = body }
  }
}
