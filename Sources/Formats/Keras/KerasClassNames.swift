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
  /// that a small letter follows, unless at the beginning, and between a small letter and a capital.
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
