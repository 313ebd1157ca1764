internal import CThreads

/// The threads that work is divided among: those of OpenMP, which oneDNN uses too. Each thread of
/// the program has its own, which sleep when there is nothing to do.
package struct ThreadPool: Sendable {
  /// How many work at once, the calling thread among them.
  package let count: Int

  /// - Parameter count: at least 1.
  package init(count: Int) { self.count = max(count, 1) }

  /// Calls `body` for parts of `0..<total` at the same time, one part a thread, and waits for all.
  ///
  /// - Parameters:
  ///   - cost: about how many elements one step touches; small work is not worth waking threads.
  ///   - body: must not touch what another part writes.
  package func split(_ total: Int, cost: Int = 1, _ body: (Range<Int>) -> Void) {
    splitNumbered(total, cost: cost) { range, _ in body(range) }
  }

  /// The same, telling `body` the number of its part too: less than `count`, and no other's.
  package func splitNumbered(_ total: Int, cost: Int = 1, _ body: (Range<Int>, Int) -> Void) {
    let (elements, overflow) = total.multipliedReportingOverflow(by: cost)
    let wanted = min(count, total, max((overflow ? .max : elements) >> 14, 1))
    // The work of a thread that cannot be had is done by the others.
    let team = wanted > 1 ? ThreadPool.reserve(count).count : 1
    let parts = min(wanted, team)
    guard parts > 1 else {
      if total > 0 { body(0..<total, 0) }
      return
    }
    withoutActuallyEscaping(body) { body in
      var job = Job(total: total, parts: parts, body: body)
      unsafe withUnsafeMutablePointer(to: &job) { pointer in
        // All threads, even where fewer have work: libgomp ends those that a smaller team leaves
        // over, and makes them anew for the next one.
        unsafe aviary_team_run(
          Int32(team),
          { data, part, team in
            guard let data = unsafe data else { return }
            let job = unsafe data.assumingMemoryBound(to: Job.self)
            // The team may be smaller than asked for; what counts is its size as it is.
            let (part, parts) = unsafe (Int(part), min(job.pointee.parts, Int(team)))
            guard part < parts else { return }
            let total = unsafe job.pointee.total
            let range = total * part / parts..<total * (part + 1) / parts
            if !range.isEmpty { unsafe job.pointee.body(range, part) }
          }, pointer)
      }
    }
  }

  private struct Job {
    let total: Int
    let parts: Int
    let body: (Range<Int>, Int) -> Void
  }

  /// Makes oneDNN use these threads for what the calling thread makes or runs: OpenMP keeps the
  /// number for each thread, and oneDNN divides work when it plans, so it is said before both.
  ///
  /// - Returns: whether the calling thread has as many. Where it has fewer, nothing that was
  ///   planned for this pool may run on it: oneDNN asks for the number that it planned for, and
  ///   libgomp ends the process where there are fewer.
  package func activate() -> Bool {
    guard ThreadPool.reserve(count).count == count else { return false }
    aviary_team_resize(Int32(count))
    return true
  }

  /// Calls `body` while oneDNN divides nothing among threads.
  package func alone<R: ~Copyable, Failure: Error>(
    _ body: () throws(Failure) -> R
  ) throws(Failure) -> R {
    aviary_team_resize(1)
    defer { aviary_team_resize(Int32(count)) }
    return try body()
  }

  /// A pool of as many threads as the calling thread can have, no more than are asked for.
  ///
  /// libgomp ends the process where the system refuses it a thread. So it is asked for no more than
  /// the system has just given, and at once, so that they are there when they are wanted.
  package static func reserve(_ wanted: Int) -> ThreadPool {
    let record = unsafe aviary_team_note()
    if unsafe wanted > Int(record.pointee.asked) {
      unsafe record.pointee = aviary_team_record(
        asked: Int32(wanted), given: Int32(granted(wanted)))
    }
    return ThreadPool(count: min(wanted, unsafe Int(record.pointee.given)))
  }

  /// How many threads can be had, the calling one among them; its OpenMP threads are made.
  ///
  /// Twice as many are tried as are taken. libgomp ends threads where oneDNN wants a smaller team
  /// and makes new ones for the next larger team, and those that are about to end count until the
  /// system has cleared them away.
  private static func granted(_ wanted: Int) -> Int {
    guard wanted > 1 else { return 1 }
    return ThreadMaker.exclusively { maker in
      let tried = maker.count(upTo: 2 * (wanted - 1))
      let count = tried / 2 + 1
      guard count > 1 else { return 1 }
      // The environment may limit the team (OMP_THREAD_LIMIT), as may a team that this thread is
      // in.
      var team: Int32 = 1
      unsafe withUnsafeMutablePointer(to: &team) { pointer in
        unsafe aviary_team_run(
          Int32(count),
          { data, part, parts in
            if part == 0 { unsafe data?.storeBytes(of: parts, as: Int32.self) }
          }, pointer)
      }
      return Int(team)
    }
  }

  /// The cores that this process may use, by its affinity mask.
  package static var cores: Int { max(Int(aviary_team_cores()), 1) }
}
