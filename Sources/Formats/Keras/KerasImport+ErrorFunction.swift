import AviaryGraph

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
