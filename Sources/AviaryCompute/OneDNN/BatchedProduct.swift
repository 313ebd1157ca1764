import AviaryThreads
import CDNNL

/// Products of matrices that several threads calculate at once, each with operands of its own: for
/// kernels that prepare a piece of work, multiply, and finish it while it lies in the cache.
///
/// - Note: `@unchecked Sendable`: every worker has its own memory objects and stream, and oneDNN
///   documents primitives as safe to be run by several threads at once.
@safe final class BatchedProduct: @unchecked Sendable {
  private let primitive: Primitive
  private let workers: [Worker]

  /// - Parameters:
  ///   - descriptor: as `PrimitiveDescriptor.batchedProduct` gives it.
  ///   - engine: as many may run at once as it has threads.
  init(
    _ descriptor: borrowing PrimitiveDescriptor, _ engine: Engine
  ) throws(ComputeError) {
    var workers: [Worker] = []
    for _ in 0..<engine.threads { workers.append(try Worker(descriptor, engine.handle)) }
    self.workers = workers
    // Code for one thread: oneDNN divides work when it makes a primitive.
    primitive = try engine.workers.alone { () throws(ComputeError) in try Primitive(descriptor) }
  }

  /// Calculates the products of the matrices at `source` and `weights`.
  ///
  /// - Parameter worker: which worker's objects are used; nobody else may use them meanwhile.
  func run(
    _ worker: Int, source: UnsafeMutableRawPointer, weights: UnsafeMutableRawPointer,
    destination: UnsafeMutableRawPointer, scratch: UnsafeMutableRawPointer
  ) throws(ComputeError) {
    let worker = workers[worker]
    unsafe try worker.source.move(to: source)
    unsafe try worker.weights.move(to: weights)
    unsafe try worker.destination.move(to: destination)
    unsafe try worker.scratch.move(to: scratch)
    unsafe try primitive.execute(worker.arguments, worker.stream)
    try worker.stream.wait()
  }

  /// What one thread works with.
  @safe private final class Worker {
    let source: Memory
    let weights: Memory
    let destination: Memory
    let scratch: Memory
    let arguments: [dnnl_exec_arg_t]
    let stream: StreamHandle

    init(
      _ descriptor: borrowing PrimitiveDescriptor, _ engine: EngineHandle
    ) throws(ComputeError) {
      let source = unsafe try Memory(descriptor.descriptor(.source), at: nil, engine)
      let weights = unsafe try Memory(descriptor.descriptor(.weights), at: nil, engine)
      let destination = unsafe try Memory(descriptor.descriptor(.destination), at: nil, engine)
      let scratch = unsafe try Memory(descriptor.descriptor(.scratch), at: nil, engine)
      stream = try StreamHandle(engine)
      func argument(_ argument: Argument, _ memory: borrowing Memory) -> dnnl_exec_arg_t {
        unsafe dnnl_exec_arg_t(arg: argument.rawValue, memory: memory.raw)
      }
      unsafe arguments = [
        argument(.source, source), argument(.weights, weights),
        argument(.destination, destination), argument(.scratch, scratch),
      ]
      self.source = source
      self.weights = weights
      self.destination = destination
      self.scratch = scratch
    }
  }
}

extension PrimitiveDescriptor {
  /// The decision how to multiply `batch` matrices of `rows` x `depth` with as many of `depth` x
  /// `columns`, all row-major, on the thread that asks for it.
  static func batchedProduct(
    batch: Int, rows: Int, depth: Int, columns: Int, _ engine: Engine
  ) throws(ComputeError) -> PrimitiveDescriptor {
    try engine.workers.alone { () throws(ComputeError) in
      try .matmul(
        MemoryDescriptor([batch, rows, depth], .nchw), .any([batch, depth, columns]),
        to: MemoryDescriptor([batch, rows, columns], .nchw), engine.handle)
    }
  }
}
