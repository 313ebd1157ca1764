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
  mutating func pool(_ fusedOp: FusedOp, _ pool: Pool, _ kind: PoolKind) throws(ComputeError) {
    let input = value(fusedOp.inputs[0]).shape
    let amounts = pool.amounts(Size(input[2], input[3]))
    try self.pool(fusedOp, pool.kernel, pool.stride, amounts, kind)
  }

  /// The mean of each channel, as a pool whose window is the image.
  mutating func globalAveragePool(_ fusedOp: FusedOp) throws(ComputeError) {
    let input = value(fusedOp.inputs[0]).shape
    try pool(fusedOp, Size(input[2], input[3]), 1, .none, .meanOfAll)
  }

  private mutating func pool(
    _ fusedOp: FusedOp, _ kernel: Size, _ stride: Size, _ amounts: PaddingAmounts, _ kind: PoolKind
  ) throws(ComputeError) {
    // Padding may differ from edge to edge, and windows need not come out even: oneDNN takes both.
    let descriptor = try PrimitiveDescriptor.pool(
      kind.algorithm, ir.descriptor(fusedOp.inputs[0]), to: ir.descriptor(fusedOp.output),
      PrimitiveDescriptor.Window(kernel: kernel, stride: stride, padding: amounts), .inference,
      engine.handle)
    primitive(
      fusedOp, fusedOp.kind.name, descriptor,
      [(.source, .value(fusedOp.inputs[0])), (.destination, .value(fusedOp.output))])
  }
}

extension MaxPool: KernelOperation {
  func candidates(_ fusedOp: FusedOp, _ ir: IRGraph) -> [KernelCandidate] {
    KernelCandidate.anyLayout
  }

  func lower(_ fusedOp: FusedOp, _ lowering: inout Lowering) throws(ComputeError) {
    try lowering.pool(fusedOp, window, .maximum)
  }

  func differentiate(_ fusedOp: FusedOp, _ gradient: Int, _ pass: inout Autodiff) {
    pass.maxPool(fusedOp, window, gradient)
  }

  func takesBfloat16(_ fusedOp: FusedOp, _ ir: IRGraph) -> Bool { true }
  var takesIntegers: Bool { true }
}

extension AveragePool: KernelOperation {
  func candidates(_ fusedOp: FusedOp, _ ir: IRGraph) -> [KernelCandidate] {
    KernelCandidate.anyLayout
  }

  func lower(_ fusedOp: FusedOp, _ lowering: inout Lowering) throws(ComputeError) {
    if let lists = clippedMeans(lowering.value(fusedOp.inputs[0]).shape) {
      lowering.means(fusedOp, lists)
    } else {
      try lowering.pool(fusedOp, window, countsPadding ? .meanOfAll : .meanOfInside)
    }
  }

  func differentiate(_ fusedOp: FusedOp, _ gradient: Int, _ pass: inout Autodiff) {
    pass.pass(fusedOp, .gradient(.by(AveragePoolGradient(pool: self))), [gradient])
  }

  func takesBfloat16(_ fusedOp: FusedOp, _ ir: IRGraph) -> Bool { true }
}

extension GlobalAveragePool: KernelOperation {
  func candidates(_ fusedOp: FusedOp, _ ir: IRGraph) -> [KernelCandidate] {
    KernelCandidate.anyLayout
  }

  func lower(_ fusedOp: FusedOp, _ lowering: inout Lowering) throws(ComputeError) {
    try lowering.globalAveragePool(fusedOp)
  }

  func differentiate(_ fusedOp: FusedOp, _ gradient: Int, _ pass: inout Autodiff) {
    Reduction(.mean, dimensions: [2, 3]).differentiate(fusedOp, gradient, &pass)
  }
}

/// By what a maximum pool took. Takes the result's gradient and the pool's input; and the result,
/// where windows lie side by side.
struct MaxPoolGradientKernel: GradientKernel {
  var window: Pool

  var name: String { "maxPool (gradient)" }
  func candidates(_ fusedOp: FusedOp, _ ir: IRGraph) -> [KernelCandidate] {
    KernelCandidate.anyLayout
  }
  func lower(_ fusedOp: FusedOp, _ lowering: inout Lowering) throws(ComputeError) {
    try lowering.maxPoolGradient(fusedOp, window)
  }
}

/// By what a mean pool took. Takes the result's gradient.
struct AveragePoolGradient: GradientKernel {
  var pool: AveragePool

  var name: String { "averagePool (gradient)" }
  func candidates(_ fusedOp: FusedOp, _ ir: IRGraph) -> [KernelCandidate] {
    KernelCandidate.anyLayout
  }
  func lower(_ fusedOp: FusedOp, _ lowering: inout Lowering) throws(ComputeError) {
    if let lists = pool.clippedMeans(lowering.value(fusedOp.output).shape) {
      lowering.meansGradient(fusedOp, lists)
    } else {
      try lowering.averagePoolGradient(fusedOp, pool.window, countsPadding: pool.countsPadding)
    }
  }
}

extension AveragePool {
  /// The means along each axis where the last windows reach beyond the padding that is counted:
  /// oneDNN would count what lies there, too. Nil where oneDNN computes the same.
  fileprivate func clippedMeans(_ input: [Int]) -> MeanLists? {
    let size = Size(input[2], input[3])
    let stated = window.padding.amounts(size: size, kernel: window.kernel, stride: window.stride)
    guard countsPadding, window.amounts(size) != stated else { return nil }
    return MeanLists(
      rows: { windows(size, stated, .vertical) }, columns: { windows(size, stated, .horizontal) })
  }

  /// The pixels of each window along an axis, and how many the mean counts.
  private func windows(
    _ size: Size, _ stated: PaddingAmounts, _ axis: Axis
  ) -> [MeanLists.Window] {
    let (before, end) = (stated.before(axis), size[axis] + stated.after(axis))
    let (kernel, stride) = (window.kernel[axis], window.stride[axis])
    let last = size[axis] + window.amounts(size).after(axis) - kernel
    return Swift.stride(from: -before, through: last, by: stride).map { first in
      MeanLists.Window(
        pixels: max(first, 0)..<min(first + kernel, size[axis]),
        count: min(first + kernel, end) - first)
    }
  }
}

extension Autodiff {
  fileprivate mutating func maxPool(_ fusedOp: FusedOp, _ pool: Pool, _ gradient: Int) {
    let input = fusedOp.inputs[0], size = shape(input)
    let amounts = pool.amounts(Size(size[2], size[3]))
    // Side by side, windows are told apart by the result alone, which the next layer needs anyway.
    let areSideBySide = pool.kernel == pool.stride && amounts == .none
    pass(
      fusedOp, .gradient(.by(MaxPoolGradientKernel(window: pool))),
      [gradient, input] + (areSideBySide ? [fusedOp.output] : []))
  }
}

extension Lowering {
  /// What a maximum gives back to the pixel that was largest, the first of several.
  ///
  /// Which one that was the forward pass does not keep: it is found once more, which costs less
  /// than the memory would, and lets either pass have the memory format that suits it.
  fileprivate mutating func maxPoolGradient(_ fusedOp: FusedOp, _ pool: Pool) throws(ComputeError) {
    guard fusedOp.inputs.count == 2 else {
      let gradient = MaxPoolGradient(
        input: Grid(value(fusedOp.output).shape, fusedOp.candidate.output),
        result: Grid(value(fusedOp.inputs[0]).shape, fusedOp.candidate.input), window: pool.kernel)
      kernel(
        fusedOp, fusedOp.kind.name, fusedOp.inputs.map { .value($0) } + [.value(fusedOp.output)]
      ) { memory, workers in
        unsafe gradient.run(memory[0], memory[1], memory[2], to: memory[3], workers)
      }
      return
    }
    let call = try PoolCall(fusedOp, pool, .maximum, ir)
    let forward = try call.forward(engine.handle)
    let backward = try call.backward(after: forward, engine.handle)
    let places = temporary(byteCount: forward.byteCount(.workspace))
    let maxima = temporary(byteCount: call.result.byteCount)
    primitive(
      fusedOp, "maxPool (once more)", forward,
      [(.source, .value(fusedOp.inputs[1])), (.destination, maxima), (.workspace, places)])
    primitive(
      fusedOp, fusedOp.kind.name, backward,
      [
        (.destinationGradient, .value(fusedOp.inputs[0])), (.workspace, places),
        (.sourceGradient, .value(fusedOp.output)),
      ])
  }

  /// What a mean gives back to its window.
  fileprivate mutating func averagePoolGradient(
    _ fusedOp: FusedOp, _ pool: Pool, countsPadding: Bool
  ) throws(ComputeError) {
    let call = try PoolCall(fusedOp, pool, countsPadding ? .meanOfAll : .meanOfInside, ir)
    let backward = try call.backward(after: call.forward(engine.handle), engine.handle)
    primitive(
      fusedOp, fusedOp.kind.name, backward,
      [
        (.destinationGradient, .value(fusedOp.inputs[0])),
        (.sourceGradient, .value(fusedOp.output)),
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
    _ fusedOp: FusedOp, _ pool: Pool, _ kind: Lowering.PoolKind, _ ir: IRGraph
  ) throws(ComputeError) {
    input = try ir.descriptor(fusedOp.output)
    result = try ir.descriptor(fusedOp.inputs[0])
    let size = ir.values[fusedOp.output].shape
    let amounts = pool.amounts(Size(size[2], size[3]))
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
