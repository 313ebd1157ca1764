import CDNNL

#if canImport(Glibc)
  import Glibc
#endif

/// Memory from the system, page by page: zeroed, given back with its last owner, and asked for
/// without ending the process where there is none.
///
/// - Note: `@unchecked Sendable`: the pointer never changes. What it points to is written by the
///   one who made it before anyone else has it (weights), or by one plan, which runs on one thread
///   at a time (arenas).
@safe final class AlignedMemory: @unchecked Sendable {
  let start: UnsafeMutableRawPointer
  let byteCount: Int

  /// - Throws: `ComputeError.outOfMemory`.
  init(byteCount: Int) throws(ComputeError) {
    self.byteCount = max(byteCount, 1)
    let place = unsafe mmap(
      nil, self.byteCount, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0)
    // MAP_FAILED is a cast in C, which Swift does not import: all bits set.
    guard let place = unsafe place, UInt(bitPattern: place) != .max else {
      throw .outOfMemory(bytes: byteCount)
    }
    unsafe start = place
    // Large pages spare the processor most of its address translations. Where there are none, the
    // advice does nothing.
    if byteCount >= 1 << 22 { unsafe madvise(start, byteCount, MADV_HUGEPAGE) }
  }

  deinit { unsafe munmap(start, byteCount) }
}
