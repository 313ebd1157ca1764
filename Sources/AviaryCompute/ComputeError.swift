public import AviaryGraph

/// What can go wrong when a network is planned or run.
public enum ComputeError: Error, Hashable, Sendable, CustomStringConvertible {
  /// A call of oneDNN failed.
  case library(call: String, status: String)
  /// No memory of this size can be had.
  case outOfMemory(bytes: Int)
  /// The network cannot run on the size of its inputs.
  case graph(GraphError)
  /// A number of threads that no machine has.
  case threads(Int)
  /// The system refuses a thread some of the threads that a plan is for.
  case threadsRefused(wanted: Int, found: Int)
  /// The weights lack a parameter that the graph names.
  case missingParameter(String, shape: [Int])
  /// A parameter has another shape than the graph says.
  case parameterShape(String, expected: [Int], found: [Int])
  /// `run` was not given an input of the graph.
  case missingInput(String)
  /// `run` was given something that is no input of the graph.
  case unknownInput(String, known: [String])
  /// An input has another shape or element type than the plan was made for.
  case input(String, expected: String, found: String)
  /// An output was asked for that the graph does not have.
  case unknownOutput(String, known: [String])
  /// An operation that there is no lowering for yet.
  case unsupported(node: String, operation: String)
  /// oneDNN offers only its slow reference code for a convolution.
  case noImplementation(node: String, operation: String)
  /// A convolution is to multiply integers by scales that are not for it.
  case quantization(node: String, outChannels: Int, found: Int)
  /// A processor that does not multiply bfloat16.
  case noBfloat16
  /// A value is larger than one plan can work on: the image has to be computed in tiles.
  case tooLarge(node: String, shape: [Int])

  /// One line: the thing, and what is wrong with it.
  public var description: String {
    switch self {
    case .library(let call, let status): "oneDNN: \(call) failed: \(status)"
    case .outOfMemory(let bytes): "memory: \(bytes) bytes cannot be allocated"
    case .graph(let error): error.description
    case .threads(let count): "threads: expected 1 to \(Engine.mostThreads), found \(count)"
    case .threadsRefused(let wanted, let found):
      "the system refuses a thread: \(wanted) are needed at once, and there are only \(found);"
        + " use fewer threads, or raise the limit (ulimit -u)"
    case .missingParameter(let name, let shape):
      "\(name): missing; a tensor of shape \(shape) is needed"
    case .parameterShape(let name, let expected, let found):
      "\(name): expected shape \(expected), found \(found)"
    case .missingInput(let name): "input \(name): missing; give a tensor for it"
    case .unknownInput(let name, let known):
      "input \(name): no such input (the network has \(known.joined(separator: ", ")))"
    case .input(let name, let expected, let found):
      "input \(name): expected \(expected), found \(found)"
    case .unknownOutput(let name, let known):
      "output \(name): no such output (the network has \(known.joined(separator: ", ")))"
    case .unsupported(let node, let operation):
      "\(node): \(operation) cannot be computed yet (the graph may say it, the engine has no"
        + " lowering)"
    case .noImplementation(let node, let operation):
      "\(node): \(operation): oneDNN has only its slow reference code for it"
    case .quantization(let node, let outChannels, let found):
      "\(node): expected \(outChannels) weight scales, found \(found)"
    case .noBfloat16:
      "precision: bfloat16 needs a processor with AVX-512 BF16, and this is none"
    case .tooLarge(let node, let shape):
      "\(node): shape \(shape) has 2^31 elements or more; compute it in tiles"
    }
  }
}
