import AviaryContainers
import AviaryFiles

/// Where TensorFlow keeps what belongs together.
enum TensorFlowFiles {
  /// The index of a checkpoint that is named in any of the ways that people name one: by the index, by
  /// what its files' names begin with, by a file of tensors, or by the folder.
  ///
  /// - Returns: nil where the path is none of these.
  static func index(of path: String) -> String? {
    if isIndex(path) { return path }
    if isIndex(path + ".index") { return path + ".index" }
    if let place = path.firstRange(of: ".data-"), place.upperBound < path.endIndex {
      let index = path[..<place.lowerBound] + ".index"
      if isIndex(String(index)) { return String(index) }
    }
    return inFolder(path)
  }

  /// The checkpoint that a folder's `checkpoint` file names, or the only one in it.
  private static func inFolder(_ folder: String) -> String? {
    if let file = try? InputFile("\(folder)/checkpoint"), file.byteCount < 1 << 20,
      let bytes = try? file.bytes(at: 0, count: file.byteCount),
      let line = String(decoding: bytes, as: UTF8.self).split(separator: "\n")
        .first(where: { $0.hasPrefix("model_checkpoint_path:") })
    {
      // A name beside the file; the folder of who wrote it is of no use.
      let name = line.split(separator: "\"").last?.split(separator: "/").last ?? ""
      let index = "\(folder)/\(name).index"
      if isIndex(index) { return index }
    }
    let found = ((try? Folder.names(in: folder)) ?? []).filter { $0.hasSuffix(".index") }
    guard found.count == 1, isIndex("\(folder)/\(found[0])") else { return nil }
    return "\(folder)/\(found[0])"
  }

  /// Whether a file is an index with the tensors beside it, by its content.
  private static func isIndex(_ path: String) -> Bool {
    guard path.hasSuffix(".index"), let file = try? InputFile(path) else { return false }
    return (try? SortedTable.isTable(file)) == true
  }

  /// Whether a path is a folder that TensorFlow saved a model to.
  static func isSavedModel(_ path: String) -> Bool {
    (try? InputFile("\(path)/saved_model.pb")) != nil
  }

  /// All files of a checkpoint or a saved model; nil for any other path.
  static func all(of path: String) throws(CheckpointError) -> [String]? {
    let isModel = isSavedModel(path)
    guard let index = isModel ? "\(path)/variables/variables.index" : index(of: path) else {
      return nil
    }
    let bundle = try TensorBundle(try InputFile(weights: index))
    let files = [index] + bundle.dataFiles.map { index.besides($0) }
    guard isModel else { return files }
    let metadata = "\(path)/keras_metadata.pb"
    return ["\(path)/saved_model.pb"] + ((try? InputFile(metadata)) == nil ? [] : [metadata])
      + files
  }
}
