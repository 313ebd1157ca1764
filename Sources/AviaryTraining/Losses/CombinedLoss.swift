public import AviaryCompute
public import AviaryGraph
public import AviaryTensor

/// The weighted sum of all losses of a recipe.
public struct CombinedLoss: Loss {
  /// One loss of the sum.
  public struct Part: Sendable {
    /// The name for logs, such as `l1`; a second one of a name is `l1-2`.
    public var name: String
    /// Its weight.
    public var weight: Double
    /// Its value, unweighted.
    public var value: Double
  }

  /// `loss`
  public let name = "loss"
  private var losses: [any Loss] = []
  /// The parts, in the recipe's order, with the values of the last batch; NaN before the first.
  public private(set) var parts: [Part] = []

  /// The sum of losses.
  ///
  /// - Parameters:
  ///   - picture: the image description of results and targets.
  ///   - engine: the engine for feature networks.
  ///   - features: gives a feature network; called for every perceptual loss.
  /// - Throws: `TrainingError.recipe` if there is no loss, or a weight is not a number of 0 or
  ///   more; `.training` for feature networks that cannot take such images; errors from `features`.
  public init(
    _ recipes: [LossRecipe], picture: ImageSpec, engine: Engine,
    features: (PerceptualRecipe) throws -> FeatureNetwork
  ) throws {
    guard !recipes.isEmpty else {
      throw TrainingError.recipe(field: "losses", expected: "one at least", found: "none")
    }
    var counts: [String: Int] = [:]
    for recipe in recipes {
      let loss: any Loss =
        switch recipe.kind {
        case .l1: L1Loss()
        case .l2: L2Loss()
        case .charbonnier(let epsilon): try CharbonnierLoss(epsilon: epsilon)
        case .ssim: SSIMLoss(picture: picture)
        case .totalVariation: TotalVariationLoss()
        case .perceptual(let recipe):
          try PerceptualLoss(
            features(recipe), picture: picture, isSquared: recipe.isSquared, engine: engine)
        }
      guard recipe.weight >= 0, recipe.weight.isFinite else {
        throw TrainingError.recipe(
          field: "losses.\(loss.name).weight", expected: "a number of 0 or more",
          found: "\(recipe.weight)")
      }
      counts[loss.name, default: 0] += 1
      let count = counts[loss.name] ?? 1
      losses.append(loss)
      parts.append(
        Part(
          name: count == 1 ? loss.name : "\(loss.name)-\(count)", weight: recipe.weight,
          value: .nan))
    }
  }

  /// - Throws: errors from the parts.
  public mutating func prepare(for shape: [Int]) throws {
    for i in losses.indices { try losses[i].prepare(for: shape) }
  }

  /// The weighted sum of all parts, and its gradient; stores each part's value in `parts`.
  ///
  /// - Throws: errors from the parts.
  public mutating func evaluate(_ result: Tensor, _ target: Tensor) throws -> LossValue {
    var total = 0.0
    var gradient: Tensor?
    for i in losses.indices {
      let loss = try losses[i].evaluate(result, target)
      parts[i].value = loss.value
      total += parts[i].weight * loss.value
      if gradient == nil {
        gradient = loss.gradient.multiplied(by: parts[i].weight)
      } else {
        gradient?.add(loss.gradient, times: parts[i].weight)
      }
    }
    return LossValue(total, gradient: try gradient ?? Tensor(zeros: result.shape))
  }
}
