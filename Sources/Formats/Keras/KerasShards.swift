import AviaryContainers
import AviaryFiles
import AviaryGraph

/// Weights that Keras 3 spread over several files: `x.weights.json` says which layer is in which, and
/// the files lie beside it.
enum KerasShards {
  private static let limits = (bytes: 64 << 20, files: 4096)

  /// Describes the weights of all files.
  static func read(
    _ path: String, _ options: ReadingOptions
  ) throws(CheckpointError) -> WeightsFile {
    let names = try files(path)
    let slash = path.lastIndex(of: "/")
    let folder = slash.map { String(path[...$0]) } ?? ""
    var trees: [HDF5Tree] = []
    for name in names { trees.append(try HDF5Tree(reading: folder + name, access: options.hdf5)) }
    var file = try KerasWeightsHDF5.read(trees, path: path, configuration: nil, options)
    file.format = .shardIndex
    file.unwrapping.notes.append(
      names.count == 1 ? "weights in \(names[0])" : "weights in \(names.count) files")
    return file
  }

  /// The names of the files of an index, each once.
  private static func files(_ path: String) throws(CheckpointError) -> [String] {
    let file = try InputFile(weights: path)
    guard file.byteCount <= limits.bytes else {
      throw .tooLarge(
        path: path, part: "the index, bytes", limit: limits.bytes, found: file.byteCount)
    }
    let text = String(
      decoding: try file.read(at: 0, count: file.byteCount, part: "the index"), as: UTF8.self)
    let json: JSON
    do {
      json = try JSON(parsing: text)
    } catch {
      throw .damaged(path: path, part: "the index", reason: error.description)
    }
    guard let map = json["weight_map"]?.object, !map.isEmpty else {
      throw .damaged(
        path: path, part: "the index", reason: "weight_map with a file for each layer expected")
    }
    var names: Set<String> = []
    for (layer, value) in map {
      let entries = value.array ?? [value]
      for entry in entries {
        guard let name = entry.string else {
          throw .damaged(
            path: path, part: "the index",
            reason: "\(layer): a file's name expected, \(entry.kind) found")
        }
        // Only files beside the index: an index must not lead anywhere else.
        guard !name.isEmpty, name != ".", name != "..",
          !name.contains(where: { $0 == "/" || $0 == "\\" || $0 == "\0" })
        else {
          throw .damaged(
            path: path, part: "the index",
            reason: "\(layer): the name of a file beside the index expected, '\(name)' found")
        }
        names.insert(name)
      }
    }
    // A layer may be in none of the files; not all of them.
    guard !names.isEmpty else {
      throw .damaged(
        path: path, part: "the index", reason: "weight_map with a file for each layer expected")
    }
    guard names.count <= limits.files else {
      throw .tooLarge(
        path: path, part: "files of the index", limit: limits.files, found: names.count)
    }
    return names.sorted()
  }
}
