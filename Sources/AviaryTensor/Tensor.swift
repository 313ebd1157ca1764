/// A dense array of numbers with a shape: a value, copied when written to while shared.
///
/// Elements lie in row-major order (the last dimension varies fastest), in the machine's byte
/// order, which is little-endian on every platform that Aviary runs on. Images and activations
/// are NCHW; convolution weights are OIHW, those of transposed convolutions IOHW, as in PyTorch.
public struct Tensor: Sendable {
  /// The dimensions, slowest first; empty for a scalar.
  public let shape: [Int]
  /// What the elements are.
  public let elementType: ElementType
  private var storage: TensorStorage

  /// A tensor of zeros.
  ///
  /// - Throws: `TensorError.invalidShape` if a dimension is negative or the size overflows.
  public init(zeros shape: [Int], elementType: ElementType = .float32) throws(TensorError) {
    let count = try Tensor.count(of: shape)
    self.shape = shape
    self.elementType = elementType
    storage = try TensorStorage(byteCount: count * elementType.byteCount)
  }

  /// A float32 tensor of the given values.
  ///
  /// - Throws: `TensorError.invalidShape`, or `.countMismatch` if `values` does not fill `shape`.
  public init(shape: [Int], _ values: [Float]) throws(TensorError) {
    try self.init(zeros: shape)
    guard values.count == count else {
      throw .countMismatch(shape: shape, expected: count, found: values.count)
    }
    unsafe values.withUnsafeBytes { unsafe storage.bytes.copyMemory(from: $0) }
  }

  /// A tensor whose memory `initialize` fills; it starts as zeros.
  ///
  /// - Throws: `TensorError.invalidShape`, or what `initialize` throws.
  public init(
    shape: [Int], elementType: ElementType,
    initialize: (UnsafeMutableRawBufferPointer) throws -> Void
  ) throws {
    try self.init(zeros: shape, elementType: elementType)
    try unsafe initialize(
      UnsafeMutableRawBufferPointer(start: storage.bytes.baseAddress, count: byteCount))
  }

  /// The number of elements.
  public var count: Int { shape.reduce(1, *) }
  /// The number of bytes that the elements take.
  public var byteCount: Int { count * elementType.byteCount }

  /// The product of `shape`, below 2^48 so that byte counts cannot overflow either. Of the
  /// dimensions other than 0 too, so that no strides do.
  ///
  /// - Throws: `TensorError.invalidShape` if a dimension is negative or the product is too large.
  public static func count(of shape: [Int]) throws(TensorError) -> Int {
    var product = 1
    for dimension in shape {
      let (next, overflow) = product.multipliedReportingOverflow(by: max(dimension, 1))
      guard dimension >= 0, !overflow, next < 1 << 48 else { throw .invalidShape(shape) }
      product = next
    }
    return shape.contains(0) ? 0 : product
  }

  /// The same elements under another shape of the same count.
  ///
  /// - Throws: `TensorError.countMismatch` if the counts differ.
  public func reshaped(to shape: [Int]) throws(TensorError) -> Tensor {
    let expected = try Tensor.count(of: shape)
    guard expected == count else {
      throw .countMismatch(shape: shape, expected: expected, found: count)
    }
    return Tensor(shape: shape, elementType: elementType, storage: storage)
  }

  /// The same bytes as elements of another type of the same size (bfloat16 kept as uint16).
  ///
  /// - Throws: `TensorError.sizeMismatch` if the types differ in size.
  public func reinterpreted(as target: ElementType) throws(TensorError) -> Tensor {
    guard target.byteCount == elementType.byteCount else {
      throw .sizeMismatch(expected: elementType, found: target)
    }
    return Tensor(shape: shape, elementType: target, storage: storage)
  }

  private init(shape: [Int], elementType: ElementType, storage: TensorStorage) {
    self.shape = shape
    self.elementType = elementType
    self.storage = storage
  }
}

// MARK: - Access

extension Tensor {
  /// Calls `body` with the elements' bytes.
  public func withUnsafeBytes<R, Failure: Error>(
    _ body: (UnsafeRawBufferPointer) throws(Failure) -> R
  ) throws(Failure) -> R {
    try unsafe body(UnsafeRawBufferPointer(start: storage.bytes.baseAddress, count: byteCount))
  }

  /// Calls `body` with the elements' bytes, for writing.
  public mutating func withUnsafeMutableBytes<R, Failure: Error>(
    _ body: (UnsafeMutableRawBufferPointer) throws(Failure) -> R
  ) throws(Failure) -> R {
    if !isKnownUniquelyReferenced(&storage) {
      // Writing into a value cannot fail; and what is copied is in memory once already, so that no
      // file chooses its size.
      guard let copy = try? TensorStorage(copying: storage) else {
        preconditionFailure("memory for a copy of \(byteCount) bytes")
      }
      storage = copy
    }
    return try unsafe body(
      UnsafeMutableRawBufferPointer(start: storage.bytes.baseAddress, count: byteCount))
  }

  /// Calls `body` with the elements of a float32 tensor; traps on another type.
  public func withFloats<R>(_ body: (UnsafeBufferPointer<Float>) throws -> R) rethrows -> R {
    precondition(elementType == .float32, "expected a float32 tensor, found \(elementType)")
    return try unsafe withUnsafeBytes { try unsafe body($0.bindMemory(to: Float.self)) }
  }

  /// Calls `body` with the elements of a float32 tensor, for writing; traps on another type.
  public mutating func withMutableFloats<R>(
    _ body: (UnsafeMutableBufferPointer<Float>) throws -> R
  ) rethrows -> R {
    precondition(elementType == .float32, "expected a float32 tensor, found \(elementType)")
    return try unsafe withUnsafeMutableBytes { try unsafe body($0.bindMemory(to: Float.self)) }
  }

  /// The elements, converted to float32 where they are something else.
  public var floats: [Float] {
    unsafe converted(to: .float32).withFloats { unsafe Array($0) }
  }
}

extension Tensor: Hashable {
  /// Whether shape, element type and bytes agree (so NaN equals the same NaN).
  public static func == (a: Tensor, b: Tensor) -> Bool {
    guard a.shape == b.shape, a.elementType == b.elementType else { return false }
    return unsafe a.withUnsafeBytes { a in
      unsafe b.withUnsafeBytes { b in unsafe a.elementsEqual(b) }
    }
  }

  /// Hashes shape, element type and bytes.
  public func hash(into hasher: inout Hasher) {
    hasher.combine(shape)
    hasher.combine(elementType)
    unsafe withUnsafeBytes { unsafe hasher.combine(bytes: $0) }
  }
}

/// Memory of a tensor: zeroed, 64-byte aligned (a cache line, and what vector instructions like
/// best), freed with its last owner.
///
/// - Note: `@unchecked Sendable`: the pointer is private to `Tensor`, which only writes through it
///   while it is the sole owner (`isKnownUniquelyReferenced`), so that no two threads ever see a
///   write.
@safe final class TensorStorage: @unchecked Sendable {
  let bytes: UnsafeMutableRawBufferPointer

  /// - Throws: `TensorError.noMemory`.
  init(byteCount: Int) throws(TensorError) {
    if byteCount >= LargeBlocks.least {
      unsafe bytes = UnsafeMutableRawBufferPointer(
        start: try LargeBlocks.take(byteCount), count: byteCount)
      return
    }
    // One byte at least: a base address is always there, also for an empty tensor.
    unsafe bytes = .allocate(byteCount: max(byteCount, 1), alignment: 64)
    unsafe bytes.initializeMemory(as: UInt8.self, repeating: 0)
  }

  /// - Throws: `TensorError.noMemory`.
  convenience init(copying other: TensorStorage) throws(TensorError) {
    try unsafe self.init(byteCount: other.bytes.count)
    unsafe bytes.copyMemory(from: UnsafeRawBufferPointer(other.bytes))
  }

  deinit {
    if unsafe bytes.count >= LargeBlocks.least, let start = unsafe bytes.baseAddress {
      unsafe LargeBlocks.giveBack(start, bytes.count)
    } else {
      unsafe bytes.deallocate()
    }
  }
}

/// The type of a tensor's elements, as stored in memory and in files.
public enum ElementType: String, CaseIterable, Codable, Hashable, Sendable {
  case float32
  case float64
  case float16
  /// The upper half of a float32 (1 sign, 8 exponent, 7 fraction bits).
  case bfloat16
  case int8
  case int16
  case int32
  case int64
  case uint8
  case uint16
  case uint32
  case uint64
  case bool

  /// The bytes that one element takes.
  public var byteCount: Int {
    switch self {
    case .int8, .uint8, .bool: 1
    case .float16, .bfloat16, .int16, .uint16: 2
    case .float32, .int32, .uint32: 4
    case .float64, .int64, .uint64: 8
    }
  }

  /// Whether the type holds fractions.
  public var isFloatingPoint: Bool {
    switch self {
    case .float32, .float64, .float16, .bfloat16: true
    default: false
    }
  }
}

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

  /// One line: the thing, and what is wrong with it.
  public var description: String {
    switch self {
    case .invalidShape(let shape):
      "shape \(shape): expected dimensions of 0 or more with a product below 2^48"
    case .countMismatch(let shape, let expected, let found):
      "shape \(shape): expected \(expected) values, found \(found)"
    case .sizeMismatch(let expected, let found):
      "expected a type of the size of \(expected), found \(found)"
    case .noMemory(let byteCount): "memory: a tensor of \(byteCount) bytes cannot be allocated"
    case .step(let step, let shape): "shape \(shape): cannot be \(step)"
    }
  }
}
