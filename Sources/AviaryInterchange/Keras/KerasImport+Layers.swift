import AviaryGraph

/// The layers, by class.
extension KerasImport {
  /// What a layer that is no model gives.
  mutating func value(
    of layer: KerasLayer, _ operands: [Operand], _ call: KerasCall
  ) throws(InterchangeError) -> KerasTensor {
    switch layer.className {
    case "Add", "Subtract", "Multiply", "Average", "Maximum", "Minimum", "Merge", "Concatenate":
      return try merge(layer, operands, call)
    case "TFOpLambda", "SlicingOpLambda", "Lambda", "TensorFlowOpLayer":
      return try operation(layer, operands, call)
    case _ where layer.module.contains(".ops"):
      return try operation(layer, operands, call)
    default: break
    }
    let x = try single(operands, of: layer)
    switch layer.className {
    case "InputLayer": return x
    case "Dropout", "SpatialDropout2D", "GaussianNoise", "GaussianDropout", "AlphaDropout",
      "ActivityRegularization", "Identity":
      if idle.insert(layer.fullName).inserted { idleNames.append(layer.fullName) }
      return x
    case "Conv2D": return try convolution(layer, x)
    case "Conv2DTranspose": return try transposedConvolution(layer, x)
    case "DepthwiseConv2D": return try depthwiseConvolution(layer, x)
    case "SeparableConv2D": return try separableConvolution(layer, x)
    case "Dense": return try dense(layer, x)
    case "MaxPooling2D", "AveragePooling2D": return try pool(layer, x)
    case "GlobalAveragePooling2D", "GlobalMaxPooling2D": return try globalPool(layer, x)
    case "UpSampling2D": return try upsampling(layer, x)
    case "BatchNormalization": return try batchNormalization(layer, x)
    case "LayerNormalization": return try layerNormalization(layer, x)
    case "Normalization": return try normalization(layer, x)
    case "Rescaling":
      return try rescaled(
        x, by: try layer.number(["scale"], default: 1),
        plus: try layer.number(["offset"], default: 0), layer)
    case "Activation", "ReLU", "LeakyReLU", "ELU", "ThresholdedReLU", "Softmax":
      return try activationLayer(layer, x)
    case "PReLU": return try prelu(layer, x)
    case "ZeroPadding2D":
      return try add(
        .pad(Pad(try layer.amounts(["padding"]), .zero)), [try picture(x, layer)],
        name: layer.fullName,
        of: layer)
    case "Cropping2D":
      return try add(
        .crop(Crop(try layer.amounts(["cropping"]))), [try picture(x, layer)], name: layer.fullName,
        of: layer)
    case "Flatten": return try flattened(x, layer)
    case "Reshape":
      guard let target = layer.option(["target_shape"])?.array?.compactMap(\.int),
        target.count == layer.option(["target_shape"])?.array?.count
      else { throw layer.refusal("target_shape: whole numbers expected") }
      return try reshaped(x, to: target, layer)
    case "Permute": return try permuted(layer, x)
    default: throw layer.refusal("no operation of ours computes it")
    }
  }

  /// Axes in another order are the same value seen otherwise: nothing moves.
  private mutating func permuted(
    _ layer: KerasLayer, _ x: KerasTensor
  ) throws(InterchangeError) -> KerasTensor {
    let order = layer.option(["dims"])?.array?.compactMap(\.int) ?? []
    guard order.sorted() == Array(1..<x.rank) else {
      throw layer.refusal("dims: each of 1 to \(x.rank - 1) once expected")
    }
    return try transposed(x, [0] + order, layer)
  }

  /// The value with Keras's axes in another order.
  mutating func transposed(
    _ value: KerasTensor, _ order: [Int], _ layer: KerasLayer
  ) throws(InterchangeError) -> KerasTensor {
    guard order.sorted() == Array(0..<value.rank), order[0] == 0 else {
      throw layer.refusal("axes \(order): an order that leaves axis 0 in its place expected")
    }
    var result = try unflattened(value, layer.fullName)
    result.axes = order.map { result.axes[$0] }
    return result
  }

  /// The value times a number plus a number.
  mutating func rescaled(
    _ x: KerasTensor, by scale: Double, plus offset: Double, _ layer: KerasLayer
  ) throws(InterchangeError) -> KerasTensor {
    var x = x
    if scale != 1 { x = try add(.scale(Scale([scale])), [x], name: layer.fullName, of: layer) }
    if offset != 0 {
      x = try add(
        .offset(Offset([offset])), [x],
        name: scale != 1 ? "\(layer.fullName).offset" : layer.fullName, of: layer)
    }
    return x
  }
}
