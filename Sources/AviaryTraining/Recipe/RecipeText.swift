internal import AviaryGraph

extension Double {
  /// The shortest text that reads back as this number; integers without a decimal point.
  var brief: String {
    magnitude < 1e15 && self == rounded() && !(self == 0 && sign == .minus)
      ? "\(Int(self))" : "\(self)"
  }
}

extension String {
  /// The text as a value in YAML's flow style, quoted unless it is unambiguous without quotes.
  var quotedIfNeeded: String {
    // Text that begins with a letter, or with a point and a slash, is not a number; that leaves
    // words with another meaning.
    let words = ["true", "false", "yes", "no", "on", "off", "null", "none", "y", "n"]
    let isPlain =
      !isEmpty && !words.contains(lowercased())
      && utf8.allSatisfy { byte in
        switch byte {
        case 0x30...0x39, 0x41...0x5A, 0x61...0x7A: true
        default: "_-./".utf8.contains(byte)
        }
      }
      && utf8.contains { (0x41...0x5A).contains($0) || (0x61...0x7A).contains($0) }
      && first.map { $0.isLetter || $0 == "." || $0 == "/" } == true
      && RecipeNode(text: self).number == nil
    return isPlain ? self : quoted
  }

  /// In double quotes, with escapes that YAML and JSON share.
  var quoted: String {
    var text = "\""
    for scalar in unicodeScalars {
      switch scalar {
      case "\"": text += "\\\""
      case "\\": text += "\\\\"
      case "\n": text += "\\n"
      case "\t": text += "\\t"
      case "\r": text += "\\r"
      default:
        // What YAML cannot contain literally: control characters, line separators, the byte order
        // mark, non-characters.
        let code = scalar.value
        if code < 0x20 || (0x7F..<0xA0).contains(code) || (0x2028...0x2029).contains(code)
          || code == 0xFEFF || code & 0xFFFE == 0xFFFE
        {
          let digits = String(code, radix: 16)
          let width = code > 0xFFFF ? 8 : 4
          text += code > 0xFFFF ? "\\U" : "\\u"
          text += String(repeating: "0", count: width - digits.count) + digits
        } else {
          text.unicodeScalars.append(scalar)
        }
      }
    }
    return text + "\""
  }

  /// The parts before and after the first occurrence of a separator; the whole text if there is
  /// none.
  func halves(at separator: String) -> [String] {
    let text = Array(utf8), mark = Array(separator.utf8)
    guard text.count > mark.count,
      let place = (0...text.count - mark.count).first(where: {
        text[$0..<$0 + mark.count].elementsEqual(mark)
      })
    else { return [self] }
    return [
      String(decoding: text[..<place], as: UTF8.self),
      String(decoding: text[(place + mark.count)...], as: UTF8.self),
    ]
  }
}

extension JSON {
  /// The value in YAML's flow style, members by name.
  var flow: String {
    switch self {
    case .null: "null"
    case .bool(let value): "\(value)"
    case .int(let value): "\(value)"
    case .number(let value): value.brief
    case .string(let value): value.quoted
    case .array(let elements): "[\(elements.map(\.flow).joined(separator: ", "))]"
    case .object(let members):
      "{\(members.sorted { $0.key < $1.key }.map { "\($0.key.quotedIfNeeded): \($0.value.flow)" }.joined(separator: ", "))}"
    }
  }
}
