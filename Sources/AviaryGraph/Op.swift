/// A primitive operation of a network: plain data. Images are NCHW.
///
/// What an operation is and does stands in its file in `Operations`; here are the three lists in
/// which it has a line: the cases, `operation`, and `types`.
public enum Op: Hashable, Sendable {
  case convolution(Convolution)
  case transposedConvolution(TransposedConvolution)
  case dynamicConvolution(DynamicConvolution)
  case linear(Linear)
  case maxPool(MaxPool)
  case averagePool(AveragePool)
  /// The mean of each channel, as an image of one pixel.
  case globalAveragePool
  case adaptivePool(AdaptivePool)
  case batchNormalization(BatchNormalization)
  case activation(Activation)
  case prelu(PReLU)
  case binary(Binary)
  /// The second input where the first is not 0, else the third.
  case `where`
  case scale(Scale)
  case offset(Offset)
  /// Inputs side by side along a dimension.
  case concatenate(Concatenate)
  case slice(ChannelSlice)
  case pixelShuffle(PixelShuffle)
  case pixelUnshuffle(PixelUnshuffle)
  case unfold(Unfold)
  case fold(Fold)
  case gridSample(GridSample)
  case realFFT(RealFFT)
  case inverseRealFFT(InverseRealFFT)
  case gatherElements(GatherElements)
  case argReduction(ArgReduction)
  case sort(Sort)
  case resize(Resize)
  case pad(Pad)
  case crop(Crop)
  case padToMultiple(PadToMultiple)
  case cropToSize(CropToSize)
  case padDimension(PadDimension)
  case stridedSlice(StridedSlice)
  case tile(Tile)
  case expand(Expand)
  case dropout(Dropout)
  case reduce(Reduction)
  /// The product of matrices in the last two dimensions, over all others.
  case matmul
  case softmax(Softmax)
  case layerNormalization(LayerNormalization)
  case groupNormalization(GroupNormalization)
  case reshape(Reshape)
  case permute(Permute)
  case roll(Roll)
  case learnedConstant(LearnedConstant)
  case constantGather(ConstantGather)
  case windowPartition(WindowPartition)
  case windowReverse(WindowReverse)
  case shiftMask(ShiftMask)
  /// An operation that is made of others.
  case expansion(AnyExpansion)

  /// What is known about the operation.
  package var operation: any Operation {
    switch self {
    case .convolution(let operation): operation
    case .transposedConvolution(let operation): operation
    case .dynamicConvolution(let operation): operation
    case .linear(let operation): operation
    case .maxPool(let operation): operation
    case .averagePool(let operation): operation
    case .globalAveragePool: GlobalAveragePool()
    case .adaptivePool(let operation): operation
    case .batchNormalization(let operation): operation
    case .activation(let operation): operation
    case .prelu(let operation): operation
    case .binary(let operation): operation
    case .where: Where()
    case .scale(let operation): operation
    case .offset(let operation): operation
    case .concatenate(let operation): operation
    case .slice(let operation): operation
    case .pixelShuffle(let operation): operation
    case .pixelUnshuffle(let operation): operation
    case .unfold(let operation): operation
    case .fold(let operation): operation
    case .gridSample(let operation): operation
    case .realFFT(let operation): operation
    case .inverseRealFFT(let operation): operation
    case .gatherElements(let operation): operation
    case .argReduction(let operation): operation
    case .sort(let operation): operation
    case .resize(let operation): operation
    case .pad(let operation): operation
    case .crop(let operation): operation
    case .padToMultiple(let operation): operation
    case .cropToSize(let operation): operation
    case .padDimension(let operation): operation
    case .stridedSlice(let operation): operation
    case .tile(let operation): operation
    case .expand(let operation): operation
    case .dropout(let operation): operation
    case .reduce(let operation): operation
    case .matmul: MatMul()
    case .softmax(let operation): operation
    case .layerNormalization(let operation): operation
    case .groupNormalization(let operation): operation
    case .reshape(let operation): operation
    case .permute(let operation): operation
    case .roll(let operation): operation
    case .learnedConstant(let operation): operation
    case .constantGather(let operation): operation
    case .windowPartition(let operation): operation
    case .windowReverse(let operation): operation
    case .shiftMask(let operation): operation
    case .expansion(let expansion): expansion.operation
    }
  }

  /// Every kind of operation, for those who read names.
  package static let types: [any Operation.Type] = [
    Convolution.self, TransposedConvolution.self, Linear.self, MaxPool.self, AveragePool.self,
    GlobalAveragePool.self, BatchNormalization.self, Activation.self, PReLU.self, Binary.self,
    Scale.self, Offset.self, Concatenate.self, ChannelSlice.self, PixelShuffle.self,
    PixelUnshuffle.self, Resize.self, Pad.self, Crop.self, Dropout.self, Reduction.self,
    MatMul.self, Softmax.self, LayerNormalization.self, GroupNormalization.self, Reshape.self,
    Permute.self, Roll.self, InstanceNormalization.self,
    LearnedConstant.self, ConstantGather.self,
    WindowPartition.self, WindowReverse.self, ShiftMask.self, WindowAttention.self,
    RealFFT.self, InverseRealFFT.self, DynamicConvolution.self, Unfold.self, Fold.self,
    GridSample.self, GatherElements.self,
    ArgReduction.self, Sort.self,
    Where.self,
    PadToMultiple.self, CropToSize.self, PadDimension.self, StridedSlice.self, Tile.self,
    Expand.self, AdaptivePool.self,
  ]
}

// MARK: - JSON

extension Op {
  /// Every name that an operation can have in JSON.
  package static let names: [String] = types.flatMap { $0.names }

  private static let typesByName = Dictionary(
    uniqueKeysWithValues: types.flatMap { type in type.names.map { ($0, type) } })

  /// The operation's name in JSON and in messages.
  public var name: String { operation.name }

  /// The attributes as JSON members. Those that have their default are left out.
  package var attributes: [String: JSON] { operation.attributes }

  /// Reads an operation from a node's members.
  ///
  /// - Throws: `GraphError` that names the node: an unknown operation or attribute, an absent
  ///   attribute, one of another type.
  init(_ name: String, _ attributes: inout Attributes) throws(GraphError) {
    guard let type = Op.typesByName[name] else {
      throw .unknownOperation(
        node: attributes.node, String(name.prefix(64)), nearest: name.nearest(in: Op.names))
    }
    self = try type.init(name, &attributes).op
  }
}

// MARK: - What is asked of operations

extension Op {
  /// The shape that the operation gives for inputs of these shapes.
  ///
  /// This is the one place that knows: checking, planning, reports, the multiple and the tiling are
  /// all derived from it. Attributes are within `GraphLimits` (`Graph.init` sees to it), dimensions
  /// below 2^31, so that nothing here overflows.
  ///
  /// - Throws: `ShapeProblem` where the operation cannot work on such inputs.
  public func outputShape(_ inputs: [[Int]]) throws(ShapeProblem) -> [Int] {
    let (least, most) = (inputCount.lowerBound, inputCount.upperBound)
    guard inputCount.contains(inputs.count) else {
      throw .expected(
        least == most ? "\(least) input\(least == 1 ? "" : "s")" : "\(least) to \(most) inputs",
        found: "\(inputs.count)")
    }
    let shape = try operation.outputShape(inputs)
    var count = 1
    for dimension in shape {
      let (product, overflow) = count.multipliedReportingOverflow(by: dimension)
      guard !overflow, product < GraphLimits.elements, dimension <= GraphLimits.dimension else {
        throw .tooLarge(shape)
      }
      count = product
    }
    return shape
  }

  /// Checks every attribute against its range.
  ///
  /// - Throws: `GraphError.attribute` that names the node.
  package func checkAttributes(node: String) throws(GraphError) {
    try operation.check(AttributeCheck(node: node))
  }

  /// How many inputs the operation takes.
  package var inputCount: ClosedRange<Int> { operation.inputCount }

  /// The parameters that the operation has, for inputs of these shapes: in this order a node names
  /// them. The inputs are known to have passed `outputShape`.
  func slots(_ inputs: [[Int]]) -> [ParameterSlot] { operation.parameters(inputs) }

  /// The parameters, but for their shapes: what does not depend on the inputs.
  package var parameterSlots: [ParameterSlot] {
    // Any inputs of sufficient rank will do.
    slots([[1, 1, 1, 1, 1, 1, 1, 1], [1, 1, 1, 1]])
  }

  /// The last parts of the parameters' customary names.
  package var slotSuffixes: [String] { parameterSlots.map(\.suffix) }

  /// The operation, if it is made of others.
  package var expansion: (any Expansion)? {
    if case .expansion(let expansion) = self { expansion.operation } else { nil }
  }
}
