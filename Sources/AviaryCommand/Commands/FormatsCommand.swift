import ArgumentParser
import AviaryGraph
import AviaryImage

/// `aviary formats`: the formats of images that this build reads and writes.
struct FormatsCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "formats",
    abstract: "List the image formats that are read and written.",
    discussion: """
      What a file is decides its content; what is written, the name's ending or --format. Depth, \
      alpha, profiles, EXIF, XMP, texts and the density are kept where the format written can hold \
      them; what it cannot is told.

      EXAMPLES
        aviary formats
        aviary formats --json
      """)

  @OptionGroup var output: OutputOptions

  func run() throws {
    var table = TextTable(["Format", "Endings", "Read", "Written", "Depths", "Holds"], numeric: [])
    table.rows = ImageFormat.all.map { format in
      [
        format.name, format.endings.joined(separator: ", "),
        ImageFormat.readable.contains(format) ? "yes" : "no",
        ImageFormat.writable.contains(format) ? "yes" : "no",
        format.writtenDepths.map(\.text).joined(separator: ", "),
        format.writtenParts.joined(separator: ", "),
      ]
    }
    try output.print(
      table.text,
      json: .array(
        ImageFormat.all.map { format in
          [
            "name": .string(format.name), "endings": .array(format.endings.map(JSON.string)),
            "isRead": .bool(ImageFormat.readable.contains(format)),
            "isWritten": .bool(ImageFormat.writable.contains(format)),
            "depths": .array(format.writtenDepths.map { .string($0.text) }),
            "holds": .array(format.writtenParts.map(JSON.string)),
          ]
        }))
  }
}

extension BitDepth {
  fileprivate var text: String { self == .float ? "float" : "\(rawValue)" }
}
