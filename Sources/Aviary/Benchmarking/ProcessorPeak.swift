public import AviaryCompute
internal import AviaryGraph
internal import AviaryTensor
internal import AviaryTraining

/// The processor's peak multiply-add rate, measured, because no list of processors says what a
/// machine with its clock and its neighbours can do.
///
/// It is the best of several direct 3x3 convolutions by oneDNN on data that stays in the caches,
/// each timed on its own without reorders. Winograd saves multiplications, so a network may exceed
/// this peak.
public struct ProcessorPeak: Hashable, Sendable {
  /// Multiply-adds a second in 10^9.
  public let rate: Double
  /// The data type that was multiplied.
  public let precision: Precision
  /// The convolution that reached it.
  public let description: String

  /// Channels and sides: the activations of the first fit in a 1 MB L2 cache, as do the weights of
  /// the second.
  private static let candidates = [(channels: 64, side: 56), (128, 28), (64, 128)]
  private static let runs = 25

  /// Measures the peak, in about half a second.
  ///
  /// - Throws: `ComputeError`, as `Plan`.
  public init(_ precision: Precision, engine: Engine) throws {
    var best = (rate: 0.0, text: "")
    for (channels, side) in ProcessorPeak.candidates {
      let shape = [1, channels, side, side]
      let graph = try Graph(channels: channels) { image in
        [image.convolution("layer", channels, kernel: 3)]
      }
      var plan = try Plan(
        graph, weights: PackedWeights(Initializer(graph, .he, seed: 1).parameters()),
        inputShapes: [shape], options: PlanOptions(exact: true, precision: precision),
        engine: engine)
      let image = [graph.inputs[0].name: try NetworkBenchmark.noise(shape, stream: 0)]
      guard let step = plan.steps.firstIndex(where: { $0.operation.hasPrefix("convolution") })
      else { continue }
      var fastest = Double.infinity
      for _ in 0..<ProcessorPeak.runs {
        fastest = min(fastest, try plan.durations(image)[step].milliseconds)
      }
      let rate = try graph.multiplyAdds(height: side, width: side) / fastest / 1e6
      if rate > best.rate {
        best = (rate, "a direct 3x3 convolution of \(channels) channels at \(side)x\(side)")
      }
    }
    (rate, description) = best
    self.precision = precision
  }
}
