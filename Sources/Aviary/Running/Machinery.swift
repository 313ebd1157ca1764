internal import AviaryCompute

/// What models are computed with: threads, weights prepared once for all pictures and tiles, and
/// plans that were made before.
struct Machinery: Sendable {
  let engine: Engine
  let weights: PreparedWeights
  let options: UpscalerOptions
  let plans: PlanPool
  let tileSizes = TileSizes()
  /// The memory that a picture's bands and activations may take.
  let allowance: MemoryAllowance.Bounds
  let planOptions: PlanOptions
  /// On how many threads everything but the network is done.
  var threads: Int { engine.threads }

  /// - Throws: `AviaryError.notQuantized` for whole numbers of a model that was not calibrated for
  ///   them; `ComputeError`.
  init(_ model: Model, _ options: UpscalerOptions) throws {
    self.options = options
    planOptions = try model.planOptions(
      options.precision, exact: options.exact, tuning: options.tuning)
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
    planOptions = other.planOptions
    plans = PlanPool(limit: allowance.wanted / 4)
  }
}
