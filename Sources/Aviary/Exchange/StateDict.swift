internal import AviaryCheckpoint
internal import AviaryContainers
internal import AviaryFormats
internal import AviaryGraph
internal import AviaryTensor

/// What a file for PyTorch holds: a model's parameters under a set of names, and the buffers that
/// follow from its configuration.
struct StateDict {
  /// All of it, in order.
  let tensors: TensorSource
  /// What leads back from the names in the file; empty where the tensors are the parameters under
  /// their own names, and nothing else.
  let entries: [String: EmbeddedMetadata.Entry]

  /// - Throws: `TensorError` where there is no memory for a buffer.
  init(
    _ parameters: TensorSource, _ names: NameSet,
    buffers: [(name: String, buffer: UnusedTensors.Buffer)]
  ) throws {
    entries =
      names.external.isEmpty && buffers.isEmpty
      ? [:]
      : Dictionary(
        uniqueKeysWithValues: parameters.names.map {
          (names($0), EmbeddedMetadata.Entry(name: $0, undo: []))
        })
    let renamed = names.external.isEmpty ? parameters : parameters.renamed { names($0) }
    tensors = try buffers.isEmpty ? renamed : renamed.appending(StateDict.tensors(buffers))
  }

  private static func tensors(
    _ buffers: [(name: String, buffer: UnusedTensors.Buffer)]
  ) throws -> [(name: String, tensor: Tensor)] {
    try buffers.map { name, buffer in
      let tensor = try Tensor(shape: buffer.shape, buffer.values.map(Float.init))
      switch buffer.element {
      case .float32: return (name, tensor)
      case .int64: return (name, tensor.converted(to: .int64))
      case .uint8: return (name, tensor.converted(to: .uint8))
      }
    }
  }
}

extension TensorSource {
  /// These tensors and, after them, some that are at hand.
  fileprivate func appending(_ others: [(name: String, tensor: Tensor)]) -> TensorSource {
    let added = others.map { name, tensor in
      TensorDescription(
        name: name, shape: tensor.shape, elementType: tensor.elementType, isNonPersistent: true)
    }
    return TensorSource(descriptions + added) {
      [count = descriptions.count] (position) throws(CheckpointError) in
      if position < count { return try self.tensor(at: position) }
      return others[position - count].tensor
    }
  }
}
