/// Tensors that files of an architecture hold beside its parameters and that its forward pass does not
/// read: those of another scale, masks, counters. Recognition passes over them, and reports list them.
public struct UnusedTensors: Hashable, Sendable {
  /// Names of tensors: `{i}` stands for a number, and `.*` at the end for any rest.
  public let names: String
  /// Why they are not read: "upsampling of another scale".
  public let reason: String
  /// What a file for PyTorch is to hold under the name, for those who load it; nil for nothing.
  public let buffer: Buffer?
  private let pattern: Pattern

  /// A tensor that follows from the configuration.
  public struct Buffer: Hashable, Sendable {
    /// The dimensions.
    public var shape: [Int]
    /// The elements, as many as the shape has.
    public var values: [Double]
    /// Whether the elements are bytes (uint8), and not float32.
    public var isBytes: Bool

    /// Elements in a shape; float32 unless stated.
    public init(_ shape: [Int], _ values: [Double], isBytes: Bool = false) {
      (self.shape, self.values, self.isBytes) = (shape, values, isBytes)
    }
  }

  /// Tensors whose names match a pattern; traps if it cannot be read, which is a slip in the source
  /// text of an architecture.
  ///
  /// - Parameter buffer: what a file for PyTorch holds under the name, which then is one name.
  public init(_ names: String, _ reason: String, buffer: Buffer? = nil) {
    do throws(GraphError) {
      try self.init(names: names, reason: reason, buffer: buffer)
    } catch {
      preconditionFailure("unused tensors: \(error)")
    }
  }

  /// A pattern from outside.
  ///
  /// - Throws: `GraphError.member` for one that cannot be read, and for a buffer of many names, of more
  ///   than 2^16 elements, or of others than its shape has.
  init(names: String, reason: String, buffer: Buffer? = nil) throws(GraphError) {
    (self.names, self.reason, self.buffer) = (names, reason, buffer)
    if let buffer {
      guard !names.hasSuffix(".*"), !names.contains("{") else {
        throw .member("unused tensors", expected: "one name for a buffer", found: "'\(names)'")
      }
      guard buffer.shape.count <= GraphLimits.rank,
        buffer.shape.allSatisfy((1...1 << 16).contains), buffer.values.count <= 1 << 16,
        buffer.shape.reduce(1.0, { $0 * Double($1) }) == Double(buffer.values.count)
      else {
        throw .member(
          "unused tensors: \(names)", expected: "as many elements as shape \(buffer.shape) has",
          found: "\(buffer.values.count)")
      }
      let range =
        buffer.isBytes
        ? 0...255.0
        : -Double(
          Float.greatestFiniteMagnitude)...Double(
            Float.greatestFiniteMagnitude)
      guard buffer.values.allSatisfy(range.contains) else {
        throw .member(
          "unused tensors: \(names)", expected: buffer.isBytes ? "bytes" : "finite numbers",
          found: "others")
      }
    }
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
