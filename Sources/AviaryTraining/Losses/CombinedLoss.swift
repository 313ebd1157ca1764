public import AviaryCompute
public import AviaryGraph
public import AviaryTensor

/// The distance between results and targets, and its gradient.
///
/// Losses that are networks themselves keep plans and parameters, so evaluating is mutating.
public protocol Loss {
  /// The name for logs, such as `l1`.
  var name: String { get }

  /// Prepares for batches of a shape, so that what cannot be evaluated is found before a training
  /// starts: a loss that is itself a network makes its plans.
  ///
  /// - Parameter shape: of results: N, channels, height, width.
  /// - Throws: `TrainingError.patch` for results of a size that the loss cannot take;
  ///   `ComputeError` for lack of memory.
  mutating func prepare(for shape: [Int]) throws

  /// The loss of a batch and its gradient.
  ///
  /// - Parameters:
  ///   - result: the network's output, float32 N x channels x height x width.
  ///   - target: the expected output, of the same shape.
  mutating func evaluate(_ result: Tensor, _ target: Tensor) throws -> LossValue
}

/// A loss and its gradient.
public struct LossValue: Sendable {
  /// The loss: the mean over all elements, unless the loss says otherwise.
  public var value: Double
  /// The derivative of `value` with respect to every element of the result.
  public var gradient: Tensor

  /// A loss with its gradient.
  public init(_ value: Double, gradient: Tensor) {
    (self.value, self.gradient) = (value, gradient)
  }
}

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
  ///   - image: the image description of results and targets.
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

/// From one network's values of images to another's: a factor and an offset for each channel, one
/// channel repeated where three are wanted.
///
/// A network's value is (black + brightness · (white - black) - mean) / deviation; here the
/// brightness is found and put into the other network's terms.
struct ImageSpace: Sendable {
  /// Of which channel of the source each channel of the destination is made.
  let sources: [Int]
  let factors: [Double]
  let offsets: [Double]
  /// Channels of the source.
  let channels: Int

  /// - Throws: `TrainingError.training` for colours that cannot be made of the source's.
  init(
    _ name: String, from source: ImageSpec, to destination: ImageSpec
  ) throws(TrainingError) {
    guard source.output == .picture else {
      throw .training(
        name, expected: "a network that gives images", found: "one that gives \(source.output)")
    }
    let count = destination.colour.channels
    guard source.colour == destination.colour || source.colour.channels == 1 else {
      throw .training(
        name, expected: "images in \(destination.colour.rawValue), gray or luma",
        found: source.colour.rawValue)
    }
    channels = source.colour.channels
    sources = (0..<count).map { min($0, source.colour.channels - 1) }
    var (factors, offsets): ([Double], [Double]) = ([], [])
    for (channel, origin) in sources.enumerated() {
      let (inner, shift) = source.affine(origin)
      let (outer, black) = destination.affine(channel)
      // value = brightness · factor + shift, in both.
      factors.append(outer / inner)
      offsets.append(black - shift * outer / inner)
    }
    (self.factors, self.offsets) = (factors, offsets)
  }

  /// The images as the other network takes them.
  func apply(_ images: Tensor) throws -> Tensor {
    let shape = images.shape
    let plane = shape[2] * shape[3]
    var result = try Tensor(zeros: [shape[0], sources.count, shape[2], shape[3]])
    unsafe images.withFloats { x in
      unsafe result.withMutableFloats { y in
        for n in 0..<shape[0] {
          for (channel, source) in sources.enumerated() {
            let (factor, offset) = (Float(factors[channel]), Float(offsets[channel]))
            let from = (n * shape[1] + source) * plane
            let to = (n * sources.count + channel) * plane
            for i in 0..<plane { unsafe y[to + i] = x[from + i] * factor + offset }
          }
        }
      }
    }
    return result
  }

  /// The gradient by the images of a gradient by what `apply` made of them.
  ///
  /// - Parameter shape: that of the images.
  func applyBackward(_ gradient: Tensor, shape: [Int]) throws -> Tensor {
    let plane = shape[2] * shape[3]
    var result = try Tensor(zeros: shape)
    unsafe gradient.withFloats { y in
      unsafe result.withMutableFloats { x in
        for n in 0..<shape[0] {
          for (channel, source) in sources.enumerated() {
            let factor = Float(factors[channel])
            let to = (n * shape[1] + source) * plane
            let from = (n * sources.count + channel) * plane
            for i in 0..<plane { unsafe x[to + i] += y[from + i] * factor }
          }
        }
      }
    }
    return result
  }
}

extension ImageSpec {
  /// A channel's values are brightness · factor + offset, for a brightness of 0 (black) to 1
  /// (white).
  func affine(_ channel: Int) -> (factor: Double, offset: Double) {
    let deviation = channel < deviation.count ? deviation[channel] : 1
    let mean = channel < mean.count ? mean[channel] : 0
    return (
      (range.upperBound - range.lowerBound) / deviation, (range.lowerBound - mean) / deviation
    )
  }
}
