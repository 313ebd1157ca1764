public import AviaryGraph
public import AviaryTensor

/// The moving average of a network's weights, which is better than the weights of any one step:
/// Polyak and Juditsky (1992), in the exponential form.
///
/// Only what is learned is averaged. Running means and variances are averages already, and of what
/// the layers before give at present: their average would be late twice, and a variance averaged
/// apart from its mean is that of no data. They are copied, as counters are, and as parameters that
/// stay as they are.
public struct WeightAverage: Sendable {
  /// How much of the average a step keeps, once it has come so far.
  public let decay: Double
  /// All parameters: averages of what is learned, the rest as it was last.
  public private(set) var weights: [String: Tensor]
  private let learned: [String]

  /// An average that begins at some weights: those at the start, or those of an average that goes on.
  public init(_ weights: [String: Tensor], of graph: Graph, decay: Double) {
    self.decay = decay
    self.weights = weights
    learned = graph.parameters.filter { $0.role == .weight }.map(\.name)
  }

  /// Takes the weights after a step into the average.
  ///
  /// Early on less is kept than `decay` says, (1 + step) / (10 + step), so that the weights that
  /// training began with are soon forgotten.
  ///
  /// - Parameters:
  ///   - current: all parameters, float32 where they are learned.
  ///   - step: how many steps were taken before this one.
  /// - Throws: `TrainingError.training` for a parameter that is missing or of another shape.
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
      // Taken out, so that it is changed in place: nothing else holds it.
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
