import AviaryGraph

/// One elementwise operation, or several that are done at once, in one pass over memory.
struct PointwiseChain: Hashable {
  /// Its operands are the fused op's inputs, then the constants.
  var program: PointwiseProgram
  var constants: [PointwiseConstant] = []
}

/// Numbers of a program that the weights or the graph have, one for each channel.
enum PointwiseConstant: Hashable {
  /// The factors of several stages together, or their summands.
  case scale([ScaleShiftStage])
  case shift([ScaleShiftStage])
  /// The slopes of a PReLU, of which there may be one for all: the parameter's name.
  case slopes(String)

  /// The names of the parameters.
  var parameters: [String] {
    switch self {
    case .scale(let stages), .shift(let stages): stages.flatMap(\.parameters)
    case .slopes(let name): [name]
    }
  }
}

extension IRGraph {
  /// What a fused op computes element by element; nil for one that does anything else.
  func pointwiseChain(_ fusedOp: FusedOp) -> PointwiseChain? {
    switch fusedOp.kind {
    case .pointwise(let chain): return chain
    case .scaleShift: return chain(fusedOp.scaleShift)
    case .gradient(.other(let any)):
      return (any.kernel as? PointwiseGradient).map { PointwiseChain(program: $0.program) }
    case .other(.activation(let activation)):
      return PointwiseChain(program: PointwiseProgram(operands: 1) { activation.formula($0[0]) })
    case .other(.prelu):
      return PointwiseChain(
        program: PointwiseProgram(operands: 2) { $0[0].leaky($0[1]) },
        constants: [.slopes(fusedOp.parameters[0])])
    case .other(.binary(let binary)):
      return PointwiseChain(program: PointwiseProgram(operands: 2) { binary.formula($0[0], $0[1]) })
    case .other(.where):
      return PointwiseChain(program: PointwiseProgram(operands: 3) { $0[0].choosing($0[1], $0[2]) })
    case .convolution, .transposedConvolution, .tokens, .reorder, .gradient, .other: return nil
    }
  }

  /// A scale and a shift per channel, as few steps as do it.
  private func chain(_ stages: [ScaleShiftStage]) -> PointwiseChain {
    // Of single numbers no memory is read.
    var (scale, shift) = (1.0, 0.0)
    var (hasOne, scales, shifts) = (true, false, false)
    for stage in stages {
      switch stage {
      case .scale(let factors):
        scales = true
        if factors.count == 1 { (scale, shift) = (scale * factors[0], shift * factors[0]) }
        hasOne = hasOne && factors.count == 1
      case .offset(let summands):
        shifts = true
        if summands.count == 1 { shift += summands[0] }
        hasOne = hasOne && summands.count == 1
      case .normalization: (hasOne, scales, shifts) = (false, true, true)
      case .learnedScale: (hasOne, scales) = (false, true)
      }
    }
    if hasOne {
      return PointwiseChain(
        program: PointwiseProgram(operands: 1) { shifts ? $0[0] * scale + shift : $0[0] * scale })
    }
    let constants: [PointwiseConstant] =
      (scales ? [.scale(stages)] : []) + (shifts ? [.shift(stages)] : [])
    let program = PointwiseProgram(operands: 1 + constants.count) { operands in
      var result = operands[0]
      if scales { result = result * operands[1] }
      return shifts ? result + operands[constants.count] : result
    }
    return PointwiseChain(program: program, constants: constants)
  }
}

/// The gradient of an elementwise operation by one of its operands, element by element.
struct PointwiseGradient: GradientKernel {
  private let operation: String
  let program: PointwiseProgram

  /// - Parameter name: the operation's.
  init(name: String, _ program: PointwiseProgram) { (operation, self.program) = (name, program) }

  var name: String { "\(operation) (gradient)" }
  var mayOverwrite: Bool { true }
  func candidates(_ fusedOp: FusedOp, _ ir: IRGraph) -> [KernelCandidate] {
    KernelCandidate.anyLayout
  }
  func lower(_ fusedOp: FusedOp, _ lowering: inout Lowering) throws(ComputeError) {
    try lowering.pointwise(fusedOp)
  }
}
