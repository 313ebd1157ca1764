import AviaryGraph

extension Lowering {
  /// One pass over memory for whatever a fused op computes element by element.
  mutating func pointwise(_ fusedOp: FusedOp) throws(ComputeError) {
    guard let chain = ir.pointwiseChain(fusedOp) else {
      preconditionFailure("\(fusedOp.kind.name) is no elementwise operation")
    }
    let result = value(fusedOp.output)
    var operands = fusedOp.inputs.map { value($0) }
    var memory = fusedOp.inputs.map { Operand.value($0) }
    for constant in chain.constants {
      var channels = result
      channels.shape = slopeShape(result.shape)
      operands.append(channels)
      memory.append(try self.constant(constant, channels: channels.count))
    }
    let pass = PointwiseKernel(
      chain.program, operands: operands, orders: fusedOp.orders, result: result)
    let scratch = temporary(
      byteCount: pass.scratchCount(engine.workers) * MemoryLayout<Float>.stride)
    kernel(fusedOp, fusedOp.kind.name, [.value(fusedOp.output), scratch] + memory) {
      memory, workers in
      let operands = unsafe (2..<memory.count).map { unsafe UnsafePointer<Float>?(memory[$0]) }
      unsafe pass.run(operands, to: memory[0], scratch: memory[1], workers)
    }
  }

  /// A number for each channel.
  private mutating func constant(
    _ constant: PointwiseConstant, channels: Int
  ) throws(ComputeError) -> Operand {
    let shape = [channels]
    let descriptor = try MemoryDescriptor(shape, .nchw)
    func stages(
      _ stages: [ScaleShiftStage], _ packing: PackedConstant.Packing,
      _ part: @escaping (ScaleShift) -> [Double]
    ) -> PackedConstant {
      PackedConstant(
        key: PackedConstant.Key(
          parameters: stages.flatMap(\.parameters), scaleShift: stages, packing: packing),
        descriptor: descriptor, shape: shape
      ) { weights throws(ComputeError) in
        part(try ScaleShift(stages, channels: channels, weights)).map { Float($0) }
      }
    }
    switch constant {
    case .scale(let list): return self.constant(stages(list, .scale) { $0.scale })
    case .shift(let list): return self.constant(stages(list, .shift) { $0.shift })
    case .slopes(let name):
      return self.constant(slopeConstant(name, descriptor, shape, channels: channels))
    }
  }
}
