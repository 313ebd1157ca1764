import AviaryContainers
import AviaryFiles

/// Reads the text of layers.
enum NCNNParameters {
  /// Far more text than any network has.
  private static let byteLimit = 32 << 20
  /// As many layers as a graph may have nodes.
  private static let layerLimit = 20_000
  /// More numbers than any layer has as an attribute.
  private static let arrayLimit = 1 << 16

  /// Reads a `.param` file: a magic number, the counts of layers and blobs, a line for each layer.
  static func read(_ path: String) throws(CheckpointError) -> NCNNNetwork {
    let file = try InputFile(weights: path)
    guard file.byteCount <= byteLimit else {
      throw .tooLarge(path: path, part: "the text, bytes", limit: byteLimit, found: file.byteCount)
    }
    let bytes = try file.read(at: 0, count: file.byteCount, part: "the text")
    let lines = String(decoding: bytes, as: UTF8.self).split(
      omittingEmptySubsequences: false, whereSeparator: \.isNewline)
    guard lines.count >= 2, lines[0].split(separator: " ").first == "7767517" else {
      throw .damaged(path: path, part: "line 1", reason: "7767517 expected")
    }
    let counts = lines[1].split(separator: " ").compactMap { Int($0) }
    guard counts.count == 2, counts[0] > 0 else {
      throw .damaged(path: path, part: "line 2", reason: "the counts of layers and blobs expected")
    }
    guard counts[0] <= layerLimit else {
      throw .tooLarge(path: path, part: "layers", limit: layerLimit, found: counts[0])
    }
    var layers: [NCNNLayer] = []
    var blobs: Set<String> = []
    for (position, line) in lines.enumerated().dropFirst(2)
    where !line.allSatisfy(\.isWhitespace) && layers.count < counts[0] {
      let layer = try layer(line, number: position + 1, path: path)
      for input in layer.inputs where !blobs.contains(input) {
        throw .damaged(
          path: path, part: "line \(position + 1)", reason: "blob \(input) is given by no layer")
      }
      for output in layer.outputs where !blobs.insert(output).inserted {
        throw .damaged(
          path: path, part: "line \(position + 1)", reason: "blob \(output) is given twice")
      }
      layers.append(layer)
    }
    guard layers.count == counts[0] else {
      throw .damaged(
        path: path, part: "the text", reason: "\(counts[0]) layers expected, \(layers.count) found")
    }
    let names = Dictionary(grouping: layers, by: \.name)
    if let twice = names.first(where: { $1.count > 1 }) {
      throw .damaged(
        path: path, part: "line \(twice.value[1].line)", reason: "a second layer \(twice.key)")
    }
    return NCNNNetwork(layers: withTensorNames(layers))
  }

  /// The layers under names that tensors can have: links of HDF5, and paths in a state dict. ncnn's may
  /// hold slashes, as those that come from TensorFlow do.
  private static func withTensorNames(_ layers: [NCNNLayer]) -> [NCNNLayer] {
    var taken = Set(layers.map(\.name))
    return layers.map { layer in
      let parts = layer.name.split { $0 == "/" || $0 == "." || $0 == "\0" }
      let plain = parts.isEmpty ? "layer" : parts.joined(separator: ".")
      guard plain != layer.name else { return layer }
      var renamed = layer
      renamed.name = plain
      // Another layer may have the name already.
      var number = 1
      while !taken.insert(renamed.name).inserted {
        number += 1
        renamed.name = "\(plain)_\(number)"
      }
      return renamed
    }
  }

  /// `type name inputs outputs input… output… attribute…`
  private static func layer(
    _ line: Substring, number: Int, path: String
  ) throws(CheckpointError) -> NCNNLayer {
    let part = "line \(number)"
    let words = line.split(whereSeparator: \.isWhitespace).map(String.init)
    guard words.count >= 4, let inputs = Int(words[2]), let outputs = Int(words[3]),
      (0...words.count).contains(inputs), (0...words.count).contains(outputs),
      words.count >= 4 + inputs + outputs
    else {
      throw .damaged(path: path, part: part, reason: "a type, a name and blobs expected")
    }
    var layer = NCNNLayer(
      type: words[0], name: words[1], inputs: Array(words[4..<4 + inputs]),
      outputs: Array(words[4 + inputs..<4 + inputs + outputs]), line: number)
    for word in words[(4 + inputs + outputs)...] {
      guard let (key, values) = attribute(word) else {
        throw .damaged(
          path: path, part: part, reason: "\(layer.name): number=value expected, \(word) found")
      }
      layer.attributes[key] = values
    }
    return layer
  }

  /// `3=0.5`, or `-23303=2,0.5,1`: an array has a negative key and its length first; newer files
  /// write `3=0.5,1`.
  private static func attribute(_ word: String) -> (key: Int, values: [Double])? {
    let sides = word.split(separator: "=", omittingEmptySubsequences: false)
    guard sides.count == 2, let key = Int(sides[0]) else { return nil }
    let texts = sides[1].split(separator: ",")
    guard texts.count <= arrayLimit else { return nil }
    var values = texts.compactMap { Double($0) }
    guard values.count == texts.count, values.allSatisfy(\.isFinite), !values.isEmpty else {
      return nil
    }
    if (0..<32).contains(key) { return (key, values) }
    guard (-23331 ... -23300).contains(key), values.removeFirst() == Double(values.count) else {
      return nil
    }
    return (-23300 - key, values)
  }
}
