/// The scale that a file's name states: `FSRCNN-x4.pt`, `4x_foolhardy.pth`, `espcn_x3.pth`.
struct ScaleInName: Equatable {
  /// How many times as large images become.
  let scale: Int
  /// The word that says so.
  let text: String

  /// - Returns: nil where the name states none, or several.
  init?(_ name: String) {
    // `.` ends a word, so that `x4.pth` is one; a sign within a word (`fx4`) is none.
    let words = name.lowercased().split { !$0.isASCII || !($0.isLetter || $0.isNumber) }
    let found = words.compactMap { word -> (scale: Int, text: String)? in
      guard word.count == 2, word.hasPrefix("x") || word.hasSuffix("x"),
        let scale = Int(word.filter { $0 != "x" }), (1...8).contains(scale)
      else { return nil }
      return (scale, String(word))
    }
    guard let first = found.first, found.allSatisfy({ $0.scale == first.scale }) else { return nil }
    (scale, text) = first
  }
}
