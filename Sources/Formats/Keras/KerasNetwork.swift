import AviaryGraph

/// A model of Keras as its configuration has it, not yet understood: layers that call each other.
struct KerasNetwork {
  /// The model's name.
  var name: String
  /// The layers in the configuration's order.
  var layers: [KerasLayer]
  /// What it takes; empty for a Sequential, which takes what its first layer does.
  var inputs: [KerasReference] = []
  /// What it gives; empty for a Sequential, which gives what its last layer does.
  var outputs: [KerasReference] = []
  /// Whether each layer takes what the one before gives.
  var isSequential: Bool
  /// The shape that a Sequential without an input layer was built for.
  var builtShape: JSON?
}

/// A value of a model: a layer, which of its calls, which of its outputs.
struct KerasReference: Hashable {
  var layer: String
  var call: Int
  var output: Int
}

/// What a layer is called with.
enum KerasOperand {
  case value(KerasReference)
  /// A constant in the configuration, where an operation takes a value or a number.
  case constant(JSON)
}

/// One use of a layer.
struct KerasCall {
  /// What it is called with, lists made flat.
  var operands: [KerasOperand] = []
  /// Arguments by name that are values.
  var named: [String: KerasReference] = [:]
  /// Arguments by name that are constants.
  var options: [String: JSON] = [:]

  /// All values that it takes.
  var references: [KerasReference] {
    operands.compactMap { operand in
      guard case .value(let reference) = operand else { return nil }
      return reference
    } + named.sorted { $0.key < $1.key }.map(\.value)
  }
}
