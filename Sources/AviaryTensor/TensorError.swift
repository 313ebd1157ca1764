/// What can be wrong with a tensor made from outside data.
public enum TensorError: Error, Hashable, Sendable, CustomStringConvertible {
  /// A dimension is negative, or the product of the dimensions overflows.
  case invalidShape([Int])
  /// The number of values given is not what the shape asks for.
  case countMismatch(shape: [Int], expected: Int, found: Int)
  /// Bytes cannot be taken as another type of another size.
  case sizeMismatch(expected: ElementType, found: ElementType)
  /// The system has no memory of that size.
  case noMemory(byteCount: Int)
  /// A change of layout that a tensor of this shape does not allow.
  case step(String, shape: [Int])

  /// One line: the thing, the expected, the found.
  public var description: String {
    switch self {
    case .invalidShape(let shape):
      "shape \(shape): dimensions of 0 or more with a product below 2^48 expected"
    case .countMismatch(let shape, let expected, let found):
      "shape \(shape): \(expected) values expected, \(found) found"
    case .sizeMismatch(let expected, let found):
      "a type of the size of \(expected) expected, \(found) found"
    case .noMemory(let byteCount): "memory for a tensor of \(byteCount) bytes expected, none found"
    case .step(let step, let shape): "shape \(shape): one that can be \(step) expected"
    }
  }
}
