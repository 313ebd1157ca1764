/// What the classes of Keras's layers compute, by the names that they have in configurations
/// (`Conv2DTranspose`) and, in snake case and with a counter, in files of weights
/// (`conv2d_transpose_1`).
enum KerasClass {
  /// What a class computes; nil for a class without weights, or one that is not Keras's own.
  static func kind(ofClass name: String) -> ExternalLayer.Kind? {
    // Of a registered class only what comes after the package counts.
    let own = name.split(separator: ">").last.map(String.init) ?? name
    return ExchangedOperations.kerasKinds[own.lowercased().filter { $0 != "_" }]
  }

  /// What a layer computes whose name was made of its class and a counter.
  static func kind(ofName name: String) -> ExternalLayer.Kind? {
    kind(ofClass: withoutCounter(name))
  }

  /// Whether a name is one that Keras makes of this snake-case class: `conv2d`, `conv2d_12`.
  static func isMade(_ name: String, of snakeClass: String) -> Bool {
    withoutCounter(name) == snakeClass
  }

  /// A name less the counter behind it: `conv2d` for `conv2d_12`.
  static func withoutCounter(_ name: String) -> String {
    let digits = name.reversed().prefix { $0.isASCII && $0.isNumber }.count
    let rest = name.dropLast(digits)
    return digits > 0 && rest.last == "_" && rest.count > 1 ? String(rest.dropLast()) : name
  }

  /// The counter behind a name; 0 where there is none, as for the first of a class.
  static func counter(_ name: String) -> Int {
    let base = withoutCounter(name)
    return base.count < name.count ? Int(name.dropFirst(base.count + 1)) ?? 0 : 0
  }

  /// A class in snake case, as Keras 3 makes names of classes (keras/src/utils/naming.py).
  static func snake(_ name: String) -> String {
    let own = Array(name.split(separator: ">").last ?? "").filter {
      $0.isLetter || $0.isNumber || $0 == "_"
    }
    func isUpper(_ c: Character) -> Bool { c.isASCII && c.isUppercase }
    func isLower(_ c: Character) -> Bool { c.isASCII && c.isLowercase }
    // Before a capital that begins a word of small letters; then between a small letter and a
    // capital.
    var words: [Character] = []
    for (i, c) in own.enumerated() {
      let startsWord = i + 1 < own.count && isLower(own[i + 1])
      if i > 0, isUpper(c), startsWord || isLower(own[i - 1]) { words.append("_") }
      words.append(c)
    }
    let text = String(words).lowercased()
    return text.hasPrefix("_") ? "private" + text : text
  }
}
