import AviaryGraph

/// One piece of work of a plan, made of one node of the graph or of several that are done at once.
struct FusedOp {
  /// The node's name; where several are done at once that of the first, or of the last of a chain of
  /// elementwise operations.
  var name: String
  /// The names of the other nodes that it does, where the plan's steps tell.
  var others: [String] = []
  /// What is done.
  var kind: OpKind
  /// The values that it takes, by number.
  var inputs: [Int]
  /// The value that it gives.
  var output: Int
  /// The inputs that it reads with their dimensions in another order, by position: which of the
  /// value's dimensions each is.
  var orders: [Int: [Int]] = [:]
  /// What it gives beside: the gradient of a bias, what a pool remembers. Row-major.
  var extraOutputs: [Int] = []
  /// The names of the node's parameters.
  var parameters: [String]
  /// What is fused behind a convolution.
  var epilogue = Epilogue()
  /// The scales and shifts of a scale-shift, or those folded into a convolution's weights.
  var scaleShift: [ScaleShiftStage] = []
  /// The scales of a convolution of integers; nil for one of others.
  var quantization: Quantization.Layer?
  /// How it is done: in which memory formats, by which algorithm.
  var candidate = KernelCandidate(.nchw, .nchw, cost: 0)
  /// Convolutions vectorised over pixels that are done line by line along with it, the first one
  /// first. The fused op's inputs are then those of the first.
  var before: [FusedOp] = []
  /// The factor of a pixel shuffle that a convolution vectorised over pixels does along with its
  /// own work.
  var shuffle = 1
  /// Whether it belongs to the backward pass of a training.
  var isBackward = false
}

/// What a fused op does.
enum OpKind: Hashable {
  /// A convolution; its weights are those of a transposed convolution of stride 1 where `flipped`.
  case convolution(Convolution, flipped: Bool)
  case transposedConvolution(TransposedConvolution)
  /// A scale and a shift per channel.
  case scaleShift
  /// Elementwise operations in one pass over memory.
  case pointwise(PointwiseChain)
  /// Products of weights with tokens and attention in windows, with what stands beside them.
  case tokens(TokenStep)
  /// A copy into another memory format, or no work at all where the memory formats coincide.
  case reorder
  /// A step of the backward pass.
  case gradient(Gradient)
  /// Any other operation, as the graph has it.
  case other(Op)

  /// Whether weights are applied that scales and shifts can be folded into.
  var isConvolution: Bool {
    switch self {
    case .convolution, .transposedConvolution: true
    case .scaleShift, .pointwise, .tokens, .reorder, .gradient, .other: false
    }
  }

  /// Whether numbers are multiplied with weights, or for their gradients, by a convolution.
  var multipliesByWeights: Bool {
    switch self {
    case .convolution, .transposedConvolution, .gradient(.convolutionInput),
      .gradient(.convolutionWeights):
      true
    case .scaleShift, .pointwise, .tokens, .reorder, .gradient, .other: false
    }
  }

  /// The name for reports and errors.
  var name: String {
    switch self {
    case .convolution: "convolution"
    case .transposedConvolution: "transposedConvolution"
    case .scaleShift: "scaleShift"
    case .pointwise: "pointwise"
    case .tokens(let step): step.name
    case .reorder: "reorder"
    case .gradient(let gradient): gradient.name
    case .other(let op): op.name
    }
  }
}

/// What is done to a convolution's result before it is written, in this order.
struct Epilogue: Hashable {
  /// A function of single values, cheap enough to be fused.
  var activation: Activation?
  /// The parameter that has the slopes of a PReLU; then nothing else is done.
  var slopes: String?
  /// A value that is added.
  var residual: Int?
  /// A function of the sum.
  var finalActivation: Activation?

  /// Whether nothing is done.
  var isEmpty: Bool { self == Epilogue() }
}

/// How a fused op is done.
struct KernelCandidate: Hashable {
  /// The memory format in which it takes its images.
  var input: MemoryFormat
  /// The memory format in which it takes all inputs but the first, where that is another.
  var others: MemoryFormat?
  /// The memory format in which it gives its result.
  var output: MemoryFormat
  var algorithm: Algorithm
  /// In which data type it takes its inputs.
  var inputDataType = DataType.float32
  /// In which data type it gives its result.
  var outputDataType = DataType.float32
  /// Whether a convolution's result is written first and what is fused behind it done by itself.
  var isSeparate = false
  /// Estimated nanoseconds on one core, good for comparisons only; or measured ones.
  var cost: Double

  init(
    _ input: MemoryFormat, others: MemoryFormat? = nil, _ output: MemoryFormat,
    _ algorithm: Algorithm = .direct,
    cost: Double
  ) {
    (self.input, self.others, self.output) = (input, others, output)
    (self.algorithm, self.cost) = (algorithm, cost)
  }

  /// How the fused op takes the input of this position.
  func format(ofInput position: Int) -> TensorFormat {
    TensorFormat(memoryFormat: position == 0 ? input : others ?? input, dataType: inputDataType)
  }

  /// How the fused op gives its result.
  var outputFormat: TensorFormat { TensorFormat(memoryFormat: output, dataType: outputDataType) }
}

/// The algorithm of a convolution.
enum Algorithm: String, Hashable {
  /// Sums of products, as the definition says. The only one for most operations.
  case direct
  /// Winograd's minimal filtering: fewer multiplications, a little less accurate.
  case winograd
  /// By the fast Fourier transform of tiles: for large kernels, fewer multiplications.
  case fft
  /// For few channels: sums of products, in vectors of neighbouring pixels instead of channels.
  /// Lines of one convolution go straight into the next. The result is nchw.
  case spatial

  /// Whether it calculates as the definition says, but for the order of sums.
  var isExact: Bool {
    switch self {
    case .direct, .spatial: true
    case .winograd, .fft: false
    }
  }

  /// By which transform a convolution is done; nil without one.
  func transform(of c: Convolution) -> ConvolutionTransform? {
    switch self {
    case .winograd: c.stride == 1 ? .plain : .halving
    case .fft: .fft(c.kernel)
    case .direct, .spatial: nil
    }
  }
}
