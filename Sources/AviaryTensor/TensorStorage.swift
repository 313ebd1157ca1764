/// Memory of a tensor: zeroed, 64-byte aligned (a cache line, and what vector instructions like
/// best), freed with its last owner.
///
/// - Note: `@unchecked Sendable`: the pointer is private to `Tensor`, which only writes through it
///   while it is the sole owner (`isKnownUniquelyReferenced`), so that no two threads ever see a
///   write.
@safe final class TensorStorage: @unchecked Sendable {
  let bytes: UnsafeMutableRawBufferPointer

  init(byteCount: Int) {
    // One byte at least: a base address is always there, also for an empty tensor.
    unsafe bytes = .allocate(byteCount: max(byteCount, 1), alignment: 64)
    unsafe bytes.initializeMemory(as: UInt8.self, repeating: 0)
  }

  init(copying other: TensorStorage) {
    unsafe bytes = .allocate(byteCount: other.bytes.count, alignment: 64)
    unsafe bytes.copyMemory(from: UnsafeRawBufferPointer(other.bytes))
  }

  deinit { unsafe bytes.deallocate() }
}
