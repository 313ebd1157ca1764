import AviaryFiles
package import AviaryTensor
package import Crypto

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

  /// A tensor whose elements lie in the file as they are in memory, from `offset`: they go where they
  /// stay, without a second copy on the way.
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
