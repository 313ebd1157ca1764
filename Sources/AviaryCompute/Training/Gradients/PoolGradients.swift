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
    let forward = try PrimitiveDescriptor(
      call.forward(), PrimitiveAttributes.fusing([]), engine.handle)
    let backward = try PrimitiveDescriptor(call.backward(), after: forward, engine.handle)
    let places = temporary(byteCount: forward.descriptor(.workspace).byteCount)
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
    let forward = try PrimitiveDescriptor(
      call.forward(), PrimitiveAttributes.fusing([]), engine.handle)
    let backward = try PrimitiveDescriptor(call.backward(), after: forward, engine.handle)
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
  private let kernel: [dnnl_dim_t]
  private let strides: [dnnl_dim_t]
  private let before: [dnnl_dim_t]
  private let after: [dnnl_dim_t]

  init(
    _ unit: Unit, _ pool: Pool, _ kind: Lowering.PoolKind, _ program: Program
  ) throws(ComputeError) {
    input = try program.descriptor(unit.output)
    result = try program.descriptor(unit.inputs[0])
    let size = program.values[unit.output].shape
    let edges = pool.border.edges(
      size: Size(size[2], size[3]), kernel: pool.kernel, stride: pool.stride)
    func pair(_ a: Int, _ b: Int) -> [dnnl_dim_t] { [dnnl_dim_t(a), dnnl_dim_t(b)] }
    algorithm = kind.algorithm
    kernel = pair(pool.kernel.height, pool.kernel.width)
    strides = pair(pool.stride.height, pool.stride.width)
    before = pair(edges.top, edges.left)
    after = pair(edges.bottom, edges.right)
  }

  func forward() throws(ComputeError) -> dnnl_pooling_desc_t {
    var (source, destination) = (input.raw, result.raw)
    var call = dnnl_pooling_desc_t()
    try check(
      "dnnl_pooling_forward_desc_init",
      unsafe dnnl_pooling_forward_desc_init(
        &call, dnnl_forward_training, algorithm, &source, &destination, strides, kernel, before,
        after))
    return call
  }

  func backward() throws(ComputeError) -> dnnl_pooling_desc_t {
    var (source, destination) = (input.raw, result.raw)
    var call = dnnl_pooling_desc_t()
    try check(
      "dnnl_pooling_backward_desc_init",
      unsafe dnnl_pooling_backward_desc_init(
        &call, algorithm, &source, &destination, strides, kernel, before, after))
    return call
  }
}
