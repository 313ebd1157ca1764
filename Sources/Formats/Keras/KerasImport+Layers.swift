import AviaryGraph

/// The layers, by class.
extension KerasImport {
  /// What a layer that is no model gives.
  mutating func value(
    of layer: KerasLayer, _ operands: [Operand], _ call: KerasCall
  ) throws(InterchangeError) -> KerasTensor {
    if let operation = ExchangedOperations.kerasMerges[layer.className] {
      return try operation.merge(layer, function: nil, operands, call, with: &self)
    }
    switch layer.className {
    case "TFOpLambda", "SlicingOpLambda", "Lambda", "TensorFlowOpLayer":
      return try operation(layer, operands, call)
    case _ where layer.module.contains(".ops"):
      return try operation(layer, operands, call)
    default: break
    }
    let x = try single(operands, of: layer)
    switch layer.className {
    case "InputLayer": return x
    case "Identity":
      leaveOut(layer)
      return x
    default:
      guard let operation = ExchangedOperations.kerasLayers[layer.className] else {
        throw layer.refusal("no operation of ours computes it")
      }
      return try operation.read(layer, x, with: &self)
    }
  }

  /// Notes a layer that does nothing in inference.
  mutating func leaveOut(_ layer: KerasLayer) {
    if idle.insert(layer.fullName).inserted { idleNames.append(layer.fullName) }
  }
}
