import AviaryThreads
import Synchronization
import Testing

/// What is found on a thread of its own while something else is done.
@Suite struct BackgroundTaskTests {
  private enum Failure: Error { case some }

  /// Whether the system gives a thread.
  static let systems: [@Sendable () -> Bool] = [{ false }, { true }]

  @Test("a value is found once and given as often as asked, thread or no thread", arguments: 0..<2)
  func values(system: Int) {
    let runs = Mutex(0)
    let task = ThreadMaker.refusing(BackgroundTaskTests.systems[system]) {
      BackgroundTask.start { () throws(Failure) in
        runs.withLock {
          $0 += 1
          return $0
        }
      }
    }
    let values = (0..<2).map { _ in try? task.value() }
    #expect(values == [1, 1])
    #expect(runs.withLock { $0 } == 1)
  }

  @Test("an error is thrown to who asks", arguments: 0..<2)
  func errors(system: Int) {
    let task = ThreadMaker.refusing(BackgroundTaskTests.systems[system]) {
      BackgroundTask.start { () throws(Failure) -> Int in throw .some }
    }
    for _ in 0..<2 {
      do throws(Failure) {
        Issue.record("an error, not \(try task.value())")
      } catch {
        #expect(error == .some)
      }
    }
  }

  @Test("whoever lets go waits", arguments: 0..<2)
  func lettingGo(system: Int) {
    let isDone = Mutex(false)
    ThreadMaker.refusing(BackgroundTaskTests.systems[system]) {
      _ = BackgroundTask<Void, Never>.start { isDone.withLock { $0 = true } }
    }
    #expect(isDone.withLock { $0 })
  }

  @Test("a function that must not run on the calling thread does not")
  func refused() {
    let runs = Mutex(0)
    ThreadMaker.refusing({ true }) {
      let task = BackgroundTask<Void, Never>(onThread: { runs.withLock { $0 += 1 } })
      #expect(task == nil)
    }
    #expect(runs.withLock { $0 } == 0)
    BackgroundTask<Void, Never>(onThread: { runs.withLock { $0 += 1 } })?.join()
    #expect(runs.withLock { $0 } == 1)
  }
}
