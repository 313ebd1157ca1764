import AviaryGraph
import CKernels

extension Reduction: KernelOperation {
  func candidates(_ fusedOp: FusedOp, _ ir: IRGraph) -> [KernelCandidate] {
    KernelCandidate.rowMajor
  }

  func lower(_ fusedOp: FusedOp, _ lowering: inout Lowering) throws(ComputeError) {
    let pass = ReducedDimensions(lowering.value(fusedOp.inputs[0]).shape, dimensions)
    let count = Double(pass.count)
    let kind = kind
    let how = kind.forC
    let isAroundMean = kind == .variance || kind == .unbiasedVariance
    lowering.kernel(fusedOp, name, [.value(fusedOp.inputs[0]), .value(fusedOp.output)]) {
      memory, workers in
      unsafe pass.run(
        how, memory[0], to: memory[1], aroundMean: isAroundMean, workers
      ) { result in
        switch kind {
        case .mean, .variance: result / count
        case .unbiasedVariance: result / (count - 1)
        case .l2: result.squareRoot()
        case .sum, .maximum, .minimum, .product, .l1, .sumOfSquares: result
        }
      }
    }
  }

  func differentiate(_ fusedOp: FusedOp, _ gradient: Int, _ pass: inout Autodiff) {
    let input = fusedOp.inputs[0]
    switch kind {
    case .sum, .mean:
      let count = Set(dimensions).reduce(1) { $0 * pass.shape(input)[$1] }
      let factor = kind == .sum ? 1 : 1 / Double(count)
      pass.pass(
        fusedOp, .gradient(.by(ReductionGradient(dimensions: dimensions, factor: factor))),
        [gradient])
    case .maximum, .minimum, .product, .variance, .unbiasedVariance, .l1, .l2, .sumOfSquares:
      pass.pass(
        fusedOp, .gradient(.by(NonlinearReductionGradient(reduction: self))),
        [gradient, input, fusedOp.output])
    }
  }
}

extension Reduction.Kind {
  fileprivate var forC: aviary_reduction {
    switch self {
    case .mean, .sum: AVIARY_REDUCE_SUM
    case .maximum: AVIARY_REDUCE_MAXIMUM
    case .minimum: AVIARY_REDUCE_MINIMUM
    case .product: AVIARY_REDUCE_PRODUCT
    case .l1: AVIARY_REDUCE_ABSOLUTE
    case .variance, .unbiasedVariance, .l2, .sumOfSquares: AVIARY_REDUCE_SQUARES
    }
  }
}

/// By what a sum or a mean over these dimensions was taken of. Takes the result's gradient.
struct ReductionGradient: GradientKernel {
  var dimensions: [Int]
  var factor: Double

  var name: String { "reduce (gradient)" }
  func candidates(_ fusedOp: FusedOp, _ ir: IRGraph) -> [KernelCandidate] {
    ir.values[fusedOp.inputs[0]].shape.count == ir.values[fusedOp.output].shape.count
      ? KernelCandidate.anyLayout : KernelCandidate.rowMajor
  }
  func lower(_ fusedOp: FusedOp, _ lowering: inout Lowering) throws(ComputeError) {
    lowering.spreadGradient(fusedOp, dimensions, factor: factor)
  }
}

/// By what a reduction was taken of whose gradient depends on it. Takes the result's gradient, what
/// it was taken of, and the result.
struct NonlinearReductionGradient: GradientKernel {
  var reduction: Reduction

  var name: String { "reduce (gradient of \(reduction.kind.rawValue))" }
  func candidates(_ fusedOp: FusedOp, _ ir: IRGraph) -> [KernelCandidate] {
    KernelCandidate.rowMajor
  }

  func lower(_ fusedOp: FusedOp, _ lowering: inout Lowering) throws(ComputeError) {
    let pass = ReducedDimensions(lowering.value(fusedOp.output).shape, reduction.dimensions)
    let kind = reduction.kind
    lowering.kernel(
      fusedOp, name, fusedOp.inputs.map { .value($0) } + [.value(fusedOp.output)]
    ) { memory, workers in
      unsafe pass.runBackward(memory[0], memory[1], memory[2], to: memory[3], workers) {
        kind.derivatives($0, $1, $2)
      }
    }
  }
}

extension Reduction.Kind {
  /// The gradient by a number, for the gradient by the result, as PyTorch has it.
  fileprivate func derivatives(
    _ gradient: Double, _ result: Float, _ numbers: ReducedDimensions.Numbers
  ) -> (Float) -> Double {
    let count = Double(numbers.count)
    switch self {
    case .sum: return { _ in gradient }
    case .mean: return { _ in gradient / count }
    case .maximum, .minimum:
      // In equal parts where several equal the result. Where none does, it is not a number, and so
      // is the gradient.
      var equal = 0.0
      numbers.forEach { if $0 == result { equal += 1 } }
      let part = gradient / equal
      return { $0 == result ? part : equal == 0 ? .nan : 0 }
    case .product:
      // The product of all others: of a single zero that of all that are none.
      var (product, zeros) = (1.0, 0)
      numbers.forEach { if $0 == 0 { zeros += 1 } else { product *= Double($0) } }
      return { x in
        switch zeros {
        case 0: gradient * product / Double(x)
        case 1: x == 0 ? gradient * product : 0
        default: 0
        }
      }
    case .variance, .unbiasedVariance:
      var sum = 0.0
      numbers.forEach { sum += Double($0) }
      let factor = 2 * gradient / (self == .variance ? count : count - 1)
      return { (Double($0) - sum / count) * factor }
    case .l1: return { $0 > 0 ? gradient : $0 < 0 ? -gradient : 0 }
    case .l2:
      var squares = 0.0
      numbers.forEach { squares += Double($0) * Double($0) }
      let factor = squares == 0 ? 0 : gradient / squares.squareRoot()
      return { Double($0) * factor }
    case .sumOfSquares: return { 2 * Double($0) * gradient }
    }
  }
}

extension Lowering {
  /// What a sum or a mean gives back to the elements that it is of.
  fileprivate mutating func spreadGradient(_ fusedOp: FusedOp, _ dimensions: [Int], factor: Double)
  {
    var source = value(fusedOp.inputs[0])
    let shape = value(fusedOp.output).shape
    // With the dimensions that went kept as 1, which changes nothing in memory.
    source.shape = shape.indices.map { dimensions.contains($0) ? 1 : shape[$0] }
    let spreadGradient = SpreadGradient(source, over: shape, factor: factor)
    kernel(fusedOp, fusedOp.kind.name, [.value(fusedOp.inputs[0]), .value(fusedOp.output)]) {
      memory, workers in unsafe spreadGradient.run(memory[0], to: memory[1], workers)
    }
  }
}
