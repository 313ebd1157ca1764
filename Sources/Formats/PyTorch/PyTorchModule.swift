package import AviaryGraph

/// A network as a Python file: an `nn.Module` whose state dict has the graph's own names, and whose
/// `forward` computes the graph.
package enum PyTorchModule {
  /// The text of a Python file with one class, and a function `load(path)` that makes it with the
  /// weights of a state dict, ready to run.
  ///
  /// - Parameters:
  ///   - className: what the class is called; what Python would not take as a name becomes `_`.
  ///   - weightsFile: the path that `load` takes where it is given none.
  /// - Throws: `InterchangeError.target` for parameters whose names no state dict of PyTorch's has.
  package static func source(
    graph: Graph, className: String, weightsFile: String
  ) throws(InterchangeError) -> String {
    let graph = try graph.forExport()
    let shapes = try ExportShapes(graph)
    let (members, layers) = try members(of: graph, shapes)
    let arguments = arguments(of: graph)
    var forward = PyTorchForward(graph, arguments: arguments)
    for (position, node) in graph.nodes.enumerated() {
      let text = try PyTorchOperation(
        node: node, graph: graph, shapes: shapes, members: members,
        layer: layers[position]
      ).text(&forward)
      forward.add(text, node: position)
    }
    forward.finish()
    return file(
      name: identifier(className), weightsFile: weightsFile, arguments: arguments,
      members: members, frozen: graph.parameters.filter { $0.role == .frozen }.map(\.name), forward)
  }

  // MARK: Members

  /// How a node with parameters is computed.
  enum Use {
    /// By calling the layer of this path.
    case layer([String], PyTorchPadding)
    /// By a function, with parameters of these paths.
    case function([[String]])
  }

  /// The module's members, and for each node with parameters how it uses them.
  private static func members(
    of graph: Graph, _ shapes: ExportShapes
  ) throws(InterchangeError) -> (PyTorchMembers, [Use?]) {
    let layers = graph.nodes.map { node in
      node.parameters.isEmpty ? nil : PyTorchLayer(node, shape: shapes.values[node.inputs[0]])
    }
    let classes = classes(graph, layers)
    var members = PyTorchMembers()
    var uses: [Use?] = []
    var added: Set<String> = []
    let parameters = Dictionary(graph.parameters.map { ($0.name, $0) }) { $1 }
    for (node, layer) in zip(graph.nodes, layers) {
      guard let layer else {
        uses.append(nil)
        continue
      }
      if let prefix = layer.prefix, let constructor = classes[prefix] {
        let path = path(prefix)
        if added.insert(prefix).inserted {
          try members.add(path[...], .layer(constructor), name: prefix)
        }
        // The same parameters with another stride or border are used by a function.
        uses.append(
          constructor == layer.constructor
            ? .layer(path, layer.padding) : .function(node.parameters.map(Self.path)))
        continue
      }
      for name in node.parameters where added.insert(name).inserted {
        guard let parameter = parameters[name] else { continue }
        try members.add(path(name)[...], .tensor(tensor(parameter)), name: name)
      }
      uses.append(.function(node.parameters.map(Self.path)))
    }
    return (members, uses)
  }

  /// The constructors of the layers that hold all parameters under their name and no others.
  private static func classes(_ graph: Graph, _ layers: [PyTorchLayer?]) -> [String: String] {
    var counts: [String: Int] = [:]
    for parameter in graph.parameters {
      var prefix = ""
      for part in path(parameter.name) {
        if !prefix.isEmpty { counts[prefix, default: 0] += 1 }
        prefix += (prefix.isEmpty ? "" : ".") + part
      }
    }
    var classes: [String: String] = [:]
    for (node, layer) in zip(graph.nodes, layers) {
      guard let prefix = layer?.prefix, let constructor = layer?.constructor,
        classes[prefix] == nil, counts[prefix] == node.parameters.count
      else { continue }
      classes[prefix] = constructor
    }
    return classes
  }

  private static func path(_ name: String) -> [String] {
    name.split(separator: ".", omittingEmptySubsequences: false).map(String.init)
  }

  private static func tensor(_ parameter: Parameter) -> String {
    let size = PythonText.tuple(parameter.shape)
    return switch parameter.role {
    case .weight, .frozen: "nn.Parameter(torch.zeros(\(size)))"
    case .statistic: "torch.ones(\(size))"
    case .nonPersistent: "torch.zeros(\(size), dtype=torch.long)"
    }
  }

  // MARK: The file

  /// One input is `x`; several have their own names where Python takes them.
  private static func arguments(of graph: Graph) -> [String] {
    if graph.inputs.count == 1 { return ["x"] }
    let names = graph.inputs.map(\.name)
    let words: Set<String> = ["self", "torch", "nn", "F", "math"]
    let helpers = Set(["Group", "same", "depth_to_space", "space_to_depth", "nearest", "resize"])
      .union(["cubic", "lanczos", "load"])
    let areNames = names.allSatisfy {
      PythonText.isIdentifier($0) && !words.contains($0) && !helpers.contains($0)
    }
    return areNames ? names : names.indices.map { "input\($0)" }
  }

  private static func identifier(_ name: String) -> String {
    let letters = String(name.map { PythonText.isIdentifier("_\($0)") ? $0 : "_" })
    return PythonText.isIdentifier(letters) ? letters : "_\(letters)"
  }

  private static func file(
    name: String, weightsFile: String, arguments: [String], members: PyTorchMembers,
    frozen: [String], _ forward: PyTorchForward
  ) -> String {
    var helpers = forward.helpers
    if members.needsGroup { helpers.insert(.group) }
    let blocks = PyTorchHelper.allCases.filter(helpers.contains).map(\.text)
    let imports =
      (helpers.contains(.resize) ? ["import math", ""] : []) + ["import torch"]
      + ["import torch.nn.functional as F", "from torch import nn"]
    var initialize = members.lines()
    for name in frozen {
      initialize.append("self.get_parameter(\(PythonText.string(name))).requires_grad_(False)")
    }
    var body = ["class \(name)(nn.Module):"]
    if !initialize.isEmpty {
      body += ["    def __init__(self):", "        super().__init__()"]
      body += initialize.map { "        \($0)" } + [""]
    }
    body += ["    def forward(self, \(arguments.joined(separator: ", "))):"]
    body += forward.lines.map { "        \($0)" }
    let load = [
      "def load(path=\(PythonText.string(weightsFile))):", "    model = \(name)()",
      "    model.load_state_dict(torch.load(path))", "    return model.eval()",
    ]
    let parts = [imports] + blocks.map { [$0] } + [body, load]
    return parts.map { $0.joined(separator: "\n") }.joined(separator: "\n\n\n") + "\n"
  }
}
