import AviaryGraph

extension NCNNLayer {
  /// The error for what no operation computes.
  func unsupported(_ why: String) -> InterchangeError {
    .layer(name, kind: type, place: "line \(line)", why: why)
  }

  /// An integer attribute within a range.
  func integer(
    _ number: Int, default absent: Int = 0, in range: ClosedRange<Int>
  ) throws(InterchangeError) -> Int {
    guard let value = integer(number, default: absent), range.contains(value) else {
      throw unsupported(
        "attribute \(number): \(range.lowerBound) to \(range.upperBound) expected, "
          + "\(self.number(number, default: Double(absent))) found")
    }
    return value
  }

  /// Two attributes, of width and height, the height that of the width where it is not stated.
  func size(
    width: Int, height: Int, default absent: Int = 1, in range: ClosedRange<Int>
  ) throws(InterchangeError) -> Size {
    let columns = try integer(width, default: absent, in: range)
    return Size(try integer(height, default: columns, in: range), columns)
  }

  /// Refuses a layer that states another number than the only one that is computed.
  func require(
    _ number: Int, _ value: Double, default absent: Double, _ what: String
  ) throws(InterchangeError) {
    let found = self.number(number, default: absent)
    guard found == value else { throw unsupported("\(what) (attribute \(number) is \(found))") }
  }
}
