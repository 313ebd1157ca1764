import AviaryThreads

/// The processor, and how many of its cores computations may use. Share one between plans.
public struct Engine: Sendable {
  /// On how many threads plans of this engine run.
  public var threads: Int { workers.count }
  let workers: ThreadPool
  let handle: EngineHandle

  /// More threads than any machine has cores.
  static let mostThreads = 4_096

  /// - Parameter threads: how many threads to use, as far as the system gives them; nil for as many as
  ///   the process may use cores.
  /// - Throws: `ComputeError.threads` for a number that makes no sense, `.library`.
  public init(threads: Int? = nil) throws(ComputeError) {
    let count = threads ?? Engine.availableCores
    guard (1...Engine.mostThreads).contains(count) else { throw .threads(count) }
    workers = ThreadPool.reserve(count)
    handle = try EngineHandle()
  }

  /// Makes oneDNN use these threads for what the calling thread plans or runs.
  func activate() { workers.activate() }
}
