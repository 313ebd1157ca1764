import AviaryCheckpoint
import AviaryGraph

/// Convolutions and pooling.
extension ONNXReader {
  mutating func convolution() throws(InterchangeError) -> ONNXOperand {
    let input = try picture()
    guard let weight = try parameter(1) else { throw unsupported("weights expected, none found") }
    let bias = try parameter(2)
    let shape = try kernelShape(weight.shape)
    let kernel = Size(shape[2], shape[3])
    let stride = try size("strides"), dilation = try size("dilations")
    let op = Op.convolution(
      Convolution(
        outChannels: shape[0], kernel: kernel, stride: stride, dilation: dilation,
        groups: try groups(),
        padding: try padding(kernel: kernel, stride: stride, dilation: dilation), bias: bias != nil)
    )
    return .value(
      try add(
        op, [input], name: layer(weight.name),
        parameters: [weight.name] + (bias.map { [$0.name] } ?? [])))
  }

  mutating func transposedConvolution() throws(InterchangeError) -> ONNXOperand {
    let input = try picture()
    guard let weight = try parameter(1) else { throw unsupported("weights expected, none found") }
    let bias = try parameter(2)
    let shape = try kernelShape(weight.shape)
    let kernel = Size(shape[2], shape[3])
    let stride = try size("strides")
    guard try size("dilations") == 1 else { throw unsupported("dilations of 1 expected") }
    guard (node.integers("output_shape") ?? []).isEmpty else {
      throw unsupported("an output_shape of its own is not read")
    }
    let added = try size("output_padding", standard: 0)
    let groups = try groups()
    let (outChannels, overflow) = shape[1].multipliedReportingOverflow(by: groups)
    guard !overflow else { throw unsupported("\(shape[1]) filters in \(groups) groups") }
    var padding: PaddingAmounts
    switch node.text("auto_pad") ?? "NOTSET" {
    case "NOTSET":
      padding = try amounts("pads")
      padding.bottom -= added.height
      padding.right -= added.width
    case "VALID": padding = PaddingAmounts(0, 0, -added.height, -added.width)
    case "SAME_UPPER":
      // The output is the stride times as large; of an odd row to cut, the end has it.
      let total = Size(kernel.height - stride.height, kernel.width - stride.width)
      guard min(total.height, total.width) >= 0 else {
        throw unsupported("a kernel smaller than the stride with auto_pad")
      }
      padding = PaddingAmounts(
        total.height / 2, total.width / 2, total.height - total.height / 2,
        total.width - total.width / 2)
    case let rule: throw unsupported("auto_pad \(rule)")
    }
    let op = Op.transposedConvolution(
      TransposedConvolution(
        outChannels: outChannels, kernel: kernel, stride: stride, groups: groups, padding: padding,
        bias: bias != nil))
    return .value(
      try add(
        op, [input], name: layer(weight.name),
        parameters: [weight.name] + (bias.map { [$0.name] } ?? [])))
  }

  mutating func pool() throws(InterchangeError) -> ONNXOperand {
    let input = try picture()
    guard node.integers("kernel_shape") != nil else { throw unsupported("a kernel_shape expected") }
    let kernel = try size("kernel_shape")
    let stride = try size("strides")
    guard try size("dilations") == 1 else { throw unsupported("dilations of 1 expected") }
    var padding = try padding(kernel: kernel, stride: stride, dilation: 1)
    let countsPadding = node.integer("count_include_pad") ?? 0 != 0
    if node.integer("ceil_mode") ?? 0 != 0 {
      // Windows that reach over the end: by twos that is 'same', whose padding is all at the end.
      guard kernel == 2, stride == 2, padding == .valid, !countsPadding else {
        throw unsupported("ceil_mode is read for windows of 2 by 2 without padding only")
      }
      padding = .same
    }
    let pool = Pool(kernel: kernel, stride: stride, padding: padding)
    return .value(
      try add(
        node.kind == "MaxPool"
          ? .maxPool(MaxPool(pool)) : .averagePool(AveragePool(pool, countsPadding: countsPadding)),
        [input]))
  }

  // MARK: - Attributes

  /// The first input, which must be a picture.
  func picture() throws(InterchangeError) -> Int {
    let input = try value(0)
    guard rank(input) == 4 else {
      throw unsupported("a picture (NCHW) expected, \(shapes[input][0]) found")
    }
    return input
  }

  private func kernelShape(_ shape: [Int]) throws(InterchangeError) -> [Int] {
    guard shape.count == 4 else {
      throw unsupported("weights of 4 dimensions expected, \(shape) found")
    }
    if let stated = node.integers("kernel_shape"), stated != Array(shape.suffix(2)) {
      throw unsupported("kernel_shape \(shape.suffix(2)) expected, \(stated) found")
    }
    return shape
  }

  private func groups() throws(InterchangeError) -> Int {
    let groups = node.integer("group") ?? 1
    guard (1...GraphLimits.channels).contains(groups) else { throw unsupported("group \(groups)") }
    return groups
  }

  /// Two numbers along the axes.
  private func size(_ name: String, standard: Int = 1) throws(InterchangeError) -> Size {
    guard let numbers = node.integers(name), !numbers.isEmpty else { return Size(standard) }
    guard numbers.count == 2, numbers.allSatisfy((0...GraphLimits.window).contains) else {
      throw unsupported(
        "\(name): two numbers up to \(GraphLimits.window) expected, \(numbers) found")
    }
    return Size(numbers[0], numbers[1])
  }

  /// Numbers of rows and columns: all at the beginning, then all at the end.
  private func amounts(_ name: String) throws(InterchangeError) -> PaddingAmounts {
    guard let numbers = node.integers(name), !numbers.isEmpty else { return .none }
    guard numbers.count == 4, numbers.allSatisfy((0...GraphLimits.window).contains) else {
      throw unsupported(
        "\(name): four numbers up to \(GraphLimits.window) expected, \(numbers) found")
    }
    return PaddingAmounts(numbers[0], numbers[1], numbers[2], numbers[3])
  }

  private func padding(
    kernel: Size, stride: Size, dilation: Size
  ) throws(InterchangeError) -> Padding {
    switch node.text("auto_pad") ?? "NOTSET" {
    case "NOTSET", "": return .explicit(try amounts("pads"))
    case "VALID": return .valid
    case "SAME_UPPER": return .same
    case "SAME_LOWER":
      // At stride 1 the rule does not depend on the size; else only 'upper' can be said.
      guard stride == 1 else { throw unsupported("auto_pad SAME_LOWER with a stride above 1") }
      let vertical = (kernel.height - 1) * dilation.height
      let horizontal = (kernel.width - 1) * dilation.width
      return .explicit(
        PaddingAmounts(
          vertical - vertical / 2, horizontal - horizontal / 2, vertical / 2, horizontal / 2))
    case let rule: throw unsupported("auto_pad \(rule)")
    }
  }
}
