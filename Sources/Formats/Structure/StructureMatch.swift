public import AviaryCheckpoint
public import AviaryGraph

/// A network of ours that has exactly the weights of a file, whatever the file calls its layers.
public struct StructureMatch: Sendable {
  /// Two names of one tensor.
  public struct Renaming: Codable, Hashable, Sendable {
    /// In the file, as its reader names it.
    public var from: String
    /// In the network.
    public var to: String
  }

  /// The network.
  public var fit: Fit
  /// The file's tensors under the network's names, with all steps noted that lead to its layout.
  public var tensors: TensorSource
  /// The tensors whose names differ.
  public var renamed: [Renaming]
  /// What the file does not show and was assumed, in words, besides the fit's members.
  public var assumed: [String] = []
  /// How the layers were told, in words.
  public var notes: [String] = []
}
