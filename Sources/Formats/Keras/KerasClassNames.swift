import AviaryContainers

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

extension KerasModel {
  /// What holds each layer in Keras 3's files, in the order of `order`: its class's name in small
  /// letters with a counter (keras/src/utils/naming.py, keras/src/saving/saving_lib.py).
  package var members: [String] {
    var counts: [String: Int] = [:]
    return order.map { position in
      let name = Self.snakeCase(layers[position].className)
      let count = counts[name, default: 0]
      counts[name] = count + 1
      return count == 0 ? name : "\(name)_\(count)"
    }
  }

  /// `Conv2DTranspose` as `conv2d_transpose`, `PReLU` as `p_re_lu`: an underscore before a capital
  /// that a small letter follows, unless at the beginning, and between a small letter and a
  /// capital.
  package static func snakeCase(_ name: String) -> String {
    let letters = Array(name)
    // The first rule, whose matches do not overlap: any letter, a capital, small letters.
    var first: [Character] = []
    var i = 0
    while i < letters.count {
      first.append(letters[i])
      if i + 2 < letters.count, letters[i + 1].isUppercase, letters[i + 2].isLowercase {
        first.append("_")
        i += 1
        repeat {
          first.append(letters[i])
          i += 1
        } while i < letters.count && letters[i].isLowercase
      } else {
        i += 1
      }
    }
    var result = ""
    for (position, letter) in first.enumerated() {
      if position > 0, letter.isUppercase, first[position - 1].isLowercase { result += "_" }
      result.append(letter)
    }
    return result.lowercased()
  }
}

/// Names in Keras files: lists of them in attributes, and paths made of them.
enum KerasNames {
  /// The strings of an attribute, or of its parts: HDF5 limits an object's header to 64 KiB, and
  /// Keras splits what is longer into `layer_names0`, `layer_names1`, ….
  ///
  /// - Returns: nil where the group has no such attribute.
  static func list(
    _ name: String, of group: HDF5Tree.Group, path: String
  ) throws(CheckpointError) -> [String]? {
    if let whole = group.attributes[name] {
      return try strings(whole, "\(group.path), attribute \(name)", path)
    }
    var all: [String] = []
    var count = 0
    while let part = group.attributes["\(name)\(count)"] {
      all += try strings(part, "\(group.path), attribute \(name)\(count)", path)
      count += 1
    }
    return count == 0 ? nil : all
  }

  /// A text in an attribute, or in its parts.
  static func text(_ name: String, of group: HDF5Tree.Group) -> String? {
    if let whole = group.attributes[name]?.string { return whole }
    var parts: [String] = []
    while let part = group.attributes["\(name)\(parts.count)"]?.string { parts.append(part) }
    return parts.isEmpty ? nil : parts.joined()
  }

  /// The parts of a path in a file: without a leading slash, with Windows' backslashes made
  /// slashes.
  ///
  /// - Throws: `.damaged` for a path that leads out of its group.
  static func parts(
    _ name: String, _ part: String, _ path: String
  ) throws(CheckpointError) -> [String] {
    let parts = name.split { $0 == "/" || $0 == "\\" }.map(String.init)
    guard !parts.isEmpty, !parts.contains(where: { $0 == ".." || $0 == "." }) else {
      throw .damaged(
        path: path, part: part, reason: "expected a name inside the group, found '\(name)'")
    }
    return parts
  }

  /// A variable's name less the number of its output in TensorFlow: `kernel` for `kernel:0`.
  static func withoutOutput(_ name: String) -> String {
    guard let colon = name.lastIndex(of: ":"), Int(name[name.index(after: colon)...]) != nil
    else { return name }
    return String(name[..<colon])
  }

  /// "1 tensor", "2 tensors".
  static func tensors(_ count: Int) -> String { count == 1 ? "1 tensor" : "\(count) tensors" }

  private static func strings(
    _ attribute: HDF5Attribute, _ part: String, _ path: String
  ) throws(CheckpointError) -> [String] {
    switch attribute {
    case .strings(let strings): return strings
    // A list of no names is stored as one of no numbers.
    case .floats(let numbers) where numbers.isEmpty: return []
    case .integers(let numbers) where numbers.isEmpty: return []
    case .floats, .integers:
      throw .damaged(path: path, part: part, reason: "expected a list of names, found numbers")
    }
  }
}
