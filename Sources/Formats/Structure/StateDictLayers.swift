import AviaryCheckpoint
import AviaryGraph

extension WeightsFile {
  /// A state dict of PyTorch's with its layers told by the stems of its tensors' names, and with those
  /// folded that it holds in the form in which they were trained; nil for any other file.
  ///
  /// A pickle lists layers in the order in which the network's source makes them, which is that of
  /// execution as a rule; safetensors sorts them by name.
  func withLayersOfStateDict() -> (file: WeightsFile, folded: [FoldedLayer])? {
    switch format {
    case .torchZip, .torchLegacy, .torchScript, .torchTar, .pickle, .safetensors: break
    default: return nil
    }
    guard layers.isEmpty, network == nil else { return nil }
    var file = self
    let folded = WeightIndex(tensors).folded().layers
    file.tensors = tensors.folded(folded)
    file.layers = file.layersOfStateDict(isOrdered: format != .safetensors)
    return (file, folded)
  }

  private func layersOfStateDict(isOrdered: Bool) -> [ExternalLayer] {
    var stems: [String] = []
    var slots: [String: [String: [Int]]] = [:]
    for tensor in tensors {
      guard let dot = tensor.name.lastIndex(of: ".") else { return [] }
      let stem = String(tensor.name[..<dot])
      if slots[stem] == nil { stems.append(stem) }
      slots[stem, default: [:]][String(tensor.name[tensor.name.index(after: dot)...])] =
        tensor.shape
    }
    return stems.map { stem in
      ExternalLayer(
        name: stem, path: stem.split(separator: ".").map(String.init),
        kind: ExternalLayer.Kind(slots: slots[stem] ?? [:]), isOrdered: isOrdered)
    }
  }
}

extension ExternalLayer.Kind {
  /// What a module's tensors show. A transposed convolution's weight is like that of any other.
  fileprivate init(slots: [String: [Int]]) {
    if slots["running_mean"] != nil {
      self = .batchNormalization
      return
    }
    self =
      switch slots["weight"]?.count {
      case 4: .convolution
      case 2: .dense
      case 1 where slots.count == 1: .prelu
      default: .other
      }
  }

  /// The kind as a state dict shows it.
  var inStateDict: ExternalLayer.Kind {
    switch self {
    case .transposedConvolution, .depthwiseConvolution, .separableConvolution: .convolution
    default: self
    }
  }

  /// Whether it combines channels: layers that only scale or bend what such a layer gives belong to
  /// it.
  var combines: Bool {
    switch self {
    case .batchNormalization, .prelu, .other: false
    default: true
    }
  }
}
