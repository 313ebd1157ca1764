/// The members of one node's JSON object, taken one by one, so that a member that nobody took can
/// be refused at the end.
package struct Attributes {
  let node: String
  let operation: String
  /// The version of the graph's JSON, by which some attributes have other names.
  private let version: Int
  private var members: [String: JSON]
  /// Every attribute asked for, taken or defaulted: what the operation has.
  private var known: [String] = []

  /// - Parameter reserved: members that are the node's own, not its operation's.
  init(
    node: String, operation: String, members: [String: JSON], reserved: Set<String>,
    version: Int = Graph.versions.upperBound
  ) {
    self.version = version
    self.node = node
    self.operation = operation
    self.members = members.filter { !reserved.contains($0.key) }
  }

  /// Takes an attribute by way of `convert`, which gives nil for a value that it cannot read.
  ///
  /// - Parameter old: the attribute's name in version 1, where it had another.
  mutating func take<T>(
    _ new: String, was old: String? = nil, _ expected: String, default absent: T? = nil,
    _ convert: (JSON) -> T?
  ) throws(GraphError) -> T {
    let name = version == 1 ? old ?? new : new
    known.append(name)
    guard let member = members.removeValue(forKey: name) else {
      guard let absent else {
        throw .attribute(node: node, name, expected: expected, found: "nothing")
      }
      return absent
    }
    guard let value = convert(member) else {
      throw .attribute(node: node, name, expected: expected, found: member.excerpt)
    }
    return value
  }

  mutating func int(
    _ name: String, was old: String? = nil, default absent: Int? = nil
  ) throws(GraphError) -> Int {
    try take(name, was: old, "an integer", default: absent, \.int)
  }

  /// An integer, or nil where the attribute is absent.
  mutating func optionalInt(_ name: String) throws(GraphError) -> Int? {
    try take(name, "an integer", default: .some(nil)) { $0.int.map(Optional.some) }
  }

  mutating func number(_ name: String, default absent: Double? = nil) throws(GraphError) -> Double {
    try take(name, "a number", default: absent, \.double)
  }

  mutating func bool(_ name: String, default absent: Bool? = nil) throws(GraphError) -> Bool {
    try take(name, "true or false", default: absent, \.bool)
  }

  mutating func ints(_ name: String) throws(GraphError) -> [Int] {
    try take(name, "an array of integers", \.ints)
  }

  /// One of an enumeration's words.
  mutating func word<T: RawRepresentable & CaseIterable>(
    _ name: String, default absent: T? = nil
  ) throws(GraphError) -> T where T.RawValue == String {
    let words = T.allCases.map { "'\($0.rawValue)'" }.joined(separator: ", ")
    return try take(name, "one of \(words)", default: absent) { $0.string.flatMap(T.init) }
  }

  /// One integer for both axes, or [height, width].
  mutating func size(_ name: String, default absent: Size? = nil) throws(GraphError) -> Size {
    try take(name, "an integer or [height, width]", default: absent) { json in
      if let side = json.int { return Size(side) }
      guard let sides = json.ints, sides.count == 2 else { return nil }
      return Size(sides[0], sides[1])
    }
  }

  /// One integer for all edges, or [top, left, bottom, right].
  mutating func amounts(
    _ name: String, was old: String? = nil, default absent: PaddingAmounts? = nil
  ) throws(GraphError) -> PaddingAmounts {
    try take(
      name, was: old, "an integer or [top, left, bottom, right]", default: absent,
      Attributes.amounts)
  }

  /// Amounts, or "same".
  mutating func padding() throws(GraphError) -> Padding {
    try take(
      "padding", was: "border", "'same', an integer or [top, left, bottom, right]",
      default: .explicit(.none)
    ) { json in
      json.string == "same" ? .same : Attributes.amounts(json).map(Padding.explicit)
    }
  }

  /// One number, or one a channel.
  mutating func numbers(_ name: String) throws(GraphError) -> [Double] {
    try take(name, "a number or an array of numbers") { json in
      if let number = json.double { return [number] }
      return json.numbers
    }
  }

  /// An integer, or [numerator, denominator].
  mutating func ratio(_ name: String, default absent: Ratio? = nil) throws(GraphError) -> Ratio {
    try take(
      name, "an integer or [numerator, denominator], 1 to \(GraphLimits.window)", default: absent
    ) { json in
      let numbers =
        json.int.map { [$0, 1] } ?? json.ints ?? []
      guard numbers.count == 2, numbers.allSatisfy((1...GraphLimits.window).contains) else {
        return nil
      }
      return Ratio(numbers[0], numbers[1])
    }
  }

  /// Whether an attribute is there to be taken.
  func has(_ name: String) -> Bool { members[name] != nil }

  /// Throws if a member is left that nobody took.
  func finish() throws(GraphError) {
    guard let first = members.keys.min() else { return }
    throw .unknownAttribute(node: node, operation: operation, first, known: known)
  }

  private static func amounts(_ json: JSON) -> PaddingAmounts? {
    if let number = json.int { return PaddingAmounts(number) }
    guard let numbers = json.ints, numbers.count == 4 else { return nil }
    return PaddingAmounts(numbers[0], numbers[1], numbers[2], numbers[3])
  }
}

extension Attributes {
  /// Members as (name, value, default), less those that equal their default.
  static func members(_ members: (String, JSON, JSON?)...) -> [String: JSON] {
    var result: [String: JSON] = [:]
    for (name, value, absent) in members where value != absent {
      // A whole number and the same number with a fraction are two in JSON, and one here.
      if let number = value.double, number == absent?.double { continue }
      result[name] = value
    }
    return result
  }
}

extension Size {
  /// One integer, or [height, width].
  var json: JSON { height == width ? .int(height) : .ints([height, width]) }
}

extension PaddingAmounts {
  /// One integer, or [top, left, bottom, right].
  var json: JSON { self == PaddingAmounts(top) ? .int(top) : .ints([top, left, bottom, right]) }
}

extension Ratio {
  /// One integer, or [numerator, denominator].
  var json: JSON { denominator == 1 ? .int(numerator) : .ints([numerator, denominator]) }
}

extension Padding {
  /// As edges, or "same".
  var json: JSON {
    switch self {
    case .same: "same"
    case .explicit(let amounts): amounts.json
    }
  }
}

extension JSON {
  /// An array of integers.
  static func ints(_ values: [Int]) -> JSON { .array(values.map(JSON.int)) }
}
