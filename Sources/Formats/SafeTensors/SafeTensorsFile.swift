public import AviaryCheckpoint
public import AviaryContainers
import AviaryFiles
import AviaryGraph
import AviaryTensor

/// Hugging Face's container of tensors: a header of JSON, then the elements.
public enum SafeTensorsFile {
  /// The member of `__metadata__` that holds our record.
  static let record = "aviary"

  /// Describes the tensors of a file.
  static func read(_ path: String) throws(CheckpointError) -> WeightsFile {
    let (tensors, metadata) = try tensors(path)
    return weights(tensors, metadata, path: path, format: .safetensors)
  }

  /// The tensors of one file as they are named in it, and what it says of itself.
  static func tensors(
    _ path: String
  ) throws(CheckpointError) -> (tensors: TensorSource, metadata: [String: String]) {
    let open = try OpenFile(path)
    let header = try SafeTensorsHeader(open.file)
    let entries = header.entries
    let descriptions = entries.map {
      TensorDescription(
        name: $0.name, shape: $0.shape, elementType: $0.elementType,
        isNonPersistent: TensorNames.isNonPersistent($0.name))
    }
    let tensors = TensorSource(descriptions) { (position) throws(CheckpointError) in
      let entry = entries[position]
      return try open.file.tensor(
        at: entry.range.lowerBound, shape: entry.shape, elementType: entry.elementType,
        part: entry.name)
    }
    return (tensors, header.metadata)
  }

  /// Tensors as those who convert them want them.
  static func weights(
    _ tensors: TensorSource, _ metadata: [String: String], path: String, format: FileFormat
  ) -> WeightsFile {
    var unwrapping = Unwrapping()
    for (name, value) in metadata.sorted(by: { $0.key < $1.key }) where name != record {
      // A long training history is no news.
      guard unwrapping.metadata.count < 100 else { break }
      unwrapping.metadata.append(.init(name: name, value: String(value.prefix(200))))
    }
    let unwrapped = TensorNames.unwrap(tensors, &unwrapping)
    return WeightsFile(
      path: path, format: format, tensors: unwrapped, unwrapping: unwrapping,
      origin: Origin(metadata["format"] == "pt" ? .pytorch : .arrays), record: metadata[record])
  }

  /// Writes tensors under their names, one in memory at a time: byte for byte what the reference
  /// writer makes of them. The file appears whole or not at all.
  ///
  /// - Parameters:
  ///   - tensors: of any element types; tensors of one storage are written twice, as the format has
  ///     no other way.
  ///   - metadata: free words; `format: pt` says that names and layouts are PyTorch's.
  ///   - final: the words as they are known once all tensors are written, of the same lengths; nil
  ///     if `metadata` has them.
  /// - Throws: `CheckpointError.cannotWrite`, also for more names than a header holds; what is
  ///   wrong with the files that `tensors` come from.
  public static func write(
    _ tensors: TensorSource, metadata: [String: String], to path: String,
    final: (() throws(CheckpointError) -> [String: String])? = nil
  ) throws(CheckpointError) {
    // By type, so that every tensor is aligned, then by the bytes of the names.
    let order = tensors.indices.sorted { a, b in
      let (ranks, names) = (
        [a, b].map { SafeTensorsType.rank[tensors[$0].elementType] ?? 0 },
        [a, b].map { tensors[$0].name.utf8 }
      )
      return ranks[0] != ranks[1]
        ? ranks[0] < ranks[1] : names[0].lexicographicallyPrecedes(names[1])
    }
    do {
      let file = try AtomicFile(replacing: path)
      let header = try header(order.map { tensors[$0] }, metadata, path)
      try file.write(header)
      for position in order {
        let tensor = try tensors.tensor(at: position)
        let description = tensors[position]
        guard tensor.shape == description.shape, tensor.elementType == description.elementType
        else {
          throw CheckpointError.damaged(
            path: path, part: description.name, reason: "another tensor than was announced")
        }
        try unsafe tensor.withUnsafeBytes { (bytes) throws(FileError) in
          try unsafe file.write(bytes)
        }
      }
      if let final {
        let last = try self.header(order.map { tensors[$0] }, try final(), path)
        guard last.count == header.count else {
          throw CheckpointError.cannotWrite(
            path: path,
            reason: "expected a header of \(header.count) bytes, found \(last.count)")
        }
        try file.overwrite(last, at: 0)
      }
      try file.commit()
    } catch let error as FileError {
      throw CheckpointError(error)
    } catch let error as CheckpointError {
      throw error
    } catch {
      throw .cannotWrite(path: path, reason: "\(error)")
    }
  }

  /// The length, and JSON padded with spaces so that the elements begin at a multiple of 8.
  private static func header(
    _ descriptions: [TensorDescription], _ metadata: [String: String], _ path: String
  ) throws(CheckpointError) -> [UInt8] {
    func quoted(_ text: String) -> String { JSON.string(text).text }
    var members: [String] = []
    if !metadata.isEmpty {
      let words = metadata.sorted { $0.key < $1.key }.map { "\(quoted($0)):\(quoted($1))" }
      members.append("\"__metadata__\":{\(words.joined(separator: ","))}")
    }
    var offset = 0
    for tensor in descriptions {
      guard tensor.name != "__metadata__" else {
        throw .cannotWrite(path: path, reason: "safetensors keeps the name __metadata__ to itself")
      }
      let shape = tensor.shape.map(String.init).joined(separator: ",")
      members.append(
        "\(quoted(tensor.name)):{\"dtype\":\"\(SafeTensorsType.name(tensor.elementType))\","
          + "\"shape\":[\(shape)],\"data_offsets\":[\(offset),\(offset + tensor.byteCount)]}")
      offset += tensor.byteCount
    }
    var text = Array("{\(members.joined(separator: ","))}".utf8)
    text += [UInt8](repeating: 0x20, count: (8 - text.count % 8) % 8)
    guard text.count <= SafeTensorsHeader.limit else {
      throw .cannotWrite(path: path, reason: "a header of \(text.count) bytes")
    }
    return (0..<8).map { UInt8(truncatingIfNeeded: text.count >> (8 * $0)) } + text
  }
}

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
      throw .damaged(path: path, part: "the index", reason: "expected a weight_map")
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
        reason: "expected files beside it, found \(String(reflecting: name))")
    }
    guard let slash = path.lastIndex(of: "/") else { return name }
    return path[...slash] + name
  }
}
