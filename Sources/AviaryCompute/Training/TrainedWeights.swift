import AviaryGraph
import AviaryTensor

/// Weights as the instructions of a training want them: made anew of the parameters before every
/// forward pass.
///
/// - Note: used by the one plan that made it, on one thread at a time.
final class TrainedWeights {
  /// What the instructions read, in the order of the constants.
  let memory: [AlignedMemory]
  private let formats: [TensorFormat]
  private let needed: [(name: String, shape: [Int])]

  /// How one constant is made.
  private struct TensorFormat {
    let constant: PackedConstant
    /// The copy from row-major numbers at input 0 into the memory format wanted.
    let copy: BoundPrimitive
    /// Which memory it fills.
    let position: Int
  }

  /// - Throws: `ComputeError.library`, `.outOfMemory`.
  init(
    _ constants: [PackedConstant], _ graph: Graph, _ ir: IRGraph, _ engine: EngineHandle
  ) throws(ComputeError) {
    var memory: [AlignedMemory] = []
    var formats: [TensorFormat] = []
    for (position, constant) in constants.enumerated() {
      // Steps that want the same share it.
      if let same = formats.first(where: {
        $0.constant.key == constant.key && $0.constant.descriptor == constant.descriptor
      }) {
        memory.append(memory[same.position])
        continue
      }
      let place = try AlignedMemory(byteCount: constant.descriptor.byteCount)
      memory.append(place)
      let copy = try PrimitiveDescriptor.reorder(
        MemoryDescriptor(constant.shape, .nchw), to: constant.descriptor, engine)
      let scratch = try AlignedMemory(byteCount: copy.byteCount(.scratch))
      self.scratch.append(scratch)
      formats.append(
        TensorFormat(
          constant: constant,
          copy: try BoundPrimitive(
            copy,
            [
              (.source, .input(0, offset: 0)), (.destination, unsafe .inside(place.start)),
              (.scratch, unsafe .inside(scratch.start)),
            ], engine),
          position: position))
    }
    self.memory = memory
    self.formats = formats
    let names = Set(ir.parameterNames)
    needed = graph.parameters.filter { $0.role != .nonPersistent && names.contains($0.name) }
      .map { ($0.name, $0.shape) }
  }

  /// What oneDNN's copies use for a time.
  private var scratch: [AlignedMemory] = []

  /// Makes all anew.
  ///
  /// - Throws: `ComputeError.missingParameter`, `.parameterShape`, `.library`.
  func refresh(
    _ parameters: [String: Tensor], _ stream: borrowing StreamHandle
  ) throws(ComputeError) {
    let weights = PackedWeights(parameters)
    for (name, shape) in needed { try weights.check(name, shape: shape) }
    for format in formats {
      if let name = format.constant.parameter, let tensor = parameters[name],
        tensor.elementType == .float32
      {
        unsafe try tensor.withUnsafeBytes { bytes throws(ComputeError) in
          unsafe try copy(format, UnsafeMutableRawPointer(mutating: bytes.baseAddress), stream)
        }
      } else {
        var values = try format.constant.make(weights)
        let result = unsafe values.withUnsafeMutableBytes { bytes in
          Result { () throws(ComputeError) in
            unsafe try copy(format, bytes.baseAddress, stream)
          }
        }
        try result.get()
      }
    }
  }

  private func copy(
    _ format: TensorFormat, _ source: UnsafeMutableRawPointer?, _ stream: borrowing StreamHandle
  ) throws(ComputeError) {
    guard let source = unsafe source else { return }
    unsafe try format.copy.run([source], [], stream)
    try stream.wait()
  }
}
