/// Places in one stretch of memory for things of which each is needed for a time only.
package struct Arena {
  /// Something that needs memory for a time.
  package struct Request {
    package var byteCount: Int
    /// The first and last fused op during which it is needed.
    package var lifetime: ClosedRange<Int>

    package init(byteCount: Int, lifetime: ClosedRange<Int>) {
      (self.byteCount, self.lifetime) = (byteCount, lifetime)
    }
  }

  /// Where each request lies, in bytes from the beginning.
  package private(set) var offsets: [Int]
  /// The memory that all take together.
  package private(set) var byteCount = 0

  /// A cache line, and what vector instructions like best.
  static let alignment = 64

  /// Places the largest first, each into the smallest gap that it fits between those whose times
  /// overlap its own.
  ///
  /// - Throws: `ComputeError.outOfMemory` where the sum of sizes overflows.
  package init(_ requests: [Request]) throws(ComputeError) {
    offsets = Array(repeating: 0, count: requests.count)
    let order = requests.indices.sorted {
      (requests[$1].byteCount, $0) < (requests[$0].byteCount, $1)
    }
    // Plain numbers: this is where planning a network of ten thousand nodes spends its time.
    let first = requests.map(\.lifetime.lowerBound), last = requests.map(\.lifetime.upperBound)
    var ends = offsets
    // Those placed already, in order of their offsets.
    var placed: [Int] = []
    for request in order {
      let (padded, overflow) = requests[request].byteCount.addingReportingOverflow(
        Arena.alignment - 1)
      let size = padded / Arena.alignment * Arena.alignment
      var end = 0
      var best: (offset: Int, gap: Int)?
      for other in placed where first[other] <= last[request] && first[request] <= last[other] {
        let gap = offsets[other] - end
        if gap >= size, gap < best?.gap ?? .max { best = (end, gap) }
        end = max(end, ends[other])
      }
      let offset = best?.offset ?? end
      let (over, beyond) = offset.addingReportingOverflow(size)
      guard !overflow, !beyond else { throw .outOfMemory(bytes: .max) }
      (offsets[request], ends[request]) = (offset, over)
      byteCount = max(byteCount, over)
      // Behind all that begin no later, by halving.
      var (low, high) = (0, placed.count)
      while low < high {
        let middle = (low + high) / 2
        if offsets[placed[middle]] > offset { high = middle } else { low = middle + 1 }
      }
      placed.insert(request, at: low)
    }
  }
}
