import AviaryThreads

/// One step of a plan, as reports show it.
public struct PlanStep: Hashable, Sendable {
  /// The node of the graph for which it is done.
  public let name: String
  /// What is done: `convolution (winograd)`, `reorder`.
  public let operation: String
  /// Who does it: the name of oneDNN's implementation, or `aviary` for the engine's own loops.
  public let implementation: String
  /// The shape of the node's result.
  public let shape: [Int]
}

/// A step, described and to be run.
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

/// Where a kernel's operands lie, in the order in which the step names them. They are as large as
/// the lowering that made the kernel has said.
@safe struct KernelMemory {
  private let pointers: [UnsafeMutablePointer<Float>]

  init(_ pointers: [UnsafeMutablePointer<Float>]) { unsafe self.pointers = pointers }

  var count: Int { unsafe pointers.count }
  subscript(_ operand: Int) -> UnsafeMutablePointer<Float> { unsafe pointers[operand] }
}

/// What a step works on.
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
