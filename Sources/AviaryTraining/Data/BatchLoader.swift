import AviaryThreads

/// Prepares the batches of a training ahead, in threads of its own, so that computing need not wait
/// for them.
///
/// Batches come in order, and are those that `TrainingSet.batch` gives, however many threads there
/// are. At most `workers + 1` are prepared ahead. Letting go of the loader stops the threads and
/// waits for them: as long as one batch takes.
public final class BatchLoader: Sendable {
  /// Makes the batch of a step.
  private let make: @Sendable (Int) throws(TrainingError) -> Batch
  private let queue: Monitor<Queue>
  private let threads: [BackgroundTask<Void, Never>]

  /// What the threads share.
  private struct Queue: Sendable {
    /// The step whose batch is handed over next.
    var next: Int
    /// The first step that no thread has taken on.
    var unclaimed: Int
    /// Batches that are there, by step.
    var ready: [Int: Result<Batch, TrainingError>] = [:]
    var isStopped = false
    var waited = Duration.zero
  }

  /// What a thread finds to do.
  private enum Work {
    case step(Int)
    case end
  }

  /// Starts to prepare batches.
  ///
  /// - Parameters:
  ///   - step: the first that is asked for.
  ///   - rank: which part of each batch, as `TrainingSet.batch` has it, and so `ranks`.
  public convenience init(
    _ set: TrainingSet, from step: Int = 0, rank: Int = 0, of ranks: Int = 1
  ) {
    self.init(workers: set.recipe.workers, from: step) { (step) throws(TrainingError) in
      try set.batch(step: step, rank: rank, of: ranks)
    }
  }

  /// Starts to prepare what `make` makes.
  init(
    workers: Int, from step: Int, _ make: @escaping @Sendable (Int) throws(TrainingError) -> Batch
  ) {
    self.make = make
    let queue = Monitor(Queue(next: step, unclaimed: step))
    self.queue = queue
    threads = (0..<max(workers, 0)).compactMap { _ in
      // Of the loader itself the threads must not know, else it would never go away.
      BackgroundTask<Void, Never>(onThread: {
        while case .step(let step) = BatchLoader.work(queue, ahead: workers + 1) {
          let result = Result { () throws(TrainingError) in try make(step) }
          queue.withLock { $0.ready[step] = result }
        }
      })
    }
  }

  deinit { queue.withLock { $0.isStopped = true } }

  /// How long `next()` has waited in all: what preparing batches has cost the training.
  public var waited: Duration { queue.withLock { $0.waited } }

  /// The batch of the next step, as soon as it is there.
  ///
  /// - Throws: what making it threw; the same again if asked again.
  public func next() throws(TrainingError) -> Batch {
    let clock = ContinuousClock()
    let start = clock.now
    let result: Result<Batch, TrainingError>
    if threads.isEmpty {
      // No thread was wanted, or is to be had.
      let step = queue.withLock { $0.next }
      result = Result { () throws(TrainingError) in try make(step) }
    } else {
      result = queue.wait { $0.ready[$0.next] }
    }
    queue.withLock {
      $0.waited += clock.now - start
      guard case .success = result else { return }
      $0.ready[$0.next] = nil
      $0.next += 1
    }
    return try result.get()
  }

  /// Waits until there is room for one more batch, and takes it on.
  private static func work(_ queue: Monitor<Queue>, ahead: Int) -> Work {
    queue.wait {
      if $0.isStopped { return .end }
      guard $0.unclaimed - $0.next < ahead else { return nil }
      $0.unclaimed += 1
      return .step($0.unclaimed - 1)
    }
  }
}
