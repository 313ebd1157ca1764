import AviaryGraph

/// One node as an expression of Python's.
struct PyTorchOperation {
  let node: Graph.Node
  let graph: Graph
  let shapes: ExportShapes
  let members: PyTorchMembers
  /// How the node uses its parameters.
  let layer: PyTorchModule.Use?

  /// The expression; what stands in it as an operand comes from `forward`, and what it calls beyond
  /// PyTorch is noted there.
  ///
  /// - Throws: `InterchangeError.target` for an operation that PyTorch has no function for.
  func text(_ forward: inout PyTorchForward) throws(InterchangeError) -> String {
    guard let operation = node.op.exchanged else {
      throw .target(
        format: "a PyTorch module", node: node.name,
        why: "no function is known for \(node.op.name)")
    }
    return operation.python(node.inputs.map { forward.operand($0) }, self, &forward)
  }

  // MARK: Layers

  /// The call of the layer; nil where a function is called instead.
  func called(_ x: String) -> String? {
    guard case .layer(let path, _)? = layer else { return nil }
    return "\(members.access(path))(\(x))"
  }

  /// The paths of the parameters, or of a layer's own.
  func parameterList() -> [String] {
    switch layer {
    case .function(let paths)?: paths.map { members.access($0) }
    case .layer(let path, _)?: node.op.slotSuffixes.map { members.access(path) + ".\($0)" }
    case nil: []
    }
  }

  func parameters() -> String { parameterList().joined(separator: ", ") }

  // MARK: Windows

  func padded(
    _ x: String, _ padding: PyTorchPadding, kernel: Size, stride: Size, dilation: Size = 1,
    value: String? = nil, _ forward: inout PyTorchForward
  ) -> String {
    let value = value.map { ", value=\($0)" } ?? ""
    switch padding {
    case .symmetric: return x
    case .explicit(let edges): return "F.pad(\(x), \(Self.order(edges))\(value))"
    case .same:
      forward.need(.same)
      let sizes = [kernel, stride] + (dilation == 1 ? [] : [dilation])
      let list = sizes.map { "(\($0.height), \($0.width))" }.joined(separator: ", ")
      return "same(\(x), \(list)\(value))"
    }
  }

  // MARK: Text

  /// An expression of which a method or an index can be taken.
  func object(_ text: String) -> String { Self.isWhole(text) ? text : "(\(text))" }

  /// Whether no operator stands outside brackets.
  private static func isWhole(_ text: String) -> Bool {
    var depth = 0
    for byte in text.utf8 {
      switch byte {
      case UInt8(ascii: "("), UInt8(ascii: "["): depth += 1
      case UInt8(ascii: ")"), UInt8(ascii: "]"): depth -= 1
      // Operators have spaces about them.
      case UInt8(ascii: " ") where depth == 0: return false
      default: break
      }
    }
    return true
  }
}

/// A layer with parameters: the class of PyTorch's that holds them, where there is one.
struct PyTorchLayer {
  /// What its parameters' names begin with, less the dot; nil where they have no such name in
  /// common.
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
  ///   - shape: the input's, as far as it is the same for every image.
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
  /// By TensorFlow's rule, where it depends on the image's size.
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

/// Text of Python's: names and strings that cannot be mistaken for anything else.
enum PythonText {
  /// A string literal of ASCII: whatever is in the text stays within its quotes.
  static func string(_ text: String) -> String {
    var result = "\""
    for scalar in text.unicodeScalars {
      switch scalar {
      case "\"", "\\": result += "\\" + String(scalar)
      case " "..."~": result.unicodeScalars.append(scalar)
      default: result += "\\U" + hexadecimal(scalar.value)
      }
    }
    return result + "\""
  }

  /// The text without anything that ends a comment or a line.
  static func comment(_ text: String) -> String {
    String(
      String.UnicodeScalarView(
        text.unicodeScalars.filter { (" "..."~").contains($0) && $0 != "\"" && $0 != "\\" }))
  }

  /// Whether the text is a name that Python takes as it stands.
  static func isIdentifier(_ text: String) -> Bool {
    let letters = text.utf8.allSatisfy {
      $0 == UInt8(ascii: "_") || (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0)
        || (UInt8(ascii: "a")...UInt8(ascii: "z")).contains($0 | 0x20)
    }
    guard letters, let first = text.utf8.first else { return false }
    return !(UInt8(ascii: "0")...UInt8(ascii: "9")).contains(first) && !keywords.contains(text)
  }

  /// A number as Python writes it: whole numbers without a fraction.
  static func number(_ value: Double) -> String {
    value == value.rounded() && value.magnitude < 1e15 ? String(Int(value)) : "\(value)"
  }

  /// A height and a width.
  static func tuple(_ size: Size) -> String { tuple([size.height, size.width]) }

  /// A tuple of numbers, also of one or none.
  static func tuple(_ values: [Int]) -> String {
    let list = values.map(String.init).joined(separator: ", ")
    return values.count == 1 ? "(\(list),)" : "(\(list))"
  }

  /// A number where both sides agree, else a pair.
  static func pair(_ height: Int, _ width: Int) -> String {
    height == width ? "\(height)" : "(\(height), \(width))"
  }

  /// Eight digits.
  private static func hexadecimal(_ value: UInt32) -> String {
    let digits = String(value, radix: 16)
    return String(repeating: "0", count: 8 - digits.count) + digits
  }

  private static let keywords: Set<String> = [
    "False", "None", "True", "and", "as", "assert", "async", "await", "break", "class", "continue",
    "def", "del", "elif", "else", "except", "finally", "for", "from", "global", "if", "import",
    "in",
    "is", "lambda", "nonlocal", "not", "or", "pass", "raise", "return", "try", "while", "with",
    "yield",
  ]
}
