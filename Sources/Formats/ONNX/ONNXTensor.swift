package import AviaryContainers
package import AviaryTensor

/// A constant tensor of an ONNX model: what it is, and where its elements lie.
package struct ONNXTensor: Sendable {
  /// The name; empty for the value of an attribute.
  package var name: String
  /// The dimensions.
  package var shape: [Int]
  /// What the elements are.
  package var elementType: ElementType
  /// How the elements are stored.
  var storage: Storage

  /// How elements are stored.
  enum Storage: Sendable {
    /// Little-endian, one after the other: `raw_data`, packed `float_data`, a file beside the model.
    case plain(ProtocolBufferFile, Range<Int>)
    /// Fields of the message (`float_data`, `int32_data`, …) that want decoding, in the message.
    case fields(ProtocolBufferFile, message: Range<Int>, field: Int)
  }

  /// The number of elements; the reader gives only shapes whose product does not overflow.
  package var count: Int { shape.reduce(1, *) }

  /// Reads the elements.
  ///
  /// - Throws: what is wrong with the file.
  package func load() throws(CheckpointError) -> Tensor {
    switch storage {
    case .plain(let file, let range):
      guard range.count == count * elementType.byteCount else {
        throw .truncated(
          path: file.path, part: part, expected: count * elementType.byteCount, found: range.count)
      }
      return try file.tensor(
        at: range.lowerBound, shape: shape, elementType: elementType, part: part)
    case .fields(let file, let message, let field):
      return try tensor(decoded(file, message, field), file)
    }
  }

  private var part: String { name.isEmpty ? "a constant" : name }

  private func tensor(
    _ bytes: [UInt8], _ file: ProtocolBufferFile
  ) throws(CheckpointError) -> Tensor {
    guard bytes.count == count * elementType.byteCount,
      let tensor = unsafe try? Tensor(
        shape: shape, elementType: elementType,
        initialize: { unsafe $0.copyBytes(from: bytes) })
    else {
      throw .truncated(
        path: file.path, part: part, expected: count * elementType.byteCount, found: bytes.count)
    }
    return tensor
  }

  /// The elements' bytes of what stands in fields of numbers: 64-bit integers as they are, narrower
  /// ones, and the bits of float16 and bfloat16, as the low bits of an integer each.
  private func decoded(
    _ file: ProtocolBufferFile, _ message: Range<Int>, _ field: Int
  ) throws(CheckpointError) -> [UInt8] {
    var bytes: [UInt8] = []
    let size = elementType.byteCount
    func append(_ value: UInt64) {
      for i in 0..<size { bytes.append(UInt8(truncatingIfNeeded: value >> UInt64(8 * i))) }
    }
    var cursor = ProtocolBufferCursor(file, message, part: part)
    while let next = try cursor.next() {
      guard next.number == field else { continue }
      switch next.content {
      case .varint(let value): append(value)
      case .fixed32(let value): append(UInt64(value))
      case .fixed64(let value): append(value)
      case .bytes(let range):
        if elementType == .float32 || elementType == .float64 {
          bytes += try file.bytes(range, part: part)
        } else {
          var packed = ProtocolBufferCursor(file, range, part: part)
          while packed.position < packed.end { append(try packed.varint()) }
        }
      }
    }
    return bytes
  }
}
