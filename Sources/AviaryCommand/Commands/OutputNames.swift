import ArgumentParser
import AviaryImage

/// How the files that are written into a folder are called.
struct OutputNames {
  /// What the user states; nil for the input's name with the format's ending.
  let pattern: NamePattern?
  /// The format that the user states; nil where names say it.
  let format: ImageFormat?

  /// The format of images written into a folder, unless stated.
  private static let usual = ImageFormat.writable.first ?? .png

  private var ending: String { (format ?? OutputNames.usual).endings[0] }

  /// Throws unless the names say in what format images are written.
  ///
  /// - Throws: `CommandError.outputName`.
  func check() throws(CommandError) {
    guard let pattern, format == nil else { return }
    let example = pattern.name(name: "name", model: "model", scale: "2", ending: ending)
    guard ImageFormat.writing(example) != nil else { throw .outputName(example) }
  }

  /// A file's name, within its folder.
  ///
  /// - Parameters:
  ///   - input: the name of the file that is read, without its ending.
  ///   - ending: of what is no image.
  func name(of input: String, model: String, scale: String, ending other: String?) -> String {
    let ending = other ?? self.ending
    return pattern?.name(name: input, model: model, scale: scale, ending: ending)
      ?? "\(input).\(ending)"
  }
}

/// A name with fields in braces, such as `{name}-{model}-x{scale}.{ext}`.
struct NamePattern: ExpressibleByArgument {
  /// What a field stands for.
  enum Field: String, CaseIterable {
    case name
    case model
    case scale
    case ext
  }

  private enum Part {
    case text(String)
    case field(Field)
  }

  private let parts: [Part]
  let defaultValueDescription: String

  /// Nil for a field that there is not, a brace without its partner, and names that lead elsewhere.
  init?(argument: String) {
    var parts: [Part] = []
    var rest = argument[...]
    while let open = rest.firstIndex(where: { $0 == "{" || $0 == "}" }) {
      guard rest[open] == "{", let close = rest[open...].firstIndex(of: "}"),
        let field = Field(rawValue: String(rest[rest.index(after: open)..<close]))
      else { return nil }
      if open > rest.startIndex { parts.append(.text(String(rest[..<open]))) }
      parts.append(.field(field))
      rest = rest[rest.index(after: close)...]
    }
    if !rest.isEmpty { parts.append(.text(String(rest))) }
    let folders = argument.split(separator: "/", omittingEmptySubsequences: false)
    guard !parts.isEmpty, folders.allSatisfy({ !["", ".", ".."].contains($0) }) else { return nil }
    (self.parts, defaultValueDescription) = (parts, argument)
  }

  /// The name for one image.
  func name(name: String, model: String, scale: String, ending: String) -> String {
    parts.map { part in
      switch part {
      case .text(let text): text
      case .field(.name): name
      case .field(.model): model
      case .field(.scale): scale
      case .field(.ext): ending
      }
    }.joined()
  }
}
