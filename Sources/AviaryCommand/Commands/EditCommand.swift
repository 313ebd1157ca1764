import AviaryCheckpoint
import AviaryFormats
import AviaryFiles
import ArgumentParser
import Aviary
import AviaryGraph
import AviaryTensor

/// `aviary edit`: renames, drops, casts and interpolates weights.
struct EditCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "edit",
    abstract: "Rename, drop, cast or merge weights.",
    discussion: """
      The result is a checkpoint. It keeps the input's network as long as the tensors still fit it; \
      the model card records the edits.

      --interpolate blends two checkpoints of one network: 0 gives the first, 1 the second. --merge \
      blends several: each gives a file and its share; the first file gets the rest up to 1. Shares \
      below 0 and above 1 extrapolate.

      EXAMPLES
        aviary edit model.h5 half.h5 --cast float16
        aviary edit psnr.h5 gan.h5 balanced.h5 --interpolate 0.2
        aviary edit psnr.h5 balanced.h5 --merge gan.h5:0.2 --merge sharp.h5:0.1
        aviary edit weights.pth renamed.h5 --rename 'body.{i}=layers.{i+1}'
        aviary edit model.h5 bare.h5 --drop '*.num_batches_tracked'
      """)

  @Argument(
    help: ArgumentHelp("Weights file of any format, or the name of a checkpoint.", valueName: "in"),
    completion: .models)
  var input: String

  @Argument(
    help: ArgumentHelp(
      "Checkpoint to write; with --interpolate, the second file and the checkpoint to write.",
      valueName: "out"),
    completion: .file(extensions: ["h5"]))
  var others: [String]

  @Option(
    help: ArgumentHelp(
      "Rename layers or a tensor, with {i}, {i+1} for numbers; may be repeated.",
      valueName: "old=new"),
    transform: Renaming.init)
  var rename: [Renaming] = []

  @Option(
    help: ArgumentHelp(
      "Drop tensors that match this pattern (* and ?); may be repeated.", valueName: "pattern"))
  var drop: [String] = []

  @Option(
    help: ArgumentHelp(
      "Data type to store weights in: float32, float16, bfloat16.", valueName: "type"),
    transform: { text in
      guard let type = ElementType(rawValue: text), [.float32, .float16, .bfloat16].contains(type)
      else { throw ValidationError("expected one of float32, float16, bfloat16") }
      return type
    })
  var cast: ElementType?

  @Option(
    help: ArgumentHelp(
      "Blend two files of one network: the second one's share.", valueName: "share"),
    transform: { text in
      guard let share = Double(text), share.isFinite else {
        throw ValidationError("expected a number, such as 0.5")
      }
      return share
    })
  var interpolate: Double?

  @Option(
    help: ArgumentHelp(
      "Interpolate with another file; may be repeated.", valueName: "file:share"),
    transform: Share.init)
  var merge: [Share] = []

  @OptionGroup var card: CardStatements

  @Flag(help: "Overwrite the output if it exists.")
  var force = false

  @OptionGroup var weights: WeightsOptions
  @OptionGroup var output: OutputOptions
  @OptionGroup var zooOptions: ZooOptions

  func validate() throws {
    if rename.isEmpty, drop.isEmpty, cast == nil, merge.isEmpty, interpolate == nil,
      card.licence == nil, card.note.isEmpty
    {
      throw ValidationError(
        "nothing to do; give --rename, --drop, --cast, --interpolate, --merge, --licence or --note")
    }
    if interpolate != nil, !merge.isEmpty {
      throw ValidationError("--interpolate and --merge are one operation; give one of them")
    }
    let wanted = interpolate == nil ? 1 : 2
    guard others.count == wanted else {
      throw ValidationError(
        interpolate == nil
          ? "expected one checkpoint to write, found \(others.count) names"
          : "expected two files and the checkpoint to write, found \(others.count + 1) names; "
            + "use: aviary edit A B OUT --interpolate SHARE")
    }
  }

  /// The checkpoint to write.
  private var outputPath: String { others[others.count - 1] }

  /// The files to blend with, and their shares.
  private var shares: [Share] {
    interpolate.map { [Share(path: others[0], weight: $0)] } ?? merge
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
      shares: shares.map { .init(path: zoo.file($0.path) ?? $0.path, weight: $0.weight) },
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
        throw ValidationError("expected old=new")
      }
      (old, new) = (parts[0], parts[1])
    }
  }

  /// `file:share`.
  struct Share: Sendable {
    var path: String
    var weight: Double

    init(path: String, weight: Double) { (self.path, self.weight) = (path, weight) }

    init(_ text: String) throws {
      guard let colon = text.lastIndex(of: ":"), colon != text.startIndex,
        let weight = Double(text[text.index(after: colon)...]), weight.isFinite
      else { throw ValidationError("expected file:share, such as other.h5:0.5") }
      path = String(text[..<colon])
      self.weight = weight
    }
  }
}
