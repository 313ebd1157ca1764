/// A part of a loss in a step.
public struct LossPart: Hashable, Sendable {
  /// The name, such as `l1`.
  public var name: String
  /// Its value, unweighted.
  public var value: Double

  /// A part.
  public init(_ name: String, _ value: Double) { (self.name, self.value) = (name, value) }
}
