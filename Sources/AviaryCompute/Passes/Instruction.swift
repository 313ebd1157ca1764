import AviaryGraph
import AviaryThreads

/// One instruction of a plan, as reports show it.
public struct PlanStep: Hashable, Sendable {
  /// The node of the graph for which it is done.
  public let name: String
  /// The other nodes that are done along with it, as far as they multiply.
  public let others: [String]
  /// What is done: `convolution (winograd)`, `reorder`.
  public let operation: String
  /// Who does it: the name of oneDNN's implementation, or `aviary` for the engine's own loops.
  public let implementation: String
  /// The shape of the node's result.
  public let shape: [Int]
}

/// An instruction, described and ready to be bound.
struct Instruction {
  let description: PlanStep
  let action: Action

  enum Action {
    case primitive(PrimitiveCall)
    /// What makes the kernel, which may take memory and time, and what it works on.
    case kernel(() throws(ComputeError) -> Kernel, [Operand])
  }

  init(_ description: PlanStep, _ action: Action) {
    (self.description, self.action) = (description, action)
  }
}

/// A loop of the engine's own, given its operands' memory.
typealias Kernel = (KernelMemory, ThreadPool) throws(ComputeError) -> Void

/// Where a kernel's operands lie, in the order in which the instruction names them. They are as
/// large as the lowering that made the kernel has said.
@safe struct KernelMemory {
  private let pointers: [UnsafeMutablePointer<Float>]

  init(_ pointers: [UnsafeMutablePointer<Float>]) { unsafe self.pointers = pointers }

  var count: Int { unsafe pointers.count }
  subscript(_ operand: Int) -> UnsafeMutablePointer<Float> { unsafe pointers[operand] }
}

/// What an instruction works on.
enum Operand: Hashable {
  /// A value of the IR graph, by number.
  case value(Int)
  /// Memory for one fused op, by number.
  case temporary(Int)
  /// Prepared weights, by number.
  case constant(Int)
  /// The caller's memory for an output, by number.
  case output(Int)
}

/// A call of a oneDNN primitive that is decided upon and not yet compiled.
final class PrimitiveCall {
  let descriptor: PrimitiveDescriptor
  let arguments: [(Argument, Operand)]

  init(_ descriptor: consuming PrimitiveDescriptor, _ arguments: [(Argument, Operand)]) {
    self.descriptor = descriptor
    self.arguments = arguments
  }
}

/// Weights as an instruction wants them.
struct PackedConstant {
  /// What it is. Equal keys and descriptors mean equal contents.
  var key: Key
  /// How it lies in memory.
  var descriptor: MemoryDescriptor
  /// The shape of what `make` gives, row-major.
  var shape: [Int]
  /// The parameter that it is as it stands; nil where there is something to calculate.
  var parameter: String?
  /// Calculates it.
  var make: (PackedWeights) throws(ComputeError) -> [Float]

  /// The parameters' names, and what is done to them.
  struct Key: Hashable {
    var parameters: [String]
    var scaleShift: [ScaleShiftStage] = []
    var packing: Packing
    var groups = 1
    var isTransposed = false
    var quantization: Quantization.Layer?
  }

  /// What is made of the parameters.
  enum Packing: Hashable {
    /// A convolution's kernel of these rows and columns.
    case kernel(rows: [Int], columns: [Int])
    /// What a kernel of these rows and columns contributes to the products of a transform.
    case transformed(ConvolutionTransform, rows: [Int], columns: [Int])
    /// A kernel for convolutions vectorised over pixels: for each row and column of squares, which
    /// of its rows and columns they meet.
    case packed(rows: [[Int]], columns: [[Int]])
    /// One number for each output channel, in integers of this scale.
    case bias(step: Float)
    /// The factors of scales and shifts per channel, or the summands.
    case scale
    case shift
    /// The slopes of a PReLU.
    case slopes
    /// A matrix, as the parameter has it.
    case matrix
    /// What tokens are multiplied with, and what is added.
    case tokenWeights(TokenPacking)
    case tokenBias(TokenPacking)
    /// What is added to scores for relative positions, for so many queries at once.
    case positionBias(WindowAttention, block: Int)
  }
}
