import AviaryCheckpoint
import AviaryContainers
import AviaryFiles
import AviaryTensor

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
      throw .damaged(path: path, part: "line 1", reason: "expected 7767517")
    }
    let counts = lines[1].split(separator: " ").compactMap { Int($0) }
    guard counts.count == 2, counts[0] > 0 else {
      throw .damaged(path: path, part: "line 2", reason: "expected the counts of layers and blobs")
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
        path: path, part: "the text", reason: "expected \(counts[0]) layers, found \(layers.count)")
    }
    let names = Dictionary(grouping: layers, by: \.name)
    if let twice = names.first(where: { $1.count > 1 }) {
      throw .damaged(
        path: path, part: "line \(twice.value[1].line)", reason: "a second layer \(twice.key)")
    }
    return NCNNNetwork(layers: withTensorNames(layers))
  }

  /// The layers under names that tensors can have: links of HDF5, and paths in a state dict. ncnn's
  /// may hold slashes, as those that come from TensorFlow do.
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
      throw .damaged(path: path, part: part, reason: "expected a type, a name and blobs")
    }
    var layer = NCNNLayer(
      type: words[0], name: words[1], inputs: Array(words[4..<4 + inputs]),
      outputs: Array(words[4 + inputs..<4 + inputs + outputs]), line: number)
    for word in words[(4 + inputs + outputs)...] {
      guard let (key, values) = attribute(word) else {
        throw .damaged(
          path: path, part: part, reason: "\(layer.name): expected number=value, found \(word)")
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

/// A run of numbers that a layer takes from the `.bin` file, in the order in which ncnn's layers
/// read them (`load_model` in ncnn/src/layer).
struct NCNNWeight {
  /// The last part of the parameter's name.
  var suffix: String
  /// The dimensions as they lie in the file.
  var shape: [Int]
  /// Whether a mark before the elements says how they are stored; plain float32 otherwise.
  var isMarked: Bool
  /// What brings them into PyTorch's layout.
  var steps: [TensorStep] = []

  /// What a layer takes.
  ///
  /// - Throws: `CheckpointError.unsupported` for a class of layer that is not known, as what
  ///   follows in the file cannot be found then; `.damaged` for attributes that contradict each
  ///   other.
  static func of(_ layer: NCNNLayer, path: String) throws(CheckpointError) -> [NCNNWeight] {
    let described = NCNNWeightLayer(layer: layer, path: path)
    if layer.type == "MemoryData" { return [try described.constant()] }
    if let operation = ExchangedOperations.ncnn[layer.type] {
      return try operation.ncnnWeights(described)
    }
    guard weightless.contains(layer.type) else {
      throw .unsupported(
        path: path, what: "line \(layer.line), layer \(layer.name): class \(layer.type)")
    }
    return []
  }

  /// Classes that take nothing from the `.bin` file, besides those that are read.
  private static let weightless: Set<String> = [
    "AbsVal", "ArgMax", "BNLL", "CELU", "DeepCopy", "Erf", "Exp", "ExpandDims", "Fold", "GLU",
    "Input", "Log", "LRN", "MatMul", "Mish", "Noop", "Packing", "Permute", "Power",
    "Reorg", "SELU", "Shrink", "ShuffleChannel", "Softplus", "Split", "Squeeze", "Threshold",
    "Tile", "Unfold",
  ]
}

/// A layer whose attributes say what it takes from the `.bin` file.
struct NCNNWeightLayer {
  var layer: NCNNLayer
  /// The file, for messages.
  var path: String

  /// The error for attributes that contradict each other.
  func damaged(_ reason: String) -> CheckpointError {
    .damaged(path: path, part: "line \(layer.line), layer \(layer.name)", reason: reason)
  }

  /// An attribute that is a count.
  func size(_ number: Int, default absent: Int = 0) throws(CheckpointError) -> Int {
    guard let value = layer.integer(number, default: absent), value >= 0 else {
      throw damaged("attribute \(number): expected an integer of 0 or more")
    }
    return value
  }

  /// What is left of a count when it is divided by the known dimensions.
  func quotient(_ count: Int, by known: [Int]) throws(CheckpointError) -> Int {
    guard let product = try? Tensor.count(of: known), product > 0, count > 0,
      count.isMultiple(of: product)
    else { throw damaged("a kernel of \(count) numbers does not divide by \(known)") }
    return count / product
  }

  /// Plain vectors of one length.
  func vectors(_ suffixes: [String], _ count: Int) -> [NCNNWeight] {
    suffixes.map { NCNNWeight(suffix: $0, shape: [count], isMarked: false) }
  }

  /// Refuses weights that are stored as integers.
  func requireFloats() throws(CheckpointError) {
    guard try size(8) == 0 else {
      throw .unsupported(path: path, what: "layer \(layer.name): weights of 8 bits")
    }
  }

  /// The kernel of a convolution (output channels, inputs of a group, height, width) and its bias,
  /// and in how many groups it works.
  func kernel() throws(CheckpointError) -> (weights: [NCNNWeight], groups: Int) {
    try requireFloats()
    let filters = try size(0)
    let kernel = [try size(11, default: try size(1)), try size(1)]
    let groups = layer.type.hasSuffix("DepthWise") ? try size(7, default: 1) : 1
    guard groups > 0, filters.isMultiple(of: groups) else { throw damaged("\(groups) groups") }
    let inputs = try quotient(try size(6), by: [filters] + kernel)
    let weight = NCNNWeight(suffix: "weight", shape: [filters, inputs] + kernel, isMarked: true)
    return ([weight] + (try size(5) == 0 ? [] : vectors(["bias"], filters)), groups)
  }

  /// A constant of the network.
  fileprivate func constant() throws(CheckpointError) -> NCNNWeight {
    let sizes = [try size(2), try size(11), try size(1), try size(0)].filter { $0 > 0 }
    let type = try size(21, default: 1)
    guard type <= 1 else {
      throw .unsupported(path: path, what: "layer \(layer.name): constants of another type")
    }
    return NCNNWeight(suffix: "data", shape: sizes, isMarked: type == 0)
  }
}
