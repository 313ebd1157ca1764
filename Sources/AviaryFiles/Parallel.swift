/// Work divided among threads that are started for it.
package enum Parallel {
  /// Calls `body` for parts of `0..<count` at the same time, one part a thread, and waits for all.
  ///
  /// A thread takes some ten microseconds to start: for work that takes milliseconds.
  ///
  /// - Parameter body: must not touch what another part writes.
  package static func split(_ count: Int, threads: Int, _ body: @Sendable (Range<Int>) -> Void) {
    let parts = min(threads, count)
    guard parts > 1 else {
      if count > 0 { body(0..<count) }
      return
    }
    withoutActuallyEscaping(body) { body in
      let others = (1..<parts).map { part in
        JoinableThread { body(count * part / parts..<count * (part + 1) / parts) }
      }
      body(0..<count / parts)
      for thread in others { thread.join() }
    }
  }
}
