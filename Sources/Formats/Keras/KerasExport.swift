package import AviaryGraph
import AviaryTensor

/// A graph as a model of Keras's.
package enum KerasExport {
  /// How a window with borders of its own is said in Keras.
  package enum Borders: Hashable, Sendable {
    /// By layers that pad and crop, wherever Keras's 'same' is something else.
    case layers
    /// By kernels padded with zeros, wherever 'same' then computes the same: no layers more than
    /// the network has.
    case kernels
  }

  /// The model that computes what a graph computes, for images of every size, channels last, of
  /// stock layers.
  ///
  /// - Throws: `InterchangeError.target` that names the node for what no stock layer computes
  ///   exactly.
  package static func model(
    _ graph: Graph, borders: Borders = .layers
  ) throws(InterchangeError) -> KerasModel {
    let graph = try graph.forExport()
    var builder = KerasBuilder(graph, try ExportShapes(graph), borders: borders)
    return try builder.build()
  }
}

/// A value of the graph, as the model under construction has it.
struct PlacedValue {
  /// The layer and call that give it.
  var place: KerasModel.Place
  /// The graph's dimension that each of Keras's is: (0, 2, 3, 1) for an image.
  var order: [Int]

  /// The position in Keras's order of one of the graph's dimensions.
  func axis(of dimension: Int) -> Int { order.firstIndex(of: dimension) ?? 0 }

  /// Keras's order of an image.
  static let picture = [0, 2, 3, 1]
}

/// Adds layer after layer.
struct KerasBuilder {
  let graph: Graph
  let shapes: ExportShapes
  let borders: KerasExport.Borders
  private(set) var model = KerasModel()
  private var values: [PlacedValue?] = []
  private var names: Set<String> = []
  /// How many layers wanted each name.
  private var counts: [String: Int] = [:]
  /// The position of the node whose layers are added.
  private(set) var position = 0
  /// Layers with parameters, which several nodes may call.
  private var shared: [SharedKey: Int] = [:]
  private let frozen: Set<String>

  private struct SharedKey: Hashable {
    var className: String
    var configuration: [String: JSON]
    var parameters: [String]
  }

  init(_ graph: Graph, _ shapes: ExportShapes, borders: KerasExport.Borders) {
    self.graph = graph
    self.shapes = shapes
    self.borders = borders
    frozen = Set(graph.parameters.filter { $0.role == .frozen }.map(\.name))
  }

  mutating func build() throws(InterchangeError) -> KerasModel {
    for (position, input) in graph.inputs.enumerated() {
      let size: [JSON] =
        input.size.map { [.int($0.height), .int($0.width)] } ?? [.null, .null]
      model.layers.append(
        KerasModel.Layer(
          className: "InputLayer", name: unique(input.name),
          configuration: ["batch_shape": .array([.null] + size + [.int(input.channels)])]))
      let place = KerasModel.Place(layer: position, call: 0, shape: stored(position, .picture))
      values.append(PlacedValue(place: place, order: .picture))
      model.inputs.append(place)
    }
    let used = usedNodes()
    for (position, node) in graph.nodes.enumerated() {
      self.position = position
      // Keras leaves out what no output needs; so does the file.
      values.append(used.contains(position) ? try value(of: node) : nil)
    }
    for output in graph.outputs {
      guard var value = values[output.value] else { continue }
      if value.order.count == 4 { value = try arranged(value, .picture, output.name) }
      // A model's output must come from a layer that is no input.
      if model.layers[value.place.layer].className == "InputLayer" {
        value = add("Activation", output.name, ["activation": "linear"], [value])
      }
      model.outputs.append(value.place)
    }
    return model
  }

  private func usedNodes() -> Set<Int> {
    var used = Set(graph.outputs.map { $0.value - graph.inputs.count })
    for (position, node) in graph.nodes.enumerated().reversed() where used.contains(position) {
      used.formUnion(node.inputs.map { $0 - graph.inputs.count })
    }
    return used
  }

  // MARK: Layers

  /// A value of the graph.
  func operand(_ value: Int) throws(InterchangeError) -> PlacedValue {
    guard let value = values[value] else {
      throw .description(part: graph.name(ofValue: value), problem: "used before it is made")
    }
    return value
  }

  /// Adds a layer and gives what it makes of `inputs`: the first one's dimensions, unless stated.
  ///
  /// - Parameter variables: its weights; a layer of the same class, arguments and parameters that
  ///   is there already is called once more instead.
  mutating func add(
    _ className: String, _ name: String, _ configuration: [String: JSON],
    _ inputs: [PlacedValue], shape: [Int?]? = nil, order: [Int]? = nil,
    variables: [KerasModel.Variable] = []
  ) -> PlacedValue {
    var layer = KerasModel.Layer(
      className: className, name: "", configuration: configuration, variables: variables)
    let places = inputs.map(\.place)
    let parameters = variables.compactMap {
      if case .parameter(let name, _) = $0.content { name } else { nil }
    }
    let key = SharedKey(
      className: className, configuration: configuration, parameters: parameters)
    let position: Int
    if !parameters.isEmpty, let present = shared[key] {
      position = present
      model.layers[present].calls.append(places)
    } else {
      position = model.layers.count
      layer.name = unique(name)
      // What is not learned, or not any more, training leaves alone.
      if !variables.isEmpty { layer.isTrainable = parameters.contains { !frozen.contains($0) } }
      layer.calls = [places]
      model.layers.append(layer)
      if !parameters.isEmpty { shared[key] = position }
    }
    let place = KerasModel.Place(
      layer: position, call: model.layers[position].calls.count - 1,
      shape: shape ?? inputs[0].place.shape)
    return PlacedValue(place: place, order: order ?? inputs[0].order)
  }

  /// The value with its dimensions in another order.
  mutating func arranged(
    _ value: PlacedValue, _ order: [Int], _ name: String
  ) throws(InterchangeError) -> PlacedValue {
    if value.order == order { return value }
    guard order.first == 0, value.order.first == 0 else {
      throw refusal(name, "no layer moves the dimension of the images")
    }
    let dimensions = order.dropFirst().map { value.axis(of: $0) }
    return add(
      "Permute", "\(name).permute", ["dims": .array(dimensions.map(JSON.int))], [value],
      shape: order.map { value.place.shape[value.axis(of: $0)] }, order: order)
  }

  /// The shape of a graph's value in an order, as far as it is the same for every image.
  func stored(_ value: Int, _ order: [Int]) -> [Int?] { order.map { shapes.values[value][$0] } }

  /// Why a node cannot be said in Keras.
  func refusal(_ node: String, _ why: String) -> InterchangeError {
    .target(format: "a Keras model", node: node, why: why)
  }

  /// The name with what Keras and TensorFlow take (letters, digits, '.', '_', '-', the first no
  /// sign), and that no other layer has.
  private mutating func unique(_ name: String) -> String {
    var text = String(
      name.unicodeScalars.map { scalar -> Character in
        switch scalar {
        case "a"..."z", "A"..."Z", "0"..."9", ".", "_", "-": Character(scalar)
        default: "_"
        }
      })
    if let first = text.first, !first.isLetter, !first.isNumber { text = "layer" + text }
    if text.isEmpty { text = "layer" }
    var candidate = text
    // Keras takes 'a' and 'A' for two names, but some file systems do not.
    while !names.insert(candidate.lowercased()).inserted {
      counts[text, default: 0] += 1
      candidate = "\(text)_\(counts[text] ?? 0)"
    }
    return candidate
  }
}

extension [Int] {
  /// Keras's order of an image's dimensions.
  static var picture: [Int] { PlacedValue.picture }
}
