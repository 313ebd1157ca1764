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
