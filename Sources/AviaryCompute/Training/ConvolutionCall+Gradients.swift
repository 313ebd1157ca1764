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
      edges: c.border.edges(
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
    var weights = try MemoryDescriptor.any(
      weightShape, part == .weights ? .float32 : numbers
    ).raw
    var bias =
      hasBias ? try MemoryDescriptor([output[1]], .planar).raw : dnnl_memory_desc_t()
    var (from, to) = (source.raw, destination.raw)
    func pair(_ a: Int, _ b: Int) -> [dnnl_dim_t] { [dnnl_dim_t(a), dnnl_dim_t(b)] }
    let strides = pair(stride.height, stride.width)
    // oneDNN counts the pixels left out.
    let gaps = pair(dilation.height - 1, dilation.width - 1)
    let (before, after) = (pair(edges.top, edges.left), pair(edges.bottom, edges.right))
    var call = dnnl_convolution_desc_t()
    switch part {
    case .input:
      try check(
        "dnnl_dilated_convolution_backward_data_desc_init",
        unsafe dnnl_dilated_convolution_backward_data_desc_init(
          &call, algorithm, &from, &weights, &to, strides, gaps, before, after))
    case .weights:
      try check(
        "dnnl_dilated_convolution_backward_weights_desc_init",
        unsafe dnnl_dilated_convolution_backward_weights_desc_init(
          &call, algorithm, &from, &weights, &bias, &to, strides, gaps, before, after))
    }
    return try PrimitiveDescriptor(call, PrimitiveAttributes.fusing([]), engine)
  }
}
