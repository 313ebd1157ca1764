import AviaryGraph
import AviaryThreads
import CKernels

extension Lowering {
  /// A convolution by a transform, with everything that follows it.
  ///
  /// - Parameters:
  ///   - rows: the kernel's rows in the order in which they meet the image's; of a transposed
  ///     convolution of stride 2, in its own order.
  ///   - before: padding above and left, or of a transposed convolution what is cropped there.
  mutating func transformed(
    _ fusedOp: FusedOp, _ format: ConvolutionTransform, _ source: WeightPacking, rows: [Int],
    columns: [Int],
    before: Size
  ) throws(ComputeError) {
    let input = value(fusedOp.inputs[0]).shape, output = value(fusedOp.output).shape
    let shape = TransformShape(
      format, before: before, channels: input[1], output: output, threads: engine.threads)
    let step = ProductStep(
      try .batchedProduct(
        batch: format.products, rows: shape.block, depth: shape.depth,
        columns: shape.width, engine))
    let scratchBytes = step.descriptor.byteCount(.scratch)
    let perWorker = TransformConvolution.bytesPerWorker(shape, scratchBytes: scratchBytes)
    let weights = source.transformed(
      rows: rows, columns: columns, shape: shape, try step.descriptor.descriptor(.weights))
    var operands = [
      Operand.value(fusedOp.inputs[0]), constant(weights), .value(fusedOp.output),
      temporary(byteCount: engine.threads * perWorker),
    ]
    func add(_ operand: Operand) -> Int {
      operands.append(operand)
      return operands.count - 1
    }
    let other = fusedOp.epilogue.residual.map { add(.value($0)) }
    // Whole registers are read of what there is for each filter: memory is taken by the page.
    let perFilter = try MemoryDescriptor([source.outChannels], .nchw)
    let bias = source.hasBias ? add(constant(source.bias(perFilter))) : nil
    let slopes = fusedOp.epilogue.slopes.map { name in
      add(
        constant(
          slopeConstant(name, perFilter, [source.outChannels], channels: source.outChannels)))
    }
    let engine = self.engine
    kernel(
      fusedOp, "\(fusedOp.kind.name) (\(format.name))", operands,
      preparing: { () throws(ComputeError) -> Kernel in
        let convolution = TransformConvolution(
          shape: shape,
          product: try BatchedProduct(step.descriptor, engine),
          scratchBytes: scratchBytes, input: aviary_image(input, fusedOp.candidate.input),
          output: aviary_image(output, fusedOp.candidate.output),
          inputCount: input[1...].reduce(1, *), outputCount: output[1...].reduce(1, *),
          activation: CheapActivation(fusedOp.epilogue.activation),
          finalActivation: CheapActivation(fusedOp.epilogue.finalActivation))
        return { (memory: KernelMemory, workers: ThreadPool) throws(ComputeError) in
          unsafe try convolution.run(
            TransformConvolution.Operands(
              input: memory[0], weights: memory[1], output: memory[2], working: memory[3],
              bias: bias.map { unsafe UnsafePointer(memory[$0]) },
              slopes: slopes.map { unsafe UnsafePointer(memory[$0]) },
              other: other.map { unsafe UnsafePointer(memory[$0]) }),
            workers)
        }
      })
  }
}

/// Keeps a descriptor, which cannot be copied, until the plan is made.
private final class ProductStep {
  let descriptor: PrimitiveDescriptor

  init(_ descriptor: consuming PrimitiveDescriptor) { self.descriptor = descriptor }
}
