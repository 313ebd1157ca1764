import CDNNL

/// The processor, and how many of its cores computations may use. Share one between plans.
public struct Engine: Sendable {
  /// On how many threads plans of this engine run.
  public let threads: Int
  let handle: EngineHandle

  /// More threads than any machine has cores.
  static let mostThreads = 4_096

  /// - Parameter threads: how many threads to use; nil for as many as the process may use cores.
  /// - Throws: `ComputeError.threads` for a number that makes no sense, `.library`.
  public init(threads: Int? = nil) throws(ComputeError) {
    let count = threads ?? Engine.availableCores
    guard (1...Engine.mostThreads).contains(count) else { throw .threads(count) }
    self.threads = count
    handle = try EngineHandle()
  }

  /// Makes oneDNN use this many threads for what the calling thread starts: OpenMP keeps the number
  /// for each thread, and oneDNN divides work when it plans, so it is said before both.
  func activate() { omp_set_num_threads(Int32(threads)) }

  var workers: Workers { Workers(count: threads) }
}
