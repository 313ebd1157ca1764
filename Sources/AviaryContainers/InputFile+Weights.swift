package import AviaryFiles
package import AviaryTensor
package import Crypto
import Glibc

extension InputFile {
  /// Opens a file of weights: `init(_:)` with this module's error.
  package init(weights path: String) throws(CheckpointError) {
    do {
      try self.init(path)
    } catch {
      throw CheckpointError(error)
    }
  }

  /// The bytes from `offset`; `part` names them in the error if the file ends before.
  package func read(at offset: Int, count: Int, part: String) throws(CheckpointError) -> [UInt8] {
    let bytes: [UInt8]
    do {
      bytes = try self.bytes(at: offset, count: count)
    } catch {
      throw CheckpointError(error)
    }
    guard bytes.count == count else {
      throw .truncated(path: path, part: part, expected: count, found: bytes.count)
    }
    return bytes
  }

  /// A tensor whose elements lie in the file as they are in memory, from `offset`: they go where
  /// they stay, without a second copy on the way.
  package func tensor(
    at offset: Int, shape: [Int], elementType: ElementType, part: String
  ) throws(CheckpointError) -> Tensor {
    // No memory is taken for what the file does not have.
    if let needed = Tensor.byteCount(shape, elementType), needed > byteCount - offset {
      throw .truncated(path: path, part: part, expected: needed, found: max(byteCount - offset, 0))
    }
    var tensor: Tensor
    do {
      tensor = try Tensor(zeros: shape, elementType: elementType)
    } catch {
      throw .damaged(path: path, part: part, reason: error.description)
    }
    try unsafe tensor.withUnsafeMutableBytes { (bytes) throws(CheckpointError) in
      try unsafe fill(weights: bytes, at: offset, part: part)
    }
    return tensor
  }

  /// The SHA-256 of the whole file in hexadecimal.
  package func sha256() throws(CheckpointError) -> String {
    var hash = SHA256()
    var buffer = [UInt8](repeating: 0, count: min(1 << 18, byteCount))
    for offset in stride(from: 0, to: byteCount, by: 1 << 18) {
      let count = min(buffer.count, byteCount - offset)
      try unsafe buffer.withUnsafeMutableBufferPointer { (bytes) throws(CheckpointError) in
        let piece = unsafe UnsafeMutableRawBufferPointer(start: bytes.baseAddress, count: count)
        try unsafe fill(weights: piece, at: offset, part: "the file")
        unsafe hash.update(bufferPointer: UnsafeRawBufferPointer(piece))
      }
    }
    return hash.finalize().hexadecimal
  }
}

extension SHA256Digest {
  /// The digest in lowercase hexadecimal.
  package var hexadecimal: String {
    let digits = Array("0123456789abcdef")
    return String(flatMap { [digits[Int($0 >> 4)], digits[Int($0 & 15)]] })
  }
}

/// A file that stays open for as long as tensors of it may be asked for.
package final class OpenFile: Sendable {
  /// The file; reading it is safe from any thread.
  package let file: InputFile

  /// Opens a regular file.
  package init(_ path: String) throws(CheckpointError) { file = try InputFile(weights: path) }
}

/// The path of a file that is removed when it goes out of scope.
package struct TemporaryPath: ~Copyable {
  package let path: String

  package init(_ path: String) { self.path = path }

  deinit { _ = unsafe unlink(path) }
}

extension Tensor {
  /// Elements as they lie in a file, row by row.
  ///
  /// - Parameters:
  ///   - bytes: exactly the elements.
  ///   - isBigEndian: whether the highest byte of each element comes first.
  ///   - part: what the bytes are, for messages.
  package init(
    shape: [Int], elementType: ElementType, bytes: ArraySlice<UInt8>, isBigEndian: Bool = false,
    path: String, part: String
  ) throws(CheckpointError) {
    do {
      try self.init(zeros: shape, elementType: elementType)
    } catch {
      throw .damaged(path: path, part: part, reason: error.description)
    }
    guard bytes.count == byteCount else {
      throw .truncated(path: path, part: part, expected: byteCount, found: bytes.count)
    }
    let size = elementType.byteCount
    unsafe withUnsafeMutableBytes { target in
      unsafe bytes.withUnsafeBytes { source in
        guard isBigEndian else {
          unsafe target.copyMemory(from: source)
          return
        }
        for start in stride(from: 0, to: target.count, by: size) {
          for i in 0..<size { unsafe target[start + i] = source[start + size - 1 - i] }
        }
      }
    }
  }

  /// The bytes that a shape of an element type takes; nil for a shape that no tensor has.
  package static func byteCount(_ shape: [Int], _ elementType: ElementType) -> Int? {
    // A count is below 2^48, so that this product cannot overflow.
    (try? Tensor.count(of: shape)).map { $0 * elementType.byteCount }
  }
}
