import AviaryGraph
import CDNNL

/// A convolution as oneDNN is asked for it.
struct ConvolutionCall {
  var unit: Unit
  var input: [Int]
  var output: [Int]
  var kernel: Size
  var stride: Size = 1
  var dilation: Size = 1
  var groups = 1
  /// Padding; not negative.
  var edges: Edges
  var hasBias: Bool

  /// What sums of whole numbers are multiplied with, to be worth what the result's are: a number for
  /// each output channel; empty for other numbers.
  private var scales: [Float] {
    guard let layer = unit.quantization else { return [] }
    let step = unit.mode.outputNumbers.step
    return layer.weightSteps.map { Float(Double(layer.inputStep) * Double($0) / Double(step)) }
  }

  /// OIHW, of each group where there are several.
  var weightShape: [Int] {
    let shape = [output[1] / groups, input[1] / groups, kernel.height, kernel.width]
    return groups > 1 ? [groups] + shape : shape
  }

  /// What oneDNN offers for the call.
  struct Offer: ~Copyable {
    let descriptor: PrimitiveDescriptor
    /// Whether the post-operations asked for are part of it.
    let isFused: Bool
    /// Whether it is oneDNN's Winograd, which only gradients ask for.
    let isWinograd: Bool
  }

  /// The first offer that is no reference code: as decided, if possible; without post-operations;
  /// in other layouts than decided.
  ///
  /// - Throws: `ComputeError.noImplementation`.
  func offer(
    _ postOperations: [PostOperation], _ engine: EngineHandle
  ) throws(ComputeError) -> Offer {
    let mode = unit.mode
    for operations in postOperations.isEmpty || mode.isSeparate ? [[]] : [postOperations, []] {
      let source = try MemoryDescriptor(input, mode.input, mode.inputNumbers)
      let destination = try MemoryDescriptor(output, mode.output, mode.outputNumbers)
      if let descriptor = try? decide(
        source, destination, mode.inputNumbers, operations, engine), !descriptor.isReference
      {
        return Offer(
          descriptor: descriptor, isFused: operations.count == postOperations.count,
          isWinograd: false)
      }
    }
    for (layout, numbers) in fallbacks {
      let source = try memory(input, layout, numbers)
      let destination = try memory(
        output, layout, numbers.isWhole ? unit.mode.outputNumbers : .float32)
      if let descriptor = try? decide(source, destination, numbers, [], engine),
        !descriptor.isReference
      {
        return Offer(
          descriptor: descriptor, isFused: postOperations.isEmpty, isWinograd: false)
      }
    }
    throw .noImplementation(node: unit.name, operation: unit.work.name)
  }

  /// What is tried where oneDNN does not offer what was decided, in this order; nil is whatever it
  /// likes best.
  var fallbacks: [(layout: Layout?, numbers: Numbers)] {
    let numbers: [Numbers] =
      unit.mode.inputNumbers == .bfloat16 ? [.bfloat16, .float32] : [unit.mode.inputNumbers]
    return numbers.flatMap { numbers in
      [nil, Layout.channelsLast, .planar].map { ($0, numbers) }
    }
  }

  func memory(
    _ shape: [Int], _ layout: Layout?, _ numbers: Numbers = .float32
  ) throws(ComputeError) -> MemoryDescriptor {
    if let layout {
      try MemoryDescriptor(shape, layout, numbers)
    } else {
      try .any(shape, numbers)
    }
  }

  private func decide(
    _ source: MemoryDescriptor, _ destination: MemoryDescriptor, _ numbers: Numbers,
    _ postOperations: [PostOperation], _ engine: EngineHandle
  ) throws(ComputeError) -> PrimitiveDescriptor {
    let factors = numbers.isWhole ? Numbers.int8(step: 1) : numbers
    var weights = try MemoryDescriptor.any(weightShape, factors).raw
    // A descriptor of nothing says that there is none.
    var bias =
      hasBias ? try MemoryDescriptor([output[1]], .planar).raw : dnnl_memory_desc_t()
    var (from, to) = (source.raw, destination.raw)
    func pair(_ a: Int, _ b: Int) -> [dnnl_dim_t] { [dnnl_dim_t(a), dnnl_dim_t(b)] }
    var call = dnnl_convolution_desc_t()
    try check(
      "dnnl_dilated_convolution_forward_desc_init",
      unsafe dnnl_dilated_convolution_forward_desc_init(
        &call, dnnl_forward_inference, dnnl_convolution_direct, &from, &weights, &bias, &to,
        pair(stride.height, stride.width),
        // oneDNN counts the pixels left out.
        pair(dilation.height - 1, dilation.width - 1), pair(edges.top, edges.left),
        pair(edges.bottom, edges.right)))
    return try PrimitiveDescriptor(
      call, PrimitiveAttributes.fusing(postOperations, scales: scales), engine)
  }
}
