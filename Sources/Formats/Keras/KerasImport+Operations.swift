import AviaryGraph

/// Operations that stand among layers: TensorFlow's functions in Keras 2, Keras 3's own, and Lambda
/// layers of a function with a known name. No function's code is ever looked at.
extension KerasImport {
  /// What an operation gives.
  mutating func operation(
    _ layer: KerasLayer, _ given: [Operand], _ call: KerasCall
  ) throws(InterchangeError) -> KerasTensor {
    let word = try operationName(layer)
    if let operation = ExchangedOperations.kerasMergeFunctions[word] {
      return try operation.merge(layer, function: word, given, call, with: &self)
    }
    guard case .value(let x)? = given.first else {
      throw layer.refusal("a value as the first operand expected")
    }
    // Further operands are what others give as options.
    var arguments: [JSON] = []
    for operand in given.dropFirst() {
      guard case .constant(let json) = operand else {
        throw layer.refusal("one value expected, \(given.count) found")
      }
      arguments.append(json)
    }
    if Self.identities.contains(word) { return x }
    guard let operation = ExchangedOperations.kerasFunctions[word] else {
      throw layer.refusal("operation '\(word.prefix(60))' is not supported")
    }
    return try operation.read(
      KerasFunction(word: word, layer: layer, x: x, arguments: arguments, call: call),
      with: &self)
  }

  /// Functions that give what they are given.
  private static let identities: Set<String> = ["identity", "stopgradient", "converttotensor"]

  /// The operation's name in small letters, less what its versions differ in.
  func operationName(_ layer: KerasLayer) throws(InterchangeError) -> String {
    let stated: String
    switch layer.className {
    case "TFOpLambda", "SlicingOpLambda": stated = layer.config["function"]?.string ?? ""
    case "TensorFlowOpLayer": stated = layer.config["node_def"]?["op"]?.string ?? ""
    case "Lambda":
      let function = layer.config["function"]
      guard let name = function?.string ?? function?["config"]?.string,
        Self.lambdas.contains(Self.plain(name))
      else {
        throw layer.refusal(
          "a function of the user's own, which is never run; known by name are depth_to_space and"
            + " space_to_depth")
      }
      stated = name
    default: stated = layer.className
    }
    guard !stated.isEmpty else {
      throw layer.refusal("the name of an operation expected, none found")
    }
    return Self.plain(stated)
  }

  static func plain(_ name: String) -> String {
    let last = name.split(separator: ".").last.map(String.init) ?? name
    let word = last.lowercased().filter { $0 != "_" }
    return word.hasSuffix("v2") ? String(word.dropLast(2)) : word
  }

  /// The functions that a Lambda's name plainly means, as TensorFlow alone has them.
  private static let lambdas: Set<String> = ["depthtospace", "spacetodepth"]

  // MARK: Constants
}
