import AviaryContainers
import AviaryTensor

/// A run of numbers that tensors are views of, as a pickle refers to it.
struct TorchStorage: Hashable {
  /// The storage's name in the file.
  var key: String
  /// The elements' type; nil for untyped storages, whose elements are bytes and whose tensors say
  /// their type themselves.
  var elementType: ElementType?
  /// The number of elements in the whole storage.
  var count: Int
  /// Where this view begins, in elements.
  var offset = 0

  /// The bytes that the whole storage takes; nil if they overflow.
  var byteCount: Int? {
    let (bytes, overflow) = count.multipliedReportingOverflow(by: elementType?.byteCount ?? 1)
    return overflow ? nil : bytes
  }

  /// Reads `('storage', type, key, location, count[, (view key, offset, size)])`.
  init?(_ identifier: PickleValue, _ heap: PickleHeap) {
    guard let parts = heap.items(identifier), parts.count >= 5, heap.text(parts[0]) == "storage",
      let type = heap.global(parts[1]), let key = heap.text(parts[2]),
      let count = heap.size(parts[4])
    else { return nil }
    guard let elementType = Self.elementType(named: type) else { return nil }
    self.key = key
    self.elementType = elementType
    self.count = count
    // Storages that are views of others, as PyTorch 0.x wrote them.
    if parts.count > 5, let view = heap.items(parts[5]), view.count == 3 {
      guard let offset = heap.size(view[1]) else { return nil }
      self.offset = offset
    }
  }

  /// A whole storage.
  init(key: String, elementType: ElementType, count: Int) {
    (self.key, self.elementType, self.count) = (key, elementType, count)
  }

  /// The elements' type by the class of storage, such as `torch.FloatStorage`.
  static func elementType(named type: String) -> ElementType?? {
    elementTypes[String(type.split(separator: ".").last ?? "")]
  }

  /// Of an untyped storage the type is nil, of an unknown one there is no entry.
  private static let elementTypes: [String: ElementType?] = [
    "FloatStorage": .float32, "DoubleStorage": .float64, "HalfStorage": .float16,
    "BFloat16Storage": .bfloat16, "ByteStorage": .uint8, "CharStorage": .int8,
    "ShortStorage": .int16, "IntStorage": .int32, "LongStorage": .int64, "BoolStorage": .bool,
    "UntypedStorage": ElementType?.none,
  ]
}
