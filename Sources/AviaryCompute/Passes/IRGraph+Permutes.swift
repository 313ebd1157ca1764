import AviaryGraph

extension IRGraph {
  /// Lets operations read values through the permutes before them, which are then no copies of their
  /// own: products of matrices any order of dimensions, elementwise passes what leaves lines whole.
  ///
  /// It comes behind the fusion of elementwise operations, so that a pass reads through all permutes
  /// before it.
  mutating func foldPermutes() {
    var permutes: [Int: (of: Int, order: [Int])] = [:]
    var takers = [Int](repeating: 0, count: values.count)
    for fusedOp in fusedOps {
      for value in Set(operands(of: fusedOp).map(\.value)) { takers[value] += 1 }
    }
    for output in outputs + statistics { takers[output.value] += 1 }
    for position in fusedOps.indices {
      if case .other(.permute(let permute)) = fusedOps[position].kind {
        permutes[fusedOps[position].output] = (fusedOps[position].inputs[0], permute.order)
        continue
      }
      for value in Set(fusedOps[position].inputs) {
        var (source, order) = (value, Array(values[value].shape.indices))
        while let permute = permutes[source], takers[source] == 1 || permute.order.isTransposition {
          (source, order) = (permute.of, order.map { permute.order[$0] })
        }
        guard source != value, let folded = reading(fusedOps[position], value, source, order) else {
          continue
        }
        fusedOps[position] = folded
        takers[value] -= 1
        takers[source] += 1
      }
    }
    // From the end, as a permute may be the only one that takes another's result.
    for position in fusedOps.indices.reversed() {
      guard case .other(.permute) = fusedOps[position].kind, takers[fusedOps[position].output] == 0
      else { continue }
      takers[fusedOps[position].inputs[0]] -= 1
      fusedOps.remove(at: position)
    }
  }

  /// A fused op that reads another value in the place of one of its inputs, in another order of
  /// dimensions; nil where that does not pay.
  private func reading(
    _ fusedOp: FusedOp, _ value: Int, _ source: Int, _ order: [Int]
  ) -> FusedOp? {
    var folded = fusedOp
    switch fusedOp.kind {
    case .other(.matmul): break
    case .gradient(.other(let any)) where any.kernel is MatMulGradient: break
    default:
      // Lines of the result that are lines of the operand are read at the speed of memory; what is
      // turned about is better copied in squares.
      guard !fusedOp.isBackward, let chain = pointwiseChain(fusedOp),
        order.last == order.count - 1, let length = values[source].shape.last, length >= 16
      else { return nil }
      folded.kind = .pointwise(chain)
      folded.scaleShift = []
      folded.parameters = chain.constants.flatMap(\.parameters)
    }
    for position in fusedOp.inputs.indices where fusedOp.inputs[position] == value {
      folded.inputs[position] = source
      folded.orders[position] = order
    }
    return folded
  }
}

extension [Int] {
  /// Whether an order of dimensions changes the last two alone, if any.
  var isTransposition: Bool {
    dropLast(2).elementsEqual(indices.dropLast(2)) || self == Array(indices)
  }
}
