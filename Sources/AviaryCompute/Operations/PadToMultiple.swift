import AviaryGraph

extension PadToMultiple: KernelOperation {
  func candidates(_ fusedOp: FusedOp, _ ir: IRGraph) -> [KernelCandidate] {
    KernelCandidate.anyLayout
  }

  func lower(_ fusedOp: FusedOp, _ lowering: inout Lowering) throws(ComputeError) {
    lowering.pad(fusedOp, Pad(amounts(lowering.value(fusedOp.inputs[0]).shape), mode))
  }

  func differentiate(_ fusedOp: FusedOp, _ gradient: Int, _ pass: inout Autodiff) {
    Pad(amounts(pass.shape(fusedOp.inputs[0])), mode).differentiate(fusedOp, gradient, &pass)
  }

  func takesBfloat16(_ fusedOp: FusedOp, _ ir: IRGraph) -> Bool { true }
  var takesIntegers: Bool { true }
}

extension CropToSize: KernelOperation {
  func candidates(_ fusedOp: FusedOp, _ ir: IRGraph) -> [KernelCandidate] {
    KernelCandidate.anyLayout
  }

  func lower(_ fusedOp: FusedOp, _ lowering: inout Lowering) throws(ComputeError) {
    lowering.crop(
      fusedOp,
      beyond(lowering.value(fusedOp.inputs[0]).shape, lowering.value(fusedOp.output).shape))
  }

  func differentiate(_ fusedOp: FusedOp, _ gradient: Int, _ pass: inout Autodiff) {
    let amounts = beyond(pass.shape(fusedOp.inputs[0]), pass.shape(fusedOp.output))
    Crop(amounts).differentiate(fusedOp, gradient, &pass)
  }

  func takesBfloat16(_ fusedOp: FusedOp, _ ir: IRGraph) -> Bool { true }
  var takesIntegers: Bool { true }

  /// What is cut off.
  private func beyond(_ input: [Int], _ output: [Int]) -> PaddingAmounts {
    PaddingAmounts(0, 0, input[2] - output[2], input[3] - output[3])
  }
}
