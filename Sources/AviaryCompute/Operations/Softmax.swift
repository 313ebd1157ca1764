import AviaryGraph

extension Softmax: KernelOperation {
  func candidates(_ unit: Unit, _ program: Program) -> [Mode] { Mode.rowMajor }

  func lower(_ unit: Unit, _ lowering: inout Lowering) throws(ComputeError) {
    try lowering.softmax(unit, dimension)
  }

  func differentiate(_ unit: Unit, _ gradient: Int, _ pass: inout Differentiation) {
    pass.pass(
      unit, .gradient(.by(SoftmaxGradient(dimension: dimension))), [gradient, unit.output])
  }
}

/// By what a softmax took. Takes the result's gradient and the result.
struct SoftmaxGradient: GradientKernel {
  var dimension: Int

  var name: String { "softmax (gradient)" }
  func candidates(_ unit: Unit, _ program: Program) -> [Mode] { Mode.rowMajor }
  func lower(_ unit: Unit, _ lowering: inout Lowering) throws(ComputeError) {
    try lowering.softmaxGradient(unit, dimension)
  }
}

extension Lowering {
  /// exp(x) / Σ exp(x) along a dimension.
  fileprivate mutating func softmax(_ unit: Unit, _ dimension: Int) throws(ComputeError) {
    let descriptor = try PrimitiveDescriptor.softmax(
      program.descriptor(unit.output), dimension, engine.handle)
    primitive(
      unit, "softmax", descriptor,
      [(.source, .value(unit.inputs[0])), (.destination, .value(unit.output))])
  }

  /// The way back through a softmax, by its result.
  fileprivate mutating func softmaxGradient(_ unit: Unit, _ dimension: Int) throws(ComputeError) {
    let descriptor = try PrimitiveDescriptor.softmaxGradient(
      program.descriptor(unit.output), dimension, engine.handle)
    primitive(
      unit, unit.work.name, descriptor,
      [
        (.destinationGradient, .value(unit.inputs[0])), (.destination, .value(unit.inputs[1])),
        (.sourceGradient, .value(unit.output)),
      ])
  }
}
