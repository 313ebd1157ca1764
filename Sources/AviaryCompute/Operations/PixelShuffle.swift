import AviaryGraph

extension Lowering {
  /// Channels to space, or the inverse, from any memory format to any other.
  mutating func pixelShuffle(
    _ fusedOp: FusedOp, factor: Int, _ order: ChannelOrder, isInverse: Bool
  ) {
    let input = value(fusedOp.inputs[0]), output = value(fusedOp.output)
    let shuffle = Shuffle(
      deep: isInverse ? output : input, wide: isInverse ? input : output, factor: factor, order)
    kernel(
      fusedOp, isInverse ? "pixelUnshuffle" : "pixelShuffle",
      [.value(fusedOp.inputs[0]), .value(fusedOp.output)]
    ) { memory, workers in
      if isInverse {
        unsafe shuffle.gather(memory[0], to: memory[1], workers)
      } else {
        unsafe shuffle.scatter(memory[0], to: memory[1], workers)
      }
    }
  }
}

extension PixelShuffle: KernelOperation {
  func candidates(_ fusedOp: FusedOp, _ ir: IRGraph) -> [KernelCandidate] {
    KernelCandidate.anyToAny
  }

  func lower(_ fusedOp: FusedOp, _ lowering: inout Lowering) throws(ComputeError) {
    lowering.pixelShuffle(fusedOp, factor: factor, order, isInverse: false)
  }

  func differentiate(_ fusedOp: FusedOp, _ gradient: Int, _ pass: inout Autodiff) {
    let inverse = PixelUnshuffle(factor: factor, order: order)
    pass.pass(fusedOp, .other(.pixelUnshuffle(inverse)), [gradient])
  }
}

extension PixelUnshuffle: KernelOperation {
  func candidates(_ fusedOp: FusedOp, _ ir: IRGraph) -> [KernelCandidate] {
    KernelCandidate.anyToAny
  }

  func lower(_ fusedOp: FusedOp, _ lowering: inout Lowering) throws(ComputeError) {
    lowering.pixelShuffle(fusedOp, factor: factor, order, isInverse: true)
  }

  func differentiate(_ fusedOp: FusedOp, _ gradient: Int, _ pass: inout Autodiff) {
    let inverse = PixelShuffle(factor: factor, order: order)
    pass.pass(fusedOp, .other(.pixelShuffle(inverse)), [gradient])
  }
}

extension KernelCandidate {
  /// From any memory format to any other: every element is moved by itself anyway.
  fileprivate static let anyToAny = MemoryFormat.allCases.flatMap { from in
    MemoryFormat.allCases.map { KernelCandidate(from, $0, cost: 0) }
  }
}
