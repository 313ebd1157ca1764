internal import AviaryContainers
internal import AviaryFiles
public import AviaryGraph

extension NameMap {
  /// Reads rules from a file: `[["name in the file", "name in the network"], …]`; the first rule
  /// that matches a layer applies.
  ///
  /// - Throws: `CheckpointError.cannotRead`; `GraphError` if it is not a list of pairs of patterns.
  public init(contentsOf path: String) throws {
    let text: String
    do {
      let file = try InputFile(path)
      // Nobody writes a longer list of rules by hand.
      let bytes = try file.bytes(at: 0, count: min(file.byteCount, 1 << 24))
      text = String(decoding: bytes, as: UTF8.self)
    } catch {
      throw CheckpointError(error)
    }
    let json = try JSON(parsing: text)
    guard let pairs = json.array else {
      throw GraphError.member(path, expected: "an array of pairs of names", found: json.kind)
    }
    try self.init(path, pairs: pairs.map { $0.array?.compactMap(\.string) ?? [] })
  }
}
