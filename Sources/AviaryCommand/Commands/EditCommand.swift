import AviaryFiles
import ArgumentParser
import Aviary
import AviaryCheckpoint
import AviaryGraph
import AviaryTensor

/// `aviary edit`: weights renamed, left out, stored as another type, or interpolated.
struct EditCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "edit",
    abstract: "Rename, drop, cast or merge weights.",
    discussion: """
      The result is a checkpoint. Its network stays that of the input as long as the tensors are \
      still those that it needs; what was done stands in the card.

      Merging interpolates: each --merge gives a file and its share, and what the shares leave of 1 \
      is the first file's. Shares below 0 and above 1 extrapolate.

      EXAMPLES
        aviary edit model.h5 half.h5 --cast float16
        aviary edit psnr.h5 balanced.h5 --merge gan.h5:0.2
        aviary edit weights.pth renamed.h5 --rename 'body.{i}=layers.{i+1}'
        aviary edit model.h5 bare.h5 --drop '*.num_batches_tracked'
      """)

  @Argument(
    help: ArgumentHelp("A file of weights, or the name of a checkpoint.", valueName: "in"),
    completion: .models)
  var input: String

  @Argument(
    help: ArgumentHelp("The checkpoint to write.", valueName: "out"),
    completion: .file(extensions: ["h5"]))
  var outputPath: String

  @Option(
    help: ArgumentHelp(
      "Another name for layers or a tensor, with numbers as {i}, {i+1}; may be repeated.",
      valueName: "old=new"),
    transform: Renaming.init)
  var rename: [Renaming] = []

  @Option(
    help: ArgumentHelp(
      "Leave out tensors of this name, with * and ?; may be repeated.", valueName: "pattern"))
  var drop: [String] = []

  @Option(
    help: ArgumentHelp(
      "What the weights are stored as: float32, float16, bfloat16.", valueName: "type"),
    transform: { text in
      guard let type = ElementType(rawValue: text), [.float32, .float16, .bfloat16].contains(type)
      else { throw ValidationError("one of float32, float16, bfloat16 expected") }
      return type
    })
  var cast: ElementType?

  @Option(
    help: ArgumentHelp(
      "Interpolate with another file; may be repeated.", valueName: "file:share"),
    transform: Share.init)
  var merge: [Share] = []

  @OptionGroup var card: CardStatements

  @Flag(help: "Replace the output if it is there.")
  var force = false

  @OptionGroup var weights: WeightsOptions
  @OptionGroup var output: OutputOptions
  @OptionGroup var zooOptions: ZooOptions

  func validate() throws {
    if rename.isEmpty, drop.isEmpty, cast == nil, merge.isEmpty, card.licence == nil,
      card.note.isEmpty
    {
      throw ValidationError(
        "one of --rename, --drop, --cast, --merge, --licence, --note expected, none found")
    }
  }

  func run() throws {
    if let format = TargetFormat(path: outputPath), format != .aviary {
      throw CommandError.checkpointName(outputPath)
    }
    let zoo = try zooOptions.zoo()
    let path = zoo.file(input) ?? input
    let names =
      rename.isEmpty ? nil : try NameMap("--rename", pairs: rename.map { [$0.old, $0.new] })
    let edit = WeightsEdit(
      names: names, dropped: drop, elementType: cast,
      shares: merge.map { .init(path: zoo.file($0.path) ?? $0.path, weight: $0.weight) },
      licence: card.licence, notes: card.note)
    try OutputFile.check(
      outputPath, replaces: force, inputs: [path] + edit.shares.map(\.path))
    let edited = try edit.applied(to: path, weights.importOptions(), registry: zoo.registry)
    let checkpoint = try edited.checkpoint(from: path)
    let hash = try checkpoint.write(to: outputPath)
    try CheckpointFile(outputPath).verify(outputPath)
    var sheet = FactSheet()
    sheet.add("Network", edited.network?.label ?? "none that is known")
    sheet.add("Changes", edited.changes)
    sheet.add("Tensors", "\(checkpoint.tensors.count)")
    sheet.add("Content hash", "\(hash) (read back)")
    try output.print(
      "\(input.printable) -> \(outputPath.printable)\n\n\(sheet.text)",
      json: [
        "input": .string(input), "output": .string(outputPath),
        "changes": .array(edited.changes.map(JSON.string)),
        "contentHash": .string(hash), "tensors": .int(checkpoint.tensors.count),
      ])
  }

  /// `old=new`.
  struct Renaming: Sendable {
    var old: String
    var new: String

    init(_ text: String) throws {
      let parts = text.split(separator: "=", omittingEmptySubsequences: false).map(String.init)
      guard parts.count == 2, !parts[0].isEmpty, !parts[1].isEmpty else {
        throw ValidationError("old=new expected")
      }
      (old, new) = (parts[0], parts[1])
    }
  }

  /// `file:share`.
  struct Share: Sendable {
    var path: String
    var weight: Double

    init(_ text: String) throws {
      guard let colon = text.lastIndex(of: ":"), colon != text.startIndex,
        let weight = Double(text[text.index(after: colon)...]), weight.isFinite
      else { throw ValidationError("file:share expected, such as other.h5:0.5") }
      path = String(text[..<colon])
      self.weight = weight
    }
  }
}
