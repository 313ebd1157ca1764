import AviaryGraph

extension IRGraph {
  /// The kernel candidates by which a fused op can be done, the best for itself first.
  ///
  /// Costs are from measurements on a Zen 5 core with AVX-512 (48 to 256 pixels a side, 16 to 256 channels):
  /// direct convolutions calculate 128 multiply-adds a nanosecond whatever their shape, if the
  /// output channels fill registers of 16.
  ///
  /// - Parameter options: whether Winograd convolutions are out of the question, and in which data type
  ///   convolutions may calculate.
  func candidates(of fusedOp: FusedOp, _ options: PlanOptions) -> [KernelCandidate] {
    let exact = options.exact
    let input = values[fusedOp.inputs[0]]
    let output = values[fusedOp.output]
    var candidates: [KernelCandidate] = []
    switch fusedOp.kind {
    case .convolution(let c, _):
      candidates = convolutionCandidates(c, input.shape, output.shape, exact: exact)
    case .transposedConvolution(let c):
      candidates = transposedCandidates(c, input.shape, output.shape)
    case .reorder: break
    case .gradient(let gradient): candidates = gradientCandidates(of: fusedOp, gradient, exact: exact)
    case .scaleShift: candidates = KernelCandidate.anyLayout
    case .other(let op):
      guard let operation = op.kernelOperation else {
        preconditionFailure("\(op.name) has another format in a ir")
      }
      candidates = operation.candidates(fusedOp, self)
    }
    if fusedOp.epilogue.slopes != nil {
      // A pass of its own, where the convolution has no place for it.
      for i in candidates.indices where candidates[i].algorithm == .direct {
        candidates[i].cost += Double(output.count) * KernelCandidate.nanosecondsPerMove / 2
      }
      candidates = candidates.stablySorted { $0.cost }
    }
    candidates = inDataTypes(candidates, of: fusedOp, options.precision)
    if fusedOp.kind.isConvolution, !fusedOp.epilogue.isEmpty, fusedOp.quantization == nil {
      // Read and written once more for what is not fused.
      let passes = Double(3 * output.count) * KernelCandidate.nanosecondsPerMove
      candidates += candidates.filter { $0.algorithm == .direct }.map { $0.separate(adding: passes) }
    }
    return candidates.filter { candidate in
      (!exact || candidate.algorithm.isExact)
        && fusedOp.inputs.enumerated().allSatisfy {
          candidate.format(ofInput: $0).memoryFormat.fits(values[$1].shape)
        } && candidate.output.fits(output.shape)
    }
  }
}

extension KernelCandidate {
  /// The same with what is fused behind it done by itself, which may pay where a convolution adds to
  /// what lies in its destination piece by piece.
  fileprivate func separate(adding cost: Double) -> KernelCandidate {
    var candidate = self
    candidate.isSeparate = true
    candidate.cost += cost
    return candidate
  }

  /// What it costs to copy one element from one memory format to another.
  static let nanosecondsPerMove = 0.3
}

extension Sequence {
  /// Sorted, elements of equal cost in the order they had.
  func stablySorted(_ cost: (Element) -> Double) -> [Element] {
    enumerated().sorted { (cost($0.element), $0.offset) < (cost($1.element), $1.offset) }
      .map(\.element)
  }
}

extension Int {
  /// The next multiple of a number.
  func roundedUp(to multiple: Int) -> Int { (self + multiple - 1) / multiple * multiple }
}
