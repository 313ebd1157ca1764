import AviaryCheckpoint
import AviaryContainers
import AviaryGraph
import AviaryTensor

extension NCNNImporter {
  /// Adds what a layer computes.
  ///
  /// - Throws: `InterchangeError.layer` for what no operation computes.
  mutating func add(_ layer: NCNNLayer) throws(InterchangeError) {
    switch layer.type {
    case "Input": try input(layer)
    case "Split", "Noop": try pass(try blobs(of: layer), to: layer)
    case "MemoryData": try constant(layer)
    default:
      guard let operation = ExchangedOperations.ncnn[layer.type] else {
        throw layer.unsupported("no operation computes it")
      }
      try operation.read(layer, with: &self)
    }
  }

  /// ncnn's files need not say how many channels a picture has: the first layer that shows it does.
  mutating func input(_ layer: NCNNLayer) throws(InterchangeError) {
    let range = 0...GraphLimits.dimension
    let sides = [1, 0].map { layer.integer($0) ?? -1 }
    let channels = try layer.integer(2, in: 0...GraphLimits.channels)
    guard sides.allSatisfy(range.contains), layer.integer(11) == 0,
      channels > 0 || sides == [0, 0]
    else { throw layer.unsupported("a picture expected") }
    let size = sides.allSatisfy { $0 > 0 } ? Size(sides[0], sides[1]) : nil
    if channels > 0 {
      try addInput(layer, channels: channels, size: size)
    } else if let blob = layer.outputs.first, let shown = shownChannels(of: blob) {
      try addInput(layer, channels: shown, size: size)
    } else {
      assumed.append("input \(layer.name): 3 channels")
      try addInput(layer, channels: 3, size: size)
    }
  }

  /// The channels of a blob, by the first layer behind it whose weights show them.
  private func shownChannels(of blob: String) -> Int? {
    var same: Set<String> = [blob]
    for layer in network.layers where !same.isDisjoint(with: layer.inputs) {
      let weight = tensors["\(layer.name).weight"]?.shape ?? []
      switch layer.type {
      case "Convolution" where weight.count == 4: return weight[1]
      case "Deconvolution", "DeconvolutionDepthWise": return weight.first
      case "ConvolutionDepthWise" where weight.count == 4:
        let groups = layer.integer(7, default: 1) ?? 1
        return groups <= GraphLimits.channels && weight[1] <= GraphLimits.channels
          ? groups * weight[1] : nil
      case "BatchNorm": return weight.first
      case "Scale" where !weight.isEmpty: return weight.first
      case "PReLU" where weight != [1]: return weight.first
      case "Split", "Noop", "Dropout", "Padding", "Interp", "Pooling", "BinaryOp", "Eltwise",
        "Clip",
        "PReLU", "ReLU", "Sigmoid", "TanH", "UnaryOp", "HardSwish", "Swish":
        same.formUnion(layer.outputs)
      default: break
      }
    }
    return nil
  }

  /// Gives a layer's inputs on as its outputs.
  mutating func pass(_ inputs: [Blob], to layer: NCNNLayer) throws(InterchangeError) {
    guard inputs.count == 1 || inputs.count == layer.outputs.count else {
      throw layer.unsupported("\(inputs.count) inputs for \(layer.outputs.count) outputs")
    }
    for (position, output) in layer.outputs.enumerated() {
      give(blob: output, inputs.count == 1 ? inputs[0] : inputs[position])
    }
  }

  mutating func constant(_ layer: NCNNLayer) throws(InterchangeError) {
    do throws(CheckpointError) {
      guard let tensor = try tensors.tensor("\(layer.name).data") else {
        throw .noTensors(path: layer.name, found: "nothing")
      }
      blobs(giving: tensor, layer)
    } catch {
      throw .description(part: "layer \(layer.name)", problem: error.description)
    }
  }

  mutating func blobs(giving tensor: Tensor, _ layer: NCNNLayer) {
    for output in layer.outputs { give(blob: output, .constant(tensor)) }
  }
}
