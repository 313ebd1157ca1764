import ArgumentParser
import AviaryTraining

/// A flag for every field of a recipe, built from the table of fields.
///
/// ArgumentParser finds flags among the children of a value's mirror and passes their values to its
/// decoder under the same names. Both are written by hand here: properties would be a second list
/// of all fields.
struct RecipeOptions: ParsableArguments, CustomReflectable {
  /// The given values, by flag.
  private var values: [String: String] = [:]

  init() {}

  init(from decoder: any Decoder) throws {
    let container = try decoder.container(keyedBy: Key.self)
    for field in RecipeField.all {
      for name in field.flags {
        let key = Key(stringValue: name)
        if field.style == .truth {
          let flag = try container.decode(Flag<Bool?>.self, forKey: key).wrappedValue
          values[name] = flag.map { "\($0)" }
        } else {
          values[name] = try container.decode(Option<String?>.self, forKey: key).wrappedValue
        }
      }
    }
  }

  /// Notes for the user about flags that have been renamed.
  var notes: [String] {
    RecipeField.all.compactMap { field in
      field.formerFlag.flatMap { name in
        values[name].map { _ in "--\(name) is called --\(field.flag) now" }
      }
    }
  }

  /// The weights to start from, where the flag was given.
  var from: String? { values["from"] }

  /// The definitions of the flags.
  var customMirror: Mirror {
    Mirror(
      self,
      children: RecipeField.all.flatMap { field in
        field.flags.map { flag -> (label: String?, value: Any) in
          let name = NameSpecification.customLong(flag)
          let help = ArgumentHelp(
            "\(field.sentence)", valueName: field.placeholder,
            visibility: flag == field.flag ? .default : .hidden)
          let value: Any =
            field.style == .truth
            ? Flag<Bool?>(name: name, inversion: .prefixedNo, help: help)
            : Option<String?>(name: name, help: help, completion: field.completion)
          return (flag, value)
        }
      }, displayStyle: .struct)
  }

  func validate() throws {
    // Report a bad flag before reading anything; the recipe used for this check does not matter.
    var recipe = Recipe("", data: DataRecipe(targets: ""))
    try apply(to: &recipe)
  }

  /// Sets the fields whose flags were given.
  ///
  /// - Throws: `ValidationError` that names the flag.
  func apply(to recipe: inout Recipe) throws {
    for field in RecipeField.all {
      let given = field.flags.filter { values[$0] != nil }
      guard given.count <= 1 else {
        throw ValidationError("--\(given[0]) and --\(given[1]) are one option; give one of them")
      }
      guard let flag = given.first, let value = values[flag] else { continue }
      do throws(TrainingError) { try field.set(flag: value, in: &recipe) } catch {
        throw ValidationError("\(error)")
      }
    }
  }

  /// A flag's name, as the decoder asks for it.
  private struct Key: CodingKey {
    var stringValue: String
    var intValue: Int? { nil }
    init(stringValue: String) { self.stringValue = stringValue }
    init?(intValue: Int) { nil }
  }
}

extension RecipeField {
  /// The flag, and the one of version 0.2.
  fileprivate var flags: [String] { [flag] + (formerFlag.map { [$0] } ?? []) }

  /// The help text, with accepted values and default.
  fileprivate var sentence: String {
    // "a folder" says nothing about which names and paths there are.
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
