/// One row of the result at a time: gathered from rows, then filtered along itself.
struct HorizontalPass {
  private let columns: ResamplingTaps
  private let inputWidth: Int
  /// Where the row begins in `extended`.
  private let lead: Int
  /// A row with what the kernel sees beyond its ends.
  private var extended: [Double]

  init(_ columns: ResamplingTaps, inputWidth: Int) {
    self.columns = columns
    self.inputWidth = inputWidth
    let reach = columns.reach
    lead = max(0, -reach.lowerBound)
    extended = [Double](repeating: 0, count: lead + max(inputWidth, reach.upperBound))
  }

  /// Sums rows by their weights, in the order of the taps, and extends the sum beyond its ends.
  ///
  /// - Parameter plane: The row of `source` that stands for row 0 of the picture.
  mutating func gather(
    _ source: UnsafeBufferPointer<Float>, plane: Int, rows: ResamplingTaps, row: Int,
    maximum: Double?
  ) {
    let (lead, width, columns) = (lead, inputWidth, columns)
    unsafe extended.withUnsafeMutableBufferPointer { buffer in
      let sum = unsafe UnsafeMutableBufferPointer(rebasing: buffer[lead..<lead + width])
      for t in 0..<rows.count {
        let weight = rows.weights[row * rows.count + t]
        let start = (plane + rows.source(rows.first[row] + t)) * width
        let values = unsafe UnsafeBufferPointer(rebasing: source[start..<start + width])
        if t == 0 {
          for x in 0..<width { unsafe sum[x] = weight * Double(values[x]) }
        } else if weight != 0 {
          for x in 0..<width { unsafe sum[x] += weight * Double(values[x]) }
        }
      }
      if let maximum {
        for x in 0..<width { unsafe sum[x] = HorizontalPass.level(sum[x], maximum) }
      }
      for i in 0..<lead { unsafe buffer[i] = unsafe sum[columns.source(i - lead)] }
      for i in (lead + width)..<max(lead + width, buffer.count) {
        unsafe buffer[i] = unsafe sum[columns.source(i - lead)]
      }
    }
  }

  /// Filters the gathered row along itself.
  func write(to target: UnsafeMutableBufferPointer<Float>, maximum: Double?) {
    let (lead, taps) = (lead, columns.count)
    unsafe extended.withUnsafeBufferPointer { row in
      unsafe columns.weights.withUnsafeBufferPointer { weights in
        unsafe columns.first.withUnsafeBufferPointer { first in
          for x in 0..<target.count {
            let start = unsafe first[x] + lead
            var sum = 0.0
            for t in 0..<taps { unsafe sum += weights[x &* taps &+ t] * row[start &+ t] }
            if let maximum {
              // Divided as floats, as a file's samples are: the same level is the same value.
              unsafe target[x] = Float(HorizontalPass.level(sum, maximum)) / Float(maximum)
            } else {
              unsafe target[x] = Float(sum)
            }
          }
        }
      }
    }
  }

  /// Limited and rounded, halves upwards; NaN becomes 0.
  @inline(__always)
  private static func level(_ value: Double, _ maximum: Double) -> Double {
    let limited = value > 0 ? (value < maximum ? value : maximum) : 0
    return Double(Int32(limited + 0.5))
  }
}
