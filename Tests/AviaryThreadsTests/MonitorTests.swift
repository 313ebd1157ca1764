import Testing

import AviaryThreads

/// A value that threads share and wait for.
@Suite struct MonitorTests {
  @Test func oneWaitsForTheOther() {
    let monitor = Monitor([Int]())
    let thread = BackgroundTask<Void, Never>.start({
      for i in 0..<100 {
        // Not before what came before was taken.
        monitor.wait { $0.isEmpty ? $0.append(i) : nil }
      }
    })
    let taken = (0..<100).map { _ in monitor.wait { $0.popLast() } }
    thread.join()
    #expect(taken == Array(0..<100))
    #expect(monitor.withLock { $0.isEmpty })
  }
}
