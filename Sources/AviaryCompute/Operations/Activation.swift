import AviaryGraph
import CDNNL

// What each function is: its formula, its gradient, and, where there is such a thing, how oneDNN
// and the convolutions' epilogues know it.

extension Activation {
  /// The function itself.
  func formula(_ x: PointwiseValue) -> PointwiseValue {
    switch self {
    case .relu: return x.clamped(0, .infinity)
    case .leakyRelu(let slope): return x.leaky(slope)
    case .elu(let alpha): return x.isAbove(0).choosing(x, x.exponentialLessOne * alpha)
    case .celu(let alpha):
      return x.isAbove(0).choosing(x, (x * (1 / alpha)).exponentialLessOne * alpha)
    case .selu:
      let (alpha, scale) = Activation.seluConstants
      return x.isAbove(0).choosing(x * scale, x.exponentialLessOne * (alpha * scale))
    case .gelu(approximate: false): return x * x.normalDistribution
    case .gelu(approximate: true): return x * 0.5 * (x.bent.hyperbolicTangent + 1)
    case .silu: return x * x.sigmoid
    case .mish: return x * x.softplus.hyperbolicTangent
    case .sigmoid: return x.sigmoid
    case .hardSigmoid: return (x * (1.0 / 6) + 0.5).clamped(0, 1)
    case .hardSwish: return x * (x * (1.0 / 6) + 0.5).clamped(0, 1)
    case .tanh: return x.hyperbolicTangent
    case .softplus(let beta, let threshold):
      let scaled = x * beta
      let curved = scaled.softplus * (1 / beta)
      return scaled.isAbove(threshold).choosing(x, curved)
    case .softsign: return x / (x.magnitude + 1)
    case .clamp(let minimum, let maximum): return x.clamped(minimum, maximum)
    case .exp: return x.exponential
    case .log: return x.logarithm
    case .sqrt: return x.squareRoot
    case .rsqrt: return 1 / x.squareRoot
    case .reciprocal: return 1 / x
    case .abs: return x.magnitude
    case .erf: return x.errorFunction
    case .floor: return x.floor
    case .sign: return x.sign
    }
  }

  /// Of what an activation's gradient is calculated, beside its result's.
  enum GradientSource {
    case input, output
  }

  /// The result, where it tells enough: then what the activation took need not be kept, and the
  /// activation may be fused into the convolution before it.
  var gradientSource: GradientSource {
    switch self {
    case .relu, .sigmoid, .tanh, .clamp, .exp, .sqrt, .rsqrt, .reciprocal: .output
    // The sign of the result is that of the input.
    case .leakyRelu(let slope): slope > 0 ? .output : .input
    case .elu(let alpha): alpha > 0 ? .output : .input
    case .celu, .selu, .gelu, .silu, .mish, .hardSigmoid, .hardSwish, .softplus, .softsign, .log,
      .abs, .erf, .floor, .sign:
      .input
    }
  }

  /// The gradient by what the function takes.
  ///
  /// - Parameters:
  ///   - g: the gradient by the result.
  ///   - v: what the function takes or gives, as `gradientSource` says.
  func gradient(_ g: PointwiseValue, _ v: PointwiseValue) -> PointwiseValue {
    switch self {
    case .relu: return v.isAbove(0).choosing(g, g.constant(0))
    case .leakyRelu(let slope): return v.isAbove(0).choosing(g, g * slope)
    case .elu(let alpha):
      let slope = gradientSource == .output ? v + alpha : v.exponential * alpha
      return v.isAbove(0).choosing(g, g * slope)
    case .celu(let alpha): return v.isAbove(0).choosing(g, g * (v * (1 / alpha)).exponential)
    case .selu:
      let (alpha, scale) = Activation.seluConstants
      return v.isAbove(0).choosing(g * scale, g * (v.exponential * (alpha * scale)))
    case .gelu(approximate: false): return g * (v.normalDistribution + v * v.normalDensity)
    case .gelu(approximate: true):
      // With t = tanh(u): (1 + t) / 2 + x / 2 · (1 - t²) · u'.
      let t = v.bent.hyperbolicTangent
      let slope = v * v * (3 * 0.044_715 * Self.rootOfTwoOverPi) + Self.rootOfTwoOverPi
      return g * ((t + 1) * 0.5 + v * 0.5 * ((t * t) * -1 + 1) * slope)
    case .silu:
      let s = v.sigmoid
      return g * (s + v * s * (s * -1 + 1))
    case .mish:
      let t = v.softplus.hyperbolicTangent
      return g * (t + v * ((t * t) * -1 + 1) * v.sigmoid)
    case .sigmoid: return g * v * (v * -1 + 1)
    case .hardSigmoid:
      return v.isAbove(-3).choosing(v.isBelow(3).choosing(g * (1.0 / 6), zero(g)), zero(g))
    case .hardSwish:
      let inside = g * (v * (1.0 / 3) + 0.5)
      return v.isAbove(-3).choosing(v.isBelow(3).choosing(inside, g), zero(g))
    case .tanh: return g * ((v * v) * -1 + 1)
    case .softplus(let beta, let threshold):
      return (v * beta).isAbove(threshold).choosing(g, g * (v * beta).sigmoid)
    case .softsign:
      let reciprocal = 1 / (v.magnitude + 1)
      return g * reciprocal * reciprocal
    // Nothing at either bound.
    case .clamp(let minimum, let maximum):
      return v.isAbove(minimum).choosing(v.isBelow(maximum).choosing(g, zero(g)), zero(g))
    case .exp: return g * v
    case .log: return g / v
    case .sqrt: return g * 0.5 / v
    case .rsqrt: return g * -0.5 * (v * v * v)
    case .reciprocal: return g * -1 * (v * v)
    case .abs: return g * v.sign
    case .erf: return g * ((v * v * -1).exponential * (2 / Double.pi.squareRoot()))
    case .floor, .sign: return zero(g)
    }
    func zero(_ g: PointwiseValue) -> PointwiseValue { g.constant(0) }
  }

  fileprivate static let rootOfTwoOverPi = (2 / Double.pi).squareRoot()

  /// The function as oneDNN has it; nil where it does not.
  func oneDNN(scale: Float = 1) -> Elementwise? {
    switch self {
    case .relu: Elementwise(algorithm: dnnl_eltwise_relu)
    case .leakyRelu(let slope): Elementwise(algorithm: dnnl_eltwise_relu, alpha: Float(slope))
    case .elu(let alpha): Elementwise(algorithm: dnnl_eltwise_elu, alpha: Float(alpha))
    case .gelu(approximate: false): Elementwise(algorithm: dnnl_eltwise_gelu_erf)
    case .gelu(approximate: true): Elementwise(algorithm: dnnl_eltwise_gelu_tanh)
    case .silu: Elementwise(algorithm: dnnl_eltwise_swish, alpha: 1)
    case .sigmoid: Elementwise(algorithm: dnnl_eltwise_logistic)
    case .tanh: Elementwise(algorithm: dnnl_eltwise_tanh)
    case .clamp(let minimum, let maximum):
      Elementwise(
        algorithm: dnnl_eltwise_clip, alpha: Float(minimum) / scale, beta: Float(maximum) / scale)
    default: nil
    }
  }

  /// The function as one that convolutions apply while they write; nil for one that costs too much.
  /// Those with an exponential are faster as a pass of their own: they take 2 to 5 ms more to plan
  /// in every convolution that has them, and save less than 1 ms at 256x256.
  var cheap: CheapActivation? {
    switch self {
    case .relu: CheapActivation(slope: 0)
    case .leakyRelu(let slope): CheapActivation(slope: Float(slope))
    case .clamp(let minimum, let maximum):
      CheapActivation(minimum: Float(minimum), maximum: Float(maximum))
    default: nil
    }
  }
}

extension PointwiseValue {
  /// Φ(x) = (1 + erf(x / √2)) / 2
  fileprivate var normalDistribution: Self { (self * 0.5.squareRoot()).errorFunction * 0.5 + 0.5 }
  /// φ(x) = exp(-x² / 2) / √(2π)
  fileprivate var normalDensity: Self {
    (self * self * -0.5).exponential * (1 / (2 * Double.pi).squareRoot())
  }
  /// √(2/π) · (x + 0.044715 x³)
  fileprivate var bent: Self {
    self * ((self * self) * (0.044_715 * Activation.rootOfTwoOverPi) + Activation.rootOfTwoOverPi)
  }
}

// MARK: - The operation

extension Activation: KernelOperation {
  func candidates(_ fusedOp: FusedOp, _ ir: IRGraph) -> [KernelCandidate] {
    KernelCandidate.anyLayout
  }

  func lower(_ fusedOp: FusedOp, _ lowering: inout Lowering) throws(ComputeError) {
    guard let function = oneDNN(scale: fusedOp.candidate.outputDataType.scale) else {
      return try lowering.pointwise(fusedOp)
    }
    try lowering.elementwise(
      fusedOp, name, function, .value(fusedOp.inputs[0]), to: .value(fusedOp.output),
      lowering.ir.descriptor(fusedOp.output))
  }

  func differentiate(_ fusedOp: FusedOp, _ gradient: Int, _ pass: inout Autodiff) {
    let source = gradientSource == .output ? fusedOp.output : fusedOp.inputs[0]
    let kernel = PointwiseGradient(
      name: name, PointwiseProgram(operands: 2) { self.gradient($0[0], $0[1]) })
    pass.pass(fusedOp, .gradient(.by(kernel)), [gradient, source])
  }

  func takesBfloat16(_ fusedOp: FusedOp, _ ir: IRGraph) -> Bool { oneDNN() != nil }
  func overwritable(_ fusedOp: FusedOp, _ ir: IRGraph) -> [Int] { [fusedOp.inputs[0]] }
}

extension Lowering {
  /// Adds a cheap function of single values that writes over its input.
  mutating func elementwise(
    _ fusedOp: FusedOp, _ activation: Activation, _ place: Operand, _ memory: MemoryDescriptor
  ) throws(ComputeError) {
    let function = Elementwise(
      fused: activation, scale: fusedOp.candidate.outputDataType.scale)
    try elementwise(fusedOp, activation.name, function, place, to: place, memory)
  }

  fileprivate mutating func elementwise(
    _ fusedOp: FusedOp, _ name: String, _ function: Elementwise, _ source: Operand,
    to destination: Operand, _ memory: MemoryDescriptor
  ) throws(ComputeError) {
    // Source and destination have one descriptor: oneDNN works in place where they coincide.
    let descriptor = try PrimitiveDescriptor.elementwise(function, memory, engine.handle)
    primitive(
      fusedOp, name, descriptor, [(.source, source), (.destination, destination)])
  }
}
