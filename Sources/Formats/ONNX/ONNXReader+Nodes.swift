import AviaryCheckpoint
import AviaryGraph
import AviaryTensor

extension ONNXReader {
  /// Reads one node: what follows from numbers alone is calculated, everything else becomes a node of
  /// ours.
  mutating func readNode() throws(InterchangeError) {
    guard node.domain.isEmpty else {
      throw unsupported("operators of the domain \(node.domain) are not known")
    }
    guard let output = node.outputs.first else { return }
    if let numbers = try folded() {
      // What is calculated is kept: a file must not make much of little.
      numberCount += numbers.rows.count * numbers.count
      guard numberCount <= 1 << 22 else { throw unsupported("too many numbers to be calculated") }
      operands[output] = .numbers(numbers)
      return
    }
    let result: ONNXOperand
    switch node.kind {
    case "Identity": result = try given(0)
    case "Cast": result = try cast()
    case "Constant": result = try constant()
    default:
      guard let operation = ExchangedOperations.onnx[node.kind] else {
        throw unsupported(
          ONNXReader.known.contains(node.kind)
            ? "no operation of ours computes it" : "it is not among the operators that are read")
      }
      result = try operation.read(&self)
    }
    operands[output] = result
  }

  /// Operators that networks have and that no operation of ours computes.
  static let known: Set<String> = [
    "Softplus", "Exp", "Log", "Sqrt", "Abs", "Sin", "Cos", "Mish",
  ]

  // MARK: - Operands

  /// What is known of an input of the node.
  func given(_ input: Int) throws(InterchangeError) -> ONNXOperand {
    guard let name = node.input(input) else {
      throw unsupported("input \(input + 1) expected, none found")
    }
    guard let operand = operand(name) else { throw unsupported("no earlier node gives \(name)") }
    return operand
  }

  /// An input of the node as a value of ours.
  func value(_ input: Int) throws(InterchangeError) -> Int {
    switch try given(input) {
    case .value(let value): return value
    case .numbers, .tensor:
      throw unsupported(
        "input \(input + 1) is a constant, where a value of the network is expected")
    case .errorFunction: throw unsupported("input \(input + 1) is Erf, which is read in GELU only")
    case .split, .shuffle:
      throw unsupported(
        "input \(input + 1) has dimensions taken apart, which is read in pixel shuffles only")
    }
  }

  /// An input of the node as numbers; nil where it is something else, or left out.
  func numbers(_ input: Int) throws(InterchangeError) -> ONNXNumbers? {
    guard let name = node.input(input) else { return nil }
    switch try given(input) {
    case .numbers(let numbers): return numbers
    case .tensor(let tensor): return try numbers(of: tensor, name)
    default: return nil
    }
  }

  /// A constant's numbers, unless there are too many to be looked into.
  func numbers(
    of tensor: ONNXTensor, _ name: String
  ) throws(InterchangeError) -> ONNXNumbers? {
    guard tensor.count <= ONNXNumbers.limit else { return nil }
    let values: Tensor
    do {
      values = try tensor.load().converted(to: .float64)
    } catch {
      throw .description(part: "the constant \(name)", problem: "\(error)")
    }
    let numbers = unsafe values.withUnsafeBytes { unsafe Array($0.bindMemory(to: Double.self)) }
    return ONNXNumbers(
      numbers, shape: tensor.shape, isInteger: !tensor.elementType.isFloatingPoint)
  }

  /// Integers that must be there and be the same for every picture: an input, or an attribute of older
  /// versions.
  func integers(_ input: Int?, _ attribute: String) throws(InterchangeError) -> [Int]? {
    if let integers = node.integers(attribute) { return integers }
    guard let input, node.input(input) != nil else { return nil }
    guard let integers = try numbers(input)?.integers else {
      throw unsupported("\(attribute): constant numbers expected, others found")
    }
    return integers
  }

  /// The name of the weight at an input of the node, and its description.
  func parameter(
    _ input: Int
  ) throws(InterchangeError) -> (name: String, shape: [Int])? {
    guard node.input(input) != nil else { return nil }
    let slot = ONNXParameters.Slot(node: position, input: input)
    guard let name = model.parameters.names[slot], let tensor = file.tensors[name] else {
      throw unsupported("input \(input + 1): weights in the file expected, another value found")
    }
    return (name, tensor.shape)
  }

  /// The layer's name, from its weight's.
  func layer(_ weight: String) -> String? {
    weight.hasSuffix(".weight") ? String(weight.dropLast(".weight".count)) : nil
  }

  /// An operation of the first input alone.
  mutating func one(_ op: Op) throws(InterchangeError) -> ONNXOperand {
    .value(try add(op, [try value(0)]))
  }

  /// The axes of an attribute, from 0 on.
  func axis(_ axis: Int, rank: Int) throws(InterchangeError) -> Int {
    guard (-rank..<rank).contains(axis) else {
      throw unsupported("axis \(axis) of \(rank) dimensions")
    }
    return axis < 0 ? axis + rank : axis
  }

  private func cast() throws(InterchangeError) -> ONNXOperand {
    // float32, float16, float64, bfloat16: arithmetic is in float32 all the same.
    guard [1, 10, 11, 16].contains(node.integer("to") ?? 1) else {
      throw unsupported("a conversion to floating-point numbers expected")
    }
    return try given(0)
  }

  func constant() throws(InterchangeError) -> ONNXOperand {
    guard case .tensor(let tensor) = node.attributes["value"] else {
      throw unsupported("a constant of numbers expected")
    }
    return .tensor(tensor)
  }
}
