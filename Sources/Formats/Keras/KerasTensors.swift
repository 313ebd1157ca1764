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
        let dataSet = variable.dataSet
        guard let type = Self.elementType(dataSet) else {
          throw .unsupported(path: path, what: "\(dataSet.path): elements that are no numbers")
        }
        var result = slots.result(position, shape: dataSet.shape)
        order.apply(to: &result, kind: slots.kind, shape: dataSet.shape)
        let isKernel = slots.kind == .convolution || slots.kind == .transposedConvolution
        if reversesKernels, isKernel, dataSet.shape.count == 4 {
          result.steps.append(.reversed([2, 3]))
        }
        let name = "\(layer.name).\(result.name)"
        guard names.insert(name).inserted else {
          throw .damaged(
            path: path, part: dataSet.path, reason: "a second tensor of the name \(name)")
        }
        if slots.kind == .prelu, dataSet.shape.count > 1, result.steps.isEmpty {
          notes.append("\(name): one slope for each pixel, \(dataSet.shape)")
        }
        descriptions.append(
          TensorDescription(
            name: name, shape: dataSet.shape, elementType: type, storedName: dataSet.path))
        variables.append(variable)
        steps.append(result.steps)
        let isFrozen = layer.configuration?.options["trainable"]?.bool == false
        if !isFrozen, !["running_mean", "running_var"].contains(result.name) {
          trainable.append(Variable(name: name, shape: dataSet.shape, steps: result.steps))
        }
      }
    }
    let raw = TensorSource(descriptions) {
      [descriptions, variables] (position) throws(CheckpointError) in
      let variable = variables[position]
      let tensor = try variable.tree.tensor(variable.dataSet)
      let type = descriptions[position].elementType
      do throws(TensorError) {
        // bfloat16 is kept as bits.
        return tensor.elementType == type ? tensor : try tensor.reinterpreted(as: type)
      } catch {
        throw .damaged(
          path: path, part: descriptions[position].storedName, reason: error.description)
      }
    }
    let taken = Dictionary(zip(descriptions.map(\.name), steps)) { $1 }
    do throws(TensorError) {
      tensors = try raw.changed { taken[$0.name] ?? [] }
    } catch {
      throw .damaged(path: path, part: "the tensors", reason: error.description)
    }
  }

  /// What the elements are. Keras 3 marks bfloat16, which HDF5 does not have, by an attribute.
  private static func elementType(_ dataSet: HDF5Tree.DataSet) -> ElementType? {
    let isMarked = dataSet.attributes["dtype"]?.string == "bfloat16"
    return isMarked && dataSet.elementType?.byteCount == 2 ? .bfloat16 : dataSet.elementType
  }
}
