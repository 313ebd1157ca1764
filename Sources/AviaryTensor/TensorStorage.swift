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
