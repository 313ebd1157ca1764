package import AviaryGraph

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
  static let merging: Set<String> = ["Add", "Subtract", "Multiply", "Concatenate"]
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
