import AviaryCheckpoint
import AviaryContainers
import AviaryFiles
import AviaryGraph
import AviaryTensor

/// The index of a model in several safetensors files: which file holds which tensor
/// (`model.safetensors.index.json`).
enum SafeTensorsIndex {
  /// An index larger than this is none.
  private static let byteLimit = 64 << 20
  /// How many files there may be: each stays open.
  private static let fileLimit = 256

  /// Describes the tensors of all files of an index; nil for the index of another format.
  static func read(_ path: String) throws(CheckpointError) -> WeightsFile? {
    guard let map = try weightMap(path) else { return nil }
    let files = Set(map.values).sorted()
    guard files.count <= fileLimit else {
      throw .tooLarge(path: path, part: "files", limit: fileLimit, found: files.count)
    }
    var sources: [TensorSource] = []
    var metadata: [String: String] = [:]
    var descriptions: [TensorDescription] = []
    var places: [(source: Int, position: Int)] = []
    for name in files {
      let sibling = try self.sibling(name, of: path)
      let (tensors, words) = try SafeTensorsFile.tensors(sibling)
      metadata.merge(words) { first, _ in first }
      for position in tensors.indices where map[tensors[position].name] == name {
        descriptions.append(tensors[position])
        places.append((sources.count, position))
      }
      sources.append(tensors)
    }
    let found = Set(descriptions.map(\.name))
    if let missing = map.keys.filter({ !found.contains($0) }).min() {
      throw .damaged(
        path: path, part: missing, reason: "not in \(map[missing] ?? ""), where the index has it")
    }
    let tensors = TensorSource(descriptions) {
      [sources, places] (position) throws(CheckpointError) in
      try sources[places[position].source].tensor(at: places[position].position)
    }
    return SafeTensorsFile.weights(tensors, metadata, path: path, format: .shardIndex)
  }

  /// Which file holds which tensor; nil where the files are not safetensors.
  private static func weightMap(_ path: String) throws(CheckpointError) -> [String: String]? {
    let file = try InputFile(weights: path)
    guard file.byteCount <= byteLimit else {
      throw .tooLarge(path: path, part: "the index, bytes", limit: byteLimit, found: file.byteCount)
    }
    let bytes = try file.read(at: 0, count: file.byteCount, part: "the index")
    let json: JSON
    do {
      json = try JSON(parsing: String(decoding: bytes, as: UTF8.self))
    } catch {
      throw .damaged(path: path, part: "the index", reason: error.description)
    }
    guard let members = json["weight_map"]?.object else {
      throw .damaged(path: path, part: "the index", reason: "a weight_map expected")
    }
    let map = members.compactMapValues(\.string)
    guard map.count == members.count, !map.isEmpty,
      map.values.allSatisfy({ $0.hasSuffix(".safetensors") })
    else { return nil }
    return map
  }

  /// The path of a file beside the index: an index may not lead anywhere else.
  private static func sibling(_ name: String, of path: String) throws(CheckpointError) -> String {
    guard !name.contains("/"), !name.contains("\\"), !name.contains("\0"), !name.hasPrefix(".")
    else {
      throw .damaged(
        path: path, part: "the index",
        reason: "files beside it expected, \(String(reflecting: name)) found")
    }
    guard let slash = path.lastIndex(of: "/") else { return name }
    return path[...slash] + name
  }
}
