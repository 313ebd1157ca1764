import AviaryGraph
public import AviaryTensor
import CDNNL
import Synchronization

/// A network's weights, and what plans have made of them: folded with batch normalisation and
/// reordered as the processor likes them. Plans for several sizes, on one thread or several, share
/// what they have in common, so that only the first plan pays for it.
public final class PackedWeights: Sendable {
  private let tensors: [String: Tensor]
  private let cache = Mutex<[PackedConstant.Key: [Entry]]>([:])

  private struct Entry {
    let descriptor: MemoryDescriptor
    let memory: AlignedMemory
  }

  /// - Parameter tensors: the parameters by name, in PyTorch's memory format, of any element type.
  public init(_ tensors: [String: Tensor]) { self.tensors = tensors }

  /// The bytes that prepared weights take so far, those given to `init` aside.
  public var byteCount: Int {
    cache.withLock { $0.values.joined().reduce(0) { $0 + $1.memory.byteCount } }
  }

  /// Throws unless a parameter is there with this shape.
  func check(_ name: String, shape: [Int]) throws(ComputeError) {
    guard let tensor = tensors[name] else { throw .missingParameter(name, shape: shape) }
    guard tensor.shape == shape else {
      throw .parameterShape(name, expected: shape, found: tensor.shape)
    }
  }

  /// A parameter's elements, row-major.
  func values(_ name: String) throws(ComputeError) -> [Float] {
    guard let tensor = tensors[name] else { throw .missingParameter(name, shape: []) }
    return tensor.floats
  }

  /// What an instruction wants, made now or before.
  func prepare(_ constant: PackedConstant, _ engine: EngineHandle) throws(ComputeError)
    -> AlignedMemory
  {
    func known() -> AlignedMemory? {
      cache.withLock {
        $0[constant.key]?.first { $0.descriptor == constant.descriptor }?.memory
      }
    }
    if let memory = known() { return memory }
    // Made outside the lock: two plans at once may both make it, and the first one's stays.
    let values = try constant.make(self)
    let memory = try AlignedMemory(byteCount: constant.descriptor.byteCount)
    try reorder(values, constant.shape, to: memory, constant.descriptor, engine)
    return cache.withLock {
      if let first = $0[constant.key]?.first(where: { $0.descriptor == constant.descriptor }) {
        return first.memory
      }
      $0[constant.key, default: []].append(
        Entry(descriptor: constant.descriptor, memory: memory))
      return memory
    }
  }
}

extension PackedWeights {
  /// Throws unless every parameter that an IR graph's fused ops name is there in the graph's shape.
  /// Counters of training steps have no part in inference.
  func check(_ graph: Graph, _ ir: IRGraph) throws(ComputeError) {
    let needed = Set(ir.parameterNames)
    for parameter in graph.parameters
    where parameter.role != .nonPersistent && needed.contains(parameter.name) {
      try check(parameter.name, shape: parameter.shape)
    }
  }
}

#if canImport(Glibc)
  import Glibc
#endif

/// Memory from the system, page by page: zeroed, given back with its last owner, and asked for
/// without ending the process where there is none.
///
/// - Note: `@unchecked Sendable`: the pointer never changes. What it points to is written by the
///   one who made it before anyone else has it (weights), or by one plan, which runs on one thread
///   at a time (arenas).
@safe final class AlignedMemory: @unchecked Sendable {
  let start: UnsafeMutableRawPointer
  let byteCount: Int

  /// - Throws: `ComputeError.outOfMemory`.
  init(byteCount: Int) throws(ComputeError) {
    self.byteCount = max(byteCount, 1)
    let place = unsafe mmap(
      nil, self.byteCount, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0)
    // MAP_FAILED is a cast in C, which Swift does not import: all bits set.
    guard let place = unsafe place, UInt(bitPattern: place) != .max else {
      throw .outOfMemory(bytes: byteCount)
    }
    unsafe start = place
    // Large pages spare the processor most of its address translations. Where there are none, the
    // advice does nothing.
    if byteCount >= 1 << 22 { unsafe madvise(start, byteCount, MADV_HUGEPAGE) }
  }

  deinit { unsafe munmap(start, byteCount) }
}
