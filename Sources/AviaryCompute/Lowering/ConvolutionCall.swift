import AviaryGraph

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
  var amounts: PaddingAmounts
  var hasBias: Bool

  /// What sums of whole numbers are multiplied with, to be worth what the result's are: a number for
  /// each output channel; nil for other numbers.
  private var scales: Scales? {
    guard let layer = unit.quantization else { return nil }
    let step = unit.mode.outputNumbers.step
    return Scales(
      channels: layer.weightSteps.map {
        Float(Double(layer.inputStep) * Double($0) / Double(step))
      }, isGrouped: groups > 1)
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
    try .convolution(
      source, .any(weightShape, numbers.isWhole ? Numbers.int8(step: 1) : numbers),
      bias: hasBias ? MemoryDescriptor([output[1]], .planar) : nil, to: destination, window,
      postOperations, scales: scales, engine)
  }

  var window: PrimitiveDescriptor.Window {
    PrimitiveDescriptor.Window(
      kernel: kernel, stride: stride, dilation: dilation, padding: amounts)
  }
}
