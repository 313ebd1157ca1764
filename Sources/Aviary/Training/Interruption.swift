internal import Glibc
internal import Synchronization

/// The signals SIGINT and SIGTERM, taken as a wish to stop after the step at hand.
///
/// The second signal ends the process at once, as it would have done without this.
public struct Interruption: ~Copyable {
  /// A handler gets nothing but the signal's number, so that the place where it leaves it has to be
  /// global; of all types only an atomic number may be written there.
  private static let received = Atomic<Int32>(0)
  private static let signals = [SIGINT, SIGTERM]
  /// What the signals did before.
  private var previous: [sigaction] = []
  private var previousMask = sigset_t()

  /// Begins to listen; the old behaviour returns with the end of the value.
  public init() {
    Interruption.received.store(0, ordering: .relaxed)
    for signal in Interruption.signals {
      var action = sigaction()
      unsafe action.__sigaction_handler.sa_handler = { number in
        let earlier = Interruption.received.exchange(number, ordering: .relaxed)
        guard earlier != 0 else { return }
        // Both may be called in a handler. Blocked until it returns, the signal then ends the process.
        Glibc.signal(number, SIG_DFL)
        raise(number)
      }
      // Reading and writing of files go on.
      action.sa_flags = SA_RESTART
      var old = sigaction()
      unsafe sigaction(signal, &action, &old)
      previous.append(old)
    }
    // Whoever started the process may have left them blocked: a thread of a library's pool does.
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

  /// The signal that came; nil for none.
  public var signal: Int32? {
    let number = Interruption.received.load(ordering: .relaxed)
    return number == 0 ? nil : number
  }
}
