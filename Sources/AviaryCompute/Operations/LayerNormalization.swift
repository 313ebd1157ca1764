import AviaryGraph
import AviaryThreads
import CKernels

extension LayerNormalization: KernelOperation {
  func candidates(_ fusedOp: FusedOp, _ ir: IRGraph) -> [KernelCandidate] {
    let shape = ir.values[fusedOp.output].shape
    return isOverChannels(shape) ? KernelCandidate.anyLayout : candidates(of: shape)
  }

  func lower(_ fusedOp: FusedOp, _ lowering: inout Lowering) throws(ComputeError) {
    let value = lowering.value(fusedOp.output)
    let pass = kernel(value)
    var operands = [Operand.value(fusedOp.inputs[0]), .value(fusedOp.output)]
    for name in fusedOp.parameters {
      operands.append(try lowering.parameter(name, [pass.rows.width]))
    }
    let (scale, center) = (scale, center)
    if value.memoryFormat == .nChw16c {
      let (channels, shape) = (value.shape[1], value.shape)
      let blocked = BlockedNormalization(
        shape, forC(width: channels, step: shape[2] * shape[3] * MemoryFormat.block))
      lowering.kernel(fusedOp, name, operands) { memory, workers in
        unsafe blocked.run(
          memory[0], to: memory[1], weight: scale ? memory[2] : nil,
          bias: center ? memory[scale ? 3 : 2] : nil, workers)
      }
      return
    }
    if pass.rows.step == 1, pass.rows.width >= LongRows.least {
      let long = LongRows(count: pass.rows.count, width: pass.rows.width)
      operands.append(lowering.temporary(byteCount: long.byteCount))
      let how = forC(width: long.width, step: 1)
      lowering.kernel(fusedOp, name, operands) { memory, workers in
        let moments = unsafe memory.doubles(memory.count - 1)
        unsafe long.measure(memory[0], to: moments, workers)
        workers.split(long.count * long.parts, cost: long.width / long.parts) { range in
          for item in range {
            let (row, part) = item.quotientAndRemainder(dividingBy: long.parts)
            let (mean, squares) = unsafe long.moments(ofRow: row, moments)
            let numbers = long.range(ofPart: part)
            let place = row * long.width + numbers.lowerBound
            unsafe aviary_normalize_run(
              memory[0] + place, memory[1] + place, numbers.count, how.centers == 0 ? 0 : mean,
              how.factor(mean, squares), 0, scale ? memory[2] + numbers.lowerBound : nil,
              center ? memory[scale ? 3 : 2] + numbers.lowerBound : nil)
          }
        }
      }
      return
    }
    lowering.kernel(fusedOp, name, operands) { memory, workers in
      unsafe pass.run(
        memory[0], to: memory[1], weight: scale ? memory[2] : nil,
        bias: center ? memory[scale ? 3 : 2] : nil, workers)
    }
  }

  func differentiate(_ fusedOp: FusedOp, _ gradient: Int, _ pass: inout Autodiff) {
    pass.withParameters(
      fusedOp, .by(LayerNormalizationGradient(normalization: self)), [gradient, fusedOp.inputs[0]])
  }

  private func isOverChannels(_ shape: [Int]) -> Bool {
    shape.count == 4 && range(rank: 4) == 1..<2
  }

  /// Channels may also lie side by side.
  fileprivate func candidates(of shape: [Int]) -> [KernelCandidate] {
    isOverChannels(shape) ? KernelCandidate.anyUnblocked : KernelCandidate.rowMajor
  }

  fileprivate func kernel(_ value: IRGraph.Value) -> RowNormalization {
    let rows = Rows(value, range(rank: value.shape.count))
    return RowNormalization(rows, forC(width: rows.width, step: rows.step))
  }

  private func forC(width: Int, step: Int) -> aviary_normalization {
    let spread =
      switch kind {
      case .layer, .biasFree: AVIARY_DEVIATION
      case .rms: addsEpsilonToRoot ? AVIARY_ROOT_PLUS_EPSILON : AVIARY_ROOT_MEAN_SQUARE
      case .l2: AVIARY_NORM
      }
    return aviary_normalization(
      spread: spread, centers: kind == .layer ? 1 : 0, epsilon: epsilon, width: width, step: step)
  }
}

extension KernelMemory {
  /// An operand that is of numbers in double precision.
  func doubles(_ operand: Int) -> UnsafeMutablePointer<Double> {
    unsafe UnsafeMutableRawPointer(self[operand]).assumingMemoryBound(to: Double.self)
  }
}

/// By what layer normalisation took and, beside, by its weight and bias, as far as it has them.
/// Takes the result's gradient and what it took; the statistics are calculated once more.
struct LayerNormalizationGradient: GradientKernel {
  var normalization: LayerNormalization

  var name: String { "\(normalization.name) (gradient)" }
  func candidates(_ fusedOp: FusedOp, _ ir: IRGraph) -> [KernelCandidate] {
    normalization.candidates(of: ir.values[fusedOp.output].shape)
  }

  func lower(_ fusedOp: FusedOp, _ lowering: inout Lowering) throws(ComputeError) {
    let pass = normalization.kernel(lowering.value(fusedOp.output))
    let (scale, center) = (normalization.scale, normalization.center)
    let weight =
      scale ? [try lowering.parameter(fusedOp.parameters[0], [pass.rows.width])] : []
    let sums = lowering.temporary(
      byteCount: 2 * pass.parts * pass.rows.width * MemoryLayout<Double>.stride)
    lowering.kernel(
      fusedOp, name,
      [.value(fusedOp.inputs[0]), .value(fusedOp.inputs[1]), .value(fusedOp.output), sums] + weight
    ) { memory, workers in
      unsafe pass.runBackward(
        memory[0], memory[1], to: memory[2], weight: scale ? memory[4] : nil,
        sums: memory.doubles(3), workers)
    }
    for (position, output) in zip((scale ? [0] : []) + (center ? [1] : []), fusedOp.extraOutputs) {
      lowering.kernel(fusedOp, "sums of rows", [sums, .value(output)]) { memory, _ in
        unsafe pass.sum(memory.doubles(0), position, to: memory[1])
      }
    }
  }
}
