package import AviaryCheckpoint
package import AviaryContainers
import AviaryFiles
import AviaryTensor

/// PyTorch's container since 1.6: a zip archive of `data.pkl` and one stored member per storage
/// (torch/serialization.py, caffe2/serialize/inline_container.cc).
package enum TorchZip {
  /// Reads the tensors of a file.
  ///
  /// - Parameter format: TorchScript's archives are the same, with code beside that is left alone.
  static func read(
    _ path: String, _ format: FileFormat = .torchZip, part: String? = nil
  ) throws(CheckpointError) -> WeightsFile {
    let file = try InputFile(weights: path)
    let archive: ZipArchive
    do {
      archive = try ZipArchive(file)
    } catch {
      throw try shortfall(of: file) ?? error
    }
    let suffix = "data.pkl"
    // In a folder named like the file when it was saved, or `archive`.
    guard let pickle = archive.entries.first(where: { $0.name.hasSuffix("/" + suffix) }) else {
      throw .damaged(path: path, part: "the zip archive", reason: "expected data.pkl, found none")
    }
    let folder = String(pickle.name.dropLast(suffix.count))
    if let order = archive[folder + "byteorder"] {
      let word = String(decoding: try archive.content(of: order, in: file), as: UTF8.self)
      guard word == "little" else {
        throw .unsupported(path: path, what: "byte order \(word)")
      }
    }
    let limit = TorchLegacy.pickleLimit
    guard pickle.byteCount <= limit else {
      throw .tooLarge(path: path, part: "data.pkl, bytes", limit: limit, found: pickle.byteCount)
    }
    var machine = PickleMachine(
      ByteCursor(try archive.content(of: pickle, in: file), path: path, part: "data.pkl"))
    var found: String?
    if let member = archive[folder + record], member.byteCount <= limit {
      found = String(decoding: try archive.content(of: member, in: file), as: UTF8.self)
    }
    let root = try machine.run()
    let (tensors, unwrapping, optimizer) = try StateDictFinder.find(
      root, TorchObjects(heap: machine.heap, path: path),
      TorchStorages(file, .archive(archive, prefix: folder + "data/")), part: part)
    return WeightsFile(
      path: path, format: format, tensors: tensors, unwrapping: unwrapping,
      origin: Origin(.pytorch), record: found, optimizer: optimizer)
  }

  /// Where `data.pkl` is if it is the archive's first member, as PyTorch writes it.
  static func pickle(
    atStartOf file: borrowing InputFile
  ) throws(CheckpointError) -> (offset: Int, name: String)? {
    guard file.byteCount >= 30 else { return nil }
    let part = "the first member"
    let header = try file.read(at: 0, count: 30, part: part)
    // Of a packed member nothing can be read without its directory.
    guard header[8] == 0, header[9] == 0 else { return nil }
    var cursor = ByteCursor(header, at: 26, path: file.path, part: part)
    let nameLength = try cursor.size(bytes: 2)
    let extraLength = try cursor.size(bytes: 2)
    guard file.byteCount >= 30 + nameLength else { return nil }
    let name = String(
      decoding: try file.read(at: 30, count: nameLength, part: part), as: UTF8.self)
    return name.hasSuffix("/data.pkl") ? (30 + nameLength + extraLength, name) : nil
  }

  /// What is missing of an archive whose directory is: the storages that the pickle announces, as
  /// far as the pickle is there.
  private static func shortfall(
    of file: borrowing InputFile
  ) throws(CheckpointError) -> CheckpointError? {
    guard let pickle = try pickle(atStartOf: file) else { return nil }
    let count = min(max(file.byteCount - pickle.offset, 0), TorchLegacy.pickleLimit)
    let bytes = try file.read(at: pickle.offset, count: count, part: pickle.name)
    var machine = PickleMachine(ByteCursor(bytes, path: file.path, part: "data.pkl"))
    _ = try machine.run()
    var storages: [String: Int] = [:]
    for case .persistent(let identifier) in machine.heap.nodes {
      guard let storage = TorchStorage(identifier, machine.heap) else { continue }
      storages[storage.key] = storage.byteCount
    }
    // Each begins at a multiple of 64 bytes, behind 46 or more of headers.
    let expected = storages.values.reduce(0) { sum, count in
      let (next, overflow) = sum.addingReportingOverflow(count)
      return overflow || next > .max - 128 ? .max - 128 : (next + 46 + 63) / 64 * 64
    }
    let found = count - machine.cursor.position
    guard expected > found else { return nil }
    return .truncated(path: file.path, part: "the storages", expected: expected, found: found)
  }
}

extension TorchZip {
  /// The folder within the archive, as `torch.save` calls it where it writes to no file of its own.
  private static let root = "archive"
  /// The member that holds our record.
  static let record = "aviary.json"

  /// Writes a state dict that `torch.load` reads with its defaults, and with `mmap=True`: one
  /// stored member a storage, aligned to 64 bytes. Tensors of one storage stay so.
  ///
  /// The same tensors always give the same bytes; no more than one tensor is in memory at a time.
  ///
  /// - Parameters:
  ///   - record: our own record, as JSON, which travels as a further member; asked for once all
  ///     tensors are written.
  ///   - optimizer: makes the file a training checkpoint: the state dict is its `state_dict`, the
  ///     state its `optimizer`.
  /// - Throws: `CheckpointError.cannotWrite`, and what is wrong with the file that the tensors come
  ///   from.
  package static func write(
    _ tensors: TensorSource, record: @autoclosure () throws(CheckpointError) -> String?,
    optimizer: OptimizerState? = nil, to path: String
  ) throws(CheckpointError) {
    var zip = try ZipWriter(replacing: path)
    let keys = storages(of: tensors)
    var pickle = PickleWriter()
    if let optimizer {
      pickle.put(.emptyDictionary)
      pickle.put(.mark)
      pickle.text("state_dict")
      add(tensors, storages: keys, to: &pickle)
      pickle.text("optimizer")
      add(optimizer, of: tensors, to: &pickle)
      pickle.put(.setItems)
    } else {
      add(tensors, storages: keys, to: &pickle)
    }
    pickle.put(.stop)
    try zip.add("\(root)/data.pkl", pickle.bytes)
    try zip.add("\(root)/byteorder", Array("little".utf8))
    for position in tensors.indices where keys[position] == position {
      try add(tensors, at: position, key: position, to: &zip)
    }
    if let slots = optimizer?.tensors {
      for position in slots.indices {
        try add(slots, at: position, key: tensors.count + position, to: &zip)
      }
    }
    try zip.add("\(root)/version", Array("3\n".utf8))
    // PyTorch tells archives apart by it; nothing reads more into it than text.
    try zip.add("\(root)/.data/serialization_id", Array("aviary".utf8))
    if let record = try record() { try zip.add("\(root)/\(Self.record)", Array(record.utf8)) }
    try zip.finish()
  }

  /// Writes a tensor's storage.
  private static func add(
    _ tensors: TensorSource, at position: Int, key: Int, to zip: inout ZipWriter
  ) throws(CheckpointError) {
    let (tensor, loaded) = (tensors[position], try tensors.tensor(at: position))
    guard loaded.shape == tensor.shape, loaded.elementType == tensor.elementType else {
      throw .damaged(
        path: tensor.storedName, part: tensor.name,
        reason: "expected \(tensor.elementType) \(tensor.shape), "
          + "found \(loaded.elementType) \(loaded.shape)")
    }
    try unsafe loaded.withUnsafeBytes { (bytes) throws(CheckpointError) in
      try unsafe zip.add("\(root)/data/\(key)", bytes)
    }
  }

  /// For each tensor the position of the one whose storage it uses: its own, or that of the earlier
  /// tensor that it is an alias of.
  private static func storages(of tensors: TensorSource) -> [Int] {
    var positions: [String: Int] = [:]
    return tensors.enumerated().map { position, tensor in
      positions[tensor.name] = position
      guard let original = tensor.alias.flatMap({ positions[$0] }),
        tensors[original].shape == tensor.shape,
        tensors[original].elementType == tensor.elementType
      else { return position }
      // An alias of an alias has the storage of the first.
      positions[tensor.name] = original
      return original
    }
  }

  private static func add(
    _ tensors: TensorSource, storages: [Int], to pickle: inout PickleWriter
  ) {
    pickle.orderedDictionary()
    pickle.put(.mark)
    for (tensor, storage) in zip(tensors, storages) {
      pickle.text(tensor.name)
      rebuild(tensor, storage: storage, &pickle)
    }
    pickle.put(.setItems)
  }

  /// Calls `_rebuild_tensor_v2(storage, offset, size, stride, requires_grad, hooks)`, or its third
  /// version for element types that came after typed storages, with the type at the end.
  static func rebuild(
    _ tensor: TensorDescription, storage: Int, _ pickle: inout PickleWriter
  ) {
    let typed = storageClass(of: tensor.elementType)
    pickle.global("torch._utils", typed == nil ? "_rebuild_tensor_v3" : "_rebuild_tensor_v2")
    pickle.put(.mark)
    pickle.put(.mark)
    pickle.text("storage")
    if let typed {
      pickle.global("torch", typed)
    } else {
      pickle.global("torch.storage", "UntypedStorage")
    }
    pickle.text(String(storage))
    pickle.text("cpu")
    pickle.integer(typed == nil ? tensor.byteCount : tensor.count)
    pickle.put(.tuple)
    pickle.put(.persistent)
    pickle.integer(0)
    pickle.tuple(tensor.shape)
    var strides = [Int](repeating: 1, count: tensor.shape.count)
    for d in tensor.shape.indices.dropLast().reversed() {
      strides[d] = strides[d + 1] * max(tensor.shape[d + 1], 1)
    }
    pickle.tuple(strides)
    pickle.put(.newFalse)
    pickle.orderedDictionary()
    if typed == nil { pickle.global("torch", tensor.elementType.rawValue) }
    pickle.put(.tuple)
    pickle.put(.reduce)
  }

  /// The class of a storage of elements of a type; nil for types that have none.
  private static func storageClass(of type: ElementType) -> String? {
    switch type {
    case .float32: "FloatStorage"
    case .float64: "DoubleStorage"
    case .float16: "HalfStorage"
    case .bfloat16: "BFloat16Storage"
    case .uint8: "ByteStorage"
    case .int8: "CharStorage"
    case .int16: "ShortStorage"
    case .int32: "IntStorage"
    case .int64: "LongStorage"
    case .bool: "BoolStorage"
    case .uint16, .uint32, .uint64: nil
    }
  }
}
