import AviaryGraph
import CDNNL

extension Differentiation {
  mutating func maxPool(_ unit: Unit, _ pool: Pool, _ gradient: Int) {
    let input = unit.inputs[0], size = shape(input)
    let edges = pool.border.edges(
      size: Size(size[2], size[3]), kernel: pool.kernel, stride: pool.stride)
    // Side by side, windows are told apart by the result alone, which the next layer needs anyway.
    let areSideBySide = pool.kernel == pool.stride && edges == .none
    pass(
      unit, .gradient(.maxPool(pool)),
      [gradient, input] + (areSideBySide ? [unit.output] : []))
  }
}

extension Lowering {
  /// What a maximum gives back to the pixel that was largest, the first of several.
  ///
  /// Which one that was the way forward does not keep: it is found once more, which costs less than
  /// the memory would, and lets either way have the layout that suits it.
  mutating func maxPoolGradient(_ unit: Unit, _ pool: Pool) throws(ComputeError) {
    guard unit.inputs.count == 2 else {
      let gradient = MaxPoolGradient(
        input: Grid(value(unit.output).shape, unit.mode.output),
        result: Grid(value(unit.inputs[0]).shape, unit.mode.input), window: pool.kernel)
      kernel(
        unit, unit.work.name, unit.inputs.map { .value($0) } + [.value(unit.output)]
      ) { memory, workers in
        unsafe gradient.run(memory[0], memory[1], memory[2], to: memory[3], workers)
      }
      return
    }
    let call = try PoolCall(unit, pool, .maximum, program)
    let forward = try call.forward(engine.handle)
    let backward = try call.backward(after: forward, engine.handle)
    let places = temporary(byteCount: forward.byteCount(.workspace))
    let maxima = temporary(byteCount: call.result.byteCount)
    primitive(
      unit, "maxPool (once more)", forward,
      [(.source, .value(unit.inputs[1])), (.destination, maxima), (.workspace, places)])
    primitive(
      unit, unit.work.name, backward,
      [
        (.destinationGradient, .value(unit.inputs[0])), (.workspace, places),
        (.sourceGradient, .value(unit.output)),
      ])
  }

  /// What a mean gives back to its window.
  mutating func averagePoolGradient(
    _ unit: Unit, _ pool: Pool, countsPadding: Bool
  ) throws(ComputeError) {
    let call = try PoolCall(unit, pool, countsPadding ? .meanOfAll : .meanOfInside, program)
    let backward = try call.backward(after: call.forward(engine.handle), engine.handle)
    primitive(
      unit, unit.work.name, backward,
      [
        (.destinationGradient, .value(unit.inputs[0])), (.sourceGradient, .value(unit.output)),
      ])
  }
}

/// A pool whose gradient is wanted, in oneDNN's terms.
private struct PoolCall {
  /// The pool's input and its result.
  let input: MemoryDescriptor
  let result: MemoryDescriptor
  private let algorithm: dnnl_alg_kind_t
  private let window: PrimitiveDescriptor.Window

  init(
    _ unit: Unit, _ pool: Pool, _ kind: Lowering.PoolKind, _ program: Program
  ) throws(ComputeError) {
    input = try program.descriptor(unit.output)
    result = try program.descriptor(unit.inputs[0])
    let size = program.values[unit.output].shape
    let edges = pool.border.edges(
      size: Size(size[2], size[3]), kernel: pool.kernel, stride: pool.stride)
    algorithm = kind.algorithm
    window = PrimitiveDescriptor.Window(kernel: pool.kernel, stride: pool.stride, padding: edges)
  }

  func forward(_ engine: EngineHandle) throws(ComputeError) -> PrimitiveDescriptor {
    try .pool(algorithm, input, to: result, window, .training, engine)
  }

  func backward(
    after forward: borrowing PrimitiveDescriptor, _ engine: EngineHandle
  ) throws(ComputeError) -> PrimitiveDescriptor {
    try .poolGradient(algorithm, input, result, window, after: forward, engine)
  }
}
