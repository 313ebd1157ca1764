import Glibc
import Synchronization

/// Memory of large tensors, straight from the system, so that a tensor that is gone leaves no hole
/// in the heap that the next one does not fit into.
///
/// New pages are dear: the system clears each when it is touched first, which takes longer than
/// reading a file of their size. So a few blocks are kept for the next tensors, as those who
/// convert a file ask for one of about the same size after the other.
enum LargeBlocks {
  /// What counts as large. Smaller blocks the heap handles well.
  static let least = 1 << 20
  /// How much memory is kept at most.
  private static let limit = 12 << 20
  /// From this size on blocks are of the system's large pages, which are cleared in one go.
  private static let largePages = 1 << 23

  /// The blocks that are free, the latest last.
  private static let free = Mutex<[Block]>([])

  /// An address and how many bytes are there.
  private struct Block {
    var address: UInt
    var byteCount: Int
  }

  /// Zeroed memory of at least so many bytes, on a page of its own.
  ///
  /// - Throws: `TensorError.noMemory` where the system has none: a file may ask for any size.
  static func take(_ byteCount: Int) throws(TensorError) -> UnsafeMutableRawPointer {
    let size = rounded(byteCount)
    let kept = free.withLock { blocks in
      blocks.lastIndex { $0.byteCount == size }.map { blocks.remove(at: $0) }
    }
    if let kept, let place = unsafe UnsafeMutableRawPointer(bitPattern: kept.address) {
      unsafe memset(place, 0, byteCount)
      return unsafe place
    }
    let place = unsafe mmap(
      nil, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0)
    // MAP_FAILED is a cast in C, which Swift does not import: all bits set.
    guard let place = unsafe place, UInt(bitPattern: place) != .max else {
      throw .noMemory(byteCount: byteCount)
    }
    if size >= largePages { unsafe madvise(place, size, MADV_HUGEPAGE) }
    return unsafe place
  }

  /// Takes memory back that `take` gave for the same number of bytes.
  static func giveBack(_ place: UnsafeMutableRawPointer, _ byteCount: Int) {
    let size = rounded(byteCount)
    guard size <= limit else {
      unsafe munmap(place, size)
      return
    }
    let dropped = free.withLock { blocks in
      blocks.append(Block(address: UInt(bitPattern: place), byteCount: size))
      var kept = blocks.reduce(0) { $0 + $1.byteCount }
      var dropped: [Block] = []
      while kept > limit {
        let oldest = blocks.removeFirst()
        kept -= oldest.byteCount
        dropped.append(oldest)
      }
      return dropped
    }
    for block in dropped {
      unsafe munmap(UnsafeMutableRawPointer(bitPattern: block.address), block.byteCount)
    }
  }

  /// Nearly equal sizes become equal, so that blocks are of use again.
  private static func rounded(_ byteCount: Int) -> Int {
    let unit = byteCount >= largePages ? 1 << 21 : 1 << 16
    return (byteCount + unit - 1) / unit * unit
  }
}
