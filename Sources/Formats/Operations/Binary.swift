import AviaryCheckpoint
import AviaryContainers
import AviaryGraph

// Keras and ncnn have files of their own.

extension Binary: ExchangedOperation {
  func write(
    _ node: Graph.Node, _ value: Int, to writer: inout ONNXWriter
  ) throws(InterchangeError) {
    let inputs = node.inputs.map { writer.name($0) }
    switch self {
    case .add: writer.emit("Add", node, inputs, value)
    case .subtract: writer.emit("Sub", node, inputs, value)
    case .multiply: writer.emit("Mul", node, inputs, value)
    case .divide: writer.emit("Div", node, inputs, value)
    case .power: writer.emit("Pow", node, inputs, value)
    case .minimum: writer.emit("Min", node, inputs, value)
    case .maximum: writer.emit("Max", node, inputs, value)
    // ONNX's give truth values.
    case .equal: writer.comparison("Equal", node, value)
    case .less: writer.comparison("Less", node, value)
    case .lessOrEqual: writer.comparison("LessOrEqual", node, value)
    case .greater: writer.comparison("Greater", node, value)
    case .greaterOrEqual: writer.comparison("GreaterOrEqual", node, value)
    }
  }

  func build(
    _ node: Graph.Node, _ inputs: [PlacedValue], with builder: inout KerasBuilder
  ) throws(InterchangeError) -> PlacedValue {
    try builder.binary(self, node, inputs)
  }

  func python(
    _ inputs: [String], _ expression: PyTorchOperation, _ forward: inout PyTorchForward
  ) -> String {
    let (a, b) = (inputs[0], expression.object(inputs[1]))
    func compared(_ function: String) -> String {
      let whole = expression.object(a)
      return "torch.\(function)(\(a), \(inputs[1])).to(\(whole).dtype)"
    }
    return switch self {
    case .add: "\(a) + \(b)"
    case .subtract: "\(a) - \(b)"
    case .multiply: "\(expression.object(a)) * \(b)"
    case .divide: "\(expression.object(a)) / \(b)"
    case .power: "torch.pow(\(a), \(inputs[1]))"
    case .minimum, .maximum: "torch.\(name)(\(a), \(inputs[1]))"
    case .equal: compared("eq")
    case .less: compared("lt")
    case .lessOrEqual: compared("le")
    case .greater: compared("gt")
    case .greaterOrEqual: compared("ge")
    }
  }

  var repeatsOperand: Bool { isComparison }
}

extension Binary: ONNXReadOperation {
  static let onnxOperators: [String: [ONNXWeight]] = [
    "Add": [], "Sub": [], "Mul": [], "Div": [], "Pow": [], "Sum": [], "Mean": [], "Max": [],
    "Min": [], "Equal": [], "Less": [], "LessOrEqual": [], "Greater": [], "GreaterOrEqual": [],
    "And": [], "Or": [], "Not": [],
  ]

  static func read(_ reader: inout ONNXReader) throws(InterchangeError) -> ONNXOperand {
    switch reader.node.kind {
    case "Pow": return try reader.power()
    case "Sum", "Mean": return try reader.sum()
    case "Max", "Min": return try reader.extreme()
    // Truth values are 0 and 1 here.
    case "Not":
      let negative = try reader.scaled(try reader.value(0), [-1])
      return .value(try reader.shifted(negative, [1]))
    case "Add", "Sub", "Mul", "Div": return try reader.arithmetic()
    default:
      guard let binary = onnxFunctions[reader.node.kind] else {
        throw reader.unsupported("it is no operation on two values that is read")
      }
      return .value(try reader.add(.binary(binary), try reader.values()))
    }
  }

  /// Operators of two values.
  private static let onnxFunctions: [String: Binary] = [
    "Equal": .equal, "Less": .less, "LessOrEqual": .lessOrEqual, "Greater": .greater,
    "GreaterOrEqual": .greaterOrEqual, "And": .multiply, "Or": .maximum,
  ]
}

extension ONNXWriter {
  fileprivate mutating func comparison(_ kind: String, _ node: Graph.Node, _ value: Int) {
    let truth = step(kind, node, node.inputs.map { name($0) })
    emit("Cast", node, [truth], value, [("to", .integer(1))])
  }
}

extension ONNXReader {
  mutating func arithmetic() throws(InterchangeError) -> ONNXOperand {
    if let result = try weightedSpectrum() { return result }
    if let result = try sizedProduct() { return result }
    if let result = try shiftMasked() { return result }
    if let result = try placed() { return result }
    let (a, b) = (try given(0), try given(1))
    switch (a, b) {
    case (.value(let a), .value(let b)): return .value(try combined(a, b))
    case (.value(let value), _):
      if let result = try biased(value, 1) { return .value(result) }
      if let result = try grouped(value, 1) { return .value(result) }
      guard let numbers = try? terms(1, for: value) else {
        return .value(try combined(value, try self.value(1)))
      }
      switch node.kind {
      case "Add": return .value(try shifted(value, numbers))
      case "Sub": return .value(try shifted(value, numbers.map { -$0 }))
      case "Mul": return .value(try scaled(value, numbers))
      default: return .value(try scaled(value, numbers.map { 1 / $0 }))
      }
    case (_, .value(let value)):
      if let result = try biased(value, 0) { return .value(result) }
      if let result = try grouped(value, 0) { return .value(result) }
      guard let numbers = try? terms(0, for: value) else {
        return .value(try combined(try self.value(0), value))
      }
      switch node.kind {
      case "Add": return .value(try shifted(value, numbers))
      case "Sub": return .value(try shifted(try scaled(value, [-1]), numbers))
      case "Mul": return .value(try scaled(value, numbers))
      default: return .value(try scaled(try reciprocal(of: value), numbers))
      }
    default: throw unsupported("expected a value of the network and a constant")
    }
  }

  private mutating func combined(_ a: Int, _ b: Int) throws(InterchangeError) -> Int {
    switch node.kind {
    case "Add": return try add(.binary(.add), [a, b])
    case "Sub": return try add(.binary(.subtract), [a, b])
    case "Div":
      if let normalization = try normalization(a, by: b) { return normalization }
      return try add(.binary(.divide), [a, b])
    default:
      // x · sigmoid(x)
      for (x, y) in [(a, b), (b, a)] {
        if let source = source(y), source.op == .activation(.sigmoid), source.inputs == [x] {
          return try add(.activation(.silu), [x])
        }
      }
      if let gelu = try gaussian(a, b) { return gelu }
      for (x, y) in [(a, b), (b, a)] {
        if let normalization = try normalization(x, times: y) { return normalization }
      }
      return try add(.binary(.multiply), [a, b])
    }
  }

  mutating func power() throws(InterchangeError) -> ONNXOperand {
    guard case .value(let input) = try given(0), let exponent = try numbers(1)?.constant,
      exponent.count == 1
    else { return .value(try add(.binary(.power), try values())) }
    switch exponent[0] {
    case 0.5: return .value(try add(.activation(.sqrt), [input]))
    case -0.5: return .value(try add(.activation(.rsqrt), [input]))
    case let whole where whole == whole.rounded() && whole != 0 && whole.magnitude <= 8:
      var result = input
      for _ in 1..<Int(whole.magnitude) { result = try add(.binary(.multiply), [result, input]) }
      return .value(whole < 0 ? try reciprocal(of: result) : result)
    default: return .value(try add(.binary(.power), try values()))
    }
  }

  /// 1 where a value is not 0, NaN included, else 0: a truth value.
  mutating func truth(_ value: Int) throws(InterchangeError) -> Int {
    if let source = source(value), case .binary(let binary) = source.op, binary.isComparison {
      return value
    }
    let zeros = try add(.binary(.less), [value, value])
    let isZero = try add(.binary(.equal), [value, zeros])
    return try shifted(try scaled(isZero, [-1]), [1])
  }

  /// All inputs of the node as values of ours, of which one is no constant.
  mutating func values() throws(InterchangeError) -> [Int] {
    var other: Int?
    for input in node.inputs.indices {
      if case .value(let value) = try given(input) { other = other ?? value }
    }
    guard let other else { throw unsupported("expected a value of the network, found constants") }
    var values: [Int] = []
    for input in node.inputs.indices {
      if case .value(let value) = try given(input) {
        values.append(value)
      } else {
        guard let numbers = try? terms(input, for: other) else {
          values.append(try value(input))
          continue
        }
        // Nothing is less than itself, NaN included: zeros, to which the numbers are added.
        let zeros = try add(.binary(.less), [other, other])
        values.append(try shifted(zeros, numbers))
      }
    }
    return values
  }

  mutating func sum() throws(InterchangeError) -> ONNXOperand {
    var result = try value(0)
    for input in node.inputs.indices.dropFirst() {
      result = try add(.binary(.add), [result, try value(input)])
    }
    if node.kind == "Mean" { result = try scaled(result, [1 / Double(node.inputs.count)]) }
    return .value(result)
  }

  /// The largest or the smallest of values and constant numbers.
  mutating func extreme() throws(InterchangeError) -> ONNXOperand {
    let isLargest = node.kind == "Max"
    var result: Int?
    var bounds: [Double] = []
    for input in node.inputs.indices {
      guard case .value(let value) = try given(input) else {
        guard let bound = try numbers(input)?.constant, bound.count == 1 else {
          throw unsupported("expected values of the network and constant numbers")
        }
        bounds += bound
        continue
      }
      result =
        try result.map { other throws(InterchangeError) in
          try add(.binary(isLargest ? .maximum : .minimum), [other, value])
        } ?? value
    }
    guard var result else { throw unsupported("expected a value of the network") }
    if let bound = isLargest ? bounds.max() : bounds.min() {
      result = isLargest ? try clamped(result, bound, nil) : try clamped(result, nil, bound)
    }
    return .value(result)
  }
}
