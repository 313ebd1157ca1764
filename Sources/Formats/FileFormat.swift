/// How a file holds weights, told by its content and never by its name.
public enum FileFormat: String, CaseIterable, Codable, Hashable, Sendable {
  /// The native checkpoint.
  case aviaryCheckpoint
  /// Keras 1 and 2: HDF5 with `layer_names`, weights alone or a whole model.
  case kerasHDF5
  /// Keras 3 `.weights.h5`: HDF5 with `vars` groups.
  case kerasWeightsHDF5
  /// Keras 3 `.keras`: zip with `config.json` and `metadata.json`.
  case kerasArchive
  /// PyTorch 1.6 and later: zip with `data.pkl`.
  case torchZip
  /// PyTorch before 1.6: a row of pickles and raw storages.
  case torchLegacy
  /// PyTorch before 0.1.12: a tar archive.
  case torchTar
  /// TorchScript: zip with `constants.pkl` and `code/`.
  case torchScript
  /// A pickle outside any container.
  case pickle
  /// Zip of NumPy arrays.
  case npz
  /// One NumPy array.
  case npy
  /// A folder of NumPy arrays.
  case numPyFolder
  /// HDF5 of data sets named like a state dict.
  case hdf5StateDict
  /// Hugging Face safetensors.
  case safetensors
  /// ONNX protocol buffer.
  case onnx
  /// ncnn's text of layers.
  case ncnnParameters
  /// GGUF.
  case gguf
  /// JSON index of sharded Keras or safetensors weights.
  case shardIndex

  /// What the file is, with its article, as it stands in messages.
  public var label: String {
    switch self {
    case .aviaryCheckpoint: "an Aviary checkpoint"
    case .kerasHDF5: "a Keras HDF5 file"
    case .kerasWeightsHDF5: "a Keras 3 .weights.h5 file"
    case .kerasArchive: "a Keras 3 .keras archive"
    case .torchZip: "a PyTorch file"
    case .torchLegacy: "a PyTorch file of the format before 1.6"
    case .torchTar: "a PyTorch tar archive of before 2017"
    case .torchScript: "a TorchScript archive"
    case .pickle: "a bare Python pickle"
    case .npz: "a NumPy .npz archive"
    case .npy: "a NumPy .npy array"
    case .numPyFolder: "a folder of NumPy arrays"
    case .hdf5StateDict: "an HDF5 file of named data sets"
    case .safetensors: "a safetensors file"
    case .onnx: "an ONNX model"
    case .ncnnParameters: "an ncnn .param file"
    case .gguf: "a GGUF file"
    case .shardIndex: "an index of sharded weights"
    }
  }

  /// The format's name, as it stands in a card's provenance.
  public var name: String {
    switch self {
    case .aviaryCheckpoint: "Aviary checkpoint"
    case .torchZip: "PyTorch zip"
    case .torchLegacy: "PyTorch legacy"
    case .torchTar: "PyTorch tar"
    case .torchScript: "TorchScript"
    case .kerasHDF5: "Keras HDF5"
    case .kerasWeightsHDF5: "Keras 3 HDF5"
    case .kerasArchive: "Keras 3 archive"
    case .onnx: "ONNX"
    case .numPyFolder: "folder of NumPy arrays"
    case .hdf5StateDict: "HDF5 state dict"
    case .ncnnParameters: "ncnn"
    default: rawValue
    }
  }
}
