import AviaryGraph

/// A call of a function among Keras's layers, with one input.
struct KerasFunction {
  /// The function's name in small letters, less what its versions differ in.
  var word: String
  /// The layer that the call is.
  var layer: KerasLayer
  /// The input.
  var x: KerasTensor
  /// Constant operands behind the input, which others give as options.
  var arguments: [JSON]
  /// The call's own options.
  var call: KerasCall

  /// The first of some options that is there and not null, of the call or of the layer.
  func option(_ names: String...) -> JSON? { KerasFunction.option(names, call, layer) }

  /// The first of some options of a call that is there and not null, of the call or of its layer.
  static func option(_ names: [String], _ call: KerasCall, _ layer: KerasLayer) -> JSON? {
    for name in names {
      if let value = call.options[name] ?? layer.option([name])
        ?? layer.config["arguments"]?[name],
        value != .null
      {
        return value
      }
    }
    return nil
  }
}
