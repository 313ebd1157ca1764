import AviaryCheckpoint
public import AviaryFormats
public import AviaryGraph

/// Everything that was done to turn a third-party file's weights into a model.
public struct LoadReport: Codable, Hashable, Sendable {
  /// A tensor's name before and after renaming.
  public struct Renaming: Codable, Hashable, Sendable {
    /// In the file.
    public var from: String
    /// In the model.
    public var to: String
  }

  /// A change to one tensor.
  public struct Change: Codable, Hashable, Sendable {
    /// The parameter, by its name in the model.
    public var name: String
    /// What was done, in words: "transposed by (3, 2, 0, 1)".
    public var what: String
  }

  /// What the file is, such as "PyTorch zip".
  public var format: String
  /// The program that wrote it, if the file says so: "Keras 3.6.0 (tensorflow)".
  public var origin: String
  /// Another value of a member of the configuration that was assumed.
  public struct Alternative: Codable, Hashable, Sendable {
    /// What was assumed, as in `assumed`.
    public var assumption: String
    /// The member.
    public var member: String
    /// Its other value.
    public var value: JSON
    /// By how much the result for a natural image then differs at most, with black 0 and white 1;
    /// nil where it was not computed.
    public var difference: Double?

    /// The statement that makes it so.
    public var statement: String {
      "--config '{\(JSON.string(member).text): \(value.text)}'"
    }
  }

  /// The detected or stated architecture; empty if the network described by the file runs instead.
  public var architecture: String
  /// Its complete configuration.
  public var configuration: JSON
  /// The network in words: an architecture with its configuration, or the file's own.
  public var network: String {
    architecture.isEmpty
      ? "the network that the file describes" : "\(architecture) \(configuration.text)"
  }
  /// The image description.
  public var picture: JSON
  /// How the network was detected.
  public var reason: String
  /// The published source whose layer names the file uses; nil for the architecture's own.
  public var names: String?
  /// Parameters that were loaded, by their names in the model.
  public var applied: [String] = []
  /// Parameters with a different name in the file.
  public var renamed: [Renaming] = []
  /// Parameters with a different dimension order in the file.
  public var transposed: [Change] = []
  /// Parameters whose elements were reordered: flipped kernels, channels of a pixel shuffle.
  public var permuted: [Change] = []
  /// Parameters that were padded with zeros, or cropped.
  public var padded: [Change] = []
  /// Parameters stored with a different element type.
  public var converted: [Change] = []
  /// Facts that the file does not show and that were assumed, as "member: value".
  public var assumed: [String] = []
  /// Other values that assumed members may have.
  public var alternatives: [Alternative] = []
  /// Whether the file does not say how its layers are connected, so that the architecture is an
  /// assumption too.
  public var graphIsAssumed = false
  /// Parameters of the model that the file lacks; they are zero.
  public var missing: [String] = []
  /// Tensors of the file that the model does not use.
  public var unused: [String] = []
  /// Tensors whose shape differs, with both shapes.
  public var mismatched: [String] = []
  /// Anything else worth reporting.
  public var notes: [String] = []
  /// How the tensors were found in the file.
  public var unwrapping = Unwrapping()

  /// What was assumed, in words: with what changes it, and by how much the result then differs.
  public var assumptions: [String] {
    assumed.map { assumption in
      let others = alternatives.filter { $0.assumption == assumption }.map { other in
        "\(other.statement) changes it"
          + (other.difference.map { ", and the result for a natural image by \(Self.text($0))" }
            ?? "")
      }
      return others.isEmpty ? assumption : "\(assumption) (\(others.joined(separator: "; ")))"
    }
  }

  private static func text(_ difference: Double) -> String {
    let steps = (difference * 255).rounded()
    return steps < 1 ? "less than 1 of 255" : "up to \(Int(steps)) of 255"
  }

  /// Adds what was done to a tensor to the report.
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

  /// The changes in words, for the model card.
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

/// What was written, and how it was verified against its source.
public struct ExportReport: Codable, Hashable, Sendable {
  /// How the written file was checked.
  public enum Check: Codable, Hashable, Sendable {
    /// The tensors that were read back have the same content hash.
    case hash
    /// The tensors that were read back have the same content hash; the network described by the
    /// file was not computed, because its only input size is too large for that.
    case tensors
    /// The file was read back as a network: the largest difference between its outputs and those of
    /// the original, for a test image of this height and width; and the same relative to the
    /// largest output.
    case outputs(height: Int, width: Int, largest: Double, relative: Double)
  }

  /// The file's format.
  public var format: TargetFormat
  /// The files, with the requested one first.
  public var files: [String]
  /// The content hash of the written weights.
  public var contentHash: String
  /// How the written file was checked.
  public var check: Check
  /// Whose names the parameters have, where these are not the network's own.
  public var names: String?
  /// The changes made to fit the format, in words.
  public var changes: [String] = []
  /// What the format cannot hold, in words.
  public var leftBehind: [String] = []
  /// Parameters with NaN or infinite values.
  public var notFinite: [String] = []
}
