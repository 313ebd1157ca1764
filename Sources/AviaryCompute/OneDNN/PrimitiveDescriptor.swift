import CDNNL
import Synchronization

/// oneDNN's decision how to do an operation: which implementation, which memory formats, how much
/// scratch memory. Making one is cheap; no code is generated yet. There is a function for each
/// operation.
struct PrimitiveDescriptor: ~Copyable {
  let handle: Handle
  /// What results are multiplied with, where that is told when the primitive runs.
  let scales: Scales?
  /// Makes the same decision again.
  private let make: () throws(ComputeError) -> Handle

  /// - Parameters:
  ///   - call: the function of oneDNN's, for errors.
  ///   - operands: what is handed to `make` in oneDNN's terms; nil for one that there is not.
  ///   - operations: what is done to the result before it is written.
  ///   - scales: what the result is multiplied with before that.
  ///   - make: calls the function, with where its result goes, the operands, and attributes.
  /// - Throws: `ComputeError.library` where oneDNN has no implementation.
  init(
    _ call: StaticString, _ operands: [MemoryDescriptor?], _ operations: [PostOperation] = [],
    scales: Scales? = nil,
    _ make:
      @escaping (
        UnsafeMutablePointer<dnnl_primitive_desc_t?>, [OpaquePointer?], dnnl_primitive_attr_t
      ) -> dnnl_status_t
  ) throws(ComputeError) {
    self.make = { () throws(ComputeError) in
      let attributes = try PrimitiveAttributes.fusing(operations, scales: scales)
      var raw: dnnl_primitive_desc_t?
      let status = unsafe MemoryDescriptor.withRaw(operands) {
        unsafe make(&raw, $0, attributes.raw)
      }
      try check(call, status)
      return unsafe Handle(try check(call, given: raw))
    }
    let make = self.make
    handle = try PrimitiveDescriptor.making.withLock { _ throws(ComputeError) in try make() }
    self.scales = cdnnl_scales_at_run_time() == 0 ? nil : scales
  }

  /// Owns a decision of oneDNN's. Nobody writes to it.
  @safe final class Handle {
    let raw: dnnl_primitive_desc_t

    init(_ raw: dnnl_primitive_desc_t) { unsafe self.raw = raw }

    deinit { unsafe dnnl_primitive_desc_destroy(raw) }
  }

  /// Held while decisions are taken and while primitives are made.
  ///
  /// oneDNN documents both as safe on several threads. In 2.6.3 a decision that is taken while
  /// another thread makes a primitive now and then gave one that applies another's activation, or
  /// ended the process: in 9 to 12 of 150 runs of the tests with few primitives kept, and in none of
  /// as many with this lock. See also `withLastingHandle`.
  private static let making = Mutex<Void>(())

  /// Calls `body` with a decision of which a primitive can be made, while no other thread makes one.
  ///
  /// oneDNN keeps the last 1024 primitives and takes decisions from them. In versions 2 such a
  /// decision points into the one that its primitive was first made of, which is long gone. That does
  /// no harm while oneDNN still has the primitive. Where it was dropped since, because other plans
  /// have made many, one made of the decision would read freed memory: it fused other activations,
  /// or ended the process. So the decision is taken again, and nothing is dropped before its
  /// primitive is made.
  func withLastingHandle<R>(
    _ body: (Handle) throws(ComputeError) -> R
  ) throws(ComputeError) -> R {
    try PrimitiveDescriptor.making.withLock { _ throws(ComputeError) in try body(try make()) }
  }

  /// The implementation's name, as `brgconv:avx512_core`.
  var implementation: String {
    var name: UnsafePointer<CChar>?
    let status = unsafe withUnsafeMutablePointer(to: &name) {
      unsafe dnnl_primitive_desc_query(handle.raw, dnnl_query_impl_info_str, 0, $0)
    }
    guard status == dnnl_success, let name = unsafe name else { return "unknown" }
    return unsafe String(cString: name)
  }

  /// Whether this is the reference code, a hundred times slower than the others.
  var isReference: Bool { implementation.hasPrefix("ref") }

  /// What the implementation wants in an argument's place.
  ///
  /// - Throws: `ComputeError.library` where there is no memory for the answer.
  func descriptor(_ argument: Argument) throws(ComputeError) -> MemoryDescriptor {
    try MemoryDescriptor(argument, of: self)
  }

  /// The bytes that an argument takes; 0 for one that the operation does not have.
  func byteCount(_ argument: Argument) -> Int {
    unsafe cdnnl_memory_desc_get_size(cdnnl_argument_desc(handle.raw, argument.rawValue))
  }
}

extension Engine {
  /// Calls `body` while oneDNN keeps no more than so many primitives, where it otherwise keeps 1024.
  /// For tests: it concerns the whole process.
  package static func keepingPrimitives<R>(_ most: Int, _ body: () throws -> R) throws -> R {
    var usual: Int32 = 0
    try check(
      "dnnl_get_primitive_cache_capacity", unsafe dnnl_get_primitive_cache_capacity(&usual))
    try check(
      "dnnl_set_primitive_cache_capacity", PrimitiveDescriptor.keepPrimitives(Int32(most)))
    defer { PrimitiveDescriptor.keepPrimitives(usual) }
    return try body()
  }
}

extension PrimitiveDescriptor {
  /// States how many primitives oneDNN keeps, and drops more than that, while nobody makes one: what
  /// is dropped may be what a primitive is being made of.
  @discardableResult
  fileprivate static func keepPrimitives(_ most: Int32) -> dnnl_status_t {
    making.withLock { _ in dnnl_set_primitive_cache_capacity(most) }
  }
}

/// The part that memory plays in a primitive.
enum Argument: Int32 {
  case source = 1  // DNNL_ARG_SRC and DNNL_ARG_SRC_0
  case secondSource = 2  // DNNL_ARG_SRC_1
  case destination = 17  // DNNL_ARG_DST
  case weights = 33  // DNNL_ARG_WEIGHTS
  case bias = 41  // DNNL_ARG_BIAS
  case mean = 49  // DNNL_ARG_MEAN
  case variance = 50  // DNNL_ARG_VARIANCE
  case scale = 51  // DNNL_ARG_SCALE
  case shift = 52  // DNNL_ARG_SHIFT
  case workspace = 64  // DNNL_ARG_WORKSPACE
  case scratch = 80  // DNNL_ARG_SCRATCHPAD
  case sourceGradient = 129  // DNNL_ARG_DIFF_SRC
  case destinationGradient = 145  // DNNL_ARG_DIFF_DST
  case weightsGradient = 161  // DNNL_ARG_DIFF_WEIGHTS
  case biasGradient = 169  // DNNL_ARG_DIFF_BIAS
  case scaleGradient = 255  // DNNL_ARG_DIFF_SCALE
  case shiftGradient = 256  // DNNL_ARG_DIFF_SHIFT
}
