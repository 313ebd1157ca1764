import AviaryGraph

/// An operation that the engine has kernels for: in which memory formats they work, how they are
/// lowered, and how the gradient goes back through them. Each stands in one file of this folder.
///
/// Convolutions and what is folded into them are represented differently in an IR graph (`OpKind`),
/// and expansions are made of other operations: those are the only operations without.
protocol KernelOperation: Operation {
  /// The kernel candidates by which the fused op can be done, the best for itself first.
  func candidates(_ fusedOp: FusedOp, _ ir: IRGraph) -> [KernelCandidate]
  /// Adds the instructions that do the fused op.
  func lower(_ fusedOp: FusedOp, _ lowering: inout Lowering) throws(ComputeError)
  /// Adds the fused ops that follow from the gradient of the fused op's result.
  func differentiate(_ fusedOp: FusedOp, _ gradient: Int, _ pass: inout Autodiff)

  /// Whether the kernels take and give bfloat16 as well as float32.
  func takesBfloat16(_ fusedOp: FusedOp, _ ir: IRGraph) -> Bool
  /// Whether the result may be of integers if the inputs are: where elements are only moved or
  /// compared.
  var takesIntegers: Bool { get }
  /// The inputs over which the result may be written, if nobody else needs them.
  func overwritable(_ fusedOp: FusedOp, _ ir: IRGraph) -> [Int]
}

extension KernelOperation {
  // What all kernels can do: float32, and memory of their own.
  func takesBfloat16(_ fusedOp: FusedOp, _ ir: IRGraph) -> Bool { false }
  var takesIntegers: Bool { false }
  func overwritable(_ fusedOp: FusedOp, _ ir: IRGraph) -> [Int] { [] }
}

/// A step of the backward pass: computes the gradients by an operation's operands from the gradient
/// by its result. It lies in the file of its operation.
///
/// Operations whose gradient is another operation of the graph have none: the gradient of a pixel
/// shuffle is its inverse.
protocol GradientKernel: Hashable {
  /// The name for reports and errors.
  var name: String { get }
  /// The kernel candidates by which the fused op can be done, the best for itself first.
  func candidates(_ fusedOp: FusedOp, _ ir: IRGraph) -> [KernelCandidate]
  /// Adds the instructions that do the fused op.
  func lower(_ fusedOp: FusedOp, _ lowering: inout Lowering) throws(ComputeError)
  /// Whether the result may be written over the first input.
  var mayOverwrite: Bool { get }
}

extension GradientKernel {
  var mayOverwrite: Bool { false }
}

/// A step of the backward pass.
enum Gradient: Hashable {
  /// By the input of a convolution. Takes the result's gradient.
  case convolutionInput(Convolution)
  /// By the weights of a convolution and, beside, by its bias, if it has one. Takes the
  /// convolution's input and the result's gradient.
  case convolutionWeights(Convolution)
  /// Of any other operation.
  case other(AnyGradientKernel)

  /// The gradient of an operation that is no convolution.
  static func by(_ kernel: some GradientKernel) -> Gradient { .other(AnyGradientKernel(kernel)) }

  /// The name for reports and errors.
  var name: String {
    switch self {
    case .convolutionInput: "convolution (gradient of input)"
    case .convolutionWeights: "convolution (gradient of weights)"
    case .other(let any): any.kernel.name
    }
  }
}

/// Any gradient, as a value that can be compared.
struct AnyGradientKernel: Hashable {
  let kernel: any GradientKernel

  init(_ kernel: some GradientKernel) { self.kernel = kernel }

  static func == (a: AnyGradientKernel, b: AnyGradientKernel) -> Bool {
    func equal<K: GradientKernel>(_ a: K) -> Bool { b.kernel as? K == a }
    return equal(a.kernel)
  }

  func hash(into hasher: inout Hasher) { kernel.hash(into: &hasher) }
}

extension Op {
  /// The operation with its kernels; nil for those that are represented differently in an IR graph.
  var kernelOperation: (any KernelOperation)? {
    switch self {
    case .maxPool(let operation): operation
    case .averagePool(let operation): operation
    case .globalAveragePool: GlobalAveragePool()
    case .adaptivePool(let operation): operation
    case .linear(let operation): operation
    case .batchNormalization(let operation): operation
    case .activation(let operation): operation
    case .prelu(let operation): operation
    case .binary(let operation): operation
    case .where: Where()
    case .concatenate(let operation): operation
    case .slice(let operation): operation
    case .pixelShuffle(let operation): operation
    case .pixelUnshuffle(let operation): operation
    case .dynamicConvolution(let operation): operation
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
    case .convolution, .transposedConvolution, .scale, .offset, .expansion: nil
    }
  }
}

extension KernelCandidate {
  /// Row-major, like all values that are not images.
  static let rowMajor = [KernelCandidate(.nchw, .nchw, cost: 0)]
  /// In any memory format, the same for inputs and result.
  static let anyLayout = [MemoryFormat.nhwc, .nChw16c, .nchw].map {
    KernelCandidate($0, $0, cost: 0)
  }
  /// In any memory format that does not cut a block of channels.
  static let anyUnblocked = [MemoryFormat.nhwc, .nchw].map { KernelCandidate($0, $0, cost: 0) }
}
