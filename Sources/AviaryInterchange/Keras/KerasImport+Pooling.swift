import AviaryGraph

/// Layers that make pictures smaller or larger without weights.
extension KerasImport {
  /// The largest value or the mean of each window.
  mutating func pool(
    _ layer: KerasLayer, _ x: KerasTensor
  ) throws(InterchangeError) -> KerasTensor {
    let kernel = try layer.size(["pool_size"], default: 2)
    let pool = Pool(
      kernel: kernel, stride: try layer.size(["strides"], default: kernel),
      padding: try layer.padding())
    // TensorFlow's mean leaves padding out.
    let op: Op =
      layer.className == "MaxPooling2D"
      ? .maxPool(MaxPool(pool)) : .averagePool(AveragePool(pool, countsPadding: false))
    return try add(op, [try picture(x, layer)], name: layer.fullName, of: layer)
  }

  /// One value a channel: a row, or a picture of one pixel.
  mutating func globalPool(
    _ layer: KerasLayer, _ x: KerasTensor
  ) throws(InterchangeError) -> KerasTensor {
    let op: Op =
      layer.className == "GlobalAveragePooling2D"
      ? .globalAveragePool : .reduce(Reduction(.maximum, dimensions: [2, 3]))
    var result = try add(op, [try picture(x, layer)], name: layer.fullName, of: layer)
    result.isSized = false
    if try layer.flag(["keepdims"], default: false) { return result }
    let channels = result.shape[1]
    result = add(
      .reshape(Reshape([0, channels])), [result], shape: [1, channels],
      name: "\(layer.fullName).row")
    result.axes = [0, 1]
    return result
  }

  /// Pixels repeated, or interpolated between their centres.
  mutating func upsampling(
    _ layer: KerasLayer, _ x: KerasTensor
  ) throws(InterchangeError) -> KerasTensor {
    let size = try layer.size(["size"], default: 2)
    let kernel: Resize.Kernel
    var coordinates = Resize.Coordinates.halfPixel
    switch try layer.word(["interpolation"], default: "nearest") {
    case "nearest": kernel = .nearest
    case "bilinear":
      kernel = .linear
      if isBeforeHalfPixels {
        // TensorFlow 1 laid the first pixels on each other.
        coordinates = .asymmetric
        assumed.append(
          "layer \(layer.name): bilinear as TensorFlow 1 computed it, as the file is of Keras"
            + " \(version)")
      }
    case "bicubic":
      throw layer.refusal(
        "bicubic interpolation at the edges is Keras's own: it weighs pixels inside only")
    case let other: throw layer.refusal("interpolation '\(other)' is not supported")
    }
    guard size.height == size.width else {
      throw layer.refusal("one factor for both axes expected, \(size.height)x\(size.width) found")
    }
    let x = try picture(x, layer)
    if size.height == 1 { return x }
    return try add(
      .resize(Resize(kernel, to: .factor(Ratio(size.height)), coordinates: coordinates)), [x],
      name: layer.fullName, of: layer)
  }

  /// Whether the file is of a Keras that computed with TensorFlow 1. "2.2.4-tf" stands in files of
  /// both TensorFlow 1 and 2, of which the second is the likelier.
  private var isBeforeHalfPixels: Bool {
    let parts = version.prefix { $0 != "-" }.split(separator: ".").compactMap { Int($0) }
    guard parts.count >= 2 else { return parts.first.map { $0 < 2 } ?? false }
    return parts[0] < 2
      || parts[0] == 2 && parts[1] < 3 && !version.hasPrefix("2.2.4-tf")
        && version.contains(".")
  }
}
