import AviaryContainers
import AviaryFiles
import AviaryTensor

/// NumPy's arrays as pickles describe them, taken as views of bytes in the pickle.
extension TorchObjects {
  /// The array that a value is; nil if it is none.
  ///
  /// - Throws: `CheckpointError.unsupported` for elements that are no numbers of this machine's
  ///   byte order, `.damaged` for an array that makes no sense.
  func array(_ value: PickleValue, name: String) throws(CheckpointError) -> TorchTensor? {
    guard let (callable, object) = heap.object(value) else { return nil }
    let parts: (shape: PickleValue, type: PickleValue, fortran: Bool, bytes: PickleValue)
    if callable.hasSuffix(".multiarray._reconstruct") {
      // The state: (version, shape, type, whether Fortran's order, elements).
      guard let state = object.state.flatMap(heap.items), state.count == 5 else {
        throw .damaged(path: path, part: name, reason: "expected the state of an array")
      }
      parts = (state[1], state[2], state[3] == .bool(true), state[4])
    } else if callable.hasSuffix(".numeric._frombuffer") {
      // Protocol 5: (elements, type, shape, order).
      guard let arguments = heap.items(object.arguments), arguments.count == 4 else {
        throw .damaged(path: path, part: name, reason: "expected the buffer of an array")
      }
      parts = (arguments[2], arguments[1], heap.text(arguments[3]) == "F", arguments[0])
    } else {
      return nil
    }
    let elementType = try elementType(ofArray: parts.type, name: name)
    guard let shape = heap.sizes(parts.shape), let byteCount = Tensor.byteCount(shape, elementType),
      case .reference(let node) = parts.bytes, let count = count(ofBytes: parts.bytes),
      count == byteCount
    else {
      throw .damaged(path: path, part: name, reason: "expected a shape and the bytes that fill it")
    }
    var strides = [Int](repeating: 1, count: shape.count)
    if parts.fortran {
      for d in shape.indices.dropFirst() { strides[d] = strides[d - 1] * shape[d - 1] }
    } else {
      for d in shape.indices.dropLast().reversed() { strides[d] = strides[d + 1] * shape[d + 1] }
    }
    return TorchTensor(
      storage: TorchStorage(
        key: String(node), elementType: elementType, count: count / elementType.byteCount),
      elementType: elementType, offset: 0, shape: shape, strides: strides)
  }

  /// The type of an array's elements: `dtype('f4', …)` with a state whose second part is the order
  /// of bytes.
  private func elementType(
    ofArray value: PickleValue, name: String
  ) throws(CheckpointError) -> ElementType {
    guard let (callable, object) = heap.object(value), callable == "numpy.dtype",
      let code = heap.items(object.arguments)?.first.flatMap(heap.text)
    else { throw .damaged(path: path, part: name, reason: "expected the type of an array") }
    let order = object.state.flatMap(heap.items).flatMap { $0.count > 1 ? heap.text($0[1]) : nil }
    if code.hasPrefix("O") {
      throw .unsupported(path: path, what: "\(name): an array of Python objects")
    }
    guard let (type, isBig) = NumPyHeader.elementType(code), !isBig,
      order != ">" || type.byteCount == 1
    else {
      throw .unsupported(
        path: path, what: "\(name): an array of element type \(order ?? "")\(code) in a pickle")
    }
    return type
  }

  /// The bytes that an array is a view of; nil where the pickle has none of this number.
  func bytes(ofStorage key: String) -> [UInt8]? { storage(key).flatMap { bytes($0) } }

  /// How many bytes that are.
  func byteCount(ofStorage key: String) -> Int? { storage(key).flatMap { count(ofBytes: $0) } }

  /// A pickle may name storages by itself, of any number.
  private func storage(_ key: String) -> PickleValue? {
    Int(key).flatMap { heap.nodes.indices.contains($0) ? .reference($0) : nil }
  }

  /// How many bytes a value has, without making them where they are kept as text.
  private func count(ofBytes value: PickleValue) -> Int? {
    if case .bytes(let bytes)? = heap[value] { return bytes.count }
    // What NumPy of Python 2 wrote, where all bytes happen to be ASCII.
    if let text = heap.text(value) { return text.utf8.count }
    guard let (name, object) = heap.object(value), name == "_codecs.encode" else { return nil }
    return heap.items(object.arguments)?.first.flatMap(heap.text)?.unicodeScalars.count
  }
}

extension TorchObjects {
  /// The number that NumPy pickled as `scalar(dtype, bytes)`, in words: training checkpoints keep
  /// their best PSNR so. Nil for anything else.
  func numpyScalar(_ value: PickleValue) -> String? {
    guard let (name, object) = heap.object(value), name.hasSuffix(".multiarray.scalar"),
      let arguments = heap.items(object.arguments), arguments.count == 2,
      let (_, type) = heap.object(arguments[0]),
      let code = heap.items(type.arguments)?.first.flatMap(heap.text),
      let bytes = bytes(arguments[1]), bytes.count <= 8
    else { return nil }
    let bits = bytes.reversed().reduce(UInt64(0)) { $0 << 8 | UInt64($1) }
    switch (code, bytes.count) {
    case ("f8", 8): return "\(Double(bitPattern: bits))"
    case ("f4", 4): return "\(Float(bitPattern: UInt32(bits)))"
    case ("i8", 8): return "\(Int64(bitPattern: bits))"
    case ("i4", 4): return "\(Int32(bitPattern: UInt32(bits)))"
    case ("b1", 1): return bits == 0 ? "false" : "true"
    default: return nil
    }
  }

  /// Bytes, which protocol 2 pickles as `_codecs.encode(text, 'latin1')`.
  func bytes(_ value: PickleValue) -> [UInt8]? {
    if case .bytes(let bytes)? = heap[value] { return bytes }
    if let text = heap.text(value) { return Array(text.utf8) }
    guard let (name, object) = heap.object(value), name == "_codecs.encode",
      let text = heap.items(object.arguments)?.first.flatMap(heap.text)
    else { return nil }
    let bytes = text.unicodeScalars.compactMap { UInt8(exactly: $0.value) }
    return bytes.count == text.unicodeScalars.count ? bytes : nil
  }
}

/// A pickle outside any container: dictionaries of NumPy arrays, whose elements stand in the pickle
/// itself.
enum BarePickle {
  /// The elements are in the pickle, which must be read whole.
  private static let limit = 1 << 30

  /// Reads the arrays of a file.
  static func read(
    _ path: String, part: String? = nil
  ) throws(CheckpointError) -> WeightsFile {
    let file = try InputFile(weights: path)
    guard file.byteCount <= limit else {
      throw .tooLarge(path: path, part: "the pickle, bytes", limit: limit, found: file.byteCount)
    }
    var machine = PickleMachine(
      ByteCursor(
        try file.read(at: 0, count: file.byteCount, part: "the pickle"), path: path,
        part: "the pickle"))
    let root = try machine.run()
    let objects = TorchObjects(heap: machine.heap, path: path, takesArrays: true)
    let (tensors, unwrapping, optimizer) = try StateDictFinder.find(
      root, objects, TorchStorages(file, .pickle(objects)), part: part)
    return WeightsFile(
      path: path, format: .pickle, tensors: tensors, unwrapping: unwrapping,
      origin: Origin(.arrays), optimizer: optimizer)
  }
}
