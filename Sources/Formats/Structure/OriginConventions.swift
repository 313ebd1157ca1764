public import AviaryGraph

/// What a file's framework says of a network that no shape shows: whose borders its strided and
/// transposed convolutions have. Keras and PyTorch differ by one pixel there.
public struct OriginConventions: Sendable {
  private let value: String?

  /// The conventions of a file's framework; ONNX, ncnn and bare arrays have none of their own.
  public init(_ framework: Origin.Framework) {
    value =
      switch framework {
      case .keras: "keras"
      case .pytorch: "pytorch"
      case .onnx, .ncnn, .arrays: nil
      }
  }

  /// The fit with the framework's borders, where its configuration has a member `origin` that was only
  /// assumed.
  ///
  /// - Parameters:
  ///   - weights: the tensors, under the names under which the fit was found.
  ///   - overrides: what the user states, which counts first.
  ///   - notes: gets a line where the origin was settled.
  /// - Throws: what detection throws.
  public func applied(
    to fit: Fit, _ weights: WeightIndex, _ registry: Registry, overrides: JSON = [:],
    notes: inout [String]
  ) throws -> Fit {
    guard let value, fit.assumed.contains("origin"), overrides["origin"] == nil else { return fit }
    var stated = overrides.object ?? [:]
    stated["origin"] = .string(value)
    // An origin that the configuration cannot have: the fit stays, and its origin assumed.
    guard
      var settled = try? registry.detect(
        weights, as: fit.network.architecture, overrides: .object(stated))
    else { return fit }
    // The tensors have canonical names by now; what they were translated from stays said.
    settled.names = fit.names
    notes.append("origin \"\(value)\": the framework that the file is of")
    return settled
  }
}
