import AviaryFiles
package import AviaryTensor
import Synchronization

/// A file in the wire format of protocol buffers, read by ranges: what a message holds in bulk (the
/// elements of tensors) is passed over and stays in the file until asked for.
///
/// The format is read and written here and not by a library, because a library reads the whole
/// message into memory, writes it from memory, and wants thousands of generated lines for the dozen
/// messages that ONNX needs. (The format: protobuf.dev, "Encoding".)
package final class ProtocolBufferFile: Sendable {
  /// The path, for messages.
  package let path: String
  /// The bytes in the file.
  package let byteCount: Int
  private let file: InputFile
  /// The stretch of the file that was read last: messages are read byte by byte.
  private let window = Mutex<(start: Int, bytes: [UInt8])>((0, []))

  private static let windowSize = 1 << 16

  package init(_ path: String) throws(CheckpointError) {
    let file = try InputFile(weights: path)
    self.path = file.path
    byteCount = file.byteCount
    self.file = file
  }

  /// The bytes of a range, which must lie in the file.
  package func bytes(_ range: Range<Int>, part: String) throws(CheckpointError) -> [UInt8] {
    if range.isEmpty { return [] }
    if range.count <= ProtocolBufferFile.windowSize / 4 {
      let window = try window(holding: range, part: part)
      let start = range.lowerBound - window.start
      return Array(window.bytes[start..<start + range.count])
    }
    return try file.read(at: range.lowerBound, count: range.count, part: part)
  }

  /// A tensor whose elements lie in the file as they are in memory.
  package func tensor(
    at offset: Int, shape: [Int], elementType: ElementType, part: String
  ) throws(CheckpointError) -> Tensor {
    try file.tensor(at: offset, shape: shape, elementType: elementType, part: part)
  }

  /// A stretch of the file that has at least the bytes of a short range.
  package func window(
    holding range: Range<Int>, part: String
  ) throws(CheckpointError) -> (start: Int, bytes: [UInt8]) {
    let known = window.withLock { $0 }
    if range.lowerBound >= known.start, range.upperBound <= known.start + known.bytes.count {
      return known
    }
    let count = min(ProtocolBufferFile.windowSize, byteCount - range.lowerBound)
    let bytes = try file.read(at: range.lowerBound, count: max(count, range.count), part: part)
    window.withLock { $0 = (range.lowerBound, bytes) }
    return (range.lowerBound, bytes)
  }
}
