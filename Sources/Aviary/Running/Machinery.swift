internal import AviaryCompute

/// What models are computed with: threads, weights prepared once for all pictures and tiles, and
/// plans that were made before.
struct Machinery: Sendable {
  let engine: Engine
  let weights: PreparedWeights
  let options: UpscalerOptions
  let plans: PlanPool
  /// The memory that a picture's bands and activations may take.
  let allowance: MemoryAllowance.Bounds

  var planOptions: PlanOptions {
    PlanOptions(
      exact: options.exact, precision: options.precision == .bfloat16 ? .bfloat16 : .float32,
      tuning: options.tuning)
  }
  /// On how many threads everything but the network is done.
  var threads: Int { engine.threads }

  init(_ model: Model, _ options: UpscalerOptions) throws(ComputeError) {
    self.options = options
    engine = try Engine(threads: options.threads)
    weights = PreparedWeights(Dictionary(model.weights.map { ($0.name, $0.tensor) }) { $1 })
    // Read once: what is free changes with what is taken, and parts must not depend on it.
    allowance = MemoryAllowance.Bounds(stated: options.memory)
    plans = PlanPool(limit: allowance.wanted / 4)
  }

  /// The same on one thread, for one of several pictures at a time.
  var single: Machinery {
    get throws(ComputeError) { try Machinery(of: self, threads: 1) }
  }

  private init(of other: Machinery, threads: Int) throws(ComputeError) {
    engine = try Engine(threads: threads)
    (weights, options, allowance) = (other.weights, other.options, other.allowance)
    plans = PlanPool(limit: allowance.wanted / 4)
  }
}
