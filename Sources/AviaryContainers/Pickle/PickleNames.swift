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
