import AviaryCheckpoint
import AviaryContainers
import AviaryFiles
import AviaryTensor
import FoundationEssentials

/// Weights kept as NumPy arrays: one `.npy`, an `.npz` archive, or a folder of either.
enum NumPyFile {
  /// More files than any folder of weights has.
  private static let fileLimit = 4096

  /// Describes the array or arrays of one file.
  static func read(_ path: String, _ format: FileFormat) throws(CheckpointError) -> WeightsFile {
    try weights(
      try NumPyArrays(path).entries.map { array in
        let stored = array.name.isEmpty ? stem(path) : array.name
        return (name(file: stem(path), array: array.name), stored, array)
      },
      path: path, format: format)
  }

  /// Describes the arrays of all `.npy` and `.npz` files that lie directly in a folder.
  static func read(folder path: String) throws(CheckpointError) -> WeightsFile {
    var entries: [(name: String, stored: String, array: NumPyArrays.Entry)] = []
    for file in try files(in: path) {
      let arrays = try NumPyArrays(path + "/" + file).entries
      for array in arrays {
        let stem = stem(file)
        // An array without a name of its own is named by its file, others within it.
        let isAlone = arrays.count == 1 && ["", "arr_0", stem].contains(array.name)
        let stored = isAlone ? stem : stem + "/" + array.name
        entries.append((name(file: "", array: stored), stored, array))
      }
    }
    return try weights(entries, path: path, format: .numPyFolder)
  }

  /// Whether a path is a folder with arrays in it.
  static func isFolder(_ path: String) -> Bool {
    var isFolder = false
    guard FileManager.default.fileExists(atPath: path, isDirectory: &isFolder), isFolder else {
      return false
    }
    return (try? files(in: path))?.isEmpty == false
  }

  /// The names of the arrays' files in a folder, sorted by their bytes.
  static func files(in folder: String) throws(CheckpointError) -> [String] {
    let names: [String]
    do {
      names = try FileManager.default.contentsOfDirectory(atPath: folder)
    } catch {
      throw .cannotRead(path: folder, reason: "its names cannot be listed")
    }
    let files = names.filter { name in
      !name.hasPrefix(".") && (name.hasSuffix(".npy") || name.hasSuffix(".npz"))
    }
    guard files.count <= fileLimit else {
      throw .tooLarge(path: folder, part: "files", limit: fileLimit, found: files.count)
    }
    return files.sorted { $0.utf8.lexicographicallyPrecedes($1.utf8) }
  }
}

// MARK: - Names and layout

extension NumPyFile {
  private static func weights(
    _ entries: [(name: String, stored: String, array: NumPyArrays.Entry)], path: String,
    format: FileFormat
  ) throws(CheckpointError) -> WeightsFile {
    guard !entries.isEmpty else { throw .noTensors(path: path, found: "no arrays") }
    let descriptions = entries.map { name, stored, array in
      TensorDescription(
        name: name, shape: array.shape, elementType: array.elementType, storedName: stored,
        isBookkeeping: TensorNames.isBookkeeping(name))
    }
    if let twice = Dictionary(grouping: descriptions, by: \.name).first(where: { $1.count > 1 }) {
      throw .damaged(path: path, part: twice.key, reason: "two arrays become this name")
    }
    let arrays = entries.map(\.array)
    var unwrapping = Unwrapping()
    var tensors = TensorNames.unwrap(
      TensorSource(descriptions) { (position) throws(CheckpointError) in
        try arrays[position].load()
      }, &unwrapping)
    if KernelLayout.isChannelsLast(tensors) {
      unwrapping.notes.append(
        "kernels are laid out (height, width, in, out): the biases fit no other order; transposed")
      do {
        tensors = try tensors.changed { KernelLayout.steps($0) }
      } catch {
        throw .damaged(path: path, part: "the kernels", reason: error.description)
      }
    }
    return WeightsFile(
      path: path, format: format, tensors: tensors, unwrapping: unwrapping,
      origin: Origin(.arrays))
  }

  /// The name of a parameter: that of the array, or of the file where the array has none.
  private static func name(file: String, array: String) -> String {
    let name = array.isEmpty || array == "arr_0" && !file.isEmpty ? file : array
    let dotted = name.split(separator: "/").joined(separator: ".")
    for (suffix, parameter) in suffixes where dotted.hasSuffix(suffix) {
      // conv1_w and conv1_b, as those write who number layers by hand.
      let layer = dotted.dropLast(suffix.count)
      if !layer.isEmpty { return layer + parameter }
    }
    return dotted
  }

  private static let suffixes = [
    ("_weights", ".weight"), ("_weight", ".weight"), ("_kernel", ".weight"), ("_w", ".weight"),
    ("_W", ".weight"), ("_biases", ".bias"), ("_bias", ".bias"), ("_b", ".bias"), ("_B", ".bias"),
  ]

  /// A file's name without its folder and its extension.
  private static func stem(_ path: String) -> String {
    let name = path.fileName
    return name.hasSuffix(".npy") || name.hasSuffix(".npz") ? String(name.dropLast(4)) : name
  }
}
