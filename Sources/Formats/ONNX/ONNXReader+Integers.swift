import AviaryGraph

/// Values of integers, which ours are as float32 numbers: places of elements.
extension ONNXReader {
  /// ONNX's numbers of the integer types.
  private static let integerTypes: Set<Int> = [2, 3, 4, 5, 6, 7, 12, 13]
  /// Operators that compute otherwise with integers than with float32 numbers.
  private static let rounding: Set<String> = ["Div", "Mod", "Pow", "ReduceMean"]

  /// Whether an input of the node is a value of integers.
  private func isInteger(_ input: Int) -> Bool {
    node.input(input).map(integerValues.contains) ?? false
  }

  /// Refuses arithmetic that rounds to integers.
  func checkIntegers() throws(InterchangeError) {
    guard Self.rounding.contains(node.kind), node.inputs.indices.contains(where: isInteger) else {
      return
    }
    throw unsupported("whole numbers are divided here, and values are float32 numbers")
  }

  /// Notes which of the node's outputs are values of integers.
  mutating func noteIntegers() {
    let integers: [String]
    switch node.kind {
    case "ArgMax", "ArgMin": integers = Array(node.outputs.prefix(1))
    case "TopK": integers = isInteger(0) ? node.outputs : Array(node.outputs.dropFirst())
    case "Cast": integers = Self.integerTypes.contains(node.integer("to") ?? 1) ? node.outputs : []
    case "GatherElements", "Gather", "Slice", "Pad": integers = isInteger(0) ? node.outputs : []
    case "Where": integers = isInteger(1) || isInteger(2) ? node.outputs : []
    case "Equal", "Less", "LessOrEqual", "Greater", "GreaterOrEqual": integers = []
    default: integers = node.inputs.indices.contains(where: isInteger) ? node.outputs : []
    }
    integerValues.formUnion(integers)
  }

  /// A conversion: arithmetic is in float32 all the same, whose numbers integers are here.
  mutating func cast() throws(InterchangeError) -> ONNXOperand {
    let to = node.integer("to") ?? 1
    let operand = try given(0)
    // Truth values are 0 and 1 here.
    if to == 9, case .value(let value) = operand { return .value(try truth(value)) }
    // float32, float16, float64, bfloat16.
    if [1, 10, 11, 16].contains(to)
      || Self.integerTypes.contains(to) && (isInteger(0) || holdsIntegers(operand))
    {
      return operand
    }
    // int32, int64. Of narrower ones large numbers would come out as others.
    guard [6, 7].contains(to), case .value(let value) = operand else {
      throw unsupported(
        "a conversion to numbers of type \(to) (TensorProto.DataType); expected floating-point "
          + "numbers, or integers of 32 or 64 bits")
    }
    return .value(try truncated(value))
  }

  /// The numbers without what is behind the point: floor of the magnitude, with the sign.
  private mutating func truncated(_ value: Int) throws(InterchangeError) -> Int {
    let magnitude = try add(.activation(.abs), [value])
    let whole = try add(.activation(.floor), [magnitude])
    return try add(.binary(.multiply), [whole, try add(.activation(.sign), [value])])
  }

  /// Whether the numbers of a value are integers, whatever their type.
  private func holdsIntegers(_ operand: ONNXOperand) -> Bool {
    guard case .value(let value) = operand, let op = source(value)?.op else { return false }
    switch op {
    case .argReduction, .activation(.floor): return true
    case .sort(let sort): return sort.part == .indices
    default: return false
    }
  }
}
