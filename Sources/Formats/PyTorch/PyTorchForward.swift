import AviaryGraph

/// The lines of `forward`, node by node.
///
/// A value that only the next node uses stands within that node's expression; any other has a name,
/// which is given again once the value has had its last use.
struct PyTorchForward {
  private(set) var lines: [String] = []
  private(set) var helpers: Set<PyTorchHelper> = []
  private let graph: Graph
  /// The Python text of each value: a name, or an expression that is used once.
  private var texts: [String] = []
  /// For each value the last node that uses it; the number of nodes for an output.
  private var lastUses: [Int]
  private var useCounts: [Int]
  /// The names in use and the node until which they are.
  private var names: [(name: String, until: Int)] = []

  /// Names that values may have, the first that is free; numbered ones follow.
  private static let pool = ["x", "y", "z"]
  /// What is longer has a line of its own.
  private static let lineLimit = 64

  init(_ graph: Graph, arguments: [String]) {
    self.graph = graph
    lastUses = Array(repeating: -1, count: graph.valueCount)
    useCounts = Array(repeating: 0, count: graph.valueCount)
    for (position, node) in graph.nodes.enumerated() {
      for value in node.inputs {
        lastUses[value] = position
        useCounts[value] += 1
      }
    }
    for output in graph.outputs {
      lastUses[output.value] = graph.nodes.count
      useCounts[output.value] += 2
    }
    for (value, argument) in arguments.enumerated() {
      texts.append(argument)
      names.append((argument, lastUses[value]))
    }
  }

  /// The text of an operand.
  func operand(_ value: Int) -> String { texts[value] }

  /// Notes that a function is needed.
  mutating func need(_ helper: PyTorchHelper) { helpers.insert(helper) }

  /// Takes what a node computes.
  mutating func add(_ text: String, node position: Int) {
    let value = graph.inputs.count + position
    let isForNext =
      useCounts[value] == 1 && lastUses[value] == position + 1
      && text.utf8.count <= Self.lineLimit
      && !graph.nodes[position + 1].op.namesItsInput(value, graph.nodes[position + 1])
    if isForNext {
      texts.append(text)
      return
    }
    names.removeAll { $0.until <= position }
    let name = free()
    names.append((name, max(lastUses[value], position)))
    lines.append("\(name) = \(text)")
    texts.append(name)
  }

  /// What `forward` gives back.
  mutating func finish() {
    let outputs = graph.outputs.map { texts[$0.value] }
    // The last line's value needs no name, if it is all that is given.
    if outputs.count == 1, graph.outputs[0].value == graph.valueCount - 1, let last = lines.last,
      last.hasPrefix("\(outputs[0]) = ")
    {
      lines[lines.count - 1] = "return " + last.dropFirst(outputs[0].count + 3)
      return
    }
    lines.append("return " + outputs.joined(separator: ", "))
  }

  private func free() -> String {
    let taken = Set(names.map(\.name))
    if let name = Self.pool.first(where: { !taken.contains($0) }) { return name }
    var number = 1
    while taken.contains("x\(number)") { number += 1 }
    return "x\(number)"
  }
}

extension Op {
  /// Whether the Python text of a node has an operand more than once, so that it must be a name.
  fileprivate func namesItsInput(_ value: Int, _ node: Graph.Node) -> Bool {
    exchanged?.repeatsOperand == true || node.inputs.count { $0 == value } > 1
  }
}
