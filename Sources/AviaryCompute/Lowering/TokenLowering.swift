import AviaryGraph
import AviaryThreads
import CKernels

extension Lowering {
  /// Products of weights with tokens, or attention in windows, with what stands beside them.
  mutating func tokens(_ fusedOp: FusedOp, _ step: TokenStep) throws(ComputeError) {
    switch step {
    case .chain(let chain): try self.chain(fusedOp, chain, name: step.name)
    case .attention(let attention): try self.attention(fusedOp, attention, name: step.name)
    }
  }

  private mutating func chain(
    _ fusedOp: FusedOp, _ chain: TokenChain, name: String
  ) throws(ComputeError) {
    let kernel = TokenChainKernel(
      chain, value(fusedOp.output).shape, registerWidth: engine.registerWidth)
    var names = fusedOp.parameters[...]
    var operands = [
      Operand.value(fusedOp.inputs[0]), .value(fusedOp.output),
      temporary(byteCount: engine.threads * kernel.scratchCount * MemoryLayout<Float>.stride),
    ]
    operands += try product(TokenPacking(product: chain.first, isNarrow: chain.isNarrow), &names)
    if let second = chain.second {
      operands += try product(TokenPacking(product: second, isNarrow: chain.isNarrow), &names)
    }
    if chain.adds { operands.append(.value(fusedOp.inputs[1])) }
    self.kernel(fusedOp, name, operands) { memory, workers in kernel.run(memory, workers) }
  }

  private mutating func attention(
    _ fusedOp: FusedOp, _ step: TokenAttention, name: String
  ) throws(ComputeError) {
    let kernel = TokenAttentionKernel(
      step, fusedOp.inputs.map { value($0).shape }, output: value(fusedOp.output).shape,
      registerWidth: engine.registerWidth)
    var names = fusedOp.parameters[...]
    var inputs = fusedOp.inputs[...]
    let added = step.adds ? inputs.popLast().map { [Operand.value($0)] } ?? [] : []
    var bias: [Operand] = []
    let product = try step.product.map { product throws(ComputeError) in
      try self.product(
        TokenPacking(
          product: product, heads: step.attention.heads, queryScale: kernel.queryScale,
          isNarrow: step.isNarrow), &names)
    }
    switch step.attention.positionBias {
    case .none: break
    case .table:
      if let name = names.popFirst() {
        bias = [
          constant(try PositionBias.constant(step.attention, block: kernel.block, name))
        ]
      }
    case .input:
      if let table = inputs.popLast() { bias = [positionBias(fusedOp, step, kernel, of: table)] }
    }
    var operands = [
      Operand.value(fusedOp.output),
      temporary(byteCount: engine.threads * kernel.scratchCount * MemoryLayout<Float>.stride),
    ]
    operands += inputs.map { .value($0) }
    operands += bias + (product ?? [])
    if let last = step.last {
      operands += try self.product(TokenPacking(product: last, isNarrow: step.isNarrow), &names)
    }
    operands += added
    self.kernel(fusedOp, name, operands) { memory, workers in kernel.run(memory, workers) }
  }

  /// The biases of a table that is computed, in the kernel's order.
  private mutating func positionBias(
    _ fusedOp: FusedOp, _ step: TokenAttention, _ kernel: TokenAttentionKernel, of table: Int
  ) -> Operand {
    let (attention, block) = (step.attention, kernel.block)
    let bias = temporary(
      byteCount: PositionBias.count(attention, block: block) * MemoryLayout<Float>.stride)
    self.kernel(
      fusedOp, "position bias", [.value(table), bias],
      preparing: {
        let positions = PositionBias(attention, block: block)
        return { memory, workers in
          workers.split(positions.count, cost: 4) { range in
            for i in range {
              unsafe memory[1][i] = positions.value(i) { unsafe memory[0][$0] }
            }
          }
        }
      })
    return bias
  }

  /// The weights of a product and what is added, with the names of its parameters taken off.
  private mutating func product(
    _ packing: TokenPacking, _ names: inout ArraySlice<String>
  ) throws(ComputeError) -> [Operand] {
    let own = Array(names.prefix(packing.product.parameterCount))
    names = names.dropFirst(own.count)
    return [constant(try packing.weights(own)), constant(try packing.bias(own))]
  }
}
