import AviaryGraph

/// The layers that a model's configuration lists, nested ones too, so that a file's weights can be
/// told by class and by the user's own names.
struct KerasConfiguration {
  /// A layer in the configuration.
  struct Layer {
    /// Keras's class: `Conv2DTranspose`.
    var className: String
    /// The names of the models that hold it, from the outside in, and its own.
    var names: [String]
    /// Its options.
    var options: JSON
    /// Its number in the model's order, nested layers after what holds them.
    var position: Int
  }

  /// Layers by the place that Keras 3 gives them in a file of weights, less the words `layers`:
  /// `sequential/conv2d_1`.
  private(set) var byPlace: [String: Layer] = [:]
  /// Layers by their names, joined by slashes: `encoder/conv2d_7`.
  private(set) var byName: [String: Layer] = [:]
  /// The full names of layers by their last.
  private(set) var endings: [String: [[String]]] = [:]

  /// More layers, or models inside models, than any network has.
  private static let limits = (layers: 1 << 16, depth: 16)

  /// No configuration.
  init() {}

  /// The layers of a configuration; none where it is no model's, or cannot be understood: the weights
  /// can be read without.
  init(parsing text: String) {
    guard let json = try? JSON(parsing: text) else { return }
    add(json["config"], place: [], names: [], depth: 0)
  }

  private mutating func add(_ options: JSON?, place: [String], names: [String], depth: Int) {
    // Keras 1 and early Keras 2 have a plain list for a Sequential.
    guard depth < Self.limits.depth, let layers = options?["layers"]?.array ?? options?.array
    else { return }
    var used: [String: Int] = [:]
    for layer in layers {
      guard byName.count < Self.limits.layers, let className = layer["class_name"]?.string else {
        continue
      }
      let snake = KerasClass.snake(className)
      let count = used[snake, default: 0]
      used[snake] = count + 1
      let options = layer["config"] ?? [:]
      let name = options["name"]?.string ?? layer["name"]?.string ?? snake
      let found = Layer(
        className: className, names: names + [name], options: options,
        position: byName.count)
      let innerPlace = place + [count == 0 ? snake : "\(snake)_\(count)"]
      byPlace[innerPlace.joined(separator: "/")] = found
      byName[found.names.joined(separator: "/")] = found
      endings[name, default: []].append(found.names)
      add(options, place: innerPlace, names: found.names, depth: depth + 1)
    }
  }
}
