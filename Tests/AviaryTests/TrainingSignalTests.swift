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
      // To the process and not to this thread, which may have it blocked.
      kill(getpid(), SIGTERM)
      for _ in 0..<1_000 where interruption.signal == nil { usleep(5_000) }
      #expect(interruption.signal == SIGTERM)
    }
    var after = sigaction()
    unsafe sigaction(SIGTERM, nil, &after)
    func handler(_ action: sigaction) -> Int {
      unsafe unsafeBitCast(action.__sigaction_handler.sa_handler, to: Int.self)
    }
    #expect(handler(before) == handler(after))
  }
}
