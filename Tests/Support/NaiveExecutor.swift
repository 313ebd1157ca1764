package import AviaryGraph
package import AviaryTensor

/// What a graph gives, computed straight from the definitions in `Op`: the oracle that everything
/// faster is held against.
///
/// Plain loops over single numbers; sums are kept in float64 and every value is rounded to float32
/// once.
///
/// - Parameters:
///   - weights: the graph's parameters by name; non-persistent buffers may be left out.
///   - inputs: an image (NCHW) for each of the graph's inputs, by name.
/// - Returns: the graph's outputs by name.
/// - Throws: `NaiveError` for a tensor that is absent or has another shape; `GraphError` where the
///   network cannot run on the size.
package func naive(
  _ graph: Graph, weights: [String: Tensor], inputs: [String: Tensor]
) throws -> [String: Tensor] {
  let values = try naiveList(
    graph, weights.mapValues(NaiveArray.init), inputs.mapValues(NaiveArray.init))
  return Dictionary(
    uniqueKeysWithValues: try graph.outputs.map { ($0.name, try values[$0.value].tensor) })
}

/// As `naive`, but every value of the graph, by the name of its input or node.
package func naiveValues(
  _ graph: Graph, weights: [String: Tensor], inputs: [String: Tensor]
) throws -> [String: Tensor] {
  let values = try naiveList(
    graph, weights.mapValues(NaiveArray.init), inputs.mapValues(NaiveArray.init))
  return Dictionary(
    uniqueKeysWithValues: try values.enumerated().map { (graph.name(ofValue: $0), try $1.tensor) })
}

/// A tensor that the oracle was not given, or not in the shape that it must have.
package struct NaiveError: Error, CustomStringConvertible {
  /// One line: the thing, the expected, the found.
  package let description: String

  /// An error of these words.
  package init(description: String) { self.description = description }
}

/// The graph's values.
///
/// - Parameter isTraining: whether normalisation is by the batch, and nothing is rounded to float32
///   between operations, so that differences of results show small changes of inputs.
func naiveList(
  _ graph: Graph, _ weights: [String: NaiveArray], _ inputs: [String: NaiveArray],
  isTraining: Bool = false
) throws -> [NaiveArray] {
  func find(_ name: String, in arrays: [String: NaiveArray]) throws -> NaiveArray {
    guard let array = arrays[name] else { throw NaiveError(description: "\(name): none given") }
    return array
  }
  // Counters of training steps have no part in inference.
  var shapes: [String: [Int]] = [:]
  for parameter in graph.parameters where parameter.role != .nonPersistent {
    shapes[parameter.name] = parameter.shape
  }
  let (expanded, places) = try graph.expanded()
  var values = try graph.inputs.map { try find($0.name, in: inputs) }
  for (node, shape) in zip(
    expanded.nodes, try expanded.shapes(for: values.map(\.shape)).dropFirst(graph.inputs.count))
  {
    var parameters: [NaiveArray] = []
    for name in node.parameters {
      guard let expected = shapes[name] else { continue }
      parameters.append(try find(name, in: weights))
      guard let found = parameters.last?.shape, found == expected else {
        throw NaiveError(
          description: "\(name): expected shape \(expected), found \(weights[name]?.shape ?? [])")
      }
    }
    let operands = node.inputs.map { values[$0] }
    var result = node.op.naive(operands, parameters, shape)
    if isTraining, case .batchNormalization(let b) = node.op {
      result = naiveTrainedBatchNormalization(operands[0], parameters, b)
    }
    // The shape function and the definition must agree; a slip in either shows here.
    guard result.shape == shape, result.values.count == shape.reduce(1, *) else {
      throw NaiveError(
        description: "\(node.name): expected shape \(shape), found \(result.shape)")
    }
    values.append(isTraining ? result : result.rounded)
  }
  return places.map { values[$0] }
}

extension Op {
  /// The operation's value. Operations whose output size is not told by their inputs and attributes
  /// alone (padding by `.same`, a reshape) take it from `shape`.
  fileprivate func naive(
    _ inputs: [NaiveArray], _ parameters: [NaiveArray], _ shape: [Int]
  ) -> NaiveArray {
    guard let x = inputs.first else {
      // Without inputs there is but what is learned.
      return parameters[0]
    }
    switch self {
    case .convolution(let c): return naiveConvolution(x, parameters, c)
    case .transposedConvolution(let c): return naiveTransposedConvolution(x, parameters, c)
    case .linear: return naiveLinear(x, parameters)
    case .maxPool(let operation):
      return naivePool(x, operation.window) { window, _ in window.max() ?? -.infinity }
    case .averagePool(let operation):
      return naivePool(x, operation.window) { window, area in
        window.reduce(0, +) / Double(operation.countsPadding ? area : window.count)
      }
    case .globalAveragePool:
      return naiveReduction(x, Reduction(.mean, dimensions: [2, 3]))
    case .batchNormalization(let b): return naiveBatchNormalization(x, parameters, b)
    case .activation(let activation): return x.map(activation.naive)
    case .prelu(let operation):
      let slopes = parameters[0].values
      return x.mapByChannel { $0 > 0 ? $0 : Double(slopes[operation.perChannel ? $1 : 0]) * $0 }
    case .binary(let operation): return naiveBroadcast(x, inputs[1], operation.naive)
    case .where: return naiveWhere(x, inputs[1], inputs[2])
    case .scale(let operation):
      return operation.values.count == 1
        ? x.map { $0 * operation.values[0] } : x.mapByChannel { $0 * operation.values[$1] }
    case .offset(let operation):
      return operation.values.count == 1
        ? x.map { $0 + operation.values[0] } : x.mapByChannel { $0 + operation.values[$1] }
    case .concatenate(let operation): return naiveConcatenation(inputs, operation.dimension)
    case .slice(let operation):
      return x.gathering([x.shape[0], operation.count] + x.shape.dropFirst(2)) { index in
        index[1] += operation.start
      }
    case .pixelShuffle(let operation):
      return naivePixelShuffle(x, operation.factor, operation.order)
    case .pixelUnshuffle(let operation):
      return naivePixelUnshuffle(x, operation.factor, operation.order)
    case .dynamicConvolution(let c): return naiveDynamicConvolution(inputs, c)
    case .unfold(let operation): return naiveUnfold(x, operation, shape)
    case .fold(let operation): return naiveFold(x, operation, shape)
    case .realFFT(let operation): return naiveRealFFT(x, operation.norm)
    case .inverseRealFFT(let operation):
      return naiveInverseRealFFT(x, operation.norm, width: shape[3])
    case .gridSample(let operation): return naiveGridSample(x, inputs[1], operation)
    case .gatherElements(let operation):
      return naiveGatherElements(x, inputs[1], operation.dimension)
    case .argReduction(let operation): return naiveArgReduction(x, operation, shape)
    case .sort(let operation): return naiveSort(x, operation, shape)
    case .resize(let resize): return naiveResize(x, resize, height: shape[2], width: shape[3])
    case .pad(let operation): return naivePad(x, operation)
    case .padDimension(let operation): return naivePad(x, operation)
    case .padToMultiple(let operation): return naivePad(x, operation)
    // The rows and columns that the shape function names, from the first on.
    case .cropToSize: return x.gathering(shape) { _ in }
    case .stridedSlice(let operation): return naiveStridedSlice(x, operation)
    case .tile(let operation): return naiveTile(x, operation.repeats)
    case .expand: return naiveExpand(x, to: shape)
    case .adaptivePool(let operation): return naiveAdaptivePool(x, operation.kind, to: shape)
    case .crop(let operation):
      return x.gathering(
        x.shape.dropLast(2) + [
          x.shape[2] - operation.amounts.top - operation.amounts.bottom,
          x.shape[3] - operation.amounts.left - operation.amounts.right,
        ]
      ) { index in
        index[2] += operation.amounts.top
        index[3] += operation.amounts.left
      }
    case .dropout: return x
    case .reduce(let reduction): return naiveReduction(x, reduction)
    case .matmul: return naiveProduct(x, inputs[1])
    case .softmax(let operation): return naiveSoftmax(x, operation)
    case .layerNormalization(let operation):
      return naiveLayerNormalization(x, parameters, operation)
    case .groupNormalization(let operation):
      return naiveGroupNormalization(x, parameters, operation)
    case .reshape: return NaiveArray(shape, x.values)
    case .permute(let operation):
      return x.gathering(operation.order.map { x.shape[$0] }) { index in
        let position = index
        for (to, from) in operation.order.enumerated() { index[from] = position[to] }
      }
    case .roll(let operation):
      return x.gathering(x.shape) { index in
        for (shift, dimension) in zip(operation.shifts, operation.dimensions) {
          let size = x.shape[dimension]
          index[dimension] = ((index[dimension] - shift) % size + size) % size
        }
      }
    case .learnedConstant: return parameters[0]
    case .constantGather(let operation): return naiveGather(x, operation)
    case .windowPartition(let operation): return naiveWindows(x, operation, shape)
    case .windowReverse(let operation): return naiveWindowReverse(x, operation, shape)
    case .shiftMask(let operation): return naiveShiftMask(x, operation)
    case .expansion: preconditionFailure("graphs are expanded before they are calculated")
    }
  }
}
