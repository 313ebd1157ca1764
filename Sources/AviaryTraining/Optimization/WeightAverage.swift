public import AviaryGraph
public import AviaryTensor

/// The exponential moving average (EMA) of a network's weights, which is better than the weights of
/// any single step: Polyak and Juditsky (1992), in the exponential form.
///
/// Only trained parameters are averaged. Running means and variances are averages already, of what
/// earlier layers currently produce: averaging them again would lag twice, and a variance averaged
/// apart from its mean is that of no data. They are copied, as are counters and frozen parameters.
public struct WeightAverage: Sendable {
  /// The share of the average that a step keeps, after the first steps.
  public let decay: Double
  /// All parameters: averages of the trained ones, the latest values of the rest.
  public private(set) var weights: [String: Tensor]
  private let learned: [String]

  /// An average that starts from some weights: the initial ones, or those of a resumed average.
  public init(_ weights: [String: Tensor], of graph: Graph, decay: Double) {
    self.decay = decay
    self.weights = weights
    learned = graph.parameters.filter { $0.role == .weight }.map(\.name)
  }

  /// Updates the average with the weights after a step.
  ///
  /// Early steps keep less than `decay`, (1 + step) / (10 + step), so that the initial weights are
  /// soon forgotten.
  ///
  /// - Parameters:
  ///   - current: all parameters; trained ones are float32.
  ///   - step: the number of steps before this one.
  /// - Throws: `TrainingError.training` for a parameter that is missing or of the wrong shape.
  public mutating func update(_ current: [String: Tensor], step: Int) throws(TrainingError) {
    let kept = min(decay, Double(1 + step) / Double(10 + step))
    let share = Float(1 - kept)
    for name in learned {
      guard let new = current[name], let average = weights[name] else {
        throw .training("parameter \(name)", expected: "a tensor", found: "none")
      }
      try new.require(shape: average.shape, "parameter \(name)")
    }
    var next = current
    for name in learned {
      // Removed from the dictionary, so that it is updated in place: it has no other owner.
      guard let new = current[name], var average = weights.removeValue(forKey: name) else {
        continue
      }
      unsafe average.withMutableFloats { average in
        unsafe new.withFloats { new in
          for i in average.indices { unsafe average[i] += share * (new[i] - average[i]) }
        }
      }
      next[name] = average
    }
    weights = next
  }
}
