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
