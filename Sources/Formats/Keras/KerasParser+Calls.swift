import AviaryGraph

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
          part: part, problem: "[layer, call, output] expected, \(short(operand)) found")
      }
      if fields[0].string == "_CONSTANT_VALUE" {
        call.operands.append(.constant(fields[2]))
      } else if let reference = reference(.array(Array(fields.prefix(3)))) {
        call.operands.append(.value(reference))
      } else {
        throw .description(
          part: part, problem: "[layer, call, output] expected, \(short(operand)) found")
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
