internal import FoundationEssentials

/// Any JSON value. Graphs, configurations and plugin messages are read through it, so that what is
/// absent, unknown or of another type can be said in one clear line.
public enum JSON: Codable, Hashable, Sendable {
  case null
  case bool(Bool)
  case int(Int)
  case number(Double)
  case string(String)
  case array([JSON])
  case object([String: JSON])

  /// Reads one value from any decoder.
  public init(from decoder: any Decoder) throws {
    let container = try decoder.singleValueContainer()
    // Strings and integers are by far the most frequent, and each failed attempt costs an error.
    if let value = try? container.decode(String.self) {
      self = .string(value)
    } else if let value = try? container.decode(Int.self) {
      self = .int(value)
    } else if let value = try? container.decode(Double.self) {
      self = .number(value)
    } else if let value = try? container.decode(Bool.self) {
      self = .bool(value)
    } else if let value = try? container.decode([JSON].self) {
      self = .array(value)
    } else if container.decodeNil() {
      self = .null
    } else {
      self = .object(try container.decode([String: JSON].self))
    }
  }

  /// Writes the value to any encoder.
  public func encode(to encoder: any Encoder) throws {
    var container = encoder.singleValueContainer()
    switch self {
    case .null: try container.encodeNil()
    case .bool(let value): try container.encode(value)
    case .int(let value): try container.encode(value)
    case .number(let value): try container.encode(value)
    case .string(let value): try container.encode(value)
    case .array(let value): try container.encode(value)
    case .object(let value): try container.encode(value)
    }
  }

  /// Parses text.
  ///
  /// Of objects with two members of one name, of numbers that no 64 bits hold and of 128 levels in
  /// each other none is read. A number without a fraction is an integer, however it is written.
  ///
  /// - Throws: `GraphError.invalidJSON` that says where and what.
  public init(parsing text: some StringProtocol) throws(GraphError) {
    var parser = JSONParser(text)
    self = try parser.parse()
  }

  /// The value of `value`'s members.
  ///
  /// - Throws: `GraphError.invalidJSON` where `value` cannot be encoded (a number that is not
  ///   finite).
  public init(encoding value: some Encodable) throws(GraphError) {
    let data: Data
    do { data = try JSONEncoder().encode(value) } catch { throw .invalidJSON("\(error)") }
    try self.init(parsing: String(decoding: data, as: UTF8.self))
  }

  /// Compact text with sorted members: equal values give equal text.
  public var text: String { text([.sortedKeys, .withoutEscapingSlashes]) }

  /// The beginning of the text, for messages.
  var excerpt: String {
    let text = abridged.text
    return text.utf8.count > 80 ? text.prefix(80) + "…" : text
  }

  /// A value whose text begins like this one's, of no more than is needed for an excerpt.
  private var abridged: JSON {
    switch self {
    case .string(let value): .string(String(value.prefix(80)))
    case .array(let elements): .array(elements.prefix(40).map(\.abridged))
    case .object(let members):
      .object(
        Dictionary(
          uniqueKeysWithValues: members.sorted { $0.key < $1.key }.prefix(40)
            .map { ($0, $1.abridged) }))
    default: self
    }
  }

  /// Indented text with sorted members.
  public var prettyText: String {
    text([.sortedKeys, .withoutEscapingSlashes, .prettyPrinted])
  }

  private func text(_ formatting: JSONEncoder.OutputFormatting) -> String {
    let encoder = JSONEncoder()
    encoder.outputFormatting = formatting
    encoder.nonConformingFloatEncodingStrategy = .convertToString(
      positiveInfinity: "inf", negativeInfinity: "-inf", nan: "nan")
    // Every case encodes, once numbers that are not finite are words.
    guard let data = try? encoder.encode(self) else { preconditionFailure("a JSON value encodes") }
    return String(decoding: data, as: UTF8.self)
  }
}

// MARK: - Access

extension JSON {
  /// What kind of value it is, for messages.
  public var kind: String {
    switch self {
    case .null: "null"
    case .bool: "a truth value"
    case .int: "an integer"
    case .number: "a number"
    case .string: "a string"
    case .array: "an array"
    case .object: "an object"
    }
  }

  /// The member of an object; nil for anything else.
  public subscript(member: String) -> JSON? {
    guard case .object(let members) = self else { return nil }
    return members[member]
  }

  /// The integer, where the value is one.
  public var int: Int? {
    guard case .int(let value) = self else { return nil }
    return value
  }

  /// The number, integer or not, where the value is one.
  public var double: Double? {
    switch self {
    case .int(let value): Double(value)
    case .number(let value): value
    default: nil
    }
  }

  /// The string, where the value is one.
  public var string: String? {
    guard case .string(let value) = self else { return nil }
    return value
  }

  /// The truth value, where the value is one.
  public var bool: Bool? {
    guard case .bool(let value) = self else { return nil }
    return value
  }

  /// The elements, where the value is an array.
  public var array: [JSON]? {
    guard case .array(let value) = self else { return nil }
    return value
  }

  /// The elements, where the value is an array of integers.
  var ints: [Int]? { elements(\.int) }

  /// The elements, where the value is an array of numbers.
  var numbers: [Double]? { elements(\.double) }

  /// The elements, where the value is an array of strings.
  var strings: [String]? { elements(\.string) }

  private func elements<T>(_ convert: (JSON) -> T?) -> [T]? {
    guard let array else { return nil }
    let converted = array.compactMap(convert)
    return converted.count == array.count ? converted : nil
  }

  /// The members, where the value is an object.
  public var object: [String: JSON]? {
    guard case .object(let value) = self else { return nil }
    return value
  }
}

extension JSON: ExpressibleByStringLiteral, ExpressibleByIntegerLiteral,
  ExpressibleByBooleanLiteral, ExpressibleByFloatLiteral, ExpressibleByArrayLiteral,
  ExpressibleByDictionaryLiteral
{
  /// A string.
  public init(stringLiteral value: String) { self = .string(value) }
  /// An integer.
  public init(integerLiteral value: Int) { self = .int(value) }
  /// A truth value.
  public init(booleanLiteral value: Bool) { self = .bool(value) }
  /// A number.
  public init(floatLiteral value: Double) { self = .number(value) }
  /// An array.
  public init(arrayLiteral elements: JSON...) { self = .array(elements) }
  /// An object; the last of two equal keys counts.
  public init(dictionaryLiteral elements: (String, JSON)...) {
    self = .object(Dictionary(elements) { $1 })
  }
}
