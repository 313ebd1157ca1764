package import AviaryGraph
package import AviaryTensor

/// An image, or any tensor, of random numbers from 0 to 1.
package func randomTensor(_ shape: [Int], seed: UInt64) -> Tensor {
  var generator = SplitMix64(seed: seed)
  return generator.tensor(shape, in: 0...1)
}

/// Random weights under which every part of a network matters: values keep their size from layer to
/// layer, normalisations have factors about 1, variances are positive, slopes have both signs.
package func randomWeights(for graph: Graph, seed: UInt64) -> [String: Tensor] {
  var generator = SplitMix64(seed: seed)
  var owners: [String: (op: Op, slot: ParameterSlot)] = [:]
  for node in graph.nodes {
    for (name, slot) in zip(node.parameters, node.op.parameterSlots) where owners[name] == nil {
      owners[name] = (node.op, slot)
    }
  }
  var weights: [String: Tensor] = [:]
  for parameter in graph.parameters {
    if parameter.role == .nonPersistent {
      weights[parameter.name] = try? Tensor(zeros: parameter.shape, elementType: .int64)
      continue
    }
    weights[parameter.name] = generator.tensor(
      parameter.shape, in: range(of: parameter, in: owners[parameter.name]))
  }
  return weights
}

private func range(
  of parameter: Parameter, in owner: (op: Op, slot: ParameterSlot)?
) -> ClosedRange<Float> {
  if owner?.slot.suffix == "bias" || owner?.slot.start == 0 { return -0.2...0.2 }
  if owner?.slot.start == 1 { return 0.5...1.5 }
  let op = owner?.op
  switch op {
  case .prelu: return -0.3...0.9
  default:
    // Evenly spread numbers have a variance of a third of their square.
    let fanIn =
      switch op {
      case .transposedConvolution(let c):
        // Each output pixel meets a kernel's part only, where the stride is above 1.
        max(parameter.shape[0] / c.groups * c.kernel.height * c.kernel.width, 1)
          / max(c.stride.height * c.stride.width, 1)
      default: parameter.shape.dropFirst().reduce(1, *)
      }
    let largest = (3 / Float(max(fanIn, 1))).squareRoot()
    return -largest...largest
  }
}
