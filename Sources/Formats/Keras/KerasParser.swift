import AviaryGraph

/// Reads models out of the JSON of all versions of Keras.
struct KerasParser {
  /// Whether Keras 3 wrote it: it counts the calls of nested models from 0.
  let isKeras3: Bool
  private var count = 0

  init(isKeras3: Bool) { self.isKeras3 = isKeras3 }

  /// The classes that are models.
  private static let models: Set<String> = [
    "Sequential", "Functional", "Model", "Network", "Graph",
  ]

  /// The model that is the whole configuration.
  mutating func model(_ json: JSON) throws(InterchangeError) -> KerasNetwork {
    guard let className = json["class_name"]?.string else {
      throw .description(
        part: "the model's configuration", problem: "expected a class_name, found none")
    }
    let config = json["config"] ?? .null
    let name = config["name"]?.string ?? className
    guard Self.isModel(className, config) else {
      throw .layer(
        name, kind: className, place: "the model itself",
        why: "is not a Sequential or Functional model; the code of a class of its own is never run")
    }
    return try network(
      className, config, name: name, outer: [], isTrainable: true,
      built: json["build_config"]?["input_shape"])
  }

  private static func isModel(_ className: String, _ config: JSON) -> Bool {
    // A model of a class of the user's own may still be written as a Functional one.
    models.contains(className) || config["layers"] != nil && config["output_layers"] != nil
  }

  private mutating func network(
    _ className: String, _ config: JSON, name: String, outer: [String], isTrainable: Bool,
    built: JSON?
  ) throws(InterchangeError) -> KerasNetwork {
    // Keras 1 and early Keras 2 have a plain list for a Sequential.
    guard let list = config["layers"]?.array ?? config.array else {
      throw .description(part: name, problem: "expected a list of layers, found none")
    }
    let trainable = isTrainable && config["trainable"]?.bool ?? true
    let label = outer.isEmpty ? "the model" : outer.joined(separator: ".")
    var layers: [KerasLayer] = []
    var names: Set<String> = []
    for (position, json) in list.enumerated() {
      let place = "layer \(position + 1) of \(list.count) of \(label)"
      let layer = try self.layer(json, place: place, outer: outer, isTrainable: trainable)
      guard names.insert(layer.name).inserted else {
        throw .description(part: place, problem: "a second layer is called \(layer.name)")
      }
      layers.append(layer)
    }
    let isSequential = config["output_layers"] == nil
    return KerasNetwork(
      name: name, layers: layers,
      inputs: try references(config["input_layers"], of: "\(label): input_layers"),
      outputs: try references(config["output_layers"], of: "\(label): output_layers"),
      isSequential: isSequential, builtShape: config["build_input_shape"] ?? built)
  }

  private mutating func layer(
    _ json: JSON, place: String, outer: [String], isTrainable: Bool
  ) throws(InterchangeError) -> KerasLayer {
    count += 1
    guard count <= GraphLimits.nodes else {
      throw .graph(.limit("layers", value: count, limit: GraphLimits.nodes))
    }
    guard let stated = json["class_name"]?.string else {
      throw .description(part: place, problem: "expected a class_name, found none")
    }
    let config = json["config"] ?? .null
    // A layer of a Functional model is known by the name beside its options.
    guard
      let name = json["name"]?.string ?? config["name"]?.string
        ?? (config.array != nil
          ? "sequential" : nil),
      !name.isEmpty, name.utf8.count <= 256
    else { throw .description(part: place, problem: "expected a name, found none") }
    let names = outer + [config["name"]?.string ?? name]
    var layer = KerasLayer(
      name: name, className: Self.classes[stated] ?? stated, statedClass: stated,
      module: json["module"]?.string ?? "", place: place,
      fullName: Self.sound(names.joined(separator: ".")), config: config,
      isTrainable: isTrainable && config["trainable"]?.bool ?? true)
    if Self.isModel(stated, config) {
      layer.network = try network(
        stated, config, name: name, outer: names, isTrainable: isTrainable,
        built: json["build_config"]?["input_shape"])
    }
    for (position, node) in (json["inbound_nodes"]?.array ?? []).enumerated() {
      layer.calls.append(try KerasParser.call(node, of: "\(place), call \(position + 1)"))
    }
    return layer
  }

  /// A name that a checkpoint can have: without slashes and empty parts.
  static func sound(_ name: String) -> String {
    let plain = String(
      name.map { $0 == "/" || $0 == "\\" || $0.isNewline || $0 == "\0" ? "_" : $0 })
    return plain.split(separator: ".", omittingEmptySubsequences: false)
      .map { $0.isEmpty ? "_" : String($0) }.joined(separator: ".")
  }

  private func references(
    _ json: JSON?, of part: String
  ) throws(InterchangeError) -> [KerasReference] {
    guard let json, json != .null else { return [] }
    if let single = KerasParser.reference(json) { return [single] }
    // Keras 3 allows outputs by name, too.
    let members = json.array ?? json.object?.sorted { $0.key < $1.key }.map(\.value) ?? []
    var result: [KerasReference] = []
    for member in members {
      guard let reference = KerasParser.reference(member) else {
        throw .description(part: part, problem: "expected references to layers, found others")
      }
      result.append(reference)
    }
    return result
  }

  /// The classes that older versions, and newer ones by a second name, spell differently.
  private static let classes: [String: String] = [
    "Convolution2D": "Conv2D", "AtrousConvolution2D": "Conv2D",
    "Deconvolution2D": "Conv2DTranspose", "Convolution2DTranspose": "Conv2DTranspose",
    "SeparableConvolution2D": "SeparableConv2D", "DepthwiseConvolution2D": "DepthwiseConv2D",
    "MaxPool2D": "MaxPooling2D", "AvgPool2D": "AveragePooling2D",
    "GlobalAvgPool2D": "GlobalAveragePooling2D", "GlobalMaxPool2D": "GlobalMaxPooling2D",
    "BatchNormalizationV1": "BatchNormalization", "BatchNormalizationV2": "BatchNormalization",
    "SyncBatchNormalization": "BatchNormalization",
  ]
}

/// Calls of layers: Keras 1 and 2 write lists, Keras 3 arguments with tensors in them.
extension KerasParser {
  /// A layer's call.
  static func call(_ json: JSON, of part: String) throws(InterchangeError) -> KerasCall {
    var call = KerasCall()
    if let args = json["args"] {
      try add(args, to: &call, of: part)
      for (name, value) in json["kwargs"]?.object ?? [:] where value != .null {
        if let reference = reference(value) {
          call.named[name] = reference
        } else if let list = value.array, list.contains(where: { reference($0) != nil }) {
          try add(value, to: &call, of: part)
        } else {
          call.options[name] = value
        }
      }
      return call
    }
    // Keras 2 writes an operation's only operand without the list around it.
    let isSingle = json.array?.first?.string != nil
    for operand in isSingle ? [json] : json.array ?? [] {
      guard let fields = operand.array, fields.count >= 3 else {
        throw .description(
          part: part, problem: "expected [layer, call, output], found \(short(operand))")
      }
      if fields[0].string == "_CONSTANT_VALUE" {
        call.operands.append(.constant(fields[2]))
      } else if let reference = reference(.array(Array(fields.prefix(3)))) {
        call.operands.append(.value(reference))
      } else {
        throw .description(
          part: part, problem: "expected [layer, call, output], found \(short(operand))")
      }
      for (name, value) in fields.dropFirst(3).first?.object ?? [:] where value != .null {
        if let reference = reference(value) {
          call.named[name] = reference
        } else {
          call.options[name] = value
        }
      }
    }
    return call
  }

  /// Adds what stands among a call's arguments, in lists or by itself.
  private static func add(
    _ json: JSON, to call: inout KerasCall, of part: String
  ) throws(InterchangeError) {
    if let reference = reference(json) {
      call.operands.append(.value(reference))
    } else if let list = json.array, list.contains(where: { $0.object != nil || $0.array != nil }) {
      for element in list { try add(element, to: &call, of: part) }
    } else if let list = json.array, list.isEmpty {
      return
    } else if let list = json.array, list.count == 1 {
      call.operands.append(.constant(list[0]))
    } else {
      call.operands.append(.constant(json))
    }
    guard call.operands.count <= GraphLimits.inputs else {
      throw .graph(
        .limit("\(part): operands", value: call.operands.count, limit: GraphLimits.inputs))
    }
  }

  /// A reference, in either writing; nil for anything else.
  static func reference(_ json: JSON) -> KerasReference? {
    if json["class_name"]?.string == "__keras_tensor__" {
      return json["config"]?["keras_history"].flatMap(reference)
    }
    guard let fields = json.array, fields.count == 3, let layer = fields[0].string,
      let call = fields[1].int, let output = fields[2].int, call >= 0, output >= 0
    else { return nil }
    return KerasReference(layer: layer, call: call, output: output)
  }

  private static func short(_ json: JSON) -> String {
    let text = json.text
    return text.utf8.count > 60 ? text.prefix(60) + "…" : text
  }
}
