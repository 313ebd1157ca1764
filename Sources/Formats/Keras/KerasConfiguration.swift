package import AviaryGraph

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

  /// The layers of a configuration; none where it is no model's, or cannot be understood: the
  /// weights can be read without.
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

/// Whose spelling a configuration is in.
package enum KerasSpelling: Sendable {
  /// Keras 2, as tf_keras and Keras 3 read it from HDF5.
  case keras2
  /// Keras 3, as it lies in `.keras` archives.
  case keras3
}

extension KerasModel {
  /// The model's configuration, from which Keras makes it without any code of a user's.
  package func configuration(name: String, _ spelling: KerasSpelling) -> JSON {
    let places: ([Place]) -> JSON = { places in
      let list = places.map { place -> JSON in
        [.string(layers[place.layer].name), .int(place.call), 0]
      }
      // One tensor stands by itself, so that the model takes and gives no list.
      return list.count == 1 ? list[0] : .array(list)
    }
    let config: JSON = [
      "name": .string(name), "trainable": true,
      "layers": .array(order.map { layer(layers[$0], spelling) }),
      "input_layers": places(inputs), "output_layers": places(outputs),
    ]
    switch spelling {
    case .keras2: return ["class_name": "Functional", "config": config]
    case .keras3:
      return [
        "module": "keras.src.models.functional", "class_name": "Functional", "config": config,
        "registered_name": "Functional",
      ]
    }
  }

  private func layer(_ layer: Layer, _ spelling: KerasSpelling) -> JSON {
    var config = spelling == .keras2 ? layer.keras2Configuration : layer.configuration
    config["name"] = .string(layer.name)
    config["dtype"] = "float32"
    if layer.className != "InputLayer" { config["trainable"] = .bool(layer.isTrainable) }
    var members: [String: JSON] = [
      "class_name": .string(layer.className), "config": .object(config),
      "name": .string(layer.name),
    ]
    switch spelling {
    case .keras2:
      members["inbound_nodes"] = .array(
        layer.calls.map { places in
          .array(places.map { [.string(layers[$0.layer].name), .int($0.call), 0, [:]] })
        })
    case .keras3:
      members["module"] = "keras.layers"
      members["registered_name"] = .null
      members["inbound_nodes"] = .array(
        layer.calls.map { places in
          let tensors = places.map(tensor)
          // Layers that merge take one list.
          let argument = KerasModel.merging.contains(layer.className) ? .array(tensors) : tensors[0]
          return ["args": [argument], "kwargs": [:]]
        })
    }
    return .object(members)
  }

  private func tensor(_ place: Place) -> JSON {
    let shape = place.shape.map { $0.map(JSON.int) ?? .null }
    return [
      "class_name": "__keras_tensor__",
      "config": [
        "shape": .array(shape), "dtype": "float32",
        "keras_history": [.string(layers[place.layer].name), .int(place.call), 0],
      ],
    ]
  }

  /// The classes whose layers take several tensors.
  static let merging: Set<String> = [
    "Add", "Subtract", "Multiply", "Minimum", "Maximum", "Concatenate",
  ]
}

extension KerasModel.Layer {
  /// The arguments as Keras 2 spells them.
  fileprivate var keras2Configuration: [String: JSON] {
    var config = configuration
    switch className {
    case "InputLayer": config["batch_input_shape"] = config.removeValue(forKey: "batch_shape")
    case "LeakyReLU": config["alpha"] = config.removeValue(forKey: "negative_slope")
    case "Activation" where config["activation"] == "silu": config["activation"] = "swish"
    default: break
    }
    return config
  }
}
