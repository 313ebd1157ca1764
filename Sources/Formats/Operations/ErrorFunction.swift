import AviaryCheckpoint
import AviaryContainers
import AviaryGraph

extension ONNXReader {
  /// The error function of x / √2, which older exporters write a GELU with.
  mutating func errorFunction() throws(InterchangeError) -> ONNXOperand {
    let input = try value(0)
    guard let source = source(input), case .scale(let factor) = source.op,
      factor.values.count == 1, abs(factor.values[0] - 0.5.squareRoot()) < 1e-5
    else { throw unsupported("Erf is read in GELU only, of x / √2") }
    return .errorFunction(of: source.inputs[0], plusOne: false)
  }

  /// x / 2 · (1 + erf(x / √2)), in whatever order it is multiplied.
  mutating func gaussian(
    _ x: Int, plusOne: Bool, other: ONNXOperand, input: Int
  ) throws(InterchangeError) -> ONNXOperand {
    let number = try numbers(input)?.constant
    switch node.kind {
    case "Add" where !plusOne && number == [1]: return .errorFunction(of: x, plusOne: true)
    case "Mul" where plusOne:
      guard case .value(let factor) = other else { break }
      let isHalf: Bool =
        if let source = source(factor) {
          source.op == .scale(Scale([0.5])) && source.inputs == [x]
        } else { false }
      guard isHalf || factor == x else { break }
      let result = try add(.activation(.gelu(approximate: false)), [x])
      return .value(isHalf ? result : try scaled(result, [2]))
    default: break
    }
    throw unsupported("Erf is read in GELU only")
  }
}

/// The error function, which no operation of ours is: exporters from PyTorch write GELU with it,
/// x · (1 + erf(x / √2)) / 2, operation by operation. As part of that it is understood.
extension KerasImport {
  /// A part of GELU: factor · (erf(x / √2) + 1), or without the one.
  struct ErrorFunction: Hashable {
    /// x.
    var value: Int
    var hasOne = false
    var factor = 1.0
  }

  /// What an operation gives that is a part of GELU; nil for any other.
  mutating func errorFunction(
    _ layer: KerasLayer, _ operands: [Operand], _ call: KerasCall
  ) throws(InterchangeError) -> KerasTensor? {
    var part: KerasTensor?
    var other: KerasTensor?
    for case .value(let value) in operands {
      if value.errorFunction != nil { part = value } else { other = value }
    }
    guard let part, let function = part.errorFunction else { return nil }
    let constants = operands.compactMap { operand -> JSON? in
      guard case .constant(let json) = operand else { return nil }
      return json
    }
    let constant = (constants.first ?? call.options["y"])?.double
    var result = part
    switch (try operationName(layer), other, constant) {
    case ("add", nil, 1) where !function.hasOne && function.factor == 1:
      result.errorFunction?.hasOne = true
      return result
    case ("multiply", nil, let constant?) where operands.count <= 2:
      result.errorFunction?.factor *= constant
      return result
    case ("multiply", let other?, nil) where function.hasOne && other.index == function.value:
      result = try self.function(
        .gelu(approximate: false), other, layer, layer.fullName)
      return try rescaled(result, by: 2 * function.factor, plus: 0, layer)
    default: throw layer.refusal("the error function is known as a part of GELU alone")
    }
  }

  /// The error function of a value that was divided by the root of 2.
  func errorFunction(
    of x: KerasTensor, _ layer: KerasLayer
  ) throws(InterchangeError) -> KerasTensor {
    let position = x.index - inputs.count
    guard nodes.indices.contains(position), case .scale(let factor) = nodes[position].op,
      factor.values.count == 1, abs(factor.values[0] * 2.0.squareRoot() - 1) < 1e-6
    else { throw layer.refusal("the error function is known as a part of GELU alone") }
    var result = x
    result.errorFunction = ErrorFunction(value: nodes[position].inputs[0])
    return result
  }
}
