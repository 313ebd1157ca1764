import AviaryTensor

/// A tensor as a pickle describes it: a view of a storage.
struct TorchTensor: Hashable {
  var storage: TorchStorage
  var elementType: ElementType
  /// Where the first element is, in elements from the beginning of the storage.
  var offset: Int
  var shape: [Int]
  /// How many elements apart neighbours along each dimension are.
  var strides: [Int]

  /// The number of elements; nil if it overflows.
  var count: Int? { try? Tensor.count(of: shape) }

  /// Whether the elements lie in the order that `Tensor` has.
  var isContiguous: Bool {
    var expected = 1
    for (size, stride) in zip(shape, strides).reversed() where size != 1 {
      if stride != expected { return false }
      expected *= size
    }
    return true
  }

  /// One past the last element that the view reaches, in elements of the storage; nil if that
  /// overflows.
  var end: Int? {
    guard let count else { return nil }
    if count == 0 { return offset }
    var last = offset
    for (size, stride) in zip(shape, strides) {
      let (reach, overflow) = (size - 1).multipliedReportingOverflow(by: stride)
      let (sum, carry) = last.addingReportingOverflow(reach)
      guard !overflow, !carry else { return nil }
      last = sum
    }
    return last == .max ? nil : last + 1
  }

  /// Copies the elements out of the storage's bytes, which the caller knows to reach far enough.
  func gather(from bytes: [UInt8]) throws(TensorError) -> Tensor {
    var tensor = try Tensor(zeros: shape, elementType: elementType)
    if tensor.count == 0 { return tensor }
    let size = elementType.byteCount
    let isContiguous = isContiguous
    unsafe tensor.withUnsafeMutableBytes { target in
      unsafe bytes.withUnsafeBytes { source in
        if isContiguous {
          let range = offset * size..<offset * size + target.count
          unsafe target.copyMemory(from: UnsafeRawBufferPointer(rebasing: source[range]))
        } else {
          unsafe copyStrided(from: source, to: target, size: size)
        }
      }
    }
    return tensor
  }

  private func copyStrided(
    from source: UnsafeRawBufferPointer, to target: UnsafeMutableRawBufferPointer, size: Int
  ) {
    var index = [Int](repeating: 0, count: shape.count)
    var position = offset
    var written = 0
    while written < target.count {
      for i in 0..<size { unsafe target[written + i] = source[position * size + i] }
      written += size
      // The next index: the last dimension first, carrying into those before it.
      for d in shape.indices.reversed() {
        index[d] += 1
        position += strides[d]
        if index[d] < shape[d] { break }
        position -= strides[d] * shape[d]
        index[d] = 0
      }
    }
  }
}
