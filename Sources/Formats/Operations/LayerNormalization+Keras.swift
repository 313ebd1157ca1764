import AviaryCheckpoint
import AviaryContainers
import AviaryGraph
import AviaryTensor

extension KerasImport {
  /// Normalisation over one axis, by the layer's class.
  mutating func layerNormalization(
    _ layer: KerasLayer, _ x: KerasTensor
  ) throws(InterchangeError) -> KerasTensor {
    let axis = try axis(layer, x)
    guard axis > 0 else { throw layer.refusal("axis 0, that of images, is not supported") }
    let x = try unflattened(x, layer.fullName)
    // Over the dimension in which the axis lies, wherever that is.
    var normalization = LayerNormalization(first: x.axes[axis])
    switch layer.className {
    case "RMSNormalization":
      normalization.kind = .rms
      normalization.epsilon = try layer.number(["epsilon"], default: 1e-6)
      (normalization.scale, normalization.center) = (true, false)
    case "UnitNormalization":
      // Keras holds the sum of squares above 1e-12, and so its root above 1e-6.
      normalization.kind = .l2
      normalization.epsilon = 1e-6
      (normalization.scale, normalization.center) = (false, false)
    default:
      normalization.epsilon = try layer.number(["epsilon"], default: 1e-3)
      normalization.scale = try layer.flag(["scale"], default: true)
      normalization.center = try layer.flag(["center"], default: true)
      if try layer.flag(["rms_scaling"], default: false) {
        // By the variance, with the weight alone.
        normalization.kind = .biasFree
        normalization.center = false
      }
    }
    guard normalization.epsilon > 0 else {
      throw layer.refusal("epsilon: expected a number above 0")
    }
    let shape = [x.shape[x.axes[axis]]]
    var names: [String] = []
    if normalization.scale {
      names.append(try bind(layer, "weight", shape, from: ["weight", "gamma", "scale", "0"]))
    }
    if normalization.center {
      names.append(
        try bind(layer, "bias", shape, from: ["bias", "beta", normalization.scale ? "1" : "0"]))
    }
    return try add(
      normalization.op, [x], name: layer.fullName, of: layer, parameters: names)
  }
}

extension KerasBuilder {
  mutating func layerNormalization(
    _ x: PlacedValue, _ normalization: LayerNormalization, _ node: Graph.Node
  ) throws(InterchangeError) -> PlacedValue {
    let range = normalization.range(rank: x.order.count)
    if range.count > 1 { return try wideNormalization(x, normalization, node) }
    guard range.lowerBound > 0 else { throw refusal(node.name, "no layer works across images") }
    let axis = x.axis(of: range.lowerBound)
    // Keras 3.15 does not bring the weight to another axis's place.
    guard normalization.kind != .rms || axis == x.order.count - 1 else {
      throw refusal(node.name, "Keras's RMSNormalization works along the last axis only")
    }
    let layer = try kerasLayer(normalization, node)
    let size = x.place.shape[axis] ?? 1
    return add(
      layer.className, node.name, layer.configuration.merging(["axis": .int(axis)]) { $1 }, [x],
      variables: zip(layer.variables, node.parameters).map {
        KerasModel.Variable(name: $0, shape: [size], content: .parameter($1, []))
      })
  }

  /// Keras's class for a kind of normalisation, and its arguments besides the axis.
  private func kerasLayer(
    _ n: LayerNormalization, _ node: Graph.Node
  ) throws(InterchangeError) -> (
    className: String, configuration: [String: JSON], variables: [String]
  ) {
    switch n.kind {
    case .layer:
      return (
        "LayerNormalization",
        ["epsilon": .number(n.epsilon), "scale": .bool(n.scale), "center": .bool(n.center)],
        (n.scale ? ["gamma"] : []) + (n.center ? ["beta"] : [])
      )
    case .rms:
      guard n.scale, !n.center, !n.addsEpsilonToRoot else {
        throw refusal(
          node.name, "Keras's RMSNormalization has a weight, no bias, and epsilon under the root")
      }
      return ("RMSNormalization", ["epsilon": .number(n.epsilon)], ["scale"])
    case .l2:
      guard !n.scale, !n.center, n.epsilon == 1e-6 else {
        throw refusal(
          node.name,
          "Keras's UnitNormalization has neither weight nor bias, and an epsilon of 1e-6")
      }
      return ("UnitNormalization", [:], [])
    case .biasFree:
      throw refusal(node.name, "no layer divides by the deviation without subtracting the mean")
    }
  }

  /// Over several dimensions, which become one: Keras 3 keeps only the first of several axes from a
  /// file of Keras 2.
  private mutating func wideNormalization(
    _ x: PlacedValue, _ normalization: LayerNormalization, _ node: Graph.Node
  ) throws(InterchangeError) -> PlacedValue {
    let dimensions = normalization.dimensions
    guard normalization.range(rank: x.order.count).upperBound == x.order.count else {
      throw refusal(
        node.name, "no layer normalises over several dimensions that are not the last")
    }
    var input = try ending(x, dimensions: dimensions, node.name)
    let shape = input.place.shape
    let sizes = shape.suffix(dimensions).map { $0 ?? 1 }
    let count = sizes.reduce(1, *)
    input = try reshaped(input, shape.dropFirst().dropLast(dimensions) + [count], node.name)
    let layer = try kerasLayer(normalization, node)
    let result = add(
      layer.className, node.name, layer.configuration.merging(["axis": -1]) { $1 }, [input],
      variables: zip(layer.variables, node.parameters).map {
        KerasModel.Variable(
          name: $0, shape: [count],
          content: .parameter($1, [.reshaped(from: sizes, to: [count])]))
      })
    var back = try reshaped(result, shape.dropFirst(), node.name)
    back.order =
      x.order.suffix(dimensions).elementsEqual(x.order.indices.suffix(dimensions))
      ? x.order : Array(x.order.indices)
    return back
  }
}
