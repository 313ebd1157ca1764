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
  ///   - buffers: tensors that the state dict holds besides, which nothing reads.
  /// - Throws: `InterchangeError.target` for parameters whose names no state dict of PyTorch's has.
  package static func source(
    graph: Graph, className: String, weightsFile: String,
    buffers: [(name: String, buffer: UnusedTensors.Buffer)] = []
  ) throws(InterchangeError) -> String {
    let graph = try graph.forExport()
    let shapes = try ExportShapes(graph)
    var (members, layers) = try members(of: graph, shapes)
    for (name, buffer) in buffers {
      let type = buffer.element == .float32 ? "" : ", dtype=torch.\(buffer.element.rawValue)"
      try members.add(
        path(name)[...], .tensor("torch.zeros(\(PythonText.tuple(buffer.shape))\(type))"),
        name: name)
    }
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
      node.parameters.isEmpty
        ? nil : PyTorchLayer(node, shape: node.inputs.first.map { shapes.values[$0] } ?? [])
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
    let helpers = Set([
      "Group", "same", "depth_to_space", "space_to_depth", "nearest", "resize", "pad_along",
    ])
    .union(["cubic", "lanczos", "load", "normalize"])
    .union(["relative_position", "windows", "image", "shift_mask"])
    .union(["unfold", "fold", "dynamic_convolution", "rfft2", "irfft2", "places"])
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

/// Functions that a module's file has where PyTorch has none that computes just this.
enum PyTorchHelper: String, CaseIterable {
  case group
  case same
  case padAlong
  case depthToSpace
  case spaceToDepth
  case nearest
  case resize
  case cubic
  case lanczos
  case unfold
  case fold
  case rfft2
  case places
  case irfft2
  case dynamicConvolution = "dynamic_convolution"
  case normalize
  case relativePosition
  case windows
  case image
  case shiftMask

  /// The function as Python text.
  var text: String {
    switch self {
    case .group:
      #"""
      class Group(nn.Module):
          """Modules, parameters and buffers by name."""

          def __init__(self, members):
              super().__init__()
              for name, member in members.items():
                  if isinstance(member, nn.Module):
                      self.add_module(name, member)
                  elif isinstance(member, nn.Parameter):
                      self.register_parameter(name, member)
                  else:
                      self.register_buffer(name, member)

          def __getitem__(self, name):
              return getattr(self, name)
      """#
    case .same:
      #"""
      def same(x, kernel, stride, dilation=(1, 1), value=0.0):
          """Pads by TensorFlow's rule, the odd row and column at the bottom and right."""
          edges = []
          for axis in (1, 0):
              size, reach = x.shape[2 + axis], (kernel[axis] - 1) * dilation[axis] + 1
              total = max((-(-size // stride[axis]) - 1) * stride[axis] + reach - size, 0)
              edges += [total // 2, total - total // 2]
          return F.pad(x, edges, value=value)
      """#
    case .padAlong:
      #"""
      def pad_along(x, dim, before, after, mode):
          """Pads one dimension by elements of its own."""
          size = x.shape[dim]
          place = torch.arange(-before, size + after, device=x.device)
          if mode == "edge":
              place = place.clamp(0, size - 1)
          elif mode == "reflect":
              place = size - 1 - (size - 1 - place.abs()).abs()
          elif mode == "symmetric":
              place = torch.where(place < 0, -1 - place, place)
              place = torch.where(place < size, place, 2 * size - 1 - place)
          else:
              place = place.remainder(size)
          return x.index_select(dim, place)
      """#
    case .depthToSpace:
      #"""
      def depth_to_space(x, r):
          """Pixel shuffle in TensorFlow's order of channels."""
          n, c, h, w = x.shape
          x = x.reshape(n, r, r, c // (r * r), h, w).permute(0, 3, 4, 1, 5, 2)
          return x.reshape(n, c // (r * r), h * r, w * r)
      """#
    case .spaceToDepth:
      #"""
      def space_to_depth(x, r):
          """The inverse of pixel shuffle in TensorFlow's order of channels."""
          n, c, h, w = x.shape
          x = x.reshape(n, c, h // r, r, w // r, r).permute(0, 3, 5, 1, 2, 4)
          return x.reshape(n, c * r * r, h // r, w // r)
      """#
    case .nearest:
      #"""
      def nearest(x, coordinates, factor=None, like=None):
          """The nearest pixel, the later of two, by whole numbers: nothing is rounded."""
          for dim in (2, 3):
              size = x.shape[dim]
              new = like.shape[dim] if factor is None else size * factor[0] // factor[1]
              above, below = (size, new) if factor is None else (factor[1], factor[0])
              place = torch.arange(new, device=x.device)
              if coordinates == "align-corners":
                  above, below = (size - 1, new - 1) if new > 1 else (0, 1)
                  place = (2 * place * above + below) // (2 * below)
              elif coordinates == "half-pixel":
                  place = (2 * place + 1) * above // (2 * below)
              else:
                  place = place * above // below
              x = x.index_select(dim, place.clamp(max=size - 1))
          return x
      """#
    case .resize:
      #"""
      def resize(x, kernel, support, coordinates, edge, antialias, factor=None, like=None):
          """Interpolates rows, then columns: each new pixel is a weighted sum of old ones."""
          for dim in (2, 3):
              size = x.shape[dim]
              new = like.shape[dim] if factor is None else size * factor[0] // factor[1]
              step = size / new if factor is None else factor[1] / factor[0]
              if coordinates == "align-corners":
                  step = (size - 1) / (new - 1) if new > 1 else 0.0
              place = torch.arange(new, dtype=torch.float64) * step
              if coordinates == "half-pixel":
                  place = place + 0.5 * step - 0.5
              widening = max(step, 1.0) if antialias else 1.0
              reach = math.ceil(support * widening)
              near = place.floor()[:, None] + torch.arange(-reach, reach + 1)
              weights = kernel((place[:, None] - near).abs() / widening)
              weights = weights / weights.sum(1, keepdim=True)
              near = near.long()
              if edge == "symmetric":
                  near = near.remainder(2 * size)
                  near = torch.minimum(near, 2 * size - 1 - near)
              matrix = torch.zeros(new, size, dtype=torch.float64)
              matrix = matrix.scatter_add_(1, near.clamp(0, size - 1), weights).to(x)
              x = matrix @ x if dim == 2 else x @ matrix.T
          return x
      """#
    case .cubic:
      #"""
      def cubic(a):
          """Keys's cubic convolution."""
          def kernel(x):
              inner = ((a + 2) * x - (a + 3)) * x * x + 1
              outer = a * (((x - 5) * x + 8) * x - 4)
              return torch.where(x < 1, inner, torch.where(x < 2, outer, torch.zeros_like(x)))
          return kernel
      """#
    case .lanczos:
      #"""
      def lanczos(lobes):
          """A sinc windowed by a wider one."""
          return lambda x: torch.sinc(x) * torch.sinc(x / lobes) * (x < lobes)
      """#
    case .unfold:
      #"""
      def unfold(x, kernel, stride, dilation, edges):
          """The windows as channels, at their places; edges are those of F.pad."""
          x = F.pad(x, edges)
          width = (x.shape[3] - (kernel[1] - 1) * dilation[1] - 1) // stride[1] + 1
          return F.unfold(x, kernel, dilation, 0, stride).unflatten(2, (-1, width))
      """#
    case .places:
      #"""
      def places(offsets, image):
          """A grid of places from -1 to 1, of distances in pixels of the image."""
          lines = []
          for dim in (2, 1):
              size = offsets.shape[dim]
              line = (2 * torch.arange(size, device=offsets.device) + 1).to(offsets) / size - 1
              lines.append(line if dim == 2 else line[:, None])
          x = lines[0] + offsets[..., 0] * 2 / image.shape[3]
          y = lines[1] + offsets[..., 1] * 2 / image.shape[2]
          return torch.stack((x, y), 3)
      """#
    case .rfft2:
      #"""
      def rfft2(x, norm):
          """Half the spectrum: the real parts of all channels, then the imaginary ones."""
          y = torch.fft.rfft2(x, norm=norm)
          return torch.cat((y.real, y.imag), 1)
      """#
    case .irfft2:
      #"""
      def irfft2(x, norm, like=None):
          """The inverse of rfft2, of an even width or that of another image."""
          size = (x.shape[2], 2 * (x.shape[3] - 1)) if like is None else like.shape[2:]
          return torch.fft.irfft2(torch.complex(*x.chunk(2, 1)), s=size, norm=norm)
      """#
    case .dynamicConvolution:
      #"""
      def dynamic_convolution(x, kernel, bias, stride, padding, dilation, groups):
          """A convolution of every image with its own kernel: images as groups of channels."""
          count = x.shape[0]
          x = F.conv2d(
              x.flatten(0, 1)[None], kernel.flatten(0, 1), None if bias is None else bias.flatten(),
              stride, padding, dilation, count * groups)
          return x[0].unflatten(0, (count, -1))
      """#
    case .fold:
      #"""
      def fold(x, kernel, stride, dilation, edges):
          """Adds every pixel's channels as a window at its place, and cuts the edges, those of F.pad."""
          size = [(x.shape[2 + i] - 1) * stride[i] + (kernel[i] - 1) * dilation[i] + 1 for i in (0, 1)]
          return F.pad(F.fold(x.flatten(2), size, kernel, dilation, 0, stride), [-e for e in edges])
      """#
    case .normalize:
      #"""
      def normalize(x, kind, dims, eps, weight=None, bias=None):
          """Divides by how far the values spread along neighbouring dimensions."""
          if kind in ("layer", "biasFree"):
              centred = x - x.mean(dims, keepdim=True)
              spread = (centred.square().mean(dims, keepdim=True) + eps).sqrt()
              x = (centred if kind == "layer" else x) / spread
          elif kind == "rms":
              x = x / (x.square().mean(dims, keepdim=True) + eps).sqrt()
          elif kind == "rmsPlusEpsilon":
              x = x / (x.square().mean(dims, keepdim=True).sqrt() + eps)
          else:
              x = x / x.square().sum(dims, keepdim=True).sqrt().clamp(min=eps)
          places = (1,) * (x.dim() - 1 - dims[-1])
          x = x if weight is None else x * weight.reshape(weight.shape + places)
          return x if bias is None else x + bias.reshape(bias.shape + places)
      """#
    case .relativePosition:
      #"""
      def relative_position(window, keys, overlapping=False):
          """Which row of a table belongs to each pair of pixels of two windows."""
          y, x = torch.meshgrid(*(torch.arange(n) for n in window), indexing="ij")
          v, u = torch.meshgrid(*(torch.arange(n) for n in keys), indexing="ij")
          down = v.flatten()[None] - y.flatten()[:, None]
          right = u.flatten()[None] - x.flatten()[:, None]
          if overlapping:
              down, right = down + window[0] - keys[0] + 1, right + window[1] - keys[1] + 1
          else:
              down, right = window[0] - 1 - down, window[1] - 1 - right
          return down * (window[1] + keys[1] - 1) + right
      """#
    case .windows:
      #"""
      def windows(x, window, margin=(0, 0), grid=False):
          """Cuts an image into windows: [n, rows, columns, pixels, channels]."""
          if grid:
              n, c, h, w = x.shape
              x = x.reshape(n, c, window[0], h // window[0], window[1], w // window[1])
              return x.permute(0, 3, 5, 2, 4, 1).flatten(3, 4)
          x = F.pad(x, (margin[1], margin[1], margin[0], margin[0]))
          for dim in (0, 1):
              x = x.unfold(2 + dim, window[dim] + 2 * margin[dim], window[dim])
          return x.permute(0, 2, 3, 4, 5, 1).flatten(3, 4)
      """#
    case .image:
      #"""
      def image(x, window, grid=False):
          """Puts windows together to an image."""
          n, rows, columns, _, c = x.shape
          x = x.reshape(n, rows, columns, window[0], window[1], c)
          x = x.permute((0, 5, 3, 1, 4, 2) if grid else (0, 5, 1, 3, 2, 4))
          return x.reshape(n, c, rows * window[0], columns * window[1])
      """#
    case .shiftMask:
      #"""
      def shift_mask(x, window, shift, value):
          """Keeps pixels apart that a cyclic shift has brought into one window."""
          apart = False
          for dim in (0, 1):
              if shift[dim] == 0:
                  continue
              place = torch.arange(window[0] * window[1], device=x.device)
              place = place // window[1] if dim == 0 else place % window[1]
              part = place >= window[dim] - shift[dim]
              last = torch.arange(x.shape[1 + dim], device=x.device) == x.shape[1 + dim] - 1
              last = last.reshape([-1 if i == dim else 1 for i in range(x.dim() - 1)])
              apart = apart | (last & (part[:, None] != part[None]))
          return x.masked_fill(apart, float("-inf")) if value == float("-inf") else x + value * apart
      """#
    }
  }
}
