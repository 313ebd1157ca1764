public import AviaryGraph
public import AviaryTensor

/// One optimizer step on the elements of one parameter.
///
/// The constants are those of `torch.optim._single_tensor_adam` and `_single_tensor_sgd`, computed
/// in double precision; the elements are float32. Elements are independent and the loops process
/// sixteen at a time, which the compiler maps to whatever vectors the processor has.
struct OptimizerStep {
  private typealias Vector = SIMD16<Float>
  typealias Elements = UnsafeMutableBufferPointer<Float>

  /// The weight's share that is added to the gradient: weight decay in Adam and SGD.
  private var coupled: Float = 0
  /// The factor applied to the weight first: decoupled weight decay in AdamW.
  private var kept: Float = 1
  /// The decay of the first moment, and the weight of the new gradient in it.
  private var (first, firstShare): (Float, Float)
  /// The decay of the second moment, and the weight of the squared gradient in it.
  private var (second, secondShare): (Float, Float)
  /// The reciprocal of the square root of the second moment's bias correction.
  private var correction: Float = 1
  private var epsilon: Float
  /// The factor of the direction: the learning rate; in Adam, over the first moment's bias
  /// correction.
  private var size: Float

  /// - Parameter step: the number of this step, from 1.
  init(_ recipe: OptimizerRecipe, step: Int, rate: Double) {
    (first, firstShare) = (Float(recipe.beta1), Float(1 - recipe.beta1))
    (second, secondShare) = (Float(recipe.beta2), Float(1 - recipe.beta2))
    epsilon = Float(recipe.epsilon)
    size = Float(rate)
    if recipe.kind == .adamw {
      kept = Float(1 - rate * recipe.weightDecay)
    } else {
      coupled = Float(recipe.weightDecay)
    }
    guard recipe.kind != .sgd else { return }
    size = Float(rate / (1 - PortableMath.power(recipe.beta1, step)))
    correction = Float(1 / (1 - PortableMath.power(recipe.beta2, step)).squareRoot())
  }

  /// SGD without momentum.
  func take(_ weight: Elements, _ gradient: UnsafeBufferPointer<Float>) {
    let (coupled, size) = (coupled, size)
    for i in weight.indices {
      unsafe weight[i] -= size * (gradient[i] + coupled * weight[i])
    }
  }

  /// SGD with momentum.
  func take(_ weight: Elements, _ gradient: UnsafeBufferPointer<Float>, _ moment: Elements) {
    let (coupled, size, first) = (coupled, size, first)
    for i in weight.indices {
      unsafe moment[i] = first * moment[i] + (gradient[i] + coupled * weight[i])
      unsafe weight[i] -= size * moment[i]
    }
  }

  /// Adam and AdamW.
  func take(
    _ weight: Elements, _ gradient: UnsafeBufferPointer<Float>, _ moment: Elements,
    _ square: Elements
  ) {
    let width = Vector.scalarCount
    let whole = weight.count / width * width
    let weights = UnsafeMutableRawBufferPointer(weight)
    let gradients = UnsafeRawBufferPointer(gradient)
    let moments = UnsafeMutableRawBufferPointer(moment)
    let squares = UnsafeMutableRawBufferPointer(square)
    for i in stride(from: 0, to: whole, by: width) {
      let place = i * MemoryLayout<Float>.stride
      var w = unsafe weights.loadUnaligned(fromByteOffset: place, as: Vector.self)
      var m = unsafe moments.loadUnaligned(fromByteOffset: place, as: Vector.self)
      var v = unsafe squares.loadUnaligned(fromByteOffset: place, as: Vector.self)
      let g = unsafe gradients.loadUnaligned(fromByteOffset: place, as: Vector.self)
      adam(&w, g, &m, &v)
      unsafe weights.storeBytes(of: w, toByteOffset: place, as: Vector.self)
      unsafe moments.storeBytes(of: m, toByteOffset: place, as: Vector.self)
      unsafe squares.storeBytes(of: v, toByteOffset: place, as: Vector.self)
    }
    // The remainder goes into a vector too, so that all elements are computed alike.
    guard whole < weight.count else { return }
    var (w, g, m, v) = (Vector.zero, Vector.zero, Vector.zero, Vector.zero)
    for i in whole..<weight.count {
      let lane = i - whole
      unsafe (w[lane], g[lane], m[lane], v[lane]) = (weight[i], gradient[i], moment[i], square[i])
    }
    adam(&w, g, &m, &v)
    for i in whole..<weight.count {
      let lane = i - whole
      unsafe (weight[i], moment[i], square[i]) = (w[lane], m[lane], v[lane])
    }
  }

  @inline(__always)
  private func adam(_ w: inout Vector, _ gradient: Vector, _ m: inout Vector, _ v: inout Vector) {
    let g = gradient + coupled * w
    w *= kept
    // PyTorch's `lerp`: exact where the moment is the gradient.
    m += firstShare * (g - m)
    v = second * v + secondShare * (g * g)
    w -= size * m / (v.squareRoot() * correction + epsilon)
  }
}

/// Real functions built only from sums, products and quotients.
///
/// Those of the C library differ in the last bit between versions and processors, and then so does
/// every weight of a training. IEEE 754 defines sums, products, quotients and square roots to the
/// last bit, and Swift does not fuse them, so these functions give the same result everywhere.
/// Their errors are a few units in the last place.
enum PortableMath {
  private static let ln2 = 0x1.62e4_2fef_a39efp-1

  /// The natural logarithm of a positive number.
  static func log(_ x: Double) -> Double {
    var (exponent, m) = (Double(x.exponent), x.significand)
    if m > 0x1.6a09_e667_f3bcdp0 {
      m /= 2
      exponent += 1
    }
    // ln m = 2 artanh s, with s² below 0.03: twelve terms reach the last bit.
    let s = (m - 1) / (m + 1)
    let square = s * s
    var sum = 0.0
    for n in stride(from: 23.0, through: 1, by: -2) { sum = sum * square + 1 / n }
    return 2 * s * sum + exponent * ln2
  }

  /// The cosine and sine of a fraction of a full turn.
  static func cosineAndSine(ofTurns x: Double) -> (cosine: Double, sine: Double) {
    // Reduce to within an eighth of a turn of the nearest quarter, which is exact.
    let quarters = (4 * x).rounded(.toNearestOrEven)
    let angle = (x - quarters / 4) * (2 * .pi)
    let square = angle * angle
    var (cosine, sine) = (1.0, 1.0)
    for n in stride(from: 18.0, through: 2, by: -2) {
      cosine = 1 - cosine * square / (n * (n - 1))
      sine = 1 - sine * square / (n * (n + 1))
    }
    sine *= angle
    switch Int(quarters) & 3 {
    case 0: return (cosine, sine)
    case 1: return (-sine, cosine)
    case 2: return (-cosine, -sine)
    default: return (sine, -cosine)
    }
  }

  /// A number to an integer power, by squaring.
  static func power(_ x: Double, _ exponent: Int) -> Double {
    var (result, base, left) = (1.0, x, exponent)
    while left > 0 {
      if left & 1 == 1 { result *= base }
      base *= base
      left >>= 1
    }
    return result
  }
}

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
