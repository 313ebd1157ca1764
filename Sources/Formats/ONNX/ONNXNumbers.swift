/// Numbers that are known while a network is read: constants, and sizes that follow from the
/// picture's.
///
/// A size that depends on the picture is kept as what it is for a few pictures: whoever uses it
/// compares it with other sizes of the same pictures. That needs no algebra, and understands every
/// chain of operations that exporters write for it.
struct ONNXNumbers {
  /// The dimensions; empty for one number.
  var shape: [Int]
  /// The numbers for each picture; only one row where they are the same for all.
  var rows: [[Double]]
  /// Whether division drops what is left over.
  var isInteger: Bool

  /// How many numbers may be looked into: a table of sizes is far below, weights are far above.
  static let limit = 1 << 12

  /// The same numbers for every picture.
  init(_ values: [Double], shape: [Int]? = nil, isInteger: Bool) {
    (self.shape, rows, self.isInteger) = (shape ?? [values.count], [values], isInteger)
  }

  /// Numbers for each picture.
  init(rows: [[Double]], shape: [Int], isInteger: Bool) {
    let isConstant = rows.dropFirst().allSatisfy { $0 == rows[0] }
    (self.shape, self.isInteger) = (shape, isInteger)
    self.rows = isConstant ? Array(rows.prefix(1)) : rows
  }

  /// The number of numbers.
  var count: Int { rows[0].count }

  /// The numbers for a picture.
  func row(_ sample: Int) -> [Double] { rows[rows.count == 1 ? 0 : sample] }

  /// The numbers, if they are the same for every picture.
  var constant: [Double]? { rows.count == 1 ? rows[0] : nil }

  /// The numbers as integers, if they are the same for every picture.
  var integers: [Int]? { constant.flatMap { $0.wholeNumbers } }

  /// Other numbers made of these, for each picture alike.
  func map(
    shape: [Int]? = nil, isInteger: Bool? = nil, _ change: ([Double]) -> [Double]
  ) -> ONNXNumbers {
    let rows = rows.map(change)
    return ONNXNumbers(
      rows: rows, shape: shape ?? (self.shape.isEmpty ? [] : [rows[0].count]),
      isInteger: isInteger ?? self.isInteger)
  }
}

extension [Double] {
  /// The numbers as integers; nil where one is no whole number of 53 bits.
  var wholeNumbers: [Int]? {
    var result: [Int] = []
    for value in self {
      // What is beyond stands for "to the end" in slices.
      let bounded = Swift.min(Swift.max(value, -0x1p53), 0x1p53)
      guard let whole = Int(exactly: bounded) else { return nil }
      result.append(whole)
    }
    return result
  }
}
