internal import FoundationEssentials

/// The plugins of Tests/Fixtures/plugins, built where they must be.
package enum PluginFixtures {
  /// The path of a file there.
  package static func path(_ name: String) -> String { folder.appending(path: name).path }

  /// The library of the third party's package, built by SwiftPM once for all tests. What is built
  /// is kept, so that the next run only looks whether anything has changed.
  ///
  /// - Throws: `Tool.Failure` where it cannot be built.
  package static func thirdParty() throws -> String { try thirdPartyLibrary.get() }

  private static let thirdPartyLibrary = Result {
    let scratch = SharedFolder.repository.appending(path: ".build/third-party").path
    try Tool.run([
      "swift", "build", "--package-path", path("ThirdParty"), "--scratch-path", scratch,
      "--product", "tiny-sr", "--configuration", "debug", "-debug-info-format", "none",
      "--disable-index-store",
    ])
    return "\(scratch)/debug/libtiny-sr.so"
  }

  /// Compiles one of the broken libraries into `folder`, and gives its path.
  ///
  /// - Throws: `Tool.Failure` where it cannot be compiled.
  package static func broken(_ name: String, into folder: borrowing TemporaryFolder) throws
    -> String
  {
    let library = folder.file("\(name).so")
    try Tool.run(["clang", "-shared", "-fPIC", "-o", library, path("Broken/\(name).c")])
    return library
  }

  private static let folder = SharedFolder.repository.appending(path: "Tests/Fixtures/plugins")
}
