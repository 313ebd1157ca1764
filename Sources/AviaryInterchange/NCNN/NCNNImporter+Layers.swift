import AviaryCheckpoint
import AviaryGraph
import AviaryTensor

extension NCNNImporter {
  /// Adds what a layer computes.
  ///
  /// - Throws: `InterchangeError.layer` for what no operation computes.
  mutating func add(_ layer: NCNNLayer) throws(InterchangeError) {
    switch layer.type {
    case "Input": try input(layer)
    case "Split", "Noop", "Dropout": try passOn(layer)
    case "MemoryData": try constant(layer)
    case "Convolution", "ConvolutionDepthWise": try convolution(layer)
    case "Deconvolution", "DeconvolutionDepthWise": try transposedConvolution(layer)
    case "InnerProduct": try linear(layer)
    case "BatchNorm": try normalization(layer)
    case "Scale": try scale(layer)
    case "PReLU": try prelu(layer)
    case "BinaryOp": try binary(layer)
    case "Eltwise": try elementwise(layer)
    case "Concat": try concatenate(layer)
    case "Slice": try slice(layer)
    case "Padding": try pad(layer)
    case "Crop": try crop(layer)
    case "Pooling": try pool(layer)
    case "Interp": try resize(layer)
    case "PixelShuffle": try pixelShuffle(layer)
    case "Reshape", "Flatten": try reshape(layer)
    case "Softmax": try softmax(layer)
    default: try activation(layer)
    }
  }

  /// ncnn's files need not say how many channels a picture has: the first layer that shows it does.
  private mutating func input(_ layer: NCNNLayer) throws(InterchangeError) {
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

  private mutating func passOn(_ layer: NCNNLayer) throws(InterchangeError) {
    let inputs = try blobs(of: layer)
    if layer.type == "Dropout" {
      try layer.require(0, 1, default: 1, "a dropout that scales")
      notes.append("\(layer.name): dropout has no effect and was left out")
    }
    guard inputs.count == 1 || inputs.count == layer.outputs.count else {
      throw layer.unsupported("\(inputs.count) inputs for \(layer.outputs.count) outputs")
    }
    for (position, output) in layer.outputs.enumerated() {
      give(blob: output, inputs.count == 1 ? inputs[0] : inputs[position])
    }
  }

  private mutating func constant(_ layer: NCNNLayer) throws(InterchangeError) {
    do throws(CheckpointError) {
      guard let tensor = try tensors.tensor("\(layer.name).data") else {
        throw .noTensors(path: layer.name, found: "nothing")
      }
      blobs(giving: tensor, layer)
    } catch {
      throw .description(part: "layer \(layer.name)", problem: error.description)
    }
  }

  private mutating func blobs(giving tensor: Tensor, _ layer: NCNNLayer) {
    for output in layer.outputs { give(blob: output, .constant(tensor)) }
  }

  private mutating func linear(_ layer: NCNNLayer) throws(InterchangeError) {
    var value = try values(of: layer)[0]
    let features = try layer.integer(0, in: 1...GraphLimits.channels)
    let inputs = tensors["\(layer.name).weight"]?.shape.last ?? 0
    // All of a blob at once, unless it is a matrix of rows that fit.
    let shape = shape(value)
    if shape.count > 2, shape.count > 3 || shape[2] != inputs {
      value = try add(.reshape([0, -1]), layer, [value])
    }
    let bias = try layer.integer(1, in: 0...1) == 1
    value = try add(
      .linear(features: features, bias: bias), layer, [value],
      parameters: bias ? ["weight", "bias"] : ["weight"])
    try give(layer, .value(try fused(layer, value)))
  }

  private mutating func normalization(_ layer: NCNNLayer) throws(InterchangeError) {
    let epsilon = layer.number(1)
    guard epsilon >= 0 else { throw layer.unsupported("an epsilon of \(epsilon)") }
    // None is allowed here, where an epsilon must be above 0: below float32's smallest it is none.
    let op = Op.batchNormalization(BatchNormalization(epsilon: max(epsilon, 1e-300)))
    let value = try add(
      op, layer, try values(of: layer),
      parameters: ["weight", "bias", "running_mean", "running_var", "num_batches_tracked"])
    try give(layer, .value(value))
  }

  /// A factor, and a number to add, for each channel: a convolution of single pixels.
  private mutating func scale(_ layer: NCNNLayer) throws(InterchangeError) {
    // -233: the factors, one for each channel, are another layer's.
    if layer.integer(0) == -233 {
      let given = try values(of: layer, count: 2)
      let (value, factors) = try aligned(layer, given[0], given[1])
      guard shape(factors).count == 4, shape(factors)[1...] == [shape(value)[1], 1, 1] else {
        throw layer.unsupported("one factor for each channel expected")
      }
      return try give(layer, .value(try add(.multiply, layer, [value, factors])))
    }
    let value = try values(of: layer)[0]
    let channels = try layer.integer(0, in: 1...GraphLimits.channels)
    let bias = try layer.integer(1, in: 0...1) == 1
    steps["\(layer.name).weight"] = [.reshaped(from: [channels], to: [channels, 1, 1, 1])]
    let op = Op.convolution(
      Convolution(filters: channels, kernel: 1, groups: channels, bias: bias))
    try give(
      layer,
      .value(
        try add(op, layer, [value], parameters: bias ? ["weight", "bias"] : ["weight"])))
  }

  private mutating func prelu(_ layer: NCNNLayer) throws(InterchangeError) {
    let slopes = try layer.integer(0, in: 1...GraphLimits.channels)
    let value = try values(of: layer)[0]
    // Of one channel, one slope is that channel's.
    let perChannel = slopes > 1 || shape(value).count > 1 && shape(value)[1] == 1
    try give(
      layer,
      .value(try add(.prelu(perChannel: perChannel), layer, [value], parameters: ["weight"])))
  }

  private mutating func softmax(_ layer: NCNNLayer) throws(InterchangeError) {
    let value = try values(of: layer)[0]
    let rank = shape(value).count
    let axis = try layer.integer(0, in: -rank + 1...rank - 2)
    try give(
      layer,
      .value(try add(.softmax(dimension: axis < 0 ? rank + axis : axis + 1), layer, [value])))
  }

  private mutating func reshape(_ layer: NCNNLayer) throws(InterchangeError) {
    let value = try values(of: layer)[0]
    guard layer.type == "Reshape" else {
      try give(layer, .value(try add(.reshape([0, -1]), layer, [value])))
      return
    }
    guard !layer.has(11), layer.number(3) == 0, !layer.has(6) else {
      throw layer.unsupported("a volume, a permutation or an expression")
    }
    let range = -1...GraphLimits.dimension
    var target = [0]
    for number in [2, 1, 0] where layer.has(number) && layer.number(number) != -233 {
      target.append(try layer.integer(number, in: range))
    }
    // 0 keeps the side of the same place, which only a blob of as many dimensions has.
    guard target.count > 1, target.count(where: { $0 == -1 }) <= 1,
      !target.dropFirst().contains(0) || target.count == shape(value).count
    else { throw layer.unsupported("a shape of \(target.dropFirst())") }
    try give(layer, .value(try add(.reshape(target), layer, [value])))
  }
}
