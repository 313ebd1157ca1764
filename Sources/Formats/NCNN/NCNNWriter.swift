import AviaryCheckpoint
import AviaryGraph
import AviaryTensor

/// A network of ours on its way to ncnn's layers.
///
/// ncnn knows no dimension of images: what is `[n, c, h, w]` here has three dimensions there, and
/// whatever does something with the first is refused.
struct NCNNWriter {
  /// An attribute of a layer. ncnn tells floating point by its '.' or 'e'.
  enum Attribute {
    case integer(Int)
    case float(Double)
    case integers([Int])
  }

  /// What a layer takes from the file of weights, in PyTorch's layout.
  enum Content {
    case parameter(String)
    case constant(Tensor)
  }

  let graph: Graph
  private(set) var layers: [NCNNDraft] = []
  /// The shapes of our values for one large image.
  private(set) var shapes: [[Int]] = []
  /// The same for two images of another size.
  private var others: [[Int]] = []
  private let weights: TensorSource
  /// The blobs that our values are.
  private var blobs: [String] = []
  private var usedLayers: Set<String> = []
  private var usedBlobs: Set<String> = []

  init(_ graph: Graph, _ weights: TensorSource) {
    (self.graph, self.weights) = (graph, weights)
    usedBlobs = Set(graph.outputs.map { Self.word($0.name) })
  }

  mutating func writeGraph() throws(InterchangeError) {
    try findShapes()
    let live = liveValues()
    for (value, input) in graph.inputs.enumerated() {
      guard live.contains(value) else {
        throw .target(
          format: Self.format, node: input.name,
          why: "an input that nothing uses is an output in ncnn; remove it")
      }
      var attributes: [(Int, Attribute)] = [(2, .integer(input.channels))]
      if let size = input.size {
        attributes = [(0, .integer(size.width)), (1, .integer(size.height))] + attributes
      }
      let blob = unique(input.name, in: \.usedBlobs)
      blobs.append(blob)
      append("Input", unique(input.name, in: \.usedLayers), [], [blob], attributes)
    }
    for (position, node) in graph.nodes.enumerated() {
      let value = graph.inputs.count + position
      blobs.append(unique(node.name, in: \.usedBlobs))
      if live.contains(value) { try write(node, value) }
    }
    giveOutputs()
    splitBlobs()
  }

  private static let format = "ncnn"

  private mutating func findShapes() throws(InterchangeError) {
    do {
      self.shapes = try graph.exportShapes(count: 1, factor: 1)
    } catch {
      throw .graph(error)
    }
    guard
      let others = (try? graph.exportShapes(count: 2, factor: 2))
        ?? (try? graph.exportShapes(count: 2, factor: 1))
    else {
      // What works for one image alone does something with their dimension.
      throw .target(
        format: Self.format, node: graph.nodes.last?.name ?? "", why: "it takes one image at a time"
      )
    }
    self.others = others
  }

  /// The values that an output depends on.
  private func liveValues() -> Set<Int> {
    var live = Set(graph.outputs.map(\.value))
    for (position, node) in graph.nodes.enumerated().reversed()
    where live.contains(graph.inputs.count + position) {
      live.formUnion(node.inputs)
    }
    return live
  }

  // MARK: - Nodes

  private mutating func write(_ node: Graph.Node, _ value: Int) throws(InterchangeError) {
    guard let operation = node.op.operation as? any NCNNWrittenOperation else {
      throw refusal(node, "ncnn has no layer that computes \(node.op.name)")
    }
    let shape = shapes[value]
    guard node.inputs.isEmpty || shape[0] == 1 && others[value][0] == 2 else {
      throw refusal(node, "ncnn has no dimension of images, which \(node.op.name) changes")
    }
    guard (2...4).contains(shape.count) || node.inputs.isEmpty else {
      throw refusal(node, "expected 2 to 4 dimensions, found a value of shape \(shape)")
    }
    try operation.write(node, value, to: &self)
  }

  /// Whether a value is a constant of the network.
  func isConstant(_ value: Int) -> Bool {
    value >= graph.inputs.count
      && graph.nodes[value - graph.inputs.count].op.operation is LearnedConstant
  }

  /// The blob that a value of ours is.
  func blob(_ value: Int) -> String { blobs[value] }

  /// The size of a dimension where it is the same for every image.
  func fixedSize(_ value: Int, _ dimension: Int) -> Int? {
    let (size, other) = (shapes[value][dimension], others[value][dimension])
    // On the nominal image, sides may be equal that are not.
    return size == other && (dimension < 2 || shapes[value].count < 4 || isSized) ? size : nil
  }

  /// Whether the rows and columns of an image divide by a number whatever the size of the network's
  /// image: sizes are its own times a ratio, and some more or less.
  func sides(_ value: Int, divideBy divisor: Int) -> Bool {
    let multiple = graph.sizeRule().multiple
    let sides = [7_680 / multiple, 7_680 / multiple + 1].map { $0 * multiple }
    let sizes =
      isSized
      ? [shapes[value]]
      : sides.compactMap { side -> [Int]? in
        let inputs = graph.inputs.map {
          [1, $0.channels, $0.size?.height ?? side, $0.size?.width ?? side]
        }
        return (try? graph.shapes(for: inputs))?[value]
      }
    return sizes.count >= (isSized ? 1 : 2)
      && sizes.allSatisfy { $0.suffix(2).allSatisfy { $0 % divisor == 0 } }
  }

  private var isSized: Bool { graph.inputs.allSatisfy { $0.size != nil } }

  /// Adds a layer that gives a value of ours.
  mutating func emit(
    _ type: String, _ node: Graph.Node, _ inputs: [String], _ value: Int,
    _ attributes: [(Int, Attribute)] = [], _ content: [String: Content] = [:]
  ) throws(InterchangeError) {
    let name = unique(node.name, in: \.usedLayers)
    append(type, name, inputs, [blobs[value]], attributes)
    try store(content, node)
  }

  /// Adds a layer on the way, and gives the blob that it gives.
  mutating func step(
    _ type: String, _ node: Graph.Node, _ inputs: [String],
    _ attributes: [(Int, Attribute)] = [], _ content: [String: Content] = [:]
  ) throws(InterchangeError) -> String {
    let name = unique("\(node.name)_\(type.lowercased())", in: \.usedLayers)
    let blob = unique(name, in: \.usedBlobs)
    append(type, name, inputs, [blob], attributes)
    try store(content, node)
    return blob
  }

  /// A constant on the way, of a shape without a dimension of images.
  mutating func constant(
    _ node: Graph.Node, _ numbers: [Double], shape: [Int]
  ) throws(InterchangeError) -> String {
    do {
      let tensor = try Tensor(shape: shape, numbers.map(Float.init))
      return try step("MemoryData", node, [], Self.sizes(shape), ["data": .constant(tensor)])
    } catch {
      throw refusal(node, "\(error)")
    }
  }

  /// A shape of up to three dimensions as `MemoryData` states it.
  static func sizes(_ shape: [Int]) -> [(Int, Attribute)] {
    zip([0, 1, 2], shape.reversed()).map { ($0, .integer($1)) }
  }

  /// An error that names a node.
  func refusal(_ node: Graph.Node, _ why: String) -> InterchangeError {
    .target(format: Self.format, node: node.name, why: why)
  }

  // MARK: - Layers

  private mutating func append(
    _ type: String, _ name: String, _ inputs: [String], _ outputs: [String],
    _ attributes: [(Int, Attribute)] = []
  ) {
    var layer = NCNNLayer(type: type, name: name, inputs: inputs, outputs: outputs, line: 0)
    for (number, attribute) in attributes { layer.attributes[number] = attribute.numbers }
    layers.append(NCNNDraft(layer: layer, text: attributes.map { $1.text(of: $0) }))
  }

  /// Says what the last layer takes from the file of weights: in the order and the layout in which the
  /// reader expects it.
  private mutating func store(
    _ content: [String: Content], _ node: Graph.Node
  ) throws(InterchangeError) {
    guard !content.isEmpty, let layer = layers.last?.layer else { return }
    let wanted: [NCNNWeight]
    do {
      wanted = try NCNNWeight.of(layer, path: layer.name)
    } catch {
      throw refusal(node, "\(error)")
    }
    var stored: [NCNNDraft.Stored] = []
    for weight in wanted {
      guard let given = content[weight.suffix] else {
        throw .weights(layer: layer.name, expected: weight.suffix, found: "nothing")
      }
      if case .parameter(let name) = given { try graph.requireParameter(name, in: weights) }
      stored.append(NCNNDraft.Stored(weight: weight, content: given))
    }
    layers[layers.count - 1].stored = stored
  }

  /// Gives each output a blob of its name.
  private mutating func giveOutputs() {
    for output in graph.outputs {
      let name = Self.word(output.name)
      append("Noop", unique(output.name, in: \.usedLayers), [blobs[output.value]], [name])
      let position = layers.count - 1
      let source = blobs[output.value]
      // A blob that nothing else takes has the name itself.
      guard layers.dropLast().allSatisfy({ !$0.layer.inputs.contains(source) }),
        graph.outputs.count(where: { $0.value == output.value }) == 1,
        output.value >= graph.inputs.count,
        let giver = layers.firstIndex(where: { $0.layer.outputs == [source] })
      else { continue }
      layers.remove(at: position)
      layers[giver].layer.outputs = [name]
    }
  }

  /// In ncnn a blob has one layer that takes it: others get theirs from a layer of class Split.
  private mutating func splitBlobs() {
    var takers: [String: Int] = [:]
    for draft in layers { for blob in draft.layer.inputs { takers[blob, default: 0] += 1 } }
    var left: [String: ArraySlice<String>] = [:]
    var result: [NCNNDraft] = []
    for var draft in layers {
      draft.layer.inputs = draft.layer.inputs.map { left[$0]?.popFirst() ?? $0 }
      result.append(draft)
      for blob in draft.layer.outputs {
        guard let count = takers[blob], count > 1 else { continue }
        let parts = (0..<count).map { unique("\(blob)_split\($0)", in: \.usedBlobs) }
        left[blob] = parts[...]
        let layer = NCNNLayer(
          type: "Split", name: unique("\(blob)_split", in: \.usedLayers), inputs: [blob],
          outputs: parts, line: 0)
        result.append(NCNNDraft(layer: layer))
      }
    }
    layers = result
  }

  /// A word that nothing else of its kind has: ncnn reads up to 255 bytes, and none with a space.
  private mutating func unique(
    _ name: String, in used: WritableKeyPath<NCNNWriter, Set<String>>
  ) -> String {
    let word = Self.word(name)
    var (result, number) = (word, 1)
    while !self[keyPath: used].insert(result).inserted {
      number += 1
      result = "\(word)_\(number)"
    }
    return result
  }

  private static func word(_ name: String) -> String {
    var word = ""
    for character in name {
      let next = character.isWhitespace || character == "\0" ? "_" : character
      // A number may follow.
      guard word.utf8.count + next.utf8.count <= 240 else { break }
      word.append(next)
    }
    return word.isEmpty ? "_" : word
  }
}

/// A layer that is to be written.
struct NCNNDraft {
  /// What it takes from the file of weights.
  struct Stored {
    var weight: NCNNWeight
    var content: NCNNWriter.Content
  }

  var layer: NCNNLayer
  /// Its attributes as the file has them.
  var text: [String] = []
  var stored: [Stored] = []
}

extension NCNNWriter.Attribute {
  fileprivate var numbers: [Double] {
    switch self {
    case .integer(let number): [Double(number)]
    case .float(let number): [number]
    case .integers(let numbers): numbers.map(Double.init)
    }
  }

  /// `0=64`, `1=1e-05`, `-23303=2,1,2`.
  fileprivate func text(of key: Int) -> String {
    switch self {
    case .integer(let number): "\(key)=\(number)"
    // The shortest text that is read as the same number: 15 letters at most, as many as ncnn reads.
    case .float(let number): "\(key)=\(Float(number))"
    case .integers(let numbers):
      "\(-23300 - key)=\(([numbers.count] + numbers).map(String.init).joined(separator: ","))"
    }
  }
}
