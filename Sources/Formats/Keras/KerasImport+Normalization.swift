import AviaryGraph
import AviaryTensor

/// Layers that normalise.
extension KerasImport {
  /// The only axis of a layer.
  private func axis(
    _ layer: KerasLayer, _ x: KerasTensor, default absent: Int = -1
  ) throws(InterchangeError) -> Int {
    let value = layer.option(["axis"])
    let numbers = value?.array?.map(\.int) ?? [value == nil ? absent : value?.int]
    guard numbers.count == 1, let number = numbers[0] else {
      throw layer.refusal("axis: one axis expected, \((value ?? .null).text.prefix(60)) found")
    }
    return try axis(number, of: x, layer)
  }

  /// Normalisation by running statistics, along any one axis.
  mutating func batchNormalization(
    _ layer: KerasLayer, _ x: KerasTensor
  ) throws(InterchangeError) -> KerasTensor {
    guard try layer.integer(["mode"], in: 0...2, default: 0) != 1 else {
      throw layer.refusal("mode 1 of Keras 1 is not supported")
    }
    let axis = try axis(layer, x)
    let x = try withChannels(axis, x, layer)
    let normalization = BatchNormalization(
      epsilon: try layer.number(["epsilon"], default: 1e-3),
      // Keras states what stays, PyTorch what comes.
      momentum: 1 - (try layer.number(["momentum"], default: 0.99)),
      scale: try layer.flag(["scale"], default: true),
      center: try layer.flag(["center"], default: true))
    guard normalization.epsilon > 0 else {
      throw layer.refusal("epsilon: a number above 0 expected")
    }
    var names: [String] = []
    let shape = [x.shape[1]]
    if normalization.scale { names.append(try bind(layer, "weight", shape)) }
    if normalization.center { names.append(try bind(layer, "bias", shape)) }
    names.append(try bind(layer, "running_mean", shape))
    names.append(try bind(layer, "running_var", shape))
    frozen.subtract(names.suffix(2))
    names.append("\(layer.fullName).num_batches_tracked")
    return try add(
      .batchNormalization(normalization), [x], name: layer.fullName, of: layer, parameters: names)
  }

  /// Normalisation over the last axis, which lies last for it.
  mutating func layerNormalization(
    _ layer: KerasLayer, _ x: KerasTensor
  ) throws(InterchangeError) -> KerasTensor {
    let axis = try axis(layer, x)
    guard axis == x.rank - 1, x.rank > 1 else {
      throw layer.refusal("axis \(axis): the last, \(x.rank - 1), expected")
    }
    guard try !layer.flag(["rms_scaling"], default: false) else {
      throw layer.refusal("rms_scaling is not supported")
    }
    let epsilon = try layer.number(["epsilon"], default: 1e-3)
    guard epsilon > 0 else { throw layer.refusal("epsilon: a number above 0 expected") }
    let x = try arranged(x, as: Array(0..<x.rank), layer.fullName)
    let shape = [x.shape[axis]]
    let hasScale = try layer.flag(["scale"], default: true)
    let hasCenter = try layer.flag(["center"], default: true)
    // Our operation has both; where Keras has none, they change nothing.
    let weight =
      hasScale
      ? try bind(layer, "weight", shape, from: ["weight", "gamma", "0"])
      : try bind(layer, "weight", made: try tensor(shape, filledWith: 1, layer))
    let bias =
      hasCenter
      ? try bind(layer, "bias", shape, from: ["bias", "beta", hasScale ? "1" : "0"])
      : try bind(layer, "bias", made: try tensor(shape, filledWith: 0, layer))
    return try add(
      .layerNormalization(LayerNormalization(dimensions: 1, epsilon: epsilon)), [x],
      name: layer.fullName, of: layer,
      parameters: [weight, bias])
  }

  private func tensor(
    _ shape: [Int], filledWith value: Float, _ layer: KerasLayer
  ) throws(InterchangeError) -> Tensor {
    do throws(TensorError) {
      return try Tensor(shape: shape, Array(repeating: value, count: shape[0]))
    } catch {
      throw layer.refusal("\(error)")
    }
  }

  /// (x - mean) / deviation by numbers that the layer states or found in its pictures.
  mutating func normalization(
    _ layer: KerasLayer, _ x: KerasTensor
  ) throws(InterchangeError) -> KerasTensor {
    let isShared = layer.config["axis"] == .null
    let channelAxis = isShared ? x.rank - 1 : try axis(layer, x)
    let x = try withChannels(channelAxis, x, layer)
    let count = isShared ? 1 : x.shape[1]
    func stated(_ name: String) throws(InterchangeError) -> [Double]? {
      guard let value = layer.option([name]) else { return nil }
      var numbers: [Double] = []
      var rest = [value]
      while let next = rest.popLast() {
        if let number = next.double { numbers.append(number) }
        rest += (next.array ?? next["config"]?["value"].map { [$0] } ?? []).reversed()
      }
      guard numbers.count == count || numbers.count == 1 else {
        throw layer.refusal("\(name): \(count) numbers expected, \(numbers.count) found")
      }
      return numbers
    }
    let means: [Double]
    let variances: [Double]
    if let mean = try stated("mean") {
      means = mean
      variances = try stated("variance") ?? [1]
    } else {
      means = try numbers(of: ["mean", "0"], count: count, layer)
      variances = try numbers(of: ["variance", "1"], count: count, layer)
    }
    guard (means + variances).allSatisfy(\.isFinite), variances.allSatisfy({ $0 >= 0 }) else {
      throw layer.refusal("finite means and variances of 0 or more expected")
    }
    // Keras's least deviation.
    let deviations = variances.map { max($0.squareRoot(), 1e-7) }
    let isInverse = try layer.flag(["invert"], default: false)
    if isInverse {
      let scaled = try add(
        .scale(Scale(deviations)), [x], name: "\(layer.fullName).scale", of: layer)
      return try add(.offset(Offset(means)), [scaled], name: layer.fullName, of: layer)
    }
    let centred = try add(
      .offset(Offset(means.map { -$0 })), [x], name: "\(layer.fullName).mean", of: layer)
    return try add(
      .scale(Scale(deviations.map { 1 / $0 })), [centred], name: layer.fullName, of: layer)
  }
}
