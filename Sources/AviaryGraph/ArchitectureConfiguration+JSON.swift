internal import FoundationEssentials

extension ArchitectureConfiguration {
  /// Reads a complete configuration.
  ///
  /// - Throws: `GraphError.member` that names the member of another type.
  init(json: JSON, of architecture: String) throws(GraphError) {
    do {
      self = try Self.decode(json)
    } catch let error as DecodingError {
      var (path, expected) = error.pathAndExpectation
      if path.isEmpty, let fraction = Self.misplacedFraction(in: json) {
        (path, expected) = (fraction, "an integer")
      }
      let found = path.reduce(json) { json, part in
        json.element(part) ?? json[part] ?? .null
      }
      throw .member(
        ([architecture] + path).joined(separator: "."), expected: expected, found: found.excerpt)
    } catch {
      throw .configuration(architecture, "\(error)")
    }
  }

  private static func decode(_ json: JSON) throws -> Self {
    try JSONDecoder().decode(Self.self, from: JSONEncoder().encode(json))
  }

  /// Where a number with a fraction stands in the place of an integer. The decoder does not say:
  /// to it the whole text is then no JSON. So each is tried with all others made integers.
  private static func misplacedFraction(in json: JSON) -> [String]? {
    var paths: [[String]] = []
    _ = json.mappingNumbers { path, number in
      paths.append(path)
      return .number(number)
    }
    return paths.prefix(64).first { candidate in
      let others = json.mappingNumbers { path, number in
        path == candidate ? .number(number) : 1
      }
      return (try? decode(others)) == nil
    }
  }
}

extension JSON {
  /// The element of an array at a position written as text.
  fileprivate func element(_ position: String) -> JSON? {
    guard let array, let index = Int(position), array.indices.contains(index) else { return nil }
    return array[index]
  }

  /// The same value with every number that is no integer replaced by what `transform` makes of it
  /// and the way to it.
  fileprivate func mappingNumbers(
    _ path: [String] = [], _ transform: ([String], Double) -> JSON
  ) -> JSON {
    switch self {
    case .number(let number): return transform(path, number)
    case .array(let elements):
      return .array(
        elements.enumerated().map { $1.mappingNumbers(path + ["\($0)"], transform) })
    case .object(let members):
      var result: [String: JSON] = [:]
      for (name, member) in members.sorted(by: { $0.key < $1.key }) {
        result[name] = member.mappingNumbers(path + [name], transform)
      }
      return .object(result)
    case .null, .bool, .int, .string: return self
    }
  }
}

extension DecodingError {
  /// Where the trouble is, and what was expected there.
  fileprivate var pathAndExpectation: (path: [String], expected: String) {
    func words(_ type: Any.Type) -> String {
      switch type {
      case is Int.Type: "an integer"
      case is Double.Type, is Float.Type: "a number"
      case is Bool.Type: "true or false"
      case is String.Type: "a string"
      default:
        "\(type)".hasPrefix("Array")
          ? "an array" : "\(type)".hasPrefix("Dictionary") ? "an object" : "another value"
      }
    }
    func path(_ context: Context) -> [String] {
      context.codingPath.map { $0.intValue.map(String.init) ?? $0.stringValue }
    }
    switch self {
    case .typeMismatch(let type, let context), .valueNotFound(let type, let context):
      return (path(context), words(type))
    case .keyNotFound(let key, let context): return (path(context) + [key.stringValue], "a value")
    case .dataCorrupted(let context): return (path(context), "one of the known values")
    @unknown default: return ([], "another value")
    }
  }
}
