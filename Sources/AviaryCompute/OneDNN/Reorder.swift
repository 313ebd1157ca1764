/// Copies numbers that lie row-major in the order of `shape` to memory in another memory format.
///
/// - Throws: `ComputeError.library`, `.outOfMemory`.
func reorder(
  _ values: [Float], _ shape: [Int], to memory: AlignedMemory, _ descriptor: MemoryDescriptor,
  _ engine: EngineHandle
) throws(ComputeError) {
  let plain = try MemoryDescriptor(shape, .nchw)
  precondition(
    values.count * MemoryLayout<Float>.stride == plain.byteCount, "the values fill the shape")
  let copy = try PrimitiveDescriptor.reorder(plain, to: descriptor, engine)
  let scratch = try AlignedMemory(byteCount: copy.byteCount(.scratch))
  let stream = try StreamHandle(engine)
  // oneDNN wants a mutable pointer to what it only reads.
  var values = values
  let result = unsafe values.withUnsafeMutableBytes { bytes -> Result<Void, ComputeError> in
    Result { () throws(ComputeError) in
      guard let source = bytes.baseAddress else { return }
      let primitive = unsafe try BoundPrimitive(
        copy,
        [
          (.source, .inside(source)), (.destination, .inside(memory.start)),
          (.scratch, .inside(scratch.start)),
        ], engine)
      unsafe try primitive.run([], [], stream)
      try stream.wait()
    }
  }
  try result.get()
}
