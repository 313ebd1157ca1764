import AviaryCheckpoint
import AviaryContainers
import AviaryGraph

// Exporters write GELU operation by operation: x / 2 · (1 + erf(x / √2)), multiplied in whatever
// order. It is read as one operation; what its parts are made of is left out where nobody else takes
// it.

/// Nodes of a graph that is read.
private protocol NodeList {
  /// The node that gives a value; nil for an input.
  func source(_ value: Int) -> Graph.Node?
}

extension NodeList {
  /// What GELU of which value times which number the product of two values is; nil where it is none.
  fileprivate func gelu(_ a: Int, _ b: Int) -> (of: Int, factor: Double)? {
    for (line, curve) in [(a, b), (b, a)] {
      let (bell, second) = multiple(curve)
      guard let sum = source(bell), sum.op == .offset(Offset([1])),
        let erf = source(sum.inputs[0]), erf.op == .activation(.erf)
      else { continue }
      let (x, root) = multiple(erf.inputs[0])
      let (other, first) = x == line ? (line, 1) : multiple(line)
      if other == x, abs(root - 0.5.squareRoot()) < 1e-5 { return (x, 2 * first * second) }
    }
    return nil
  }

  /// The value of which another is a multiple.
  private func multiple(_ value: Int) -> (of: Int, factor: Double) {
    guard let source = source(value), case .scale(let scale) = source.op, scale.values.count == 1
    else { return (value, 1) }
    return (source.inputs[0], scale.values[0])
  }
}

extension ONNXReader: NodeList {
  /// The product of two values, if it is a GELU.
  mutating func gaussian(_ a: Int, _ b: Int) throws(InterchangeError) -> Int? {
    guard let found = gelu(a, b) else { return nil }
    return try scaled(
      try add(.activation(.gelu(approximate: false)), [found.of]), [found.factor])
  }
}

extension KerasImport: NodeList {
  fileprivate func source(_ value: Int) -> Graph.Node? {
    value < inputs.count ? nil : nodes[value - inputs.count]
  }

  /// The product of two values, if it is a GELU.
  mutating func gaussian(
    _ a: KerasTensor, _ b: KerasTensor, _ layer: KerasLayer, _ name: String
  ) throws(InterchangeError) -> KerasTensor? {
    guard let found = gelu(a.index, b.index) else { return nil }
    var x = a
    x.index = found.of
    let result = try function(.gelu(approximate: false), x, layer, name)
    return try rescaled(result, by: found.factor, plus: 0, layer)
  }
}
