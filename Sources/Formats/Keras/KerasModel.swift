package import AviaryCheckpoint
package import AviaryContainers
package import AviaryGraph
package import AviaryTensor

/// A network as a Functional model of Keras's: stock layers only, channels last, as plain data.
package struct KerasModel: Sendable {
  /// A tensor of the model: what a call of a layer gives.
  package struct Place: Hashable, Sendable {
    /// The position of the layer in `layers`.
    package var layer: Int
    /// Which call of the layer, of those that share its weights.
    package var call: Int
    /// The dimensions, in Keras's order; nil where they depend on the image.
    package var shape: [Int?]
  }

  /// One layer.
  package struct Layer: Sendable {
    /// The class of `keras.layers`.
    package var className: String
    /// The name, unique in the model.
    package var name: String
    /// The arguments of the class as Keras 3 spells them, without the name; what has its default
    /// may be left out.
    package var configuration: [String: JSON]
    /// Whether training may change the weights.
    package var isTrainable = true
    /// The weights in Keras's order.
    package var variables: [Variable] = []
    /// What each call takes.
    package var calls: [[Place]] = []
  }

  /// One weight of a layer.
  package struct Variable: Sendable {
    /// What Keras calls it: `kernel`.
    package var name: String
    /// The dimensions, in Keras's layout.
    package var shape: [Int]
    /// Where the elements come from.
    package var content: Content
  }

  /// Where a weight's elements come from.
  package enum Content: Sendable {
    /// A parameter of the graph, changed by steps.
    case parameter(String, [TensorStep])
    /// Something that is not learned: a one-hot kernel.
    case constant(Tensor)
  }

  /// The layers; each comes after what its first call takes.
  package var layers: [Layer] = []
  /// What the model takes, in the graph's order.
  package var inputs: [Place] = []
  /// What the model gives, in the graph's order.
  package var outputs: [Place] = []
}

extension KerasModel {
  /// The layers in the order in which a Functional model of Keras's has them once it is loaded, by
  /// which files name and order weights: those farthest from the outputs first, of equal ones those
  /// that a walk from the outputs back to the inputs meets first (keras/src/ops/function.py,
  /// `map_graph`).
  package var order: [Int] {
    var walk = Walk(model: self)
    for output in outputs { walk.visit(output) }
    var callDepths: [Call: Int] = [:]
    var depths: [Int: Int] = [:]
    for call in walk.finished.reversed() {
      let depth = max(callDepths[call] ?? 0, depths[call.layer] ?? 0)
      depths[call.layer] = depth
      callDepths[call] = depth
      for place in layers[call.layer].taken(by: call.call) {
        let source = Call(place)
        callDepths[source] = max(depth + 1, callDepths[source] ?? 0)
      }
    }
    // Inputs that nothing uses come in front of those of depth 0.
    for input in inputs where depths[input.layer] == nil {
      depths[input.layer] = 0
      walk.indices[input.layer] = -1
    }
    return depths.keys.sorted {
      let first = (-(depths[$0] ?? 0), walk.indices[$0] ?? 0, $0)
      return first < (-(depths[$1] ?? 0), walk.indices[$1] ?? 0, $1)
    }
  }

  /// A call of a layer.
  private struct Call: Hashable {
    var layer: Int
    var call: Int

    init(_ place: Place) { (layer, call) = (place.layer, place.call) }
  }

  /// A walk back from the outputs, depth first; without recursion, as networks may be deep.
  private struct Walk {
    let model: KerasModel
    /// The calls, each after those that it depends on.
    var finished: [Call] = []
    /// When each layer was met first.
    var indices: [Int: Int] = [:]
    private var seen: Set<Call> = []

    init(model: KerasModel) { self.model = model }

    mutating func visit(_ place: Place) {
      var stack: [(call: Call, next: Int)] = []
      func enter(_ call: Call, _ walk: inout Walk) {
        guard walk.seen.insert(call).inserted else { return }
        if walk.indices[call.layer] == nil { walk.indices[call.layer] = walk.indices.count }
        stack.append((call, 0))
      }
      enter(Call(place), &self)
      while let (call, next) = stack.last {
        let taken = model.layers[call.layer].taken(by: call.call)
        if next < taken.count {
          stack[stack.count - 1].next += 1
          enter(Call(taken[next]), &self)
        } else {
          finished.append(call)
          stack.removeLast()
        }
      }
    }
  }
}

extension KerasModel.Layer {
  fileprivate func taken(by call: Int) -> [KerasModel.Place] {
    calls.indices.contains(call) ? calls[call] : []
  }
}

extension KerasModel {
  /// The three files that Keras has.
  package enum File: Hashable, Sendable {
    /// `.keras` of Keras 3, a whole model.
    case archive
    /// `.weights.h5` of Keras 3.
    case weights
    /// `.h5` of Keras 2, a whole model, which Keras 3 and tf_keras load.
    case legacy
  }

  /// Writes the model with the graph's weights.
  ///
  /// - Parameters:
  ///   - name: the model's.
  ///   - weights: all parameters that the model has, under canonical names in PyTorch's layout.
  ///   - record: our record, without its tensors, which are filled in; asked for once all weights
  ///     are written.
  /// - Throws: `CheckpointError.cannotWrite`, and what is wrong with where the weights come from.
  package func write(
    _ file: File, name: String, weights: TensorSource,
    record: @escaping @autoclosure () throws(CheckpointError) -> EmbeddedMetadata?, to path: String
  ) throws(CheckpointError) {
    let entries = recorded(file, weights)
    let order = order
    let stored = zip(order, members).map { position, member in
      KerasWeightsWriter.Layer(
        name: layers[position].name, member: member,
        variables: layers[position].variables.map { variable(of: $0, weights) })
    }
    let writer = KerasWeightsWriter(name: name, layers: stored) { () throws(CheckpointError) in
      var record = try record()
      record?.tensors = entries
      return record?.json.text
    }
    switch file {
    case .weights: try writer.write(to: path)
    case .archive:
      try writer.writeArchive(configuration: configuration(name: name, .keras3).text, to: path)
    case .legacy:
      try writer.writeLegacy(configuration: configuration(name: name, .keras2).text, to: path)
    }
  }

  /// For each stored tensor that is a parameter how to get that back.
  private func recorded(_ file: File, _ weights: TensorSource) -> [String: EmbeddedMetadata.Entry] {
    var entries: [String: EmbeddedMetadata.Entry] = [:]
    for (position, member) in zip(order, members) {
      for (number, variable) in layers[position].variables.enumerated() {
        guard case .parameter(let name, let steps) = variable.content else { continue }
        let path =
          file == .legacy
          ? KerasWeightsWriter.legacyPath(layer: layers[position].name, variable: variable.name)
          : KerasWeightsWriter.path(member: member, variable: number)
        let taken = Self.widening(weights[name]) + steps
        entries[path] = EmbeddedMetadata.Entry(name: name, undo: taken.inverse)
      }
    }
    return entries
  }

  private func variable(
    of variable: Variable, _ weights: TensorSource
  ) -> KerasWeightsWriter.Variable {
    KerasWeightsWriter.Variable(variable.name) { () throws(CheckpointError) in
      switch variable.content {
      case .constant(let tensor): return tensor
      case .parameter(let name, let steps):
        guard let tensor = try weights.tensor(name) else {
          throw .damaged(path: name, part: "the tensor", reason: "none with this name")
        }
        let result: Tensor
        do {
          result = try (Self.widening(weights[name]) + steps).applied(to: tensor)
        } catch {
          throw .damaged(path: name, part: "the tensor", reason: "\(error)")
        }
        guard result.shape == variable.shape else {
          throw .damaged(
            path: name, part: "the tensor",
            reason: "expected shape \(variable.shape), found \(result.shape)")
        }
        return result
      }
    }
  }

  /// Keras computes in float32, and takes weights as that alone.
  private static func widening(_ tensor: TensorDescription?) -> [TensorStep] {
    guard let type = tensor?.elementType, type != .float32 else { return [] }
    return [.converted(from: type, to: .float32)]
  }
}
