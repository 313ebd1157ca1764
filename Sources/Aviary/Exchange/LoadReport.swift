import AviaryCheckpoint
public import AviaryFormats
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

  /// What was done to one tensor.
  public struct Change: Codable, Hashable, Sendable {
    /// The parameter, by its name in the model.
    public var name: String
    /// What was done, in words: "transposed by (3, 2, 0, 1)".
    public var what: String
  }

  /// What the file is, such as "PyTorch zip".
  public var format: String
  /// What wrote it, as far as it says: "Keras 3.6.0 (tensorflow)".
  public var origin: String
  /// The architecture that was recognised, or stated; empty where the file's own description of its
  /// network is what runs.
  public var architecture: String
  /// Its complete configuration.
  public var configuration: JSON
  /// How it takes and gives pictures.
  public var picture: JSON
  /// Why it is this network: what it was recognised by.
  public var reason: String
  /// The published source whose names the file has; nil for the architecture's own.
  public var names: String?
  /// Parameters that were filled, by their names in the model.
  public var applied: [String] = []
  /// Those whose names differ.
  public var renamed: [Renaming] = []
  /// Those whose dimensions lie in another order in the file.
  public var transposed: [Change] = []
  /// Those whose elements were put in another order: flipped kernels, channels of a pixel shuffle.
  public var permuted: [Change] = []
  /// Those that zeros were put around, or cut from.
  public var padded: [Change] = []
  /// Those that were stored as another type.
  public var converted: [Change] = []
  /// What the file does not show and is customary, as "member: value".
  public var assumed: [String] = []
  /// Parameters of the model that the file does not have; they are zero.
  public var missing: [String] = []
  /// Tensors of the file that the model does not want.
  public var unused: [String] = []
  /// Tensors of another shape, with both shapes.
  public var mismatched: [String] = []
  /// Anything else worth a sentence.
  public var notes: [String] = []
  /// How the tensors were found in the file.
  public var unwrapping = Unwrapping()

  /// Sorts what was done to a tensor into the report.
  mutating func note(_ tensor: TensorDescription) {
    for step in tensor.steps {
      let change = Change(name: tensor.name, what: "\(step)")
      switch step {
      case .permuted, .reshaped: transposed.append(change)
      case .reversed, .reordered: permuted.append(change)
      case .padded, .cropped: padded.append(change)
      case .converted: converted.append(change)
      }
    }
  }

  /// What was done in words, for the card.
  var conversions: [String] {
    func count(_ changes: [Change], _ what: String) -> [String] {
      let names = Set(changes.map(\.name))
      return names.isEmpty ? [] : ["\(names.count) tensors \(what)"]
    }
    var lines: [String] = []
    if !unwrapping.path.isEmpty {
      lines.append("taken from \(unwrapping.path.joined(separator: "."))")
    }
    if !unwrapping.prefix.isEmpty { lines.append("prefix '\(unwrapping.prefix)' removed") }
    if let module = unwrapping.moduleClass { lines.append("taken from a pickled \(module)") }
    if let names {
      lines.append("\(renamed.count) names translated from those of \(names)")
    } else if !renamed.isEmpty {
      lines.append("\(renamed.count) names changed")
    }
    lines += count(transposed, "transposed") + count(permuted, "permuted")
    lines += count(padded, "padded") + converted.map { "\($0.name): \($0.what)" }
    if !missing.isEmpty { lines.append("\(missing.count) parameters missing, set to zero") }
    if !unused.isEmpty { lines.append("\(unused.count) tensors not used") }
    return lines + notes
  }
}
