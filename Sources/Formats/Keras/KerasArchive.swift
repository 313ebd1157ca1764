import AviaryContainers
import AviaryFiles
import AviaryGraph

/// Keras 3's `.keras`: a zip archive, or the folder that one was unpacked to, of the configuration,
/// the weights as HDF5 and the version (keras/src/saving/saving_lib.py).
enum KerasArchive {
  /// Members beside the weights are text; none is larger.
  private static let textLimit = 256 << 20

  /// Describes the weights of an archive.
  static func read(
    _ path: String, _ options: ReadingOptions = ReadingOptions()
  ) throws(CheckpointError) -> WeightsFile {
    if let folder = try readFolder(path, options) { return folder }
    let file = try InputFile(weights: path)
    let archive = try ZipArchive(file)
    func text(_ name: String) throws(CheckpointError) -> String? {
      guard let entry = archive[name] else { return nil }
      guard entry.byteCount <= textLimit else {
        throw .tooLarge(
          path: path, part: "\(name), bytes", limit: textLimit, found: entry.byteCount)
      }
      return String(decoding: try archive.content(of: entry, in: file), as: UTF8.self)
    }
    guard let weights = archive["model.weights.h5"] else {
      throw missing(archive["model.weights.npz"] != nil, path)
    }
    return try describe(
      path: path, configuration: try text("config.json"), metadata: try text("metadata.json"),
      record: try text("aviary.json"), options
    ) { (configuration) throws(CheckpointError) in
      try UnpackedMember.read(weights, of: archive, in: file) {
        (member, range) throws(CheckpointError) in
        try KerasWeightsHDF5.read(
          [try HDF5Tree(reading: member, range: range, access: options.hdf5)], path: member,
          configuration: configuration, options)
      }
    }
  }

  /// Describes the weights of the folder that an archive was unpacked to.
  ///
  /// - Returns: nil where the path is none.
  private static func readFolder(
    _ path: String, _ options: ReadingOptions
  ) throws(CheckpointError) -> WeightsFile? {
    func text(_ name: String) throws(CheckpointError) -> String? {
      guard let file = try? InputFile(weights: "\(path)/\(name)") else { return nil }
      guard file.byteCount <= textLimit else {
        throw .tooLarge(path: path, part: "\(name), bytes", limit: textLimit, found: file.byteCount)
      }
      return String(
        decoding: try file.read(at: 0, count: file.byteCount, part: name), as: UTF8.self)
    }
    guard let configuration = try text("config.json"), let metadata = try text("metadata.json")
    else { return nil }
    let weights = "\(path)/model.weights.h5"
    guard (try? InputFile(weights: weights)) != nil else {
      throw missing((try? InputFile(weights: "\(path)/model.weights.npz")) != nil, path)
    }
    return try describe(
      path: path, configuration: configuration, metadata: metadata,
      record: try text("aviary.json"), options
    ) { (configuration) throws(CheckpointError) in
      try KerasWeightsHDF5.read(
        [try HDF5Tree(reading: weights, access: options.hdf5)], path: path,
        configuration: configuration, options)
    }
  }

  /// Whether the path is a folder that an archive was unpacked to.
  static func isFolder(_ path: String) -> Bool {
    ["config.json", "metadata.json"].allSatisfy { (try? InputFile("\(path)/\($0)")) != nil }
  }

  private static func describe(
    path: String, configuration: String?, metadata: String?, record: String?,
    _ options: ReadingOptions, _ read: (String?) throws(CheckpointError) -> WeightsFile
  ) throws(CheckpointError) -> WeightsFile {
    var file = try read(configuration)
    file.path = path
    file.format = .kerasArchive
    let facts = metadata.flatMap { try? JSON(parsing: $0) }
    file.origin.version = facts?["keras_version"]?.string ?? file.origin.version
    if let date = facts?["date_saved"]?.string {
      file.unwrapping.metadata.append(.init(name: "date_saved", value: date))
    }
    file.record = record ?? file.record
    return file
  }

  private static func missing(_ hasArrays: Bool, _ path: String)
    -> CheckpointError
  {
    hasArrays
      ? .unsupported(path: path, what: "model.weights.npz, which is pickled arrays,")
      : .damaged(path: path, part: "the archive", reason: "expected model.weights.h5, found none")
  }
}
