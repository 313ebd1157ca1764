import AviaryContainers

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
