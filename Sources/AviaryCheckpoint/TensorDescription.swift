public import AviaryTensor

/// A tensor of a file: what it is, before any of its elements are read.
public struct TensorDescription: Hashable, Sendable {
  /// The name by which it is known here.
  public var name: String
  /// The dimensions, in PyTorch's layout wherever the reader knows the file's.
  public var shape: [Int]
  /// What the elements are.
  public var elementType: ElementType
  /// The name that it has in the file: a path of HDF5, a key of a state dict.
  public var storedName: String
  /// What was done to the file's layout; empty where nothing was.
  public var steps: [TensorStep]
  /// The earlier tensor whose very storage this one is, by its name here.
  public var alias: String?
  /// Whether it is a counter or a buffer that can be made anew, outside the content hash.
  public var isBookkeeping: Bool

  /// A tensor that is as it is in the file, unless stated.
  public init(
    name: String, shape: [Int], elementType: ElementType, storedName: String? = nil,
    steps: [TensorStep] = [], alias: String? = nil, isBookkeeping: Bool = false
  ) {
    self.name = name
    self.shape = shape
    self.elementType = elementType
    self.storedName = storedName ?? name
    self.steps = steps
    self.alias = alias
    self.isBookkeeping = isBookkeeping
  }

  /// The number of elements. Readers give only shapes whose product does not overflow.
  public var count: Int { shape.reduce(1, *) }
  /// The bytes that the elements take.
  public var byteCount: Int { count * elementType.byteCount }
}
