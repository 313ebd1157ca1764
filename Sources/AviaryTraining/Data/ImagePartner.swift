import AviaryImage
import FoundationEssentials

/// The names of low-resolution pictures beside their originals'.
package enum ImagePartner {
  /// The name, in `folder`, of the picture that belongs to an original; nil where there is none.
  ///
  /// - Parameter name: the original's, within its own folder.
  package static func name(of name: String, scale: Int, in folder: String) -> String? {
    candidates(name, scale: scale)
      .first { FileManager.default.fileExists(atPath: "\(folder)/\($0)") }
  }

  /// Published sets append the scale to names, or say LR where the original says HR, or neither;
  /// compressed pictures have the same name with another ending.
  static func candidates(_ name: String, scale: Int) -> [String] {
    let stem = name.prefix(upTo: name.lastIndex(of: ".") ?? name.endIndex)
    let lossless = ImageFormat.png.endings[0]
    // The customary ending of each format that is read; the others are hardly met.
    let endings = ImageFormat.readable.map { $0.endings[0] }
    let names =
      [name, "\(stem)x\(scale).\(lossless)", "\(stem)_x\(scale).\(lossless)"]
      + endings.map { "\(stem).\($0)" } + [name.replacing("HR", with: "LR")]
    // Without repetitions: they stand in messages.
    return names.indices.filter { names.firstIndex(of: names[$0]) == $0 }.map { names[$0] }
  }
}
