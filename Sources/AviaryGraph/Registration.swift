internal import CRegistration

/// What an architecture's file ends with, so that it registers itself:
///
///     @section("aviary_architectures") @used
///     private let record: Registration = { unsafe register(ResidualCAE.self, $0) }
///
/// The linker gathers such records (SE-0492): of the program, or of a plugin's library.
public typealias Registration = @convention(c) (UnsafeMutableRawPointer) -> Void

/// Adds `architecture` to the list that `destination`, given by whoever walks the records, points
/// to.
public func register<A: Architecture>(
  _ architecture: A.Type, _ destination: UnsafeMutableRawPointer
) {
  unsafe destination.assumingMemoryBound(to: [AnyArchitecture].self).pointee
    .append(AnyArchitecture(architecture))
}

/// The architectures linked into this executable or library, by name.
public let linkedArchitectures: [AnyArchitecture] = {
  var found: [AnyArchitecture] = []
  for i in 0..<aviary_record_count() {
    guard let address = unsafe aviary_record(i) else { continue }
    let record = unsafe unsafeBitCast(address, to: Registration.self)
    unsafe withUnsafeMutablePointer(to: &found) { unsafe record(UnsafeMutableRawPointer($0)) }
  }
  return found.sorted { $0.info.name < $1.info.name }
}()
