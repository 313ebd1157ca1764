/// The tensors of a foreign file of weights, found, made contiguous and named, with the record of
/// how they were found.
public struct StateDict: Sendable {
  /// Every name with its tensor, in the file's order, names that share a storage included.
  public var tensors: NamedTensors
  /// For each name whose tensor is the very same storage as an earlier name's: that earlier name.
  public var aliases: [String: String]
  /// How the tensors were found in the file.
  public var unwrapping: Unwrapping

  /// A state dict.
  public init(
    tensors: NamedTensors, aliases: [String: String] = [:], unwrapping: Unwrapping = Unwrapping()
  ) {
    self.tensors = tensors
    self.aliases = aliases
    self.unwrapping = unwrapping
  }

  /// The same state dict with the stripped prefix put back.
  ///
  /// Some networks name all their parameters `model.…` by themselves: when the stripped names fit
  /// no architecture, these may.
  public var withPrefix: StateDict {
    let prefix = unwrapping.prefix
    var result = self
    result.tensors = tensors.renamed { prefix + $0 }
    result.aliases = Dictionary(
      uniqueKeysWithValues: aliases.map { (prefix + $0.key, prefix + $0.value) })
    result.unwrapping.prefix = ""
    return result
  }
}
