public import AviaryContainers

/// What a user states about a file that the file itself does not say.
public struct ReadingOptions: Hashable, Sendable {
  /// Whether kernels were trained with Theano, which flips them: they are flipped back. No file of
  /// Keras 1 says which it was.
  public var theanoKernels: Bool
  /// How an HDF5 file is read: by the helper program unless its writer is trusted.
  public var hdf5: HDF5Access

  /// Nothing is stated unless said.
  public init(theanoKernels: Bool = false, hdf5: HDF5Access = .isolated) {
    self.theanoKernels = theanoKernels
    self.hdf5 = hdf5
  }
}
