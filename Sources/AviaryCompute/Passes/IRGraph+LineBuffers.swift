import AviaryGraph

extension IRGraph {
  /// Lets convolutions vectorised over pixels that follow one another be done line by line at once,
  /// where nobody else takes what lies between them; and the pixel shuffle and the addition behind
  /// the last.
  mutating func fuseLineBuffers() {
    let uses = useCounts
    // Where the fused op that gives a value stands among those that are left.
    var producer: [Int: Int] = [:]
    var result: [FusedOp?] = []
    for fusedOp in fusedOps {
      var joined = fusedOp
      for input in fusedOp.inputs where uses[input] == 1 {
        guard let position = producer[input], let before = result[position],
          before.candidate.algorithm == .spatial, before.epilogue.residual == nil,
          let both = join(before, fusedOp)
        else { continue }
        joined = both
        result[position] = nil
        break
      }
      producer[joined.output] = result.count
      result.append(joined)
    }
    fusedOps = result.compactMap { $0 }
  }

  /// A convolution vectorised over pixels and what takes its result as one fused op, if that can
  /// be.
  private func join(_ before: FusedOp, _ fusedOp: FusedOp) -> FusedOp? {
    switch fusedOp.kind {
    case .convolution, .transposedConvolution:
      // Squares are woven into the result, not into a line.
      guard fusedOp.candidate.algorithm == .spatial, before.shuffle == 1,
        case .convolution = before.kind,
        before.before.count + 2 <= SpatialConvolutions.most
      else { return nil }
      var both = fusedOp
      both.before = before.before + [before]
      both.before[both.before.count - 1].before = []
      both.inputs = before.inputs
      both.candidate.input = before.candidate.input
      return both
    case .other(.pixelShuffle(let shuffle)) where shuffle.order == .pytorch:
      guard before.shuffle == 1, case .convolution = before.kind, fusedOp.candidate.output == .nchw
      else { return nil }
      var both = before
      both.shuffle = shuffle.factor
      both.output = fusedOp.output
      return both
    case .other(.binary(.add)):
      // What comes from outside may not be written over; nothing is repeated.
      let others = fusedOp.inputs.filter { $0 != before.output }
      guard before.epilogue.slopes == nil, fusedOp.candidate.output == .nchw, others.count == 1,
        values[others[0]].shape == values[fusedOp.output].shape,
        values[before.output].shape == values[fusedOp.output].shape, !inputs.contains(others[0])
      else { return nil }
      var both = before
      both.epilogue.residual = others[0]
      both.output = fusedOp.output
      return both
    case .scaleShift, .pointwise, .tokens, .reorder, .gradient, .other: return nil
    }
  }
}
