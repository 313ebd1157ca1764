public import AviaryCompute
public import AviaryGraph
public import AviaryTensor

/// The distance of the features that a network finds in results and targets: for each layer the mean
/// of the squared (or absolute) differences of its values, times the layer's weight, added up.
///
/// Johnson, Alahi, Fei-Fei: Perceptual Losses for Real-Time Style Transfer and Super-Resolution
/// (2016). The feature network does not learn.
public struct PerceptualLoss: Loss {
  /// `perceptual`
  public let name = "perceptual"
  private let network: FeatureNetwork
  private let space: PictureSpace
  private let isSquared: Bool
  private let weights: PreparedWeights
  private let engine: Engine
  private var plans: Plans?

  /// Plans for batches of one shape. A class, because plans cannot be copied, and losses can.
  private final class Plans {
    let shape: [Int]
    /// Forward alone, for targets.
    var targets: Plan
    /// Forward and back to the pictures, for results.
    var results: TrainingPlan

    init(_ network: FeatureNetwork, shape: [Int], _ weights: PreparedWeights, _ engine: Engine)
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

  /// A loss by a network's features.
  ///
  /// - Parameters:
  ///   - picture: how results and targets stand for pictures; they are put into the feature network's
  ///     terms, one channel of gray or luma repeated where it wants three.
  ///   - isSquared: squared differences; else absolute ones.
  ///   - engine: what the feature network runs on.
  /// - Throws: `TrainingError.training` for pictures that the feature network cannot take.
  public init(
    _ network: FeatureNetwork, picture: Picture, isSquared: Bool = true, engine: Engine
  ) throws(TrainingError) {
    space = try PictureSpace(name, from: picture, to: network.picture)
    (self.network, self.isSquared, self.engine) = (network, isSquared, engine)
    weights = PreparedWeights(network.parameters)
  }

  /// Plans the feature network.
  public mutating func prepare(for shape: [Int]) throws {
    let own = [shape[0], space.sources.count] + shape.dropFirst(2)
    do throws(ComputeError) { _ = try plans(for: own) } catch {
      throw error.ofPatch(results: shape, part: "the feature network of the loss \(name)")
    }
  }

  /// The loss and its gradient. The first batch of a size takes longer: plans are made for it.
  ///
  /// - Throws: `TrainingError.training` for tensors that are no pictures of the same shape,
  ///   `ComputeError` for pictures that are too small for the feature network, or too large for the
  ///   memory.
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
    // The old ones first: both may not fit into memory.
    plans = nil
    let made = try Plans(network, shape: shape, weights, engine)
    plans = made
    return made
  }
}
