internal import Glibc
internal import Synchronization

/// Catches SIGINT and SIGTERM as a request to stop after the current step.
///
/// A second signal ends the process at once, as it would have without this.
public struct Interruption: ~Copyable {
  /// A handler receives only the signal's number, so the place where it stores it must be global;
  /// of all types, only an atomic number may be written there.
  private static let received = Atomic<Int32>(0)
  private static let signals = [SIGINT, SIGTERM]
  /// The previous handlers of the signals.
  private var previous: [sigaction] = []
  private var previousMask = sigset_t()

  /// Starts listening; the previous behaviour returns when the value is destroyed.
  public init() {
    Interruption.received.store(0, ordering: .relaxed)
    for signal in Interruption.signals {
      var action = sigaction()
      unsafe action.__sigaction_handler.sa_handler = { number in
        let earlier = Interruption.received.exchange(number, ordering: .relaxed)
        guard earlier != 0 else { return }
        // Both calls are allowed in a handler. The signal is blocked until it returns, and then
        // ends the process.
        Glibc.signal(number, SIG_DFL)
        raise(number)
      }
      // Reading and writing files continues.
      action.sa_flags = SA_RESTART
      var old = sigaction()
      unsafe sigaction(signal, &action, &old)
      previous.append(old)
    }
    // Whoever started the process may have left the signals blocked, as a thread of a library's
    // pool does.
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

  /// The signal received; nil for none.
  public var signal: Int32? {
    let number = Interruption.received.load(ordering: .relaxed)
    return number == 0 ? nil : number
  }
}
