import AviaryGraph
import CDNNL

extension Lowering {
  /// A function of single values.
  mutating func elementwise(_ fusedOp: FusedOp, _ activation: Activation) throws(ComputeError) {
    try elementwise(
      fusedOp, activation, .value(fusedOp.inputs[0]), to: .value(fusedOp.output),
      ir.descriptor(fusedOp.output))
  }

  /// Adds a function of single values that writes over its input.
  mutating func elementwise(
    _ fusedOp: FusedOp, _ activation: Activation, _ place: Operand, _ memory: MemoryDescriptor
  ) throws(ComputeError) {
    try elementwise(fusedOp, activation, place, to: place, memory)
  }

  private mutating func elementwise(
    _ fusedOp: FusedOp, _ activation: Activation, _ source: Operand, to destination: Operand,
    _ memory: MemoryDescriptor
  ) throws(ComputeError) {
    // Source and destination have one descriptor: oneDNN works in place where they coincide.
    let function = Elementwise(activation, scale: fusedOp.candidate.outputDataType.scale)
    let descriptor = try PrimitiveDescriptor.elementwise(function, memory, engine.handle)
    primitive(
      fusedOp, Op.activation(activation).name, descriptor,
      [(.source, source), (.destination, destination)])
  }
}

extension Activation: KernelOperation {
  func candidates(_ fusedOp: FusedOp, _ ir: IRGraph) -> [KernelCandidate] {
    KernelCandidate.anyLayout
  }

  func lower(_ fusedOp: FusedOp, _ lowering: inout Lowering) throws(ComputeError) {
    try lowering.elementwise(fusedOp, self)
  }

  func differentiate(_ fusedOp: FusedOp, _ gradient: Int, _ pass: inout Autodiff) {
    let source = gradientSource == .output ? fusedOp.output : fusedOp.inputs[0]
    pass.pass(fusedOp, .gradient(.by(ActivationGradient(activation: self))), [gradient, source])
  }

  func takesBfloat16(_ fusedOp: FusedOp, _ ir: IRGraph) -> Bool { true }
  func overwritable(_ fusedOp: FusedOp, _ ir: IRGraph) -> [Int] { [fusedOp.inputs[0]] }
}

extension Activation {
  /// Of what an activation's gradient is calculated, beside its result's.
  enum GradientSource {
    case input, output
  }

  /// The result, where it tells enough: then what the activation took need not be kept, and the
  /// activation may be fused into the convolution before it.
  var gradientSource: GradientSource {
    switch self {
    case .relu, .sigmoid, .tanh, .clamp: .output
    // The sign of the result is that of the input.
    case .leakyRelu(let slope): slope > 0 ? .output : .input
    case .elu(let alpha): alpha > 0 ? .output : .input
    case .gelu, .silu: .input
    }
  }
}

/// By what an activation took. Takes the result's gradient and what `Activation.gradientSource`
/// says.
struct ActivationGradient: GradientKernel {
  var activation: Activation

  var name: String { "\(activation.name) (gradient)" }
  var mayOverwrite: Bool { true }
  func candidates(_ fusedOp: FusedOp, _ ir: IRGraph) -> [KernelCandidate] {
    KernelCandidate.anyLayout
  }
  func lower(_ fusedOp: FusedOp, _ lowering: inout Lowering) throws(ComputeError) {
    try lowering.activationGradient(fusedOp, activation)
  }
}

extension Lowering {
  fileprivate mutating func activationGradient(
    _ fusedOp: FusedOp, _ activation: Activation
  ) throws(ComputeError) {
    let function = Elementwise(activation)
    // oneDNN has other names for gradients calculated of the result.
    let algorithm =
      switch (activation, activation.gradientSource) {
      case (.relu, .output), (.leakyRelu, .output): dnnl_eltwise_relu_use_dst_for_bwd
      case (.elu, .output): dnnl_eltwise_elu_use_dst_for_bwd
      case (.sigmoid, .output): dnnl_eltwise_logistic_use_dst_for_bwd
      case (.tanh, .output): dnnl_eltwise_tanh_use_dst_for_bwd
      // The second version lets nothing through at either bound, as PyTorch does.
      case (.clamp, .output): dnnl_eltwise_clip_v2_use_dst_for_bwd
      default: function.algorithm
      }
    let descriptor = try PrimitiveDescriptor.elementwiseGradient(
      algorithm, function, ir.descriptor(fusedOp.inputs[0]), ir.descriptor(fusedOp.inputs[1]),
      engine.handle)
    primitive(
      fusedOp, fusedOp.kind.name, descriptor,
      [
        (activation.gradientSource == .output ? .destination : .source, .value(fusedOp.inputs[1])),
        (.destinationGradient, .value(fusedOp.inputs[0])),
        (.sourceGradient, .value(fusedOp.output)),
      ])
  }
}
