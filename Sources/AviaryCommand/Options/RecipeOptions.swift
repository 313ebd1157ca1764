import ArgumentParser
import AviaryTraining

/// A flag for every field of a recipe, made of the table of fields.
///
/// ArgumentParser finds flags among the children of a value's mirror, and hands their values to its
/// decoder by the same names. Both are written out here instead of being left to properties, which
/// would be a second list of all fields.
struct RecipeOptions: ParsableArguments, CustomReflectable {
  /// The values that were given, by the fields' flags.
  private var values: [String: String] = [:]

  init() {}

  init(from decoder: any Decoder) throws {
    let container = try decoder.container(keyedBy: Key.self)
    for field in RecipeField.all {
      let key = Key(stringValue: field.flag)
      if field.style == .truth {
        let flag = try container.decode(Flag<Bool?>.self, forKey: key).wrappedValue
        values[field.flag] = flag.map { "\($0)" }
      } else {
        values[field.flag] = try container.decode(Option<String?>.self, forKey: key).wrappedValue
      }
    }
  }

  /// The definitions of the flags.
  var customMirror: Mirror {
    Mirror(
      self,
      children: RecipeField.all.map { field -> (label: String?, value: Any) in
        let name = NameSpecification.customLong(field.flag)
        let help = ArgumentHelp(
          "\(field.sentence)", valueName: field.placeholder)
        let value: Any =
          field.style == .truth
          ? Flag<Bool?>(name: name, inversion: .prefixedNo, help: help)
          : Option<String?>(
            name: name, help: help, completion: field.completion)
        return (field.flag, value)
      }, displayStyle: .struct)
  }

  func validate() throws {
    // What is wrong with a flag is said before anything is read; the recipe itself is of no matter.
    var recipe = Recipe("", data: DataRecipe(targets: ""))
    try apply(to: &recipe)
  }

  /// Sets the fields whose flags were given.
  ///
  /// - Throws: `ValidationError` that names the flag.
  func apply(to recipe: inout Recipe) throws {
    for field in RecipeField.all {
      guard let value = values[field.flag] else { continue }
      do throws(TrainingError) { try field.set(flag: value, in: &recipe) } catch {
        throw ValidationError("\(error)")
      }
    }
  }

  /// A flag's name where the decoder asks for it.
  private struct Key: CodingKey {
    var stringValue: String
    var intValue: Int? { nil }
    init(stringValue: String) { self.stringValue = stringValue }
    init?(intValue: Int) { nil }
  }
}

extension RecipeField {
  /// The help, with what is accepted and the default.
  fileprivate var sentence: String {
    // What names and paths there are is not said by "a folder".
    let accepted = style == .value && placeholder != "mapping" ? expected : nil
    let usual = absent.flatMap { ["none", "[]"].contains($0) ? nil : "default: \($0)" }
    let facts = [accepted, usual].compactMap { $0 }
    return facts.isEmpty || path == "saving.folder"
      ? help : "\(help.dropLast()) (\(facts.joined(separator: "; ")))."
  }

  fileprivate var completion: CompletionKind? {
    switch placeholder {
    case "folder": .directory
    case "checkpoint": .models
    case "word": .list(expected.split(separator: ",").map { $0.filter { $0 != " " } })
    default: path == "architecture" ? .architectures : nil
    }
  }
}
