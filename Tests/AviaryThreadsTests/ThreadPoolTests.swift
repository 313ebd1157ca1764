import AviaryThreads
import Synchronization
import Testing

/// Work divided among threads, however many of them can be had.
@Suite struct ThreadPoolTests {
  /// Counts how often each of `0..<total` is done, by a pool made on a thread of its own.
  ///
  /// - Parameter refused: the number of the thread that the system refuses, and all after it if
  ///   `persistently`; nil for none.
  private func counts(
    _ total: Int, threads: Int, refusing refused: Int?, persistently: Bool = false
  ) -> (counts: [Int], team: Int) {
    // OpenMP's threads are kept for each thread: one that nobody has used before.
    let task = BackgroundTask<(counts: [Int], team: Int), Never>.start {
      let asked = Mutex(0)
      return ThreadMaker.refusing({
        asked.withLock { asked in
          asked += 1
          return refused.map { persistently ? asked >= $0 : asked == $0 } ?? false
        }
      }) {
        let counts = Mutex([Int](repeating: 0, count: total))
        let pool = ThreadPool(count: threads)
        for _ in 0..<2 {
          pool.split(total, cost: .max) { range in
            counts.withLock { for i in range { $0[i] += 1 } }
          }
        }
        return (counts.withLock { $0 }, ThreadPool.reserve(threads).count)
      }
    }
    return task.value()
  }

  @Test("all is done once, whichever thread the system refuses", arguments: [2, 3, 8])
  func refusals(threads: Int) {
    for total in [0, 1, 2, 7, 1_000] {
      for persistently in [false, true] {
        for refused in [nil] + (1...2 * threads).map(Optional.some) {
          let found = counts(
            total, threads: threads, refusing: refused, persistently: persistently)
          #expect(found.counts == [Int](repeating: 2, count: total))
          // The first that is refused is the last that is asked for, and half are taken.
          let tried = min((refused ?? .max) - 1, 2 * (threads - 1))
          #expect(found.team == tried / 2 + 1)
        }
      }
    }
  }

  @Test("parts are numbered below the number of threads, each its own")
  func numbers() {
    let seen = Mutex<[Int: Int]>([:])
    ThreadPool(count: 3).splitNumbered(90, cost: .max) { range, number in
      seen.withLock { $0[number, default: 0] += range.count }
    }
    let counts = seen.withLock { $0 }
    let sum = counts.values.reduce(0, +)
    #expect(sum == 90)
    #expect(Set(counts.keys).isSubset(of: [0, 1, 2]))
  }

  @Test("small work wakes nobody")
  func small() {
    let calls = Mutex(0)
    ThreadPool(count: 4).split(100) { _ in calls.withLock { $0 += 1 } }
    #expect(calls.withLock { $0 } == 1)
  }

  @Test("a pool that was made elsewhere is not activated where its threads are refused")
  func activation() {
    for isRefused in [false, true] {
      let task = BackgroundTask<(Bool, Bool), Never>.start {
        ThreadMaker.refusing({ isRefused }) {
          (ThreadPool(count: 3).activate(), ThreadPool(count: 1).activate())
        }
      }
      #expect(task.value() == (!isRefused, true))
    }
  }
}
