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
    guard let operation = node.op.operation as? any WeightedOperation,
      let found = operation.pytorchClass(shape)
    else { return }
    (constructor, padding) = found
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
    let edges = padding.amounts(
      size: Size(1 << 12), kernel: kernel, stride: stride, dilation: dilation)
    self =
      edges.top == edges.bottom && edges.left == edges.right
      ? .symmetric(Size(edges.top, edges.left)) : .explicit(edges)
  }

  init(_ c: Convolution) {
    self.init(c.padding, kernel: c.kernel, stride: c.stride, dilation: c.dilation)
  }
}
