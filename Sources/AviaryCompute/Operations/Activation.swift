import AviaryGraph
import CDNNL

extension Lowering {
  /// A function of single values.
  mutating func elementwise(_ unit: Unit, _ activation: Activation) throws(ComputeError) {
    try elementwise(
      unit, activation, .value(unit.inputs[0]), to: .value(unit.output),
      program.descriptor(unit.output))
  }

  /// Adds a function of single values that writes over its input.
  mutating func elementwise(
    _ unit: Unit, _ activation: Activation, _ place: Operand, _ memory: MemoryDescriptor
  ) throws(ComputeError) {
    try elementwise(unit, activation, place, to: place, memory)
  }

  private mutating func elementwise(
    _ unit: Unit, _ activation: Activation, _ source: Operand, to destination: Operand,
    _ memory: MemoryDescriptor
  ) throws(ComputeError) {
    // Source and destination have one descriptor: oneDNN works in place where they coincide.
    let function = Elementwise(activation, step: unit.mode.outputNumbers.step)
    let descriptor = try PrimitiveDescriptor.elementwise(function, memory, engine.handle)
    primitive(
      unit, Op.activation(activation).name, descriptor,
      [(.source, source), (.destination, destination)])
  }
}

extension Activation: KernelOperation {
  func candidates(_ unit: Unit, _ program: Program) -> [Mode] { Mode.anyLayout }

  func lower(_ unit: Unit, _ lowering: inout Lowering) throws(ComputeError) {
    try lowering.elementwise(unit, self)
  }

  func differentiate(_ unit: Unit, _ gradient: Int, _ pass: inout Differentiation) {
    let source = gradientSource == .output ? unit.output : unit.inputs[0]
    pass.pass(unit, .gradient(.by(ActivationGradient(activation: self))), [gradient, source])
  }

  func takesBfloat16(_ unit: Unit, _ program: Program) -> Bool { true }
  func overwritable(_ unit: Unit, _ program: Program) -> [Int] { [unit.inputs[0]] }
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
  func candidates(_ unit: Unit, _ program: Program) -> [Mode] { Mode.anyLayout }
  func lower(_ unit: Unit, _ lowering: inout Lowering) throws(ComputeError) {
    try lowering.activationGradient(unit, activation)
  }
}

extension Lowering {
  fileprivate mutating func activationGradient(
    _ unit: Unit, _ activation: Activation
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
      algorithm, function, program.descriptor(unit.inputs[0]), program.descriptor(unit.inputs[1]),
      engine.handle)
    primitive(
      unit, unit.work.name, descriptor,
      [
        (activation.gradientSource == .output ? .destination : .source, .value(unit.inputs[1])),
        (.destinationGradient, .value(unit.inputs[0])),
        (.sourceGradient, .value(unit.output)),
      ])
  }
}
