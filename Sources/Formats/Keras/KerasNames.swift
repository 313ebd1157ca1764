import AviaryContainers

/// Names in Keras files: lists of them in attributes, and paths made of them.
enum KerasNames {
  /// The strings of an attribute, or of its parts: HDF5 limits an object's header to 64 KiB, and Keras
  /// splits what is longer into `layer_names0`, `layer_names1`, ….
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

  /// The parts of a path in a file: without a leading slash, with Windows' backslashes made slashes.
  ///
  /// - Throws: `.damaged` for a path that leads out of its group.
  static func parts(
    _ name: String, _ part: String, _ path: String
  ) throws(CheckpointError) -> [String] {
    let parts = name.split { $0 == "/" || $0 == "\\" }.map(String.init)
    guard !parts.isEmpty, !parts.contains(where: { $0 == ".." || $0 == "." }) else {
      throw .damaged(
        path: path, part: part, reason: "a name inside the group expected, '\(name)' found")
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
      throw .damaged(path: path, part: part, reason: "a list of names expected, numbers found")
    }
  }
}
