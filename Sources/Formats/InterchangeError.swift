import AviaryFiles
public import AviaryGraph

/// What can be wrong when a network goes from one framework to another.
public enum InterchangeError: Error, Hashable, Sendable, CustomStringConvertible {
  /// A layer that no operation of ours computes.
  case layer(String, kind: String, place: String, why: String)
  /// A description of a network that contradicts itself, or its format.
  case description(part: String, problem: String)
  /// Weights that a layer wants and the file does not have, or of another shape.
  case weights(layer: String, expected: String, found: String)
  /// A network that the target cannot express.
  case target(format: String, node: String, why: String)
  /// What the description amounts to is no sound graph.
  case graph(GraphError)

  /// One line: the thing, the expected, the found.
  public var description: String { text.printable }

  /// The message as the names in the file make it, which may hold anything.
  private var text: String {
    switch self {
    case .layer(let name, let kind, let place, let why):
      "layer \(name) of class \(kind) (\(place)): \(why)"
    case .description(let part, let problem): "\(part): \(problem)"
    case .weights(let layer, let expected, let found):
      "layer \(layer): \(expected) expected, \(found) found"
    case .target(let format, let node, let why): "\(node): cannot be written as \(format): \(why)"
    case .graph(let error): "\(error)"
    }
  }
}
