/// What a user states about a file that the file itself does not say.
public struct ReadingOptions: Hashable, Sendable {
  /// Whether kernels were trained with Theano, which flips them: they are flipped back. No file of
  /// Keras 1 says which it was.
  public var theanoKernels: Bool

  /// Nothing is stated unless said.
  public init(theanoKernels: Bool = false) {
    self.theanoKernels = theanoKernels
  }
}
