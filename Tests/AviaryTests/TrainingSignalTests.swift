import Aviary
import Glibc
import Testing

/// Signals that ask a training to stop.
@Suite struct TrainingSignalTests {
  @Test("a signal is a wish and not the end; the old behaviour returns afterwards")
  func first() {
    var before = sigaction()
    unsafe sigaction(SIGTERM, nil, &before)
    do {
      let interruption = Interruption()
      #expect(interruption.signal == nil)
      raise(SIGTERM)
      #expect(interruption.signal == SIGTERM)
    }
    var after = sigaction()
    unsafe sigaction(SIGTERM, nil, &after)
    let isRestored = unsafe
      before.__sigaction_handler.sa_handler.map { unsafe unsafeBitCast($0, to: Int.self) }
      == after.__sigaction_handler.sa_handler.map { unsafe unsafeBitCast($0, to: Int.self) }
    #expect(isRestored)
  }
}
