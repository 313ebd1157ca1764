import ArgumentParser
import AviaryFiles
import AviaryGraph
import AviaryTraining

/// The form of the output. Every subcommand prints text or JSON, made from the same facts.
struct OutputOptions: ParsableArguments {
  @Flag(help: "Print results as JSON.")
  var json = false

  @Flag(help: "Print no progress and no notes, only warnings and errors.")
  var quiet = false

  /// Prints a result as text or as JSON; the other form is not built.
  func print(_ text: String, json: @autoclosure () throws -> JSON) throws {
    if self.json { try Console.print(json()) } else { try Console.print(text) }
  }
}

/// An output file, checked before anything is computed.
enum OutputFile {
  /// Throws unless the file may be written.
  ///
  /// - Parameters:
  ///   - replaces: whether the user allowed overwriting an existing file (`--force`).
  ///   - inputs: the files that the command reads. None is ever overwritten, whichever path or link
  ///     leads to it.
  /// - Throws: `CommandError.outputIsNoFile`, `.outputIsInput`, `.outputExists`.
  static func check(
    _ path: String, replaces: Bool, inputs: [String] = []
  ) throws(CommandError) {
    guard let kind = PathKind(of: path) else { return }
    guard kind == .file else {
      throw .outputIsNoFile(path, found: PathKind.label(of: path))
    }
    if let identity = FileIdentity(of: path),
      inputs.contains(where: { FileIdentity(ofInput: $0) == identity })
    {
      throw .outputIsInput(path)
    }
    if !replaces { throw .outputExists(path) }
  }

  /// Throws unless a file can be made beside this one, where nothing is left of it.
  ///
  /// - Throws: `FileError.cannotWrite`, also where there is no such folder.
  static func checkFolder(of path: String) throws(FileError) { _ = try AtomicFile(replacing: path) }

  /// Writes a text as a whole.
  ///
  /// - Throws: `FileError.cannotWrite`.
  static func write(_ text: String, to path: String) throws(FileError) {
    let file = try AtomicFile(replacing: path)
    try file.write(Array(text.utf8))
    try file.commit()
  }
}

/// What a user states for a checkpoint's model card.
struct CardStatements: ParsableArguments {
  @Option(
    help: ArgumentHelp(
      "Licence of the weights, as an SPDX identifier, for the model card.", valueName: "name"))
  var licence: String?

  @Option(help: ArgumentHelp("Note for the model card; may be repeated.", valueName: "text"))
  var note: [String] = []
}

/// How images are degraded before they are restored.
struct DegradationOptions: ParsableArguments {
  @Option(
    help: ArgumentHelp(
      "Blur the input: standard deviation of the Gaussian, in pixels.", valueName: "pixels"))
  var blur: Double?

  @Option(
    help: ArgumentHelp(
      "Add Gaussian noise to the input: standard deviation in 1/255. The same in every run.",
      valueName: "deviation"))
  var noise: Double?

  @Option(help: ArgumentHelp("Compress the input as JPEG of this quality.", valueName: "1-100"))
  var jpeg: Double?

  func validate() throws {
    for (name, value, range) in [
      ("--blur", blur, 0.0...64), ("--noise", noise, 0...255), ("--jpeg", jpeg, 1...100),
    ] {
      guard let value, !range.contains(value) else { continue }
      throw ValidationError(
        "\(name): expected \(Int(range.lowerBound)) to \(Int(range.upperBound)), found \(value)")
    }
  }

  /// All of them, in this order.
  var list: [DataRecipe.Degradation] {
    [
      blur.map { .blur(deviation: $0...$0) }, noise.map { .noise(deviation: $0...$0) },
      jpeg.map { .jpeg(quality: $0...$0) },
    ].compactMap { $0 }
  }
}
