import AviaryGraph
import CDNNL

extension ConvolutionCall {
  /// By what a convolution is differentiated.
  enum Part {
    case input, weights
  }

  /// A convolution with explicit padding.
  init(fusedOp: FusedOp, input: [Int], output: [Int], _ c: Convolution, hasBias: Bool) {
    self.init(
      fusedOp: fusedOp, input: input, output: output, kernel: c.kernel, stride: c.stride,
      dilation: c.dilation, groups: c.groups,
      amounts: c.padding.amounts(
        size: Size(input[2], input[3]), kernel: c.kernel, stride: c.stride, dilation: c.dilation),
      hasBias: hasBias)
  }

  /// What oneDNN offers for a gradient of the call: the first that is no reference code, as decided
  /// if possible; without Winograd; in other memory formats than decided.
  ///
  /// - Throws: `ComputeError.noImplementation`.
  func gradientOffer(_ part: Part, _ engine: EngineHandle) throws(ComputeError) -> Offer {
    let candidate = fusedOp.candidate
    let (source, destination) =
      part == .input
      ? (candidate.output, candidate.input)
      : (candidate.input, candidate.format(ofInput: 1).memoryFormat)
    let algorithms =
      candidate.algorithm == .winograd
      ? [dnnl_convolution_winograd, dnnl_convolution_direct] : [dnnl_convolution_direct]
    for algorithm in algorithms {
      if let descriptor = try? decide(
        part, algorithm, source, destination, candidate.inputDataType, engine),
        !descriptor.isReference
      {
        return Offer(
          descriptor: descriptor, isFused: true,
          isWinograd: algorithm == dnnl_convolution_winograd)
      }
    }
    for (memoryFormat, dataType) in fallbacks {
      if let descriptor = try? decide(
        part, dnnl_convolution_direct, memoryFormat, memoryFormat, dataType, engine),
        !descriptor.isReference
      {
        return Offer(descriptor: descriptor, isFused: true, isWinograd: false)
      }
    }
    throw .noImplementation(node: fusedOp.name, operation: fusedOp.kind.name)
  }

  private func decide(
    _ part: Part, _ algorithm: dnnl_alg_kind_t, _ source: MemoryFormat?,
    _ destination: MemoryFormat?,
    _ dataType: DataType, _ engine: EngineHandle
  ) throws(ComputeError) -> PrimitiveDescriptor {
    // What is calculated is float32.
    let source = try memory(input, source, part == .input ? .float32 : dataType)
    let destination = try memory(output, destination, dataType)
    let weights = try MemoryDescriptor.any(weightShape, part == .weights ? .float32 : dataType)
    switch part {
    case .input:
      return try .convolutionInputGradient(algorithm, source, weights, destination, window, engine)
    case .weights:
      return try .convolutionWeightsGradient(
        algorithm, source, weights,
        bias: hasBias ? MemoryDescriptor([output[1]], .nchw) : nil, destination, window, engine)
    }
  }
}
