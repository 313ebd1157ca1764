import AviaryGraph

/// Where axes lie: pictures made NCHW, rows made ordered, where an operation wants them so.
extension KerasImport {
  /// The axis that Keras means by a number, which counts from behind where it is negative.
  func axis(_ number: Int, of value: KerasTensor, _ layer: KerasLayer) throws(InterchangeError)
    -> Int
  {
    guard (-value.rank..<value.rank).contains(number) else {
      throw layer.refusal("axis \(number): one of \(value.rank) axes expected")
    }
    return number < 0 ? number + value.rank : number
  }

  /// The only axis of a layer.
  func axis(
    _ layer: KerasLayer, _ x: KerasTensor, default absent: Int = -1
  ) throws(InterchangeError) -> Int {
    let value = layer.option(["axis"])
    let numbers = value?.array?.map(\.int) ?? [value == nil ? absent : value?.int]
    guard numbers.count == 1, let number = numbers[0] else {
      throw layer.refusal("axis: one axis expected, \((value ?? .null).text.prefix(60)) found")
    }
    return try axis(number, of: x, layer)
  }

  /// The value with its axes in these places.
  mutating func arranged(
    _ value: KerasTensor, as axes: [Int], _ name: String
  ) throws(InterchangeError) -> KerasTensor {
    let value = try unflattened(value, name)
    if value.axes == axes { return value }
    var order = axes
    for (old, new) in zip(value.axes, axes) { order[new] = old }
    var result = add(
      .permute(Permute(order)), [value], shape: order.map { value.shape[$0] },
      name: "\(name).permuted")
    result.axes = axes
    return result
  }

  /// A picture as our operations take it.
  mutating func picture(
    _ value: KerasTensor, _ layer: KerasLayer
  ) throws(InterchangeError) -> KerasTensor {
    guard value.rank == 4 else {
      throw layer.refusal("a picture expected, shape \(value.kerasShape) found")
    }
    let isFirst = layer.isChannelsFirst ?? isChannelsFirst
    return try arranged(
      value, as: KerasTensor.pictureAxes(channelsFirst: isFirst), layer.fullName)
  }

  /// The value with an axis of Keras's as dimension 1, where channels are.
  mutating func withChannels(
    _ axis: Int, _ value: KerasTensor, _ layer: KerasLayer
  ) throws(InterchangeError) -> KerasTensor {
    guard axis > 0 else { throw layer.refusal("axis 0, that of pictures, is not supported") }
    let value = try unflattened(value, layer.fullName)
    if value.axes[axis] == 1 { return value }
    var axes = [0] + Array(2..<value.rank)
    axes.insert(1, at: axis)
    return try arranged(value, as: axes, layer.fullName)
  }

  /// A row whose elements lie as Keras counts them.
  mutating func unflattened(
    _ value: KerasTensor, _ name: String
  ) throws(InterchangeError) -> KerasTensor {
    guard let flattened = value.flattened else { return value }
    var picture = value
    picture.flattened = nil
    picture = add(
      .reshape(Reshape([0] + flattened.shape)), [picture], shape: [1] + flattened.shape,
      name: "\(name).unflattened")
    picture.axes = [0] + flattened.axes.map { $0 + 1 }
    let turned = try arranged(picture, as: Array(picture.axes.indices), name)
    var row = add(
      .reshape(Reshape([0, value.shape[1]])), [turned], shape: value.shape,
      name: "\(name).flattened")
    row.axes = [0, 1]
    return row
  }

  /// A value as the network gives it: a picture in NCHW, anything else as Keras has it.
  mutating func ordered(
    _ value: KerasTensor, _ name: String
  ) throws(InterchangeError) -> KerasTensor {
    let axes =
      value.rank == 4
      ? KerasTensor.pictureAxes(channelsFirst: isChannelsFirst) : Array(0..<value.rank)
    return try arranged(value, as: axes, KerasParser.sound(name))
  }

  /// A picture made a row, which keeps its order as long as nobody asks for Keras's.
  mutating func flattened(
    _ value: KerasTensor, _ layer: KerasLayer
  ) throws(InterchangeError) -> KerasTensor {
    if value.rank == 2 { return value }
    guard value.rank > 2 else {
      throw layer.refusal("2 or more axes expected, \(value.rank) found")
    }
    try needSize(value, layer)
    let value = try unflattened(value, layer.fullName)
    let shape = Array(value.shape.dropFirst())
    let count = shape.reduce(1, *)
    var row = add(
      .reshape(Reshape([0, count])), [value], shape: [1, count], name: layer.fullName)
    row.axes = [0, 1]
    row.isSized = false
    // channels_first counts by pixels all the same.
    var axes = value.axes.dropFirst().map { $0 - 1 }
    if layer.isChannelsFirst == true { axes.append(axes.removeFirst()) }
    // Dimensions of 1 have no order.
    let counted = axes.filter { shape[$0] > 1 }
    if counted != counted.sorted() { row.flattened = .init(shape: shape, axes: axes) }
    return row
  }

  /// The same elements in Keras's order under another shape.
  mutating func reshaped(
    _ value: KerasTensor, to target: [Int], _ layer: KerasLayer
  ) throws(InterchangeError) -> KerasTensor {
    try needSize(value, layer)
    guard (1..<GraphLimits.rank).contains(target.count),
      target.allSatisfy({ $0 == -1 || (1...GraphLimits.dimension).contains($0) }),
      target.count(where: { $0 == -1 }) <= 1
    else { throw layer.refusal("target shape \(target): sizes above 0 and one -1 expected") }
    let plain = try arranged(value, as: Array(0..<value.rank), layer.fullName)
    var result = try add(.reshape(Reshape([0] + target)), [plain], name: layer.fullName, of: layer)
    result.axes = Array(result.shape.indices)
    result.isSized = false
    return result
  }
}
