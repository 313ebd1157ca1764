import Glibc

/// A value that threads share, and for whose change a thread may wait.
///
/// Unlike `Mutex` it can be waited on: a POSIX mutex and condition variable. Every change wakes
/// whoever waits, so it is for few threads and rare changes.
///
/// Sendable because `state` is touched only between locking and unlocking `mutex`.
@safe package final class Monitor<State: Sendable>: @unchecked Sendable {
  private var state: State
  // On the heap: they must not move.
  private let mutex = UnsafeMutablePointer<pthread_mutex_t>.allocate(capacity: 1)
  private let changed = UnsafeMutablePointer<pthread_cond_t>.allocate(capacity: 1)

  /// A value that is shared from now on.
  package init(_ state: State) {
    self.state = state
    // Neither can fail with default attributes on this system.
    unsafe mutex.initialize(to: pthread_mutex_t())
    unsafe changed.initialize(to: pthread_cond_t())
    unsafe pthread_mutex_init(mutex, nil)
    unsafe pthread_cond_init(changed, nil)
  }

  deinit {
    unsafe pthread_cond_destroy(changed)
    unsafe pthread_mutex_destroy(mutex)
    unsafe changed.deallocate()
    unsafe mutex.deallocate()
  }

  /// Reads or changes the value while no other thread does.
  package func withLock<R>(_ body: (inout State) -> R) -> R { wait { body(&$0) } }

  /// Waits until `body` gives a result: it is asked now, and after each change by others.
  ///
  /// - Parameter body: may change the value where it gives a result.
  package func wait<R>(until body: (inout State) -> R?) -> R {
    unsafe pthread_mutex_lock(mutex)
    defer {
      unsafe pthread_cond_broadcast(changed)
      unsafe pthread_mutex_unlock(mutex)
    }
    while true {
      if let result = body(&state) { return result }
      unsafe pthread_cond_wait(changed, mutex)
    }
  }
}
