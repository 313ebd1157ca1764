extension Card {
  /// How weights were trained: with it and the same pictures they can be made again.
  public struct Training: Codable, Hashable, Sendable {
    /// The recipe, as the text of a file.
    public var recipe: String
    /// Steps of the optimiser.
    public var steps: Int
    /// Where all random numbers came from.
    public var seed: UInt64
    /// The fingerprint of the pictures.
    public var fingerprint: String
    /// The program and its version.
    public var program: String

    /// A training.
    public init(
      recipe: String, steps: Int, seed: UInt64, fingerprint: String, program: String
    ) {
      self.recipe = recipe
      self.steps = steps
      self.seed = seed
      self.fingerprint = fingerprint
      self.program = program
    }
  }
}
