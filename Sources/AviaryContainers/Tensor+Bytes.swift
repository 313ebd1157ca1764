package import AviaryTensor

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
