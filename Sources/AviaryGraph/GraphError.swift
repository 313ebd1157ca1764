/// What can be wrong with a graph, a configuration or an image description from outside.
public enum GraphError: Error, Hashable, Sendable, CustomStringConvertible {
  /// The text is not JSON at all.
  case invalidJSON(String)
  /// A member of the graph's JSON is absent or of another type.
  case member(String, expected: String, found: String)
  /// The graph was written by a later version of the format.
  case unsupportedVersion(Int, supported: ClosedRange<Int>)
  /// A node's operation is not one of the known.
  case unknownOperation(node: String, String, nearest: String?)
  /// An operation does not have this attribute.
  case unknownAttribute(node: String, operation: String, String, known: [String])
  /// An attribute is absent, of another type, or outside its range.
  case attribute(node: String, String, expected: String, found: String)
  /// Two things have one name: `two inputs or nodes`.
  case duplicateName(String, of: String)
  /// A node takes a value that is not there.
  case unknownValue(node: String, String)
  /// An alias or a list refers to a parameter that is not there.
  case unknownParameter(String, of: String)
  /// A node takes the value of a later node, or its own: nodes stand in order of execution.
  case refersForward(node: String, String)
  /// A node takes another number of inputs than it is given.
  case inputCount(node: String, operation: String, expected: String, found: Int)
  /// A node names another number of parameters than its operation has.
  case parameterCount(node: String, expected: [String], found: [String])
  /// A node's inputs do not have shapes that it can work on.
  case shape(node: String, operation: String, problem: ShapeProblem)
  /// Two nodes share a parameter that each wants in another shape.
  case sharedParameter(String, [Int], [Int])
  /// A builder was told to use a layer's parameters again, or not to, and it is the other way.
  case layerName(String, isUsed: Bool)
  /// A graph is larger than Aviary accepts.
  case limit(String, value: Int, limit: Int)
  /// No input, node or output where there must be one.
  case missing(String)
  /// A configuration does not describe a network of the architecture.
  case configuration(String, String)
  /// A configuration has no such member.
  case unknownOption(String, of: String, known: [String])
  /// An input of the graph was given no shape, or one of another rank or number of channels.
  case inputShape(String, expected: String, found: [Int]?)

  /// One line: the thing, and what is wrong with it.
  public var description: String {
    switch self {
    case .invalidJSON(let what): "invalid JSON: \(what)"
    case .member(let path, let expected, let found): "\(path): expected \(expected), found \(found)"
    case .unsupportedVersion(let version, let supported):
      "graph: expected version \(supported.lowerBound) to \(supported.upperBound), found \(version)"
        + (version > supported.upperBound ? " (a newer aviary wrote it)" : "")
    case .unknownOperation(let node, let name, let nearest):
      "\(node): unknown operation '\(name)'" + (nearest.map { " (nearest: '\($0)')" } ?? "")
    case .unknownAttribute(let node, let operation, let name, let known):
      "\(node): \(operation) has no attribute '\(name)'"
        + (known.isEmpty ? " (it has none)" : " (it has \(known.joined(separator: ", ")))")
    case .attribute(let node, let name, let expected, let found):
      "\(node): \(name): expected \(expected), found \(found)"
    case .duplicateName(let name, let what): "\(name): \(what) have this name"
    case .unknownValue(let node, let name): "\(node): takes '\(name)', which is no input or node"
    case .unknownParameter(let name, let who): "\(who): takes '\(name)', which is no parameter"
    case .refersForward(let node, let name):
      "\(node): takes '\(name)', which comes later or is the node itself;"
        + " a graph has no cycles and lists nodes in order of execution"
    case .inputCount(let node, let operation, let expected, let found):
      "\(node): \(operation): expected \(expected), found \(found)"
    case .parameterCount(let node, let expected, let found):
      "\(node): expected parameters for \(expected), found \(found)"
    case .shape(let node, let operation, let problem): "\(node): \(operation): \(problem)"
    case .sharedParameter(let name, let first, let second):
      "\(name): its first node needs shape \(first), a later one \(second)"
    case .layerName(let name, let isUsed):
      isUsed
        ? "\(name): a second layer of this name (say `shared: true` to use the same parameters)"
        : "\(name): said to share parameters, but no earlier layer has this name"
    case .limit(let what, let value, let limit):
      "\(what): \(value) exceeds the limit of \(limit)"
    case .missing(let what): "graph: at least one \(what) is needed; there is none"
    case .configuration(let name, let problem): "\(name): \(problem)"
    case .unknownOption(let name, let architecture, let known):
      "\(architecture): no option '\(name)' (it has \(known.joined(separator: ", ")))"
    case .inputShape(let name, let expected, let found):
      "input \(name): expected shape \(expected), found \(found.map { "\($0)" } ?? "none")"
    }
  }
}

/// Why an operation cannot work on the shapes that it is given.
public enum ShapeProblem: Error, Hashable, Sendable, CustomStringConvertible {
  /// The operation wants another number of dimensions.
  case rank(expected: String, found: [Int])
  /// The number of channels does not fit.
  case channels(expected: String, found: Int)
  /// Two inputs differ where they must agree.
  case mismatch([Int], [Int])
  /// The input is smaller than the operation's window.
  case tooSmall(needed: String, found: [Int])
  /// A size must divide another.
  case notDivisible(String, value: Int, by: Int)
  /// The output has more elements than Aviary accepts.
  case tooLarge([Int])
  /// Anything else that is expected of the input.
  case expected(String, found: String)

  /// What was expected and what was found.
  public var description: String {
    switch self {
    case .rank(let expected, let found): "expected \(expected), found shape \(found)"
    case .channels(let expected, let found): "expected \(expected) channels, found \(found)"
    case .mismatch(let a, let b): "inputs of shapes \(a) and \(b) do not fit together"
    case .tooSmall(let needed, let found): "expected an input of at least \(needed), found \(found)"
    case .notDivisible(let what, let value, let by):
      "expected \(what) divisible by \(by), found \(value)"
    case .tooLarge(let shape): "shape \(shape) has 2^48 elements or more"
    case .expected(let expected, let found): "expected \(expected), found \(found)"
    }
  }
}

/// How large a graph may be. Far above any network known, and small enough that sums and products
/// of two stay within 64 bits: whatever comes from a file or a plugin is checked against these
/// before anything is calculated with it.
public enum GraphLimits {
  /// Nodes in a graph.
  public static let nodes = 20_000
  /// Inputs of one node, and inputs or outputs of a graph.
  public static let inputs = 1_024
  /// Dimensions of a value.
  public static let rank = 8
  /// Channels and features.
  public static let channels = 1 << 20
  /// Sides of kernels, strides, dilations, padding, cropping and shuffles.
  public static let window = 1 << 12
  /// The multiple of pixels at which a network's strides all meet. Larger ones are not looked into,
  /// as that takes trying every size up to it.
  public static let period = 1 << 10
  /// The size of any one dimension.
  public static let dimension = Int(Int32.max)
  /// Elements of any one value or parameter: below this number.
  public static let elements = 1 << 48
  /// Bytes of a name.
  public static let name = 512
}

extension StringProtocol {
  /// The candidate that takes the fewest letters changed, added or left out to become this string;
  /// nil if none is near (a third of the letters, and at least 2).
  public func nearest(in candidates: some Sequence<String>) -> String? {
    // Whoever writes so much has not mistyped a name, and comparing would take long.
    guard utf8.count <= 256 else { return nil }
    var best: (distance: Int, candidate: String)?
    for candidate in candidates {
      let distance = editDistance(to: candidate)
      if distance < best?.distance ?? .max { best = (distance, candidate) }
    }
    guard let best, best.distance <= Swift.max(2, count / 3) else { return nil }
    return best.candidate
  }

  /// Levenshtein's distance, case ignored.
  private func editDistance(to other: String) -> Int {
    let a = Array(lowercased()), b = Array(other.lowercased())
    var row = Array(0...b.count)
    for (i, letter) in a.enumerated() {
      var diagonal = row[0]
      row[0] = i + 1
      for (j, otherLetter) in b.enumerated() {
        let cost = letter == otherLetter ? diagonal : 1 + Swift.min(diagonal, row[j], row[j + 1])
        (diagonal, row[j + 1]) = (row[j + 1], cost)
      }
    }
    return row[b.count]
  }
}
