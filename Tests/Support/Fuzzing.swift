internal import FoundationEssentials

/// What a run of changed files showed. A crash shows by itself.
package struct Fuzzing: CustomStringConvertible {
  /// How many files were read.
  package private(set) var files = 0
  /// How many of them gave an error; the others were read.
  package private(set) var refused = 0
  /// The longest that one file took, in seconds.
  package private(set) var slowest = 0.0

  /// How long each run takes: a few seconds, or what `AVIARY_FUZZ_SECONDS` says.
  private static var seconds: Double {
    ProcessInfo.processInfo.environment["AVIARY_FUZZ_SECONDS"].flatMap(Double.init) ?? 1.5
  }

  /// Reads changed files until the time is over. The file that is being read lies in `folder`,
  /// where a crash leaves it.
  ///
  /// - Parameters:
  ///   - label: what is read.
  ///   - originals: sound files.
  ///   - name: the name that the changed file gets.
  ///   - share: by how many runs the time is divided, where several are of one reader.
  ///   - body: reads the file of a path.
  package init(
    _ label: String, _ originals: [[UInt8]], in folder: borrowing TemporaryFolder,
    name: String = "x", share: Int = 1, _ body: (String) throws -> Void
  ) throws {
    var mutations = Mutations(of: originals, seed: Self.seed)
    try self.init(
      label, in: folder, name: name, share: share, next: { mutations.next() }, body)
  }

  /// Reads files that `next` makes until the time is over.
  ///
  /// Says what it did where `AVIARY_FUZZ_SECONDS` asked for more than the suite does.
  package init(
    _ label: String, in folder: borrowing TemporaryFolder, name: String = "x", share: Int = 1,
    next: () -> [UInt8], _ body: (String) throws -> Void
  ) throws {
    let clock = ContinuousClock()
    let end = clock.now + .seconds(Self.seconds / Double(share))
    while clock.now < end {
      let path = try folder.file(name, next())
      let duration = clock.measure {
        do { try body(path) } catch { refused += 1 }
      }
      files += 1
      slowest = max(slowest, duration / .seconds(1))
    }
    if Self.isLong { print("fuzzed \(label): \(self)") }
  }

  /// What the changes are drawn from.
  package static var seed: UInt64 {
    ProcessInfo.processInfo.environment["AVIARY_FUZZ_SEED"].flatMap(UInt64.init) ?? 1
  }

  private static var isLong: Bool {
    ProcessInfo.processInfo.environment["AVIARY_FUZZ_SECONDS"] != nil
  }

  /// One line.
  package var description: String {
    "\(files) files read, \(refused) refused, \(slowest) seconds at most"
  }
}
