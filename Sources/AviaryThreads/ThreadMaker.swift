internal import CThreads
internal import Glibc
internal import Synchronization

/// Asks the system for threads.
package struct ThreadMaker: ~Copyable {
  /// By thread, what stands in for a system that refuses some.
  private static let refusals = Mutex<[pthread_t: @Sendable () -> Bool]>([:])

  /// Calls `body`, asking `refuses` before each thread that the calling thread wants meanwhile:
  /// stands in for a system that refuses some. For tests. (A task-local value would do, but pushing
  /// one from a function that is not asynchronous crashes in optimized builds.)
  package static func refusing<R>(
    _ refuses: @escaping @Sendable () -> Bool, _ body: () throws -> R
  ) rethrows -> R {
    let thread = pthread_self()
    let before = refusals.withLock { $0.updateValue(refuses, forKey: thread) }
    defer { refusals.withLock { $0[thread] = before } }
    return try body()
  }

  /// Held while threads are made: whoever has tried how many there are takes them before anyone
  /// else does.
  private static let only = Mutex<Void>(())

  /// What a thread's stack has at least, whatever the shell's limit for the first one is.
  private static let leastStack = 1 << 20
  /// How long a thread that has ended is waited for: a busy machine may leave it lying.
  private static let mostWait = Duration.seconds(10)

  private init() {}

  /// Calls `body` with the right to make threads, which no other thread of the program has
  /// meanwhile.
  static func exclusively<R>(_ body: (borrowing ThreadMaker) -> R) -> R {
    only.withLock { _ in body(ThreadMaker()) }
  }

  /// Starts a thread that runs `body`, and says what the system calls it; nil where it gives none.
  borrowing func start(_ body: @escaping @Sendable () -> Void) -> pthread_t? {
    if let refuses = ThreadMaker.refusals.withLock({ $0[pthread_self()] }), refuses() { return nil }
    var attributes = pthread_attr_t()
    guard unsafe pthread_attr_init(&attributes) == 0 else { return nil }
    defer { unsafe pthread_attr_destroy(&attributes) }
    var stack = 0
    if unsafe pthread_attr_getstacksize(&attributes, &stack) == 0, stack < ThreadMaker.leastStack {
      unsafe pthread_attr_setstacksize(&attributes, ThreadMaker.leastStack)
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

  /// How many threads the system gives at the same time, no more than so many; none is there
  /// afterwards.
  borrowing func count(upTo most: Int) -> Int {
    let isOver = Monitor(false)
    let numbers = Mutex<[Int32]>([])
    var threads: [pthread_t] = []
    while threads.count < most,
      let thread = start({
        numbers.withLock { $0.append(aviary_thread_id()) }
        isOver.wait { $0 ? () : nil }
      })
    { threads.append(thread) }
    isOver.withLock { $0 = true }
    for thread in threads { _ = pthread_join(thread, nil) }
    // One that has ended counts against the limit until it is gone from the system's list.
    let end = ContinuousClock.now + ThreadMaker.mostWait
    for number in numbers.withLock({ $0 }) {
      while ThreadMaker.isListed(number), ContinuousClock.now < end { usleep(50) }
    }
    return threads.count
  }

  /// Whether the system lists a thread of this process; false where there is no such list.
  private static func isListed(_ number: Int32) -> Bool {
    var status = stat()
    return unsafe stat("/proc/self/task/\(number)", &status) == 0
  }

  private final class Job: Sendable {
    let body: @Sendable () -> Void

    init(_ body: @escaping @Sendable () -> Void) { self.body = body }
  }
}
