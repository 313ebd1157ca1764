public import AviaryCompute
public import AviaryGraph
public import AviaryTensor

/// The distance between the features that a network computes from results and from targets: for
/// each layer the mean squared (or absolute) difference of its values, times the layer's weight,
/// summed.
///
/// Johnson, Alahi, Fei-Fei: Perceptual Losses for Real-Time Style Transfer and Super-Resolution
/// (2016). The feature network is not trained.
public struct PerceptualLoss: Loss {
  /// `perceptual`
  public let name = "perceptual"
  private let network: FeatureNetwork
  private let space: ImageSpace
  private let isSquared: Bool
  private let weights: PackedWeights
  private let engine: Engine
  private var plans: Plans?

  /// Plans for one batch shape. A class, because plans cannot be copied, and losses can.
  private final class Plans {
    let shape: [Int]
    /// Forward only, for targets.
    var targets: Plan
    /// Forward, and backward to the images, for results.
    var results: TrainingPlan

    init(_ network: FeatureNetwork, shape: [Int], _ weights: PackedWeights, _ engine: Engine)
      throws(ComputeError)
    {
      let targets = try Plan(
        network.graph, weights: weights, inputShapes: [shape], engine: engine)
      results = try TrainingPlan(
        network.graph, inputShapes: [shape], gradientsOf: .inputs, engine: engine)
      self.targets = targets
      self.shape = shape
    }
  }

  /// A loss on a network's features.
  ///
  /// - Parameters:
  ///   - picture: the image description of results and targets; they are converted to the feature
  ///     network's, with one channel of gray or luma repeated if it takes three.
  ///   - isSquared: squared differences rather than absolute ones.
  ///   - engine: the engine for the feature network.
  /// - Throws: `TrainingError.training` for images that the feature network cannot take.
  public init(
    _ network: FeatureNetwork, picture: ImageSpec, isSquared: Bool = true, engine: Engine
  ) throws(TrainingError) {
    space = try ImageSpace(name, from: picture, to: network.picture)
    (self.network, self.isSquared, self.engine) = (network, isSquared, engine)
    weights = PackedWeights(network.parameters)
  }

  /// Plans the feature network.
  public mutating func prepare(for shape: [Int]) throws {
    let own = [shape[0], space.sources.count] + shape.dropFirst(2)
    do throws(ComputeError) { _ = try plans(for: own) } catch {
      throw error.ofPatch(results: shape, part: "the feature network of the loss \(name)")
    }
  }

  /// The loss and its gradient. The first batch of a size takes longer, because plans are made for
  /// it.
  ///
  /// - Throws: `TrainingError.training` for tensors that are not images of the same shape,
  ///   `ComputeError` for images too small for the feature network or too large for memory.
  public mutating func evaluate(_ result: Tensor, _ target: Tensor) throws -> LossValue {
    try Pointwise.check(name, result, target)
    guard result.shape.count == 4, result.shape[1] == space.channels else {
      throw TrainingError.training(
        "\(name): result", expected: "N x \(space.channels) x height x width",
        found: "\(result.shape)")
    }
    let pictures = try space.apply(result)
    let plans = try plans(for: pictures.shape)
    let input = network.graph.inputs[0].name
    let wanted = try plans.targets.run([input: space.apply(target)])
    let found = try plans.results.forward([input: pictures], parameters: network.parameters).outputs
    var value = 0.0
    var gradients: [String: Tensor] = [:]
    for (layer, weight) in network.layers.sorted(by: { $0.key < $1.key }) {
      guard let found = found[layer], let wanted = wanted[layer] else { continue }
      let distance =
        try isSquared ? L2Loss().evaluate(found, wanted) : L1Loss().evaluate(found, wanted)
      value += weight * distance.value
      gradients[layer] = distance.gradient.multiplied(by: weight)
    }
    guard let gradient = try plans.results.backward(gradients).inputs[input] else {
      throw TrainingError.training(name, expected: "a gradient of \(input)", found: "none")
    }
    return LossValue(value, gradient: try space.applyBackward(gradient, shape: result.shape))
  }

  private mutating func plans(for shape: [Int]) throws(ComputeError) -> Plans {
    if let plans, plans.shape == shape { return plans }
    // Release the old plans first: both may not fit into memory.
    plans = nil
    let made = try Plans(network, shape: shape, weights, engine)
    plans = made
    return made
  }
}
