import AviaryThreads

/// The lines of row-major values along one dimension: values that have the same size in all other
/// dimensions have the same lines.
struct DimensionLines {
  /// How many lines there are.
  let count: Int
  /// From one element of a line to the next.
  let step: Int

  init(_ shape: [Int], dimension: Int) {
    step = shape[(dimension + 1)...].reduce(1, *)
    count = shape[..<dimension].reduce(1, *) * step
  }

  /// Where a line of so many elements begins.
  func start(_ line: Int, length: Int) -> Int { line / step * length * step + line % step }
}

/// Integers that float32 numbers hold.
enum IndexNumber {
  /// The place among so many that a number says; nil where it says none. Negative ones count from
  /// the end, and what is no integer is cut to one, as every framework's conversion does.
  static func place(_ number: Float, of count: Int) -> Int? {
    guard abs(number) <= 0x1p24 else { return nil }
    let place = Int(number)
    let wrapped = place < 0 ? place + count : place
    return (0..<count).contains(wrapped) ? wrapped : nil
  }
}
