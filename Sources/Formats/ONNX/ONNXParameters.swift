import AviaryCheckpoint
import AviaryContainers
import AviaryTensor

/// The weights of an ONNX model: those constants that layers use, under the names and in the layout
/// of PyTorch, in the order of their use. Sizes, scales and other constants are none.
package struct ONNXParameters: Sendable {
  /// The place of a weight: an input of a node.
  package struct Slot: Hashable, Sendable {
    package var node: Int
    package var input: Int

    package init(node: Int, input: Int) { (self.node, self.input) = (node, input) }
  }

  /// The name of the weight at each place that has one.
  package private(set) var names: [Slot: String] = [:]
  private var tensors: [ONNXTensor] = []
  private var descriptions: [TensorDescription] = []
  private var used: Set<String> = []
  /// The last number that was put behind a name.
  private var numbers: [String: Int] = [:]
  /// What each constant became, by its name and its steps: layers may share one.
  private var known: [Origin: String] = [:]

  private struct Origin: Hashable {
    var constant: String
    var steps: [TensorStep]
  }

  /// No weights.
  package init() {}

  /// Finds the weights of a model.
  mutating func find(in model: ONNXModel, path: String) throws(CheckpointError) {
    var producers: [String: Int] = [:]
    for (position, node) in model.nodes.enumerated() {
      for output in node.outputs { producers[output] = position }
    }
    for (position, node) in model.nodes.enumerated() where node.domain.isEmpty {
      for weight in weights(of: node, model, producers) {
        let input = weight.input
        guard let name = node.input(input),
          let (constant, tensor, isTransposed) = constant(name, model, producers, depth: 0),
          tensor.elementType.isFloatingPoint
        else { continue }
        try add(
          Slot(node: position, input: input), weight.suffix, constant, tensor,
          steps: ONNXParameters.steps(node, weight, tensor.shape, isTransposed: isTransposed),
          stem: ONNXParameters.stem(of: node, position), path: path)
      }
    }
    if model.producer.hasPrefix("aviary") { try findOwn(in: model, path: path) }
  }

  /// What else is learned in a file of ours: learned constants, and weights of operations that are
  /// written as several. Other constants are named after their node and what they are, with a slash.
  private mutating func findOwn(in model: ONNXModel, path: String) throws(CheckpointError) {
    let found = Set(known.keys.map(\.constant))
    // A learned constant has the shape that it was given.
    let shaped = Set(model.nodes.filter { $0.kind == "Identity" }.compactMap { $0.input(0) })
    for (name, tensor) in model.constants.sorted(by: { $0.key < $1.key })
    where tensor.elementType.isFloatingPoint && !name.contains("/") && !found.contains(name) {
      let isVector = tensor.shape.count(where: { $0 != 1 }) <= 1 && !shaped.contains(name)
      let steps: [TensorStep] =
        isVector && tensor.shape.count != 1
        ? [.reshaped(from: tensor.shape, to: [tensor.shape.reduce(1, *)])] : []
      try add(nil, "weight", name, tensor, steps: steps, stem: "", path: path)
    }
  }

  /// The weights, whose elements are read when asked for.
  func source(path: String) throws(CheckpointError) -> TensorSource {
    let (tensors, descriptions) = (tensors, descriptions)
    return TensorSource(descriptions) { (position) throws(CheckpointError) in
      let tensor = try tensors[position].load()
      do {
        return try descriptions[position].steps.applied(to: tensor)
      } catch {
        throw .damaged(path: path, part: descriptions[position].storedName, reason: "\(error)")
      }
    }
  }

  /// The inputs of a node that hold its weights.
  private func weights(
    of node: ONNXModel.Node, _ model: ONNXModel, _ producers: [String: Int]
  ) -> [ONNXWeight] {
    if let operand = groupOperand(node, model, producers) { return [operand] }
    guard node.kind == "Add" else {
      return isGrouped(node, model, producers)
        ? [] : ExchangedOperations.onnxWeights[node.kind] ?? []
    }
    // The bias of a product of matrices is an addition of its own.
    for (bias, product) in [(1, 0), (0, 1)] {
      if let name = node.input(product), let producer = producers[name],
        model.nodes[producer].kind == "MatMul",
        names[Slot(node: producer, input: 1)] != nil,
        let constant = node.input(bias).flatMap({ constant($0, model, producers, depth: 0) }),
        constant.tensor.shape.count == 1
      {
        return [ONNXWeight(input: bias, suffix: "bias")]
      }
    }
    return []
  }

  /// The weight or the bias of a group normalisation that is written as an instance normalisation of
  /// groups: a factor, or a summand, for each channel of what has its first shape again.
  private func groupOperand(
    _ node: ONNXModel.Node, _ model: ONNXModel, _ producers: [String: Int]
  ) -> ONNXWeight? {
    guard node.kind == "Mul" || node.kind == "Add" else { return nil }
    for (operand, input) in [(1, 0), (0, 1)] {
      guard let producer = node.input(input).flatMap({ producers[$0] }),
        let shape = node.input(operand).flatMap({
          constant($0, model, producers, depth: 0)?.tensor.shape
        }), !shape.isEmpty, shape.count(where: { $0 != 1 }) <= 1
      else { continue }
      let hasFactor =
        node.kind == "Add" && model.nodes[producer].kind == "Mul"
        && [0, 1].contains { names[Slot(node: producer, input: $0)] != nil }
      guard hasFactor || isGroupResult(model.nodes[producer], model, producers) else { continue }
      return ONNXWeight(
        input: operand, suffix: node.kind == "Mul" ? "weight" : "bias", layout: .vector)
    }
    return nil
  }

  /// Whether a node gives normalised groups their first shape again.
  private func isGroupResult(
    _ node: ONNXModel.Node, _ model: ONNXModel, _ producers: [String: Int]
  ) -> Bool {
    guard node.kind == "Reshape", let producer = node.input(0).flatMap({ producers[$0] }) else {
      return false
    }
    return isGrouped(model.nodes[producer], model, producers)
  }

  /// Whether a node is the instance normalisation of groups as channels that a group normalisation is
  /// written as: its weights of 1 and biases of 0 are none of the network's.
  private func isGrouped(
    _ node: ONNXModel.Node, _ model: ONNXModel, _ producers: [String: Int]
  ) -> Bool {
    guard node.kind == "InstanceNormalization",
      let producer = node.input(0).flatMap({ producers[$0] }),
      model.nodes[producer].kind == "Reshape"
    else { return false }
    return [(1, 1), (2, 0)].allSatisfy { input, number in
      guard
        let (_, tensor, _) = node.input(input).flatMap({
          constant($0, model, producers, depth: 0)
        }), tensor.count <= NumberArray.limit,
        let loaded = try? tensor.load().converted(to: .float32)
      else { return false }
      return loaded.floats.allSatisfy { $0 == Float(number) }
    }
  }

  /// The constant that a value is, by way of operations that do not change it.
  private func constant(
    _ name: String, _ model: ONNXModel, _ producers: [String: Int], depth: Int
  ) -> (name: String, tensor: ONNXTensor, isTransposed: Bool)? {
    if let tensor = model.constants[name] { return (name, tensor, false) }
    guard depth < 16, let producer = producers[name] else { return nil }
    let node = model.nodes[producer]
    switch node.kind {
    case "Constant":
      guard case .tensor(let tensor) = node.attributes["value"] else { return nil }
      return (name, tensor, false)
    case "Identity":
      return node.input(0).flatMap { constant($0, model, producers, depth: depth + 1) }
    case "Transpose":
      guard let input = node.input(0), node.integers("perm") ?? [1, 0] == [1, 0],
        let (source, tensor, isTransposed) = constant(input, model, producers, depth: depth + 1),
        tensor.shape.count == 2
      else { return nil }
      return (source, tensor, !isTransposed)
    default: return nil
    }
  }

  /// From ONNX's layout to PyTorch's.
  static func steps(
    _ node: ONNXModel.Node, _ weight: ONNXWeight, _ shape: [Int], isTransposed: Bool = false
  ) -> [TensorStep] {
    switch weight.layout {
    case .pytorch: return isTransposed ? [.permuted([1, 0])] : []
    case .matrix:
      // Input by output, unless it says that it is the other way round.
      let isByOutput = (node.integer("transB") ?? 0 != 0) != isTransposed
      return isByOutput || shape.count != 2 ? [] : [.permuted([1, 0])]
    case .vector:
      // Dimensions of 1 that only make it fit an image.
      let isVector = shape.count(where: { $0 != 1 }) <= 1
      return shape.count == 1 || !isVector ? [] : [.reshaped(from: shape, to: [shape.reduce(1, *)])]
    }
  }

  private mutating func add(
    _ slot: Slot?, _ role: String, _ constant: String, _ tensor: ONNXTensor, steps: [TensorStep],
    stem: String, path: String
  ) throws(CheckpointError) {
    let origin = Origin(constant: constant, steps: steps)
    if let name = known[origin] {
      if let slot { names[slot] = name }
      return
    }
    var base = ONNXParameters.isAnonymous(constant) ? "" : ONNXParameters.path(constant)
    if base.isEmpty { base = "\(stem).\(role)" }
    var name = base
    while !used.insert(name).inserted {
      numbers[base, default: 1] += 1
      name = "\(base)_\(numbers[base, default: 1])"
    }
    var description = TensorDescription(
      name: name, shape: tensor.shape, elementType: tensor.elementType, storedName: constant,
      steps: steps)
    for step in steps {
      do {
        description.shape = try step.shape(of: description.shape)
      } catch {
        throw .damaged(path: path, part: constant, reason: "\(error)")
      }
    }
    known[origin] = name
    if let slot { names[slot] = name }
    tensors.append(tensor)
    descriptions.append(description)
  }

  // MARK: - Names

  /// Whether a name says nothing: a number, or one that an exporter made up.
  private static func isAnonymous(_ name: String) -> Bool {
    let digits = name.drop { !$0.isNumber }
    return name.allSatisfy(\.isNumber) || name.hasPrefix("onnx::") || name.hasPrefix("/")
      || name.hasPrefix("const_fold_opt")
      || name.hasPrefix("val_") && digits.count == name.count - 4
  }

  /// A name without what no data set's name may have: `a/b.weight` becomes `a.b.weight`.
  static func path(_ name: String) -> String {
    name.split { $0 == "/" || $0 == "." || $0 == "\0" }.joined(separator: ".")
  }

  /// The name of a layer, after the node that it is: `/encoder/encoder.0/Conv` is `encoder.0`, as
  /// PyTorch names nodes by the modules that hold them.
  package static func stem(of node: ONNXModel.Node, _ position: Int) -> String {
    guard !node.name.isEmpty else { return "\(node.kind.lowercased())_\(position)" }
    var parts = node.name.split(separator: "/").map(String.init)
    if node.name.hasPrefix("/"), parts.count > 1 { parts.removeLast() }
    // A part that is the beginning of the next says nothing.
    let kept = parts.indices.filter { i in
      i + 1 == parts.count || !parts[i + 1].hasPrefix(parts[i] + ".")
    }
    let stem = path(kept.map { parts[$0] }.joined(separator: "."))
    return stem.isEmpty ? "\(node.kind.lowercased())_\(position)" : stem
  }
}
