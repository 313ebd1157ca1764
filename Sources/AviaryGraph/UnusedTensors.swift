/// Tensors that files of an architecture hold beside its parameters and that its forward pass does not
/// read: those of another scale, masks, counters. Recognition passes over them, and reports list them.
public struct UnusedTensors: Hashable, Sendable {
  /// Names of tensors: `{i}` stands for a number, and `.*` at the end for any rest.
  public let names: String
  /// Why they are not read: "upsampling of another scale".
  public let reason: String
  private let pattern: Pattern

  /// Tensors whose names match a pattern; traps if it cannot be read, which is a slip in the source
  /// text of an architecture.
  public init(_ names: String, _ reason: String) {
    do throws(GraphError) {
      try self.init(names: names, reason: reason)
    } catch {
      preconditionFailure("unused tensors: \(error)")
    }
  }

  /// A pattern from outside.
  ///
  /// - Throws: `GraphError.member` for one that cannot be read.
  init(names: String, reason: String) throws(GraphError) {
    (self.names, self.reason) = (names, reason)
    pattern = try Pattern(names.hasSuffix(".*") ? String(names.dropLast(2)) : names)
  }

  /// Whether a tensor is one of them.
  func contains(_ name: String) -> Bool {
    guard names.hasSuffix(".*") else { return pattern.match(name[...]) != nil }
    return name.indices.contains { name[$0] == "." && pattern.match(name[..<$0]) != nil }
  }
}

extension [UnusedTensors] {
  /// Why a tensor is not read; nil for one that is not among them.
  package func reason(for name: String) -> String? {
    first { $0.contains(name) }?.reason
  }
}
