import CDNNL

/// The threads on which the engine's own loops run: those of oneDNN.
struct Workers {
  let count: Int

  /// Calls `body` for parts of `0..<total` at the same time, one part a thread.
  ///
  /// - Parameters:
  ///   - cost: about how many elements one step touches; small work is not worth waking threads.
  ///   - body: must not touch what another part writes.
  func split(_ total: Int, cost: Int = 1, _ body: (Range<Int>) -> Void) {
    splitNumbered(total, cost: cost) { range, _ in body(range) }
  }

  /// The same, telling `body` the number of its part too: less than `count`, and no other's.
  func splitNumbered(_ total: Int, cost: Int = 1, _ body: (Range<Int>, Int) -> Void) {
    let parts = min(count, total, max(total.multipliedSaturated(by: cost) >> 14, 1))
    guard parts > 1 else {
      if total > 0 { body(0..<total, 0) }
      return
    }
    withoutActuallyEscaping(body) { body in
      var job = Job(total: total, body: body)
      unsafe withUnsafeMutablePointer(to: &job) { pointer in
        unsafe GOMP_parallel(
          { data in
            guard let data = unsafe data else { return }
            let job = unsafe data.assumingMemoryBound(to: Job.self)
            // The team may be smaller than asked for; what counts is its size as it is.
            let (part, parts) = (Int(omp_get_thread_num()), Int(omp_get_num_threads()))
            let total = unsafe job.pointee.total
            let range = total * part / parts..<total * (part + 1) / parts
            if !range.isEmpty { unsafe job.pointee.body(range, part) }
          }, pointer, UInt32(parts), 0)
      }
    }
  }

  private struct Job {
    let total: Int
    let body: (Range<Int>, Int) -> Void
  }
}

extension Int {
  /// The product, or the largest number where it overflows.
  func multipliedSaturated(by other: Int) -> Int {
    let (product, overflow) = multipliedReportingOverflow(by: other)
    return overflow ? .max : product
  }
}
