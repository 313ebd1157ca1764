import AviaryGraph
import CDNNL

extension Reduction: KernelOperation {
  func candidates(_ unit: Unit, _ program: Program) -> [Mode] { Mode.rowMajor }

  func lower(_ unit: Unit, _ lowering: inout Lowering) throws(ComputeError) {
    try lowering.reduce(unit, self)
  }

  func differentiate(_ unit: Unit, _ gradient: Int, _ pass: inout Differentiation) {
    let input = unit.inputs[0]
    switch kind {
    case .maximum:
      pass.pass(
        unit, .gradient(.by(MaximumReductionGradient(dimensions: dimensions))),
        [gradient, input, unit.output])
    case .sum:
      pass.pass(
        unit, .gradient(.by(ReductionGradient(dimensions: dimensions, factor: 1))), [gradient])
    case .mean:
      let count = Set(dimensions).reduce(1) { $0 * pass.shape(input)[$1] }
      pass.pass(
        unit, .gradient(.by(ReductionGradient(dimensions: dimensions, factor: 1 / Double(count)))),
        [gradient])
    }
  }
}

/// By what a sum or a mean over these dimensions was taken of. Takes the result's gradient.
struct ReductionGradient: GradientKernel {
  var dimensions: [Int]
  var factor: Double

  var name: String { "reduce (gradient)" }
  func candidates(_ unit: Unit, _ program: Program) -> [Mode] {
    program.values[unit.inputs[0]].shape.count == program.values[unit.output].shape.count
      ? Mode.anyLayout : Mode.rowMajor
  }
  func lower(_ unit: Unit, _ lowering: inout Lowering) throws(ComputeError) {
    lowering.spread(unit, dimensions, factor: factor)
  }
}

/// By what a maximum over these dimensions was taken of. Takes the result's gradient, what it was
/// taken of, and the result.
struct MaximumReductionGradient: GradientKernel {
  var dimensions: [Int]

  var name: String { "reduce (gradient of maximum)" }
  func candidates(_ unit: Unit, _ program: Program) -> [Mode] { Mode.rowMajor }
  func lower(_ unit: Unit, _ lowering: inout Lowering) throws(ComputeError) {
    lowering.maximumGradient(unit, dimensions)
  }
}

extension Lowering {
  /// What a sum or a mean gives back to the elements that it is of.
  fileprivate mutating func spread(_ unit: Unit, _ dimensions: [Int], factor: Double) {
    var source = value(unit.inputs[0])
    let shape = value(unit.output).shape
    // With the dimensions that went kept as 1, which changes nothing in memory.
    source.shape = shape.indices.map { dimensions.contains($0) ? 1 : shape[$0] }
    let spread = Spread(source, over: shape, factor: factor)
    kernel(unit, unit.work.name, [.value(unit.inputs[0]), .value(unit.output)]) {
      memory, workers in unsafe spread.run(memory[0], to: memory[1], workers)
    }
  }

  /// What a maximum gives back to the elements that equal it.
  fileprivate mutating func maximumGradient(_ unit: Unit, _ dimensions: [Int]) {
    let shape = value(unit.output).shape
    kernel(
      unit, unit.work.name, [.value(unit.output)] + unit.inputs.map { .value($0) },
      preparing: {
        let gradient = MaximumGradient(shape, dimensions)
        return { memory, workers in
          unsafe gradient.run(memory[1], memory[2], memory[3], to: memory[0], workers)
        }
      })
  }

  /// A mean, sum or maximum over some dimensions.
  fileprivate mutating func reduce(_ unit: Unit, _ reduction: Reduction) throws(ComputeError) {
    let input = value(unit.inputs[0]).shape
    // With the dimensions that go kept as 1, which changes nothing in memory.
    let kept = input.indices.map { reduction.dimensions.contains($0) ? 1 : input[$0] }
    let from = try program.descriptor(unit.inputs[0]), to = try MemoryDescriptor(kept, .planar)
    guard kept != input else {
      try copy(unit, .value(unit.inputs[0]), from, to: .value(unit.output), to)
      return
    }
    let algorithm =
      switch reduction.kind {
      case .mean: dnnl_reduction_mean
      case .sum: dnnl_reduction_sum
      case .maximum: dnnl_reduction_max
      }
    let descriptor = try PrimitiveDescriptor.reduction(algorithm, from, to: to, engine.handle)
    primitive(
      unit, "reduce", descriptor,
      [(.source, .value(unit.inputs[0])), (.destination, .value(unit.output))])
  }
}
