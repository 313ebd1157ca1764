public import AviaryTensor
import AviaryThreads

/// The input and target of one training step.
public struct Batch: Sendable {
  /// What the network is given: float32, N x channels x height x width, values as its `ImageSpec`
  /// says.
  public var input: Tensor
  /// The expected output: float32, with the shape of the network's output.
  public var target: Tensor

  /// A batch of pairs.
  public init(input: Tensor, target: Tensor) {
    (self.input, self.target) = (input, target)
  }
}

extension BatchRecipe {
  /// The number of pairs that each process is given at once.
  ///
  /// - Throws: `TrainingError.recipe` for a batch that cannot be divided among the processes.
  package func share(ofProcesses processes: Int) throws(TrainingError) -> Int {
    let parts = processes * accumulation
    guard size % parts == 0 else {
      throw .recipe(
        field: "batch.size",
        expected: "a multiple of \(parts), of \(processes) processes and \(accumulation) parts",
        found: "\(size)")
    }
    return size / parts
  }
}

extension Batch {
  /// The batch, split into equal parts.
  package func parts(_ count: Int) throws -> [Batch] {
    if count == 1 { return [self] }
    return zip(try input.split(into: count), try target.split(into: count))
      .map { Batch(input: $0, target: $1) }
  }
}

extension Tensor {
  /// Equal parts along the first dimension.
  fileprivate func split(into count: Int) throws -> [Tensor] {
    let shape = [shape[0] / count] + shape.dropFirst()
    return try (0..<count).map { part in
      try unsafe Tensor(shape: shape, elementType: elementType) { target in
        unsafe withUnsafeBytes { source in
          let start = part * target.count
          unsafe target.copyMemory(
            from: UnsafeRawBufferPointer(rebasing: source[start..<start + target.count]))
        }
      }
    }
  }
}

/// Prepares training batches ahead of time on its own threads, so that computation need not wait
/// for them.
///
/// Batches come in order and equal those of `TrainingSet.batch`, whatever the number of threads. At
/// most `workers + 1` are prepared ahead. Releasing the loader stops the threads and waits for
/// them, for at most the time of one batch.
public final class BatchLoader: Sendable {
  /// Makes the batch of a step.
  private let make: @Sendable (Int) throws(TrainingError) -> Batch
  private let queue: Monitor<Queue>
  private let threads: [BackgroundTask<Void, Never>]

  /// The state that the threads share.
  private struct Queue: Sendable {
    /// The step whose batch is returned next.
    var next: Int
    /// The first step that no thread has claimed.
    var unclaimed: Int
    /// Finished batches, by step.
    var ready: [Int: Result<Batch, TrainingError>] = [:]
    var isStopped = false
    var waited = Duration.zero
  }

  /// A thread's next task.
  private enum Work {
    case step(Int)
    case end
  }

  /// Starts preparing batches.
  ///
  /// - Parameters:
  ///   - step: the first step requested.
  ///   - rank: which part of each batch, as in `TrainingSet.batch`; likewise `ranks`.
  public convenience init(
    _ set: TrainingSet, from step: Int = 0, rank: Int = 0, of ranks: Int = 1
  ) {
    self.init(workers: set.recipe.workers, from: step) { (step) throws(TrainingError) in
      try set.batch(step: step, rank: rank, of: ranks)
    }
  }

  /// Starts preparing the batches that `make` returns.
  init(
    workers: Int, from step: Int, _ make: @escaping @Sendable (Int) throws(TrainingError) -> Batch
  ) {
    self.make = make
    let queue = Monitor(Queue(next: step, unclaimed: step))
    self.queue = queue
    threads = (0..<max(workers, 0)).compactMap { _ in
      // The threads must not hold the loader itself, or it would never be released.
      BackgroundTask<Void, Never>(onThread: {
        while case .step(let step) = BatchLoader.work(queue, ahead: workers + 1) {
          let result = Result { () throws(TrainingError) in try make(step) }
          queue.withLock { $0.ready[step] = result }
        }
      })
    }
  }

  deinit { queue.withLock { $0.isStopped = true } }

  /// The total time spent waiting in `next()`: what batch preparation has cost the training.
  public var waited: Duration { queue.withLock { $0.waited } }

  /// The batch of the next step, as soon as it is ready.
  ///
  /// - Throws: the error from making it; the same error again if asked again.
  public func next() throws(TrainingError) -> Batch {
    let clock = ContinuousClock()
    let start = clock.now
    let result: Result<Batch, TrainingError>
    if threads.isEmpty {
      // No thread was requested, or none could be created.
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

  /// Waits until there is room for another batch, and claims it.
  private static func work(_ queue: Monitor<Queue>, ahead: Int) -> Work {
    queue.wait {
      if $0.isStopped { return .end }
      guard $0.unclaimed - $0.next < ahead else { return nil }
      $0.unclaimed += 1
      return .step($0.unclaimed - 1)
    }
  }
}
