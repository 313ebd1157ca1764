import AviaryGraph
import CDNNL

extension ConvolutionCall {
  /// By what a convolution is differentiated.
  enum Part {
    case input, weights
  }

  /// A convolution with explicit borders.
  init(unit: Unit, input: [Int], output: [Int], _ c: Convolution, hasBias: Bool) {
    self.init(
      unit: unit, input: input, output: output, kernel: c.kernel, stride: c.stride,
      dilation: c.dilation, groups: c.groups,
      amounts: c.padding.amounts(
        size: Size(input[2], input[3]), kernel: c.kernel, stride: c.stride, dilation: c.dilation),
      hasBias: hasBias)
  }

  /// What oneDNN offers for a gradient of the call: the first that is no reference code, as decided
  /// if possible; without Winograd; in other layouts than decided.
  ///
  /// - Throws: `ComputeError.noImplementation`.
  func gradientOffer(_ part: Part, _ engine: EngineHandle) throws(ComputeError) -> Offer {
    let mode = unit.mode
    let (source, destination) =
      part == .input
      ? (mode.output, mode.input) : (mode.input, mode.form(ofInput: 1).layout)
    let algorithms =
      mode.algorithm == .winograd
      ? [dnnl_convolution_winograd, dnnl_convolution_direct] : [dnnl_convolution_direct]
    for algorithm in algorithms {
      if let descriptor = try? decide(
        part, algorithm, source, destination, mode.inputNumbers, engine), !descriptor.isReference
      {
        return Offer(
          descriptor: descriptor, isFused: true,
          isWinograd: algorithm == dnnl_convolution_winograd)
      }
    }
    for (layout, numbers) in fallbacks {
      if let descriptor = try? decide(
        part, dnnl_convolution_direct, layout, layout, numbers, engine), !descriptor.isReference
      {
        return Offer(descriptor: descriptor, isFused: true, isWinograd: false)
      }
    }
    throw .noImplementation(node: unit.name, operation: unit.work.name)
  }

  private func decide(
    _ part: Part, _ algorithm: dnnl_alg_kind_t, _ source: Layout?, _ destination: Layout?,
    _ numbers: Numbers, _ engine: EngineHandle
  ) throws(ComputeError) -> PrimitiveDescriptor {
    // What is calculated is float32.
    let source = try memory(input, source, part == .input ? .float32 : numbers)
    let destination = try memory(output, destination, numbers)
    let weights = try MemoryDescriptor.any(weightShape, part == .weights ? .float32 : numbers)
    switch part {
    case .input:
      return try .convolutionInputGradient(algorithm, source, weights, destination, window, engine)
    case .weights:
      return try .convolutionWeightsGradient(
        algorithm, source, weights,
        bias: hasBias ? MemoryDescriptor([output[1]], .planar) : nil, destination, window, engine)
    }
  }
}
