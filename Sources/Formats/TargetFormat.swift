/// A kind of file that weights are written to.
public enum TargetFormat: String, CaseIterable, Codable, Hashable, Sendable {
  /// Our own: HDF5.
  case aviary
  /// Keras 3's archive, a whole model.
  case keras
  /// Keras 3's weights alone.
  case kerasWeights = "keras-weights"
  /// Keras's HDF5 of versions 1 and 2, a whole model.
  case kerasHDF5 = "keras-h5"
  /// PyTorch's zip archive of a state dict.
  case pytorch
  case safetensors
  /// ONNX, a whole model.
  case onnx

  /// What a file's name asks for; nil for names that say nothing. A plain `.h5` is ours.
  public init?(path: String) {
    let name = path.lowercased()
    let formats: [(String, TargetFormat)] = [
      (".weights.h5", .kerasWeights), (".h5", .aviary), (".hdf5", .aviary), (".keras", .keras),
      (".pt", .pytorch), (".pth", .pytorch), (".safetensors", .safetensors), (".onnx", .onnx),
    ]
    guard let format = formats.first(where: { name.hasSuffix($0.0) }) else { return nil }
    self = format.1
  }
}
