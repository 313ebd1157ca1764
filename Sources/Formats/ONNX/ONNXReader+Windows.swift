import AviaryGraph

/// Windows, strides and padding, as all operators with windows state them.
extension ONNXReader {
  /// The first input, which must be a picture.
  func picture() throws(InterchangeError) -> Int {
    let input = try value(0)
    guard rank(input) == 4 else {
      throw unsupported("a picture (NCHW) expected, \(shapes[input][0]) found")
    }
    return input
  }

  func kernelShape(_ shape: [Int]) throws(InterchangeError) -> [Int] {
    guard shape.count == 4 else {
      throw unsupported("weights of 4 dimensions expected, \(shape) found")
    }
    if let stated = node.integers("kernel_shape"), stated != Array(shape.suffix(2)) {
      throw unsupported("kernel_shape \(shape.suffix(2)) expected, \(stated) found")
    }
    return shape
  }

  func groups() throws(InterchangeError) -> Int {
    let groups = node.integer("group") ?? 1
    guard (1...GraphLimits.channels).contains(groups) else { throw unsupported("group \(groups)") }
    return groups
  }

  /// Two numbers along the axes.
  func size(_ name: String, standard: Int = 1) throws(InterchangeError) -> Size {
    guard let numbers = node.integers(name), !numbers.isEmpty else { return Size(standard) }
    guard numbers.count == 2, numbers.allSatisfy((0...GraphLimits.window).contains) else {
      throw unsupported(
        "\(name): two numbers up to \(GraphLimits.window) expected, \(numbers) found")
    }
    return Size(numbers[0], numbers[1])
  }

  /// Numbers of rows and columns: all at the beginning, then all at the end.
  func edges(_ name: String) throws(InterchangeError) -> PaddingAmounts {
    guard let numbers = node.integers(name), !numbers.isEmpty else { return .none }
    guard numbers.count == 4, numbers.allSatisfy((0...GraphLimits.window).contains) else {
      throw unsupported(
        "\(name): four numbers up to \(GraphLimits.window) expected, \(numbers) found")
    }
    return PaddingAmounts(numbers[0], numbers[1], numbers[2], numbers[3])
  }

  func padding(
    kernel: Size, stride: Size, dilation: Size
  ) throws(InterchangeError) -> Padding {
    switch node.text("auto_pad") ?? "NOTSET" {
    case "NOTSET", "": return .explicit(try edges("pads"))
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
