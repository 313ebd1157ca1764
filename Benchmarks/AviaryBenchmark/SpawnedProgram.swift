internal import Aviary
internal import FoundationEssentials
internal import Glibc

/// What one run of a program took.
struct SpawnedProgram {
  /// From before its start to after its end.
  let seconds: Double
  /// Computing time on all cores, the system's included.
  let processorSeconds: Double
  /// The most physical memory that it, or a program that it started, had at a time. It is no less
  /// than what this program has itself, as the system counts from before the start.
  let peakBytes: Int

  /// Runs a program to its end; its output is dropped, its errors are passed on.
  ///
  /// - Parameter words: the program, found as a shell does, and its arguments.
  /// - Throws: `BenchmarkError.program` if it cannot be started or ends with another status than 0.
  init(_ words: [String]) throws(BenchmarkError) {
    var arguments = unsafe words.map { unsafe strdup($0) } + [nil]
    var environment =
      unsafe ProcessInfo.processInfo.environment
      .map { unsafe strdup("\($0)=\($1)") } + [nil]
    defer {
      unsafe arguments.indices.forEach { unsafe free(arguments[$0]) }
      unsafe environment.indices.forEach { unsafe free(environment[$0]) }
    }
    var actions = unsafe posix_spawn_file_actions_t()
    unsafe posix_spawn_file_actions_init(&actions)
    defer { unsafe posix_spawn_file_actions_destroy(&actions) }
    unsafe posix_spawn_file_actions_addopen(&actions, STDOUT_FILENO, "/dev/null", O_WRONLY, 0)

    let clock = ContinuousClock()
    let start = clock.now
    var child: pid_t = 0
    let failure = unsafe posix_spawnp(
      &child, words.first ?? "", &actions, nil, &arguments, &environment)
    guard failure == 0 else {
      throw .program(words, reason: unsafe String(cString: strerror(failure)))
    }
    var status: CInt = 0
    var usage = rusage()
    while unsafe wait4(child, &status, 0, &usage) < 0 {
      guard errno == EINTR else {
        throw .program(words, reason: unsafe String(cString: strerror(errno)))
      }
    }
    seconds = (clock.now - start).milliseconds / 1e3
    guard status == 0 else {
      let signal = status & 0x7F
      throw .program(
        words, reason: signal != 0 ? "ended by signal \(signal)" : "status \(status >> 8 & 0xFF)")
    }
    processorSeconds = [usage.ru_utime, usage.ru_stime]
      .reduce(0) { $0 + Double($1.tv_sec) + Double($1.tv_usec) * 1e-6 }
    peakBytes = usage.ru_maxrss * 1024
  }
}
