import AviaryCheckpoint
import AviaryContainers
import AviaryGraph
import AviaryTensor

/// The tensors of a Keras file's layers, in PyTorch's names and layout, read when asked for.
struct KerasTensors {
  private(set) var tensors: TensorSource
  private(set) var layers: [ExternalLayer] = []
  /// The variables that an optimiser trains, in the order of the layers.
  private(set) var trainable: [Variable] = []
  /// What was assumed, in words.
  private(set) var notes: [String] = []

  /// A variable as the file has it.
  struct Variable {
    /// The name of its tensor.
    var name: String
    /// The dimensions in the file.
    var shape: [Int]
    /// What makes the tensor of it.
    var steps: [TensorStep]
  }

  /// Tensors of layers in the file's order.
  ///
  /// - Parameters:
  ///   - path: the file, for messages.
  ///   - order: how kernels are laid out.
  ///   - reversesKernels: whether Theano turned them round.
  init(
    _ found: [KerasStoredLayer], path: String, order: KerasKernelOrder = .current,
    reversesKernels: Bool = false
  ) throws(CheckpointError) {
    var descriptions: [TensorDescription] = []
    var variables: [KerasStoredLayer.Variable] = []
    var steps: [[TensorStep]] = []
    var names: Set<String> = []
    for layer in found where !layer.variables.isEmpty {
      let slots = KerasSlots(layer)
      if let note = slots.note { notes.append(note) }
      layers.append(
        ExternalLayer(
          name: layer.name, path: layer.path, kind: slots.kind, isOrdered: layer.isOrdered))
      for (position, variable) in layer.variables.enumerated() {
        let shape = variable.shape
        guard let type = variable.elementType else {
          throw .unsupported(
            path: path, what: "\(variable.storedName): elements that are no numbers")
        }
        var result = slots.result(position, shape: shape)
        order.apply(to: &result, kind: slots.kind, shape: shape)
        let isKernel = slots.kind == .convolution || slots.kind == .transposedConvolution
        if reversesKernels, isKernel, shape.count == 4 {
          result.steps.append(.reversed([2, 3]))
        }
        let name = "\(layer.name).\(result.name)"
        guard names.insert(name).inserted else {
          throw .damaged(
            path: path, part: variable.storedName, reason: "a second tensor of the name \(name)")
        }
        if slots.kind == .prelu, shape.count > 1, result.steps.isEmpty {
          notes.append("\(name): one slope for each pixel, \(shape)")
        }
        descriptions.append(
          TensorDescription(
            name: name, shape: shape, elementType: type, storedName: variable.storedName))
        variables.append(variable)
        steps.append(result.steps)
        let isFrozen = layer.configuration?.options["trainable"]?.bool == false
        if !isFrozen, !["running_mean", "running_var"].contains(result.name) {
          trainable.append(Variable(name: name, shape: shape, steps: result.steps))
        }
      }
    }
    let raw = TensorSource(descriptions) { [variables] (position) throws(CheckpointError) in
      try variables[position].tensor()
    }
    let taken = Dictionary(zip(descriptions.map(\.name), steps)) { $1 }
    do throws(TensorError) {
      tensors = try raw.changed { taken[$0.name] ?? [] }
    } catch {
      throw .damaged(path: path, part: "the tensors", reason: error.description)
    }
  }
}

extension KerasStoredLayer.Variable {
  /// A variable that is a data set; of sharded weights there are several files.
  init(slot: String, dataSet: HDF5Tree.DataSet, tree: HDF5Tree) {
    // Keras 3 marks bfloat16, which HDF5 does not have, by an attribute, and keeps it as bits.
    let isMarked = dataSet.attributes["dtype"]?.string == "bfloat16"
    let type =
      isMarked && dataSet.elementType?.byteCount == 2 ? ElementType.bfloat16 : dataSet.elementType
    self.init(
      slot: slot, shape: dataSet.shape, elementType: type, storedName: dataSet.path
    ) { () throws(CheckpointError) in
      let tensor = try tree.tensor(dataSet)
      guard let type, tensor.elementType != type else { return tensor }
      do throws(TensorError) {
        return try tensor.reinterpreted(as: type)
      } catch {
        throw .damaged(path: tree.path, part: dataSet.path, reason: error.description)
      }
    }
  }
}

/// A layer of a Keras file with its variables, before anything is known of their layout.
struct KerasStoredLayer {
  /// A variable, wherever it is stored.
  struct Variable: Sendable {
    /// What it is called within its layer, less the `:0` of TensorFlow: `kernel`, `W`; a number
    /// where Keras 3 stored it.
    var slot: String
    /// The dimensions in the file.
    var shape: [Int]
    /// Nil for what is no number.
    var elementType: ElementType?
    /// What the file calls it.
    var storedName: String
    /// Reads it.
    var tensor: @Sendable () throws(CheckpointError) -> Tensor
  }

  /// What the names of its tensors begin with, less the dot.
  var name: String
  /// What holds it, from the outside in, and itself last.
  var path: [String]
  /// What it computes, where its class is known.
  var kind: ExternalLayer.Kind?
  /// Whether its place in the list is its place in the model.
  var isOrdered: Bool
  /// The layer's own part of the model's configuration, where there is one.
  var configuration: KerasConfiguration.Layer?
  /// In the file's order.
  var variables: [Variable] = []
}

/// How the kernels of a file are laid out: Keras 1 had two ways, and says in no file of weights
/// which.
enum KerasKernelOrder: String {
  /// Since Keras 2: (h, w, in, out), transposed (h, w, out, in).
  case current
  /// Keras 1 `tf`: (h, w, in, out), transposed too.
  case tf
  /// Keras 1 `th`: (out, in, h, w), transposed too.
  case th

  /// The order in a file of Keras 1: that in which the biases have as many elements as the kernels
  /// give channels.
  ///
  /// - Returns: nil where there are no kernels of four dimensions, or both orders fit.
  static func ofKeras1(_ layers: [KerasStoredLayer]) -> KerasKernelOrder? {
    var fits = (tf: true, th: true)
    for layer in layers {
      let ranks = layer.variables.map(\.shape.count)
      guard ranks == [4, 1] else { continue }
      let kernel = layer.variables[0].shape
      let bias = layer.variables[1].shape[0]
      fits.tf = fits.tf && kernel[3] == bias
      fits.th = fits.th && kernel[0] == bias
    }
    guard fits.tf != fits.th else { return nil }
    return fits.tf ? .tf : .th
  }

  /// Replaces the steps of a kernel by those that its order needs.
  func apply(to result: inout KerasSlots.Result, kind: ExternalLayer.Kind, shape: [Int]) {
    guard result.name == "weight", shape.count == 4 else { return }
    switch (self, kind) {
    case (.th, .convolution): result.steps = []
    // (out, in, h, w) and (h, w, in, out) to (in, out, h, w).
    case (.th, .transposedConvolution): result.steps = [.permuted([1, 0, 2, 3])]
    case (.tf, .transposedConvolution): result.steps = [.permuted([2, 3, 0, 1])]
    default: break
    }
  }
}

/// The calls of a Functional model's layers in an order in which each comes after what it takes.
struct KerasOrder {
  /// One call of one layer, by position.
  struct Step: Hashable {
    var layer: Int
    var call: Int
  }

  /// The calls that the outputs depend on, inputs included.
  private(set) var steps: [Step] = []
  private let places: [String: Int]
  private let network: KerasNetwork
  /// The number of a layer's first call: Keras 2 counts that by which a nested model was made.
  private var firstCalls: [Int]

  /// Finds the order.
  ///
  /// - Throws: `InterchangeError.description` for references to what is not there, and for cycles.
  init(_ network: KerasNetwork) throws(InterchangeError) {
    self.network = network
    places = Dictionary(network.layers.enumerated().map { ($1.name, $0) }) { first, _ in first }
    firstCalls = network.layers.map { _ in 0 }
    let references = network.layers.flatMap { $0.calls.flatMap(\.references) } + network.outputs
    for reference in references {
      guard let place = places[reference.layer] else { continue }
      let layer = network.layers[place]
      // Beyond the last call, or as far as the last: counted from 1.
      if layer.network != nil, reference.call >= layer.calls.count { firstCalls[place] = 1 }
    }
    guard !network.outputs.isEmpty else {
      throw .description(part: network.name, problem: "expected at least one output, found none")
    }
    try order()
  }

  /// The call that a reference means.
  func step(_ reference: KerasReference) throws(InterchangeError) -> Step {
    guard let place = places[reference.layer] else {
      throw .description(
        part: network.name, problem: "expected layer \(reference.layer), found none")
    }
    let layer = network.layers[place]
    let call = reference.call - firstCalls[place]
    // An input layer is called by nobody and has a value all the same.
    guard layer.calls.indices.contains(call) || call == 0 && layer.className == "InputLayer" else {
      throw .description(
        part: network.name,
        problem: "expected call \(reference.call) of layer \(reference.layer),"
          + " found \(layer.calls.count) calls")
    }
    return Step(layer: place, call: call)
  }

  /// Depth first from the outputs, without recursion: a file may have 20 000 layers in a row.
  private mutating func order() throws(InterchangeError) {
    var isUnderWay: Set<Step> = []
    var isDone: Set<Step> = []
    let inputs = Set(network.inputs)
    for output in network.outputs {
      var stack = [(step: try step(output), next: 0)]
      if isDone.contains(stack[0].step) { continue }
      isUnderWay.insert(stack[0].step)
      while let (current, next) = stack.last {
        let layer = network.layers[current.layer]
        let isInput = inputs.contains(
          KerasReference(
            layer: layer.name, call: current.call + firstCalls[current.layer], output: 0))
        let taken =
          isInput || !layer.calls.indices.contains(current.call)
          ? [] : layer.calls[current.call].references
        guard next < taken.count else {
          stack.removeLast()
          isUnderWay.remove(current)
          if isDone.insert(current).inserted { steps.append(current) }
          continue
        }
        stack[stack.count - 1].next += 1
        let needed = try step(taken[next])
        if isDone.contains(needed) { continue }
        guard isUnderWay.insert(needed).inserted else {
          throw .description(
            part: network.name,
            problem: "layer \(network.layers[needed.layer].name) takes its own result")
        }
        stack.append((needed, 0))
      }
    }
  }
}
