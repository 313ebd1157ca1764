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
        isBookkeeping: TensorNames.isBookkeeping($0.name))
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
  ///   - final: the words as they are known once all tensors are written, of the same lengths; nil if
  ///     `metadata` has them.
  /// - Throws: `CheckpointError.cannotWrite`, also for more names than a header holds; what is wrong
  ///   with the files that `tensors` come from.
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
            reason: "a header of \(header.count) bytes expected, \(last.count) found")
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
