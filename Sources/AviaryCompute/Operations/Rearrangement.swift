import AviaryGraph

extension Lowering {
  /// The dimensions in another order: a copy from memory that is described in the order of the
  /// result.
  mutating func permute(_ fusedOp: FusedOp, _ order: [Int]) throws(ComputeError) {
    let from = try MemoryDescriptor(value(fusedOp.inputs[0]).shape, read: order)
    try copy(
      fusedOp, .value(fusedOp.inputs[0]), from, to: .value(fusedOp.output),
      ir.descriptor(fusedOp.output))
  }

  /// Elements moved round along some dimensions.
  mutating func roll(_ fusedOp: FusedOp, shifts: [Int], dimensions: [Int]) {
    let shape = value(fusedOp.output).shape
    let roll = RollKernel(shape, Dictionary(uniqueKeysWithValues: zip(dimensions, shifts)))
    kernel(fusedOp, "roll", [.value(fusedOp.inputs[0]), .value(fusedOp.output)]) {
      memory, workers in
      unsafe roll.run(memory[0], to: memory[1], workers)
    }
  }
}

extension Reshape: KernelOperation {
  func candidates(_ fusedOp: FusedOp, _ ir: IRGraph) -> [KernelCandidate] {
    KernelCandidate.rowMajor
  }

  /// The result lies where the input does: `IRGraph.view` says so, and nothing is lowered.
  func lower(_ fusedOp: FusedOp, _ lowering: inout Lowering) throws(ComputeError) {
    preconditionFailure("a reshape is a view")
  }

  func differentiate(_ fusedOp: FusedOp, _ gradient: Int, _ pass: inout Autodiff) {
    pass.pass(fusedOp, .other(.reshape(Reshape(pass.shape(fusedOp.inputs[0])))), [gradient])
  }
}

extension Permute: KernelOperation {
  /// Between an image and its pixels with their channels last there is nothing to do where the image
  /// lies so.
  func candidates(_ fusedOp: FusedOp, _ ir: IRGraph) -> [KernelCandidate] {
    let moves = Double(ir.values[fusedOp.output].count) * KernelCandidate.nanosecondsPerMove
    let copy = KernelCandidate(.nchw, .nchw, cost: moves)
    return switch order {
    case Permute.toTokens.order: [KernelCandidate(.nhwc, .nchw, cost: 0), copy]
    case Permute.toImage.order: [KernelCandidate(.nchw, .nhwc, cost: 0), copy]
    default: KernelCandidate.rowMajor
    }
  }

  func lower(_ fusedOp: FusedOp, _ lowering: inout Lowering) throws(ComputeError) {
    try lowering.permute(fusedOp, order)
  }

  func differentiate(_ fusedOp: FusedOp, _ gradient: Int, _ pass: inout Autodiff) {
    let inverse = order.indices.map { order.firstIndex(of: $0) ?? 0 }
    pass.pass(fusedOp, .other(.permute(Permute(inverse))), [gradient])
  }
}

extension Permute {
  /// From an image to its pixels with their channels last, and back.
  static let toTokens = Permute([0, 2, 3, 1])
  static let toImage = Permute([0, 3, 1, 2])

  /// Whether the result lies in its input's memory as it is.
  func isView(_ input: IRGraph.Value, _ output: IRGraph.Value) -> Bool {
    guard input.format.dataType == output.format.dataType else { return false }
    let formats = (input.memoryFormat, output.memoryFormat)
    return self == Permute.toTokens && formats == (.nhwc, .nchw)
      || self == Permute.toImage && formats == (.nchw, .nhwc)
  }
}

extension Roll: KernelOperation {
  func candidates(_ fusedOp: FusedOp, _ ir: IRGraph) -> [KernelCandidate] {
    KernelCandidate.rowMajor
  }

  func lower(_ fusedOp: FusedOp, _ lowering: inout Lowering) throws(ComputeError) {
    lowering.roll(fusedOp, shifts: shifts, dimensions: dimensions)
  }

  func differentiate(_ fusedOp: FusedOp, _ gradient: Int, _ pass: inout Autodiff) {
    let back = Roll(shifts: shifts.map { -$0 }, dimensions: dimensions)
    pass.pass(fusedOp, .other(.roll(back)), [gradient])
  }
}
