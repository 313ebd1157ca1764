import AviaryGraph

/// A layer with parameters: the class of PyTorch's that holds them, where there is one.
struct PyTorchLayer {
  /// What its parameters' names begin with, less the dot; nil where they have no such name in common.
  var prefix: String?
  /// The class and its arguments, `Conv2d(3, 64, 3, padding=1)`; nil where no class has just these
  /// parameters.
  var constructor: String?
  /// What must happen to the input before, which the class does not do.
  var padding: PyTorchPadding = .none

  /// The layer of a node.
  ///
  /// - Parameters:
  ///   - channels: those of the input.
  ///   - shape: the input's, as far as it is the same for every picture.
  init(_ node: Graph.Node, shape: [Int?]) {
    prefix = Self.prefix(of: node)
    let channels = shape.count > 1 ? shape[1] ?? 1 : 1
    switch node.op {
    case .convolution(let c):
      padding = PyTorchPadding(c)
      constructor = "Conv2d(\(Self.arguments(c, channels, padding)))"
    case .transposedConvolution(let c):
      constructor = "ConvTranspose2d(\(Self.arguments(c, channels)))"
    case .linear(let operation):
      let inputs = (shape.last ?? nil) ?? 1
      constructor =
        "Linear(\(inputs), \(operation.outFeatures)\(operation.bias ? "" : ", bias=False"))"
    case .batchNormalization(let b):
      guard b.scale == b.center, shape.count == 4 else { break }
      var arguments = ["\(channels)"]
      if b.epsilon != 1e-5 { arguments.append("eps=\(b.epsilon)") }
      if b.momentum != 0.1 { arguments.append("momentum=\(b.momentum)") }
      if !b.scale { arguments.append("affine=False") }
      constructor = "BatchNorm2d(\(arguments.joined(separator: ", ")))"
    case .prelu(let operation): constructor = "PReLU(\(operation.perChannel ? channels : 1))"
    case .layerNormalization(let operation):
      let sizes = shape.suffix(operation.dimensions).compactMap { $0 }
      guard sizes.count == operation.dimensions else { break }
      constructor = "LayerNorm(\(PythonText.tuple(sizes)), eps=\(operation.epsilon))"
    case .groupNormalization(let operation):
      guard operation.scale == operation.center, operation.scale else { break }
      constructor = "GroupNorm(\(operation.groups), \(channels), eps=\(operation.epsilon))"
    default: break
    }
  }

  /// `encoder.2` for `encoder.2.weight` and `encoder.2.bias`.
  private static func prefix(of node: Graph.Node) -> String? {
    let suffixes = node.op.slotSuffixes
    guard let name = node.parameters.first, let suffix = suffixes.first,
      name.hasSuffix("." + suffix)
    else { return nil }
    let prefix = String(name.dropLast(suffix.count + 1))
    return node.parameters == suffixes.map { "\(prefix).\($0)" } ? prefix : nil
  }

  private static func arguments(
    _ c: Convolution, _ channels: Int, _ padding: PyTorchPadding
  ) -> String {
    var arguments = [
      "\(channels)", "\(c.outChannels)", PythonText.pair(c.kernel.height, c.kernel.width),
    ]
    if c.stride != 1 {
      arguments.append("stride=\(PythonText.pair(c.stride.height, c.stride.width))")
    }
    if case .symmetric(let size) = padding, size != 0 {
      arguments.append("padding=\(PythonText.pair(size.height, size.width))")
    }
    if c.dilation != 1 {
      arguments.append("dilation=\(PythonText.pair(c.dilation.height, c.dilation.width))")
    }
    if c.groups != 1 { arguments.append("groups=\(c.groups)") }
    if !c.bias { arguments.append("bias=False") }
    return arguments.joined(separator: ", ")
  }

  private static func arguments(_ c: TransposedConvolution, _ channels: Int) -> String {
    var arguments = [
      "\(channels)", "\(c.outChannels)", PythonText.pair(c.kernel.height, c.kernel.width),
    ]
    if c.stride != 1 {
      arguments.append("stride=\(PythonText.pair(c.stride.height, c.stride.width))")
    }
    if let padding = c.pytorchPadding {
      if padding.padding != 0 {
        arguments.append(
          "padding=\(PythonText.pair(padding.padding.height, padding.padding.width))")
      }
      if padding.output != 0 {
        arguments.append(
          "output_padding=\(PythonText.pair(padding.output.height, padding.output.width))")
      }
    }
    if c.groups != 1 { arguments.append("groups=\(c.groups)") }
    if !c.bias { arguments.append("bias=False") }
    return arguments.joined(separator: ", ")
  }
}

extension TransposedConvolution {
  /// The crops as PyTorch states them; nil where it cannot: more is cut at the bottom or right than
  /// at the top or left, or less by a stride or more.
  var pytorchPadding: (padding: Size, output: Size)? {
    for axis in Axis.allCases {
      guard (0..<stride[axis]).contains(padding.before(axis) - padding.after(axis)) else {
        return nil
      }
    }
    return (
      Size(padding.top, padding.left),
      Size(padding.top - padding.bottom, padding.left - padding.right)
    )
  }
}

/// How a window reaches over the edges, in PyTorch's terms.
enum PyTorchPadding: Hashable {
  /// As many rows and columns before as after: a class or function does it itself.
  case symmetric(Size)
  /// Different numbers: padded before.
  case explicit(PaddingAmounts)
  /// By TensorFlow's rule, where it depends on the picture's size.
  case same

  static let none = PyTorchPadding.symmetric(0)

  init(_ padding: Padding, kernel: Size, stride: Size, dilation: Size = 1) {
    // At stride 1 the rule gives the same edges for every size.
    if padding == .same, stride != 1 {
      self = .same
      return
    }
    let amounts = padding.amounts(
      size: Size(1 << 12), kernel: kernel, stride: stride, dilation: dilation)
    self =
      amounts.top == amounts.bottom && amounts.left == amounts.right
      ? .symmetric(Size(amounts.top, amounts.left)) : .explicit(amounts)
  }

  init(_ c: Convolution) {
    self.init(c.padding, kernel: c.kernel, stride: c.stride, dilation: c.dilation)
  }
}
