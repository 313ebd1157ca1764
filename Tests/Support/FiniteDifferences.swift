package import AviaryGraph
package import AviaryTensor

/// The derivatives of a network by finite differences of the oracle, in float64 throughout.
///
/// The loss is a weighted sum of the network's values. Of a tensor of many numbers one derivative
/// is taken, along a random direction: a gradient that is wrong anywhere is almost certainly wrong
/// along it.
package struct FiniteDifferences {
  private let graph: Graph
  private let weights: [String: NaiveArray]
  private let inputs: [String: NaiveArray]
  /// By number of the value.
  private let cotangents: [(value: Int, factors: [Double])]

  /// - Parameter cotangents: the derivatives of the loss by outputs or by nodes' values, by name.
  /// - Throws: `NaiveError` for a name that the graph does not have.
  package init(
    _ graph: Graph, weights: [String: Tensor], inputs: [String: Tensor],
    cotangents: [String: Tensor]
  ) throws {
    self.graph = graph
    self.weights = weights.mapValues(NaiveArray.init)
    self.inputs = inputs.mapValues(NaiveArray.init)
    self.cotangents = try cotangents.sorted { $0.key < $1.key }.map { name, tensor in
      guard
        let value = graph.outputs.first(where: { $0.name == name })?.value
          ?? (0..<graph.valueCount).first(where: { graph.name(ofValue: $0) == name })
      else { throw NaiveError(description: "\(name): no value") }
      return (value, NaiveArray(tensor).values)
    }
  }

  /// The derivative of the loss along a direction of one parameter or input.
  ///
  /// - Parameters:
  ///   - name: the parameter's or the input's.
  ///   - step: how far to go to either side. The error falls with its square, until rounding of
  ///     float64 is met; the smaller it is, the fewer kinks lie between.
  package func derivative(
    by name: String, along direction: Tensor, step: Double = 1e-6
  ) throws -> Double {
    let slopes = try slopes(by: name, along: direction, step: step)
    return (slopes.below + slopes.above) / 2
  }

  /// The slopes to either side, which differ where there is a kink.
  package func slopes(
    by name: String, along direction: Tensor, step: Double = 1e-6
  ) throws -> (below: Double, above: Double) {
    let direction = NaiveArray(direction)
    func loss(_ distance: Double) throws -> Double {
      var (weights, inputs) = (weights, inputs)
      func move(_ array: NaiveArray) -> NaiveArray {
        NaiveArray(
          array.shape, zip(array.values, direction.values).map { $0 + distance * $1 })
      }
      if let weight = weights[name] { weights[name] = move(weight) }
      if let input = inputs[name] { inputs[name] = move(input) }
      let values = try naiveList(graph, weights, inputs, isTraining: true)
      return cotangents.reduce(0) { sum, cotangent in
        zip(values[cotangent.value].values, cotangent.factors).reduce(sum) { $0 + $1.0 * $1.1 }
      }
    }
    let middle = try loss(0)
    return ((middle - (try loss(-step))) / step, ((try loss(step)) - middle) / step)
  }
}
