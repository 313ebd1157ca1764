import AviaryGraph
import CDNNL

extension Lowering {
  /// What is made of the pixels of a window.
  enum PoolKind {
    case maximum
    case meanOfAll
    case meanOfInside

    var algorithm: dnnl_alg_kind_t {
      switch self {
      case .maximum: dnnl_pooling_max
      case .meanOfAll: dnnl_pooling_avg_include_padding
      case .meanOfInside: dnnl_pooling_avg_exclude_padding
      }
    }
  }

  /// The largest value or the mean of each window.
  mutating func pool(_ unit: Unit, _ pool: Pool, _ kind: PoolKind) throws(ComputeError) {
    let input = value(unit.inputs[0]).shape
    let amounts = pool.padding.amounts(
      size: Size(input[2], input[3]), kernel: pool.kernel, stride: pool.stride)
    try self.pool(unit, pool.kernel, pool.stride, amounts, kind)
  }

  /// The mean of each channel, as a pool whose window is the picture.
  mutating func globalAveragePool(_ unit: Unit) throws(ComputeError) {
    let input = value(unit.inputs[0]).shape
    try pool(unit, Size(input[2], input[3]), 1, .none, .meanOfAll)
  }

  private mutating func pool(
    _ unit: Unit, _ kernel: Size, _ stride: Size, _ amounts: PaddingAmounts, _ kind: PoolKind
  ) throws(ComputeError) {
    // Padding may differ from edge to edge, and windows need not come out even: oneDNN takes both.
    let descriptor = try PrimitiveDescriptor.pool(
      kind.algorithm, program.descriptor(unit.inputs[0]), to: program.descriptor(unit.output),
      PrimitiveDescriptor.Window(kernel: kernel, stride: stride, padding: amounts), .inference,
      engine.handle)
    primitive(
      unit, unit.work.name, descriptor,
      [(.source, .value(unit.inputs[0])), (.destination, .value(unit.output))])
  }
}

extension MaxPool: KernelOperation {
  func candidates(_ unit: Unit, _ program: Program) -> [Mode] { Mode.anyLayout }

  func lower(_ unit: Unit, _ lowering: inout Lowering) throws(ComputeError) {
    try lowering.pool(unit, window, .maximum)
  }

  func differentiate(_ unit: Unit, _ gradient: Int, _ pass: inout Differentiation) {
    pass.maxPool(unit, window, gradient)
  }

  func takesBfloat16(_ unit: Unit, _ program: Program) -> Bool { true }
  var takesIntegers: Bool { true }
}

extension AveragePool: KernelOperation {
  func candidates(_ unit: Unit, _ program: Program) -> [Mode] { Mode.anyLayout }

  func lower(_ unit: Unit, _ lowering: inout Lowering) throws(ComputeError) {
    try lowering.pool(unit, window, countsPadding ? .meanOfAll : .meanOfInside)
  }

  func differentiate(_ unit: Unit, _ gradient: Int, _ pass: inout Differentiation) {
    pass.pass(unit, .gradient(.by(AveragePoolGradient(pool: self))), [gradient])
  }

  func takesBfloat16(_ unit: Unit, _ program: Program) -> Bool { true }
}

extension GlobalAveragePool: KernelOperation {
  func candidates(_ unit: Unit, _ program: Program) -> [Mode] { Mode.anyLayout }

  func lower(_ unit: Unit, _ lowering: inout Lowering) throws(ComputeError) {
    try lowering.globalAveragePool(unit)
  }

  func differentiate(_ unit: Unit, _ gradient: Int, _ pass: inout Differentiation) {
    Reduction(.mean, dimensions: [2, 3]).differentiate(unit, gradient, &pass)
  }
}

/// By what a maximum pool took. Takes the result's gradient and the pool's input; and the result,
/// where windows lie side by side.
struct MaxPoolGradientKernel: GradientKernel {
  var window: Pool

  var name: String { "maxPool (gradient)" }
  func candidates(_ unit: Unit, _ program: Program) -> [Mode] { Mode.anyLayout }
  func lower(_ unit: Unit, _ lowering: inout Lowering) throws(ComputeError) {
    try lowering.maxPoolGradient(unit, window)
  }
}

/// By what a mean pool took. Takes the result's gradient.
struct AveragePoolGradient: GradientKernel {
  var pool: AveragePool

  var name: String { "averagePool (gradient)" }
  func candidates(_ unit: Unit, _ program: Program) -> [Mode] { Mode.anyLayout }
  func lower(_ unit: Unit, _ lowering: inout Lowering) throws(ComputeError) {
    try lowering.averagePoolGradient(unit, pool.window, countsPadding: pool.countsPadding)
  }
}

extension Differentiation {
  fileprivate mutating func maxPool(_ unit: Unit, _ pool: Pool, _ gradient: Int) {
    let input = unit.inputs[0], size = shape(input)
    let amounts = pool.padding.amounts(
      size: Size(size[2], size[3]), kernel: pool.kernel, stride: pool.stride)
    // Side by side, windows are told apart by the result alone, which the next layer needs anyway.
    let areSideBySide = pool.kernel == pool.stride && amounts == .none
    pass(
      unit, .gradient(.by(MaxPoolGradientKernel(window: pool))),
      [gradient, input] + (areSideBySide ? [unit.output] : []))
  }
}

extension Lowering {
  /// What a maximum gives back to the pixel that was largest, the first of several.
  ///
  /// Which one that was the way forward does not keep: it is found once more, which costs less than
  /// the memory would, and lets either way have the layout that suits it.
  fileprivate mutating func maxPoolGradient(_ unit: Unit, _ pool: Pool) throws(ComputeError) {
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
  fileprivate mutating func averagePoolGradient(
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
    let amounts = pool.padding.amounts(
      size: Size(size[2], size[3]), kernel: pool.kernel, stride: pool.stride)
    algorithm = kind.algorithm
    window = PrimitiveDescriptor.Window(kernel: pool.kernel, stride: pool.stride, padding: amounts)
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
