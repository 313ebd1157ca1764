import AviaryGraph

/// A convolution as oneDNN is asked for it.
struct ConvolutionCall {
  var fusedOp: FusedOp
  var input: [Int]
  var output: [Int]
  var kernel: Size
  var stride: Size = 1
  var dilation: Size = 1
  var groups = 1
  /// Padding; not negative.
  var amounts: PaddingAmounts
  var hasBias: Bool

  /// The scales by which sums of integers are multiplied to become the result's: one for each
  /// output channel; nil for other data types.
  private var scales: Scales? {
    guard let layer = fusedOp.quantization else { return nil }
    let scale = fusedOp.candidate.outputDataType.scale
    return Scales(
      channels: layer.weightScales.map {
        Float(Double(layer.inputScale) * Double($0) / Double(scale))
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
  /// in other memory formats than decided.
  ///
  /// - Throws: `ComputeError.noImplementation`.
  func offer(
    _ postOperations: [PostOperation], _ engine: EngineHandle
  ) throws(ComputeError) -> Offer {
    let candidate = fusedOp.candidate
    for operations in postOperations.isEmpty || candidate.isSeparate ? [[]] : [postOperations, []] {
      let source = try MemoryDescriptor(input, candidate.input, candidate.inputDataType)
      let destination = try MemoryDescriptor(output, candidate.output, candidate.outputDataType)
      if let descriptor = try? decide(
        source, destination, candidate.inputDataType, operations, engine), !descriptor.isReference
      {
        return Offer(
          descriptor: descriptor, isFused: operations.count == postOperations.count,
          isWinograd: false)
      }
    }
    for (memoryFormat, dataType) in fallbacks {
      let source = try memory(input, memoryFormat, dataType)
      let destination = try memory(
        output, memoryFormat, dataType.isInteger ? fusedOp.candidate.outputDataType : .float32)
      if let descriptor = try? decide(source, destination, dataType, [], engine),
        !descriptor.isReference
      {
        return Offer(
          descriptor: descriptor, isFused: postOperations.isEmpty, isWinograd: false)
      }
    }
    throw .noImplementation(node: fusedOp.name, operation: fusedOp.kind.name)
  }

  /// What is tried where oneDNN does not offer what was decided, in this order; nil is whatever it
  /// likes best.
  var fallbacks: [(memoryFormat: MemoryFormat?, dataType: DataType)] {
    let dataType: [DataType] =
      fusedOp.candidate.inputDataType == .bfloat16
      ? [.bfloat16, .float32] : [fusedOp.candidate.inputDataType]
    return dataType.flatMap { dataType in
      [nil, MemoryFormat.nhwc, .nchw].map { ($0, dataType) }
    }
  }

  func memory(
    _ shape: [Int], _ memoryFormat: MemoryFormat?, _ dataType: DataType = .float32
  ) throws(ComputeError) -> MemoryDescriptor {
    if let memoryFormat {
      try MemoryDescriptor(shape, memoryFormat, dataType)
    } else {
      try .any(shape, dataType)
    }
  }

  private func decide(
    _ source: MemoryDescriptor, _ destination: MemoryDescriptor, _ dataType: DataType,
    _ postOperations: [PostOperation], _ engine: EngineHandle
  ) throws(ComputeError) -> PrimitiveDescriptor {
    try .convolution(
      source, .any(weightShape, dataType.isInteger ? DataType.int8(scale: 1) : dataType),
      bias: hasBias ? MemoryDescriptor([output[1]], .nchw) : nil, to: destination, window,
      postOperations, scales: scales, engine)
  }

  var window: PrimitiveDescriptor.Window {
    PrimitiveDescriptor.Window(
      kernel: kernel, stride: stride, dilation: dilation, padding: amounts)
  }
}
