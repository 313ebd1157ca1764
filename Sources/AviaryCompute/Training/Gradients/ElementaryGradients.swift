import AviaryGraph

extension Differentiation {
  /// The operations that are no convolutions.
  mutating func elementary(_ unit: Unit, _ gradient: Int) throws(ComputeError) {
    guard case .other(let op) = unit.work else {
      throw .unsupported(node: unit.name, operation: "gradient of \(unit.work.name)")
    }
    switch op {
    case .activation(let activation):
      let source = activation.gradientSource == .output ? unit.output : unit.inputs[0]
      let part = step(
        unit, .gradient(.activation(activation)), [gradient, source], shape(gradient))
      add(part, to: unit.inputs[0])
    case .add where unit.inputs.allSatisfy { shape($0) == shape(unit.output) }:
      for input in unit.inputs { add(gradient, to: input) }
    default:
      throw .unsupported(node: unit.name, operation: "gradient of \(op.name)")
    }
  }
}
