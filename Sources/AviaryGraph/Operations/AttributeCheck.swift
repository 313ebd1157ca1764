/// Checks of one node's attributes against their ranges.
package struct AttributeCheck {
  /// The node's name, for messages.
  let node: String

  /// As many channels, or features, as there may be.
  static let channels = 1...GraphLimits.channels

  package func callAsFunction(
    _ name: String, _ value: Int, _ range: ClosedRange<Int>
  ) throws(GraphError) {
    guard range.contains(value) else {
      throw .attribute(
        node: node, name, expected: "\(range.lowerBound) to \(range.upperBound)",
        found: "\(value)")
    }
  }

  func callAsFunction(_ name: String, _ size: Size) throws(GraphError) {
    for axis in Axis.allCases { try self(name, size[axis], 1...GraphLimits.window) }
  }

  func callAsFunction(_ name: String, _ amounts: PaddingAmounts, least: Int = 0) throws(GraphError)
  {
    try self(name, amounts.smallest, least...GraphLimits.window)
    try self(name, amounts.largest, least...GraphLimits.window)
  }

  func callAsFunction(_ padding: Padding) throws(GraphError) {
    if case .explicit(let amounts) = padding { try self("padding", amounts) }
  }

  func callAsFunction(
    _ name: String, _ number: Double, positive: Bool = false
  ) throws(GraphError) {
    guard number.isFinite, !positive || number > 0 else {
      throw .attribute(
        node: node, name, expected: positive ? "a number above 0" : "a finite number",
        found: "\(number)")
    }
  }

  /// Different dimensions of a value, at least one.
  func callAsFunction(_ name: String, _ dimensions: [Int]) throws(GraphError) {
    for dimension in dimensions { try self(name, dimension, 0...(GraphLimits.rank - 1)) }
    guard Set(dimensions).count == dimensions.count, !dimensions.isEmpty else {
      throw .attribute(node: node, name, expected: "different dimensions", found: "\(dimensions)")
    }
  }

  /// Channels that can be divided into so many groups.
  func divides(_ name: String, _ channels: Int, _ groups: Int) throws(GraphError) {
    guard channels % groups == 0 else {
      throw .attribute(
        node: node, name, expected: "a multiple of \(groups) groups", found: "\(channels)")
    }
  }
}
