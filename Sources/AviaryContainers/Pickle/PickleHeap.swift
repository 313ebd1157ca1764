/// The compound values of a pickle, by number.
///
/// Flat arrays rather than linked objects: a pickle can build circles, which would never be freed,
/// and chains of a million links, whose release would overflow the stack.
package struct PickleHeap {
  package private(set) var nodes: [PickleNode] = []
  /// The parts of everything that grows, apart from the nodes so that they grow in place.
  private var parts: [[PickleValue]] = []

  /// Keeps a node and gives the reference to it.
  package mutating func add(_ node: PickleNode) -> PickleValue {
    nodes.append(node)
    return .reference(nodes.count - 1)
  }

  /// Keeps parts and gives their number.
  package mutating func keep(_ values: [PickleValue]) -> Int {
    parts.append(values)
    return parts.count - 1
  }

  /// The node of a reference; nil for values without parts.
  package subscript(value: PickleValue) -> PickleNode? {
    if case .reference(let index) = value { nodes[index] } else { nil }
  }
}

// MARK: - Growing

extension PickleHeap {
  /// Appends to a list, set or object; false for anything else.
  package mutating func append(_ values: [PickleValue], to target: PickleValue) -> Bool {
    guard case .reference(let index) = target else { return false }
    switch nodes[index] {
    case .list(let number), .set(let number): parts[number] += values
    case .object(var object):
      let number = object.items ?? keep([])
      parts[number] += values
      object.items = number
      nodes[index] = .object(object)
    default: return false
    }
    return true
  }

  /// Sets keys, given by turns with their values, of a dictionary or object; false for anything
  /// else (which PyTorch once forgot to check).
  package mutating func set(_ entries: [PickleValue], of target: PickleValue) -> Bool {
    guard case .reference(let index) = target else { return false }
    switch nodes[index] {
    case .dictionary(let number): parts[number] += entries
    case .object(var object):
      let number = object.entries ?? keep([])
      parts[number] += entries
      object.entries = number
      nodes[index] = .object(object)
    default: return false
    }
    return true
  }

  /// Gives an object its state. The state of anything else (attributes of a dictionary) says
  /// nothing about weights and is dropped.
  package mutating func build(_ target: PickleValue, state: PickleValue) {
    guard case .reference(let index) = target, case .object(var object) = nodes[index] else {
      return
    }
    object.state = state
    nodes[index] = .object(object)
  }
}

// MARK: - Looking

extension PickleHeap {
  /// The text of a value that is one.
  package func text(_ value: PickleValue) -> String? {
    if case .text(let text) = self[value] { text } else { nil }
  }

  /// An identifier, which is a text or a number, as text.
  package func identifier(_ value: PickleValue) -> String? {
    if case .integer(let number) = value { String(number) } else { text(value) }
  }

  /// The full name of a global.
  package func global(_ value: PickleValue) -> String? {
    if case .global(let name) = self[value] { name } else { nil }
  }

  /// An object made by calling a global, and that global's name.
  package func object(_ value: PickleValue) -> (name: String, object: PickleObject)? {
    guard case .object(let object) = self[value] else { return nil }
    // PyTorch before 1.6 kept the source of classes beside the pickle: ('module', class, …).
    var callable = object.callable
    if case .persistent(let identifier)? = self[callable], let parts = items(identifier),
      parts.count > 1, text(parts[0]) == "module"
    {
      callable = parts[1]
    }
    return (global(callable) ?? "an unnamed class", object)
  }

  /// The parts of a tuple, list or set.
  package func items(_ value: PickleValue) -> [PickleValue]? {
    switch self[value] {
    case .tuple(let items): items
    case .list(let number), .set(let number): parts[number]
    default: nil
    }
  }

  /// The keys and values, by turns, of a dictionary.
  package func entries(_ value: PickleValue) -> [PickleValue]? {
    if case .dictionary(let number) = self[value] { parts[number] } else { nil }
  }

  /// The keys and values, by turns, that were set on an object.
  package func entries(of object: PickleObject) -> [PickleValue] {
    object.entries.map { parts[$0] } ?? []
  }

  /// How many keys or items looking into a value has to pass.
  package func extent(_ value: PickleValue) -> Int {
    switch self[value] {
    case .tuple(let items): items.count
    case .list(let number), .set(let number), .dictionary(let number): parts[number].count
    case .object(let object):
      (object.entries.map { parts[$0].count } ?? 0)
        + (object.state.flatMap(entries)?.count ?? 0)
    default: 0
    }
  }

  /// An integer that is not negative, as sizes are.
  package func size(_ value: PickleValue) -> Int? {
    if case .integer(let number) = value, number >= 0 { number } else { nil }
  }

  /// Integers that are not negative, as shapes are.
  package func sizes(_ value: PickleValue) -> [Int]? {
    // Far beyond any tensor's rank; a shape shared by a million tensors must stay cheap.
    guard let items = items(value), items.count <= 64 else { return nil }
    let sizes = items.compactMap(size)
    return sizes.count == items.count ? sizes : nil
  }
}

/// A value that a pickle describes. Everything with parts is a reference into a `PickleHeap`.
package enum PickleValue: Hashable {
  case none
  case bool(Bool)
  case integer(Int)
  case float(Double)
  case reference(Int)
}

/// What a reference refers to. Parts that may still grow are kept by number in the heap.
package enum PickleNode {
  case text(String)
  case bytes([UInt8])
  /// An integer beyond 64 bits; its value is of no use to weights.
  case largeInteger
  case tuple([PickleValue])
  case list(parts: Int)
  case set(parts: Int)
  /// Keys and values by turns.
  case dictionary(parts: Int)
  /// A function or class by its full name, such as `collections.OrderedDict`: a name only.
  case global(String)
  case object(PickleObject)
  /// What the pickle's writer keeps elsewhere: PyTorch's storages.
  case persistent(PickleValue)
}

/// What would have been made by calling something: the call is kept and never made.
package struct PickleObject {
  /// What would have been called, usually a global.
  package var callable: PickleValue
  /// Its arguments, usually a tuple.
  package var arguments: PickleValue
  /// What would have been put into the object's fields.
  package var state: PickleValue?
  /// What would have been set by key, keys and values by turns.
  package var entries: Int?
  /// What would have been appended.
  package var items: Int?
}

/// Names in a pickle that give an attack away.
///
/// Nothing that a pickle names is ever looked up or called here, so this list protects nobody from
/// Aviary. It protects whoever is about to load the same file with something that does call.
enum PickleNames {
  /// Whether no file of weights needs this name.
  ///
  /// - Parameters:
  ///   - module: such as `collections`.
  ///   - name: such as `OrderedDict`; since protocol 4 it may be a path, such as `os.system`
  ///     reached through a harmless module that imports `os`.
  static func isDangerous(module: String, name: String) -> Bool {
    let root = module.prefix { $0 != "." }
    if modules.contains(String(root)) { return true }
    let path = name.split(separator: ".").map(String.init)
    if path.dropLast().contains(where: modules.contains) { return true }
    if builtinModules.contains(String(root))
      || path.dropLast().contains(where: builtinModules.contains)
    {
      return path.contains(where: builtins.contains)
    }
    let full = module + "." + name
    return functions.contains { full == $0 || full.hasPrefix($0 + ".") }
  }

  /// Modules that run programs, load code, or reach files and the network.
  private static let modules: Set<String> = [
    "_ctypes", "_pickle", "_posixsubprocess", "_socket", "_thread", "aiohttp", "asyncio", "bdb",
    "cPickle", "cProfile", "cloudpickle", "code", "codeop", "commands", "concurrent", "ctypes",
    "dill", "distutils", "doctest", "ensurepip", "ftplib", "gc", "http", "httplib", "idlelib",
    "imp", "importlib", "inspect", "lib2to3", "linecache", "marshal", "multiprocessing", "nt",
    "os", "pdb", "pexpect", "pickle", "pip", "pkgutil", "platform", "popen2", "posix", "profile",
    "pty", "pydoc", "requests", "runpy", "setuptools", "shelve", "shutil", "signal", "smtplib",
    "socket", "ssl", "subprocess", "sys", "telnetlib", "tempfile", "threading", "timeit", "trace",
    "urllib", "urllib2", "venv", "webbrowser", "zipimport",
  ]

  private static let builtinModules: Set<String> = ["builtins", "__builtin__", "__builtins__"]

  /// Functions among the built-in ones; `getattr` is not here, as pickled modules of PyTorch name
  /// it for bound methods.
  private static let builtins: Set<String> = [
    "__import__", "apply", "breakpoint", "compile", "delattr", "eval", "exec", "execfile", "exit",
    "file", "globals", "help", "input", "locals", "open", "quit", "raw_input", "reload", "setattr",
    "vars",
  ]

  /// Functions, classes and modules inside otherwise harmless modules.
  private static let functions = [
    "_io.FileIO", "_io.open", "_io.open_code", "io.FileIO", "io.open", "io.open_code",
    "numpy.distutils", "numpy.f2py", "numpy.load", "numpy.testing", "operator.attrgetter",
    "operator.methodcaller", "pandas.io.pickle", "pandas.read_pickle", "torch.classes.load_library",
    "torch.hub", "torch.jit.load", "torch.load", "torch.ops.load_library", "torch.package",
    "torch.serialization.load", "torch.utils.cpp_extension", "types.CodeType",
    "types.FunctionType", "types.LambdaType", "types.MethodType", "types.ModuleType",
  ]
}
