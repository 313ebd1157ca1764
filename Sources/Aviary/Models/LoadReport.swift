public import AviaryCheckpoint
public import AviaryGraph

/// What was done to a foreign file's weights on the way to a model: nothing is left unsaid.
public struct LoadReport: Codable, Hashable, Sendable {
  /// Two names of one tensor.
  public struct Renaming: Codable, Hashable, Sendable {
    /// In the file.
    public var from: String
    /// In the model.
    public var to: String
  }

  /// What the file is, such as "PyTorch zip".
  public var format: String
  /// The architecture that was recognised, or stated.
  public var architecture: String
  /// Its complete configuration.
  public var configuration: JSON
  /// How it takes and gives pictures.
  public var picture: JSON
  /// The published source whose names the file has; nil for the architecture's own.
  public var names: String?
  /// Parameters that were filled, by their names in the model.
  public var applied: [String] = []
  /// Those whose names differ.
  public var renamed: [Renaming] = []
  /// Those that were stored as another type, as "name: float64 to float32".
  public var converted: [String] = []
  /// What the file does not show and is customary, as "member: value".
  public var assumed: [String] = []
  /// Parameters of the model that the file does not have; they are zero.
  public var missing: [String] = []
  /// Tensors of the file that the model does not want.
  public var unused: [String] = []
  /// Tensors of another shape, with both shapes.
  public var mismatched: [String] = []
  /// Parameters with values that are no numbers, or infinite.
  public var notFinite: [String] = []
  /// How the tensors were found in the file.
  public var unwrapping = Unwrapping()

  /// What was done in words, for the card.
  var conversions: [String] {
    var lines: [String] = []
    if !unwrapping.path.isEmpty {
      lines.append("taken from \(unwrapping.path.joined(separator: "."))")
    }
    if !unwrapping.prefix.isEmpty { lines.append("prefix '\(unwrapping.prefix)' removed") }
    if let module = unwrapping.moduleClass { lines.append("taken from a pickled \(module)") }
    if let names { lines.append("\(renamed.count) names translated from those of \(names)") }
    lines += converted
    if !missing.isEmpty { lines.append("\(missing.count) parameters missing, set to zero") }
    if !unused.isEmpty { lines.append("\(unused.count) tensors not used") }
    return lines
  }
}
