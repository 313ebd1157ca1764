public import AviaryGraph

extension Registry {
  /// The architectures compiled into this program.
  public static let builtin: Registry = {
    var registry = Registry()
    do throws(RegistryError) {
      for architecture in linkedArchitectures { try registry.register(architecture) }
    } catch {
      // Two built-in architectures of one name: a programmer's slip, and no program without it.
      preconditionFailure("\(error)")
    }
    return registry
  }()
}
