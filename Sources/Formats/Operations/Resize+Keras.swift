import AviaryGraph

extension KerasImport {
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
    let x = try picture(x, layer)
    guard size.height == size.width else {
      guard kernel == .nearest else {
        throw layer.refusal(
          "interpolation by \(size.height) along one axis and \(size.width) along the other; only "
            + "nearest has two factors")
      }
      let high = try repeated(x, .vertical, size.height, layer)
      return try repeated(high, .horizontal, size.width, layer)
    }
    if size.height == 1 { return x }
    return try add(
      .resize(Resize(kernel, to: .factor(Ratio(size.height)), coordinates: coordinates)), [x],
      name: layer.fullName, of: layer)
  }

  /// Every row or column so many times.
  private mutating func repeated(
    _ x: KerasTensor, _ axis: Axis, _ count: Int, _ layer: KerasLayer
  ) throws(InterchangeError) -> KerasTensor {
    if count == 1 { return x }
    let name = "\(layer.fullName).\(axis == .vertical ? "rows" : "columns")"
    let isVertical = axis == .vertical
    let apart: [Reshape.Dimension] =
      isVertical
      ? [.kept, .kept, .kept, .size(1), .input(3, times: Ratio(1))]
      : [.kept, .kept, .kept, .kept, .size(1)]
    let split = try add(
      .reshape(Reshape(dimensions: apart)), [x], name: "\(name).split", of: layer)
    let sizes = isVertical ? [-1, -1, -1, count, -1] : [-1, -1, -1, -1, count]
    let expanded = try add(
      .expand(Expand(to: .shape(sizes))), [split], name: "\(name).repeated", of: layer)
    let joined: [Reshape.Dimension] =
      isVertical
      ? [.kept, .kept, .rest, .input(4, times: Ratio(1))] : [.kept, .kept, .kept, .rest]
    return try add(.reshape(Reshape(dimensions: joined)), [expanded], name: name, of: layer)
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

extension KerasBuilder {
  mutating func resize(
    _ x: PlacedValue, _ resize: Resize, _ name: String
  ) throws(InterchangeError) -> PlacedValue {
    guard case .factor(let ratio) = resize.target, ratio.denominator == 1 else {
      throw refusal(name, "no stock layer resizes but by whole factors")
    }
    let isExact =
      switch (resize.kernel, resize.coordinates) {
      // At whole factors both give each pixel as often.
      case (.nearest, .halfPixel), (.nearest, .asymmetric): true
      // A mirrored pixel beyond the edge is the edge pixel.
      case (.linear, .halfPixel): true
      default: false
      }
    guard isExact else {
      throw refusal(
        name,
        "UpSampling2D computes nearest and linear interpolation at half-pixel coordinates alone as "
          + "the network does")
    }
    return add(
      "UpSampling2D", name,
      [
        "size": [.int(ratio.numerator), .int(ratio.numerator)],
        "interpolation": resize.kernel == .nearest ? "nearest" : "bilinear",
      ], [x], shape: [nil, nil, nil, x.place.shape[3]])
  }
}
