import AviaryGraph

/// The modules, parameters and buffers that a module holds, nested as the names of a state dict
/// say.
struct PyTorchMembers {
  /// What stands under one name.
  enum Member {
    /// A layer by one of PyTorch's classes, as Python text.
    case layer(String)
    /// A parameter or buffer by itself, as Python text.
    case tensor(String)
    /// Further members.
    case group(PyTorchMembers)
  }

  private(set) var members: [(name: String, member: Member)] = []
  private var places: [String: Int] = [:]

  /// Names that `nn.Module` has for itself: a state dict of PyTorch's has none of them.
  private static let taken: Set<String> = [
    "_apply", "_backward_hooks", "_backward_pre_hooks", "_buffers", "_call_impl",
    "_compiled_call_impl", "_forward_hooks", "_forward_hooks_always_called",
    "_forward_hooks_with_kwargs", "_forward_pre_hooks", "_forward_pre_hooks_with_kwargs",
    "_get_backward_hooks", "_get_backward_pre_hooks", "_get_name", "_is_full_backward_hook",
    "_load_from_state_dict", "_load_state_dict_post_hooks", "_load_state_dict_pre_hooks",
    "_maybe_warn_non_full_backward_hook", "_modules", "_named_members",
    "_non_persistent_buffers_set", "_parameters", "_register_load_state_dict_pre_hook",
    "_register_state_dict_hook", "_replicate_for_data_parallel", "_save_to_state_dict",
    "_slow_forward", "_state_dict_hooks", "_state_dict_pre_hooks", "_version",
    "_wrapped_call_impl", "T_destination", "add_module", "apply", "bfloat16", "buffers",
    "call_super_init", "children",
    "compile", "cpu", "cuda", "double", "dump_patches", "eval", "extra_repr", "float", "forward",
    "get_buffer", "get_extra_state", "get_parameter", "get_submodule", "half", "ipu",
    "load_state_dict", "modules", "mtia", "named_buffers", "named_children", "named_modules",
    "named_parameters", "parameters", "register_backward_hook", "register_buffer",
    "register_forward_hook", "register_forward_pre_hook", "register_full_backward_hook",
    "register_full_backward_pre_hook", "register_load_state_dict_post_hook",
    "register_load_state_dict_pre_hook", "register_module", "register_parameter",
    "register_state_dict_post_hook", "register_state_dict_pre_hook", "requires_grad_",
    "set_extra_state", "set_submodule", "share_memory", "state_dict", "to", "to_empty", "train",
    "training", "type", "xpu", "zero_grad",
  ]
  /// Names that `nn.ModuleDict` has besides.
  private static let dictionary: Set<String> = [
    "clear", "items", "keys", "pop", "update", "values",
  ]

  /// Adds a member by its path.
  ///
  /// - Throws: `InterchangeError.target` for a path that no state dict of PyTorch's can have.
  mutating func add(
    _ path: ArraySlice<String>, _ member: Member, name: String
  ) throws(InterchangeError) {
    func refuse(_ why: String) -> InterchangeError {
      .target(format: "a PyTorch module", node: name, why: why)
    }
    guard let first = path.first else { throw refuse("expected a name") }
    guard !first.isEmpty else { throw refuse("a part of the name is empty") }
    guard !Self.taken.contains(first), !first.hasPrefix("__") else {
      throw refuse("'\(PythonText.comment(first))' may be nn.Module's own")
    }
    if path.count == 1 {
      guard places[first] == nil else { throw refuse("it is a tensor and a module as well") }
      places[first] = members.count
      members.append((first, member))
      return
    }
    guard path.count <= GraphLimits.rank * 8 else {
      throw refuse("its modules are nested too deep")
    }
    var group = PyTorchMembers()
    if let place = places[first] {
      guard case .group(let present) = members[place].member else {
        throw refuse("'\(PythonText.comment(first))' is a tensor and a module as well")
      }
      group = present
      // Changed in place, not as a copy.
      members[place].member = .layer("")
    }
    try group.add(path.dropFirst(), member, name: name)
    if let place = places[first] {
      members[place].member = .group(group)
    } else {
      places[first] = members.count
      members.append((first, .group(group)))
    }
  }

  /// Whether any group must be of the class `Group`, as it holds more than modules.
  var needsGroup: Bool {
    members.contains {
      if case .group(let group) = $0.member {
        group.kind == .mixed || group.needsGroup
      } else {
        false
      }
    }
  }

  private enum Kind { case list, modules, mixed }

  /// What can hold these members.
  private var kind: Kind {
    let holdsTensors = members.contains { if case .tensor = $0.member { true } else { false } }
    if holdsTensors || members.contains(where: { Self.dictionary.contains($0.name) }) {
      return .mixed
    }
    let isList = members.enumerated().allSatisfy { $1.name == String($0) }
    return isList ? .list : .modules
  }

  // MARK: Python

  /// The lines of `__init__` that make the members.
  func lines() -> [String] {
    members.flatMap { name, member in
      let isName = PythonText.isIdentifier(name)
      let literal = PythonText.string(name)
      switch member {
      case .tensor(let text):
        return text.hasPrefix("nn.Parameter") && isName
          ? ["self.\(name) = \(text)"]
          : text.hasPrefix("nn.Parameter")
            ? ["self.register_parameter(\(literal), \(text))"]
            : ["self.register_buffer(\(literal), \(text))"]
      case .layer, .group:
        var lines = Self.expression(member, indent: "")
        lines[0] = (isName ? "self.\(name) = " : "self.add_module(\(literal), ") + lines[0]
        if !isName { lines[lines.count - 1] += ")" }
        return lines
      }
    }
  }

  /// A member as an expression over several lines.
  private static func expression(_ member: Member, indent: String) -> [String] {
    guard case .group(let group) = member else {
      switch member {
      case .layer(let text): return ["nn.\(text)"]
      case .tensor(let text): return [text]
      case .group: return []
      }
    }
    let inner = indent + "    "
    let isList = group.kind == .list
    var lines = [isList ? "nn.ModuleList([" : group.kind == .mixed ? "Group({" : "nn.ModuleDict({"]
    for (name, member) in group.members {
      var text = expression(member, indent: inner)
      text[0] = inner + (isList ? "" : PythonText.string(name) + ": ") + text[0]
      text[text.count - 1] += ","
      lines += text
    }
    return lines + [indent + (isList ? "])" : "})")]
  }

  /// How a member is reached from the module.
  func access(_ path: [String]) -> String {
    var text = "self"
    var group: PyTorchMembers? = self
    for (depth, part) in path.enumerated() {
      if depth == 0 {
        text =
          PythonText.isIdentifier(part)
          ? "self.\(part)" : "getattr(self, \(PythonText.string(part)))"
      } else if let group {
        text += group.kind == .list ? "[\(part)]" : "[\(PythonText.string(part))]"
      } else {
        // A layer's own tensor.
        text += ".\(part)"
      }
      guard let holder = group, let place = holder.places[part],
        case .group(let next) = holder.members[place].member
      else {
        group = nil
        continue
      }
      group = next
    }
    return text
  }
}
