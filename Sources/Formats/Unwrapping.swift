/// How the tensors of a foreign file were found: what reports and provenance say about it.
public struct Unwrapping: Codable, Hashable, Sendable {
  /// The keys that lead from the file's outermost object to the dictionary of tensors, such as
  /// `["params_ema"]`; empty when the outermost object is that dictionary.
  public var path: [String] = []
  /// What every name began with and was stripped, such as `module.`; empty if nothing.
  public var prefix = ""
  /// The class of the pickled module that the tensors were taken from, if it was a whole module.
  public var moduleClass: String?
  /// Numbers and words found on the way, as name and value: `epoch`, `pytorch-lightning_version`.
  public var metadata: [Entry] = []
  /// What was left aside, in words: `optimizer (a dictionary)`.
  public var ignored: [String] = []
  /// Choices that a reader should know of, in words, such as EMA weights preferred to plain ones.
  public var notes: [String] = []

  /// A name and a value.
  public struct Entry: Codable, Hashable, Sendable {
    /// The key, with the keys that lead to it, joined by dots.
    public var name: String
    /// The value in words.
    public var value: String

    /// An entry.
    public init(name: String, value: String) {
      self.name = name
      self.value = value
    }
  }

  /// Found without unwrapping.
  public init() {}
}
