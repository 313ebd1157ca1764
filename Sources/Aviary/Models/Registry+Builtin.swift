public import AviaryGraph

extension Registry {
  /// The architectures compiled into this program.
  public static let builtin: Registry = {
    var registry = Registry()
    do throws(RegistryError) {
      for architecture in linkedArchitectures { try registry.register(architecture) }
    } catch {
      // Two built-in architectures with the same name: a programming error, with which nothing can
      // work.
      preconditionFailure("\(error)")
    }
    return registry
  }()
}
