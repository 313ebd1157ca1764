/// The times of several runs of one thing, in milliseconds.
public struct TimedRuns: Hashable, Sendable {
  /// The time of each run, in order.
  public let milliseconds: [Double]

  /// - Parameter milliseconds: at least one.
  package init(_ milliseconds: [Double]) { self.milliseconds = milliseconds }

  /// Times a body after some warm-up runs.
  package init<Failure: Error>(
    _ runs: Int, _ body: () throws(Failure) -> Void
  ) throws(Failure) {
    for _ in 0..<BenchmarkOptions.warmUps { try body() }
    let clock = ContinuousClock()
    var times: [Double] = []
    for _ in 0..<runs {
      let start = clock.now
      try body()
      times.append((clock.now - start).milliseconds)
    }
    milliseconds = times
  }

  /// The median, the upper of two; NaN if there are no runs.
  public var median: Double {
    milliseconds.isEmpty ? .nan : milliseconds.sorted()[milliseconds.count / 2]
  }
  /// The shortest time.
  public var fastest: Double { milliseconds.min() ?? .nan }
  /// The longest time.
  public var slowest: Double { milliseconds.max() ?? .nan }
}

extension Duration {
  /// The length in milliseconds.
  package var milliseconds: Double {
    Double(components.seconds) * 1e3 + Double(components.attoseconds) * 1e-15
  }
}
