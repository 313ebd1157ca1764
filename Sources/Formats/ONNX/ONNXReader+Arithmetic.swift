import AviaryGraph

/// Sums, products and functions of single values.
extension ONNXReader {
  mutating func arithmetic() throws(InterchangeError) -> ONNXOperand {
    let (a, b) = (try given(0), try given(1))
    switch (a, b) {
    case (.value(let a), .value(let b)): return .value(try combined(a, b))
    case (.errorFunction(let of, let plusOne), _):
      return try gaussian(of, plusOne: plusOne, other: b, input: 1)
    case (_, .errorFunction(let of, let plusOne)):
      return try gaussian(of, plusOne: plusOne, other: a, input: 0)
    case (.value(let value), _):
      if let result = try biased(value, 1) { return .value(result) }
      let numbers = try terms(1, for: value)
      switch node.kind {
      case "Add": return .value(try shifted(value, numbers))
      case "Sub": return .value(try shifted(value, numbers.map { -$0 }))
      case "Mul": return .value(try scaled(value, numbers))
      default: return .value(try scaled(value, numbers.map { 1 / $0 }))
      }
    case (_, .value(let value)):
      if let result = try biased(value, 0) { return .value(result) }
      let numbers = try terms(0, for: value)
      switch node.kind {
      case "Add": return .value(try shifted(value, numbers))
      case "Sub": return .value(try shifted(try scaled(value, [-1]), numbers))
      case "Mul": return .value(try scaled(value, numbers))
      default: throw unsupported("a constant divided by values")
      }
    default: throw unsupported("a value of the network and a constant expected")
    }
  }

  private mutating func combined(_ a: Int, _ b: Int) throws(InterchangeError) -> Int {
    switch node.kind {
    case "Add": return try add(.binary(.add), [a, b])
    case "Sub": return try add(.binary(.subtract), [a, b])
    case "Mul":
      // x · sigmoid(x)
      for (x, y) in [(a, b), (b, a)] {
        if let source = source(y), source.op == .activation(.sigmoid), source.inputs == [x] {
          return try add(.activation(.silu), [x])
        }
      }
      return try add(.binary(.multiply), [a, b])
    default: throw unsupported("one value divided by another")
    }
  }

  /// The numbers at an input: one for all, or one for each channel of a value.
  func terms(_ input: Int, for value: Int) throws(InterchangeError) -> [Double] {
    guard let numbers = try numbers(input), let constant = numbers.constant else {
      throw unsupported("input \(input + 1): one number, or one for each channel, expected")
    }
    if constant.count == 1 { return constant }
    let rank = rank(value)
    let shape = [Int](repeating: 1, count: max(rank - numbers.shape.count, 0)) + numbers.shape
    guard rank >= 2, shape.count == rank, shape[1] == constant.count,
      shapes[value][0][1] == constant.count
    else {
      throw unsupported(
        "input \(input + 1): one number, or one for each of \(rank >= 2 ? shapes[value][0][1] : 0) "
          + "channels, expected, a constant of shape \(numbers.shape) found")
    }
    return constant
  }

  /// A value times numbers. Factors that follow one another become one.
  mutating func scaled(_ value: Int, _ factors: [Double]) throws(InterchangeError) -> Int {
    if let source = source(value), case .scale(let earlier) = source.op,
      earlier.values.count == 1
    {
      let product = factors.map { $0 * earlier.values[0] }
      if product == [1] { return source.inputs[0] }
      return try add(.scale(Scale(product)), source.inputs)
    }
    return factors == [1] ? value : try add(.scale(Scale(factors)), [value])
  }

  private mutating func shifted(_ value: Int, _ terms: [Double]) throws(InterchangeError) -> Int {
    terms == [0] ? value : try add(.offset(Offset(terms)), [value])
  }

  // MARK: - The Gaussian error linear unit

  /// The error function of x / √2, which older exporters write a GELU with.
  func errorFunction() throws(InterchangeError) -> ONNXOperand {
    let input = try value(0)
    guard let source = source(input), case .scale(let factor) = source.op,
      factor.values.count == 1, abs(factor.values[0] - 0.5.squareRoot()) < 1e-5
    else { throw unsupported("Erf is read in GELU only, of x / √2") }
    return .errorFunction(of: source.inputs[0], plusOne: false)
  }

  /// x / 2 · (1 + erf(x / √2)), in whatever order it is multiplied.
  private mutating func gaussian(
    _ x: Int, plusOne: Bool, other: ONNXOperand, input: Int
  ) throws(InterchangeError) -> ONNXOperand {
    let number = try numbers(input)?.constant
    switch node.kind {
    case "Add" where !plusOne && number == [1]: return .errorFunction(of: x, plusOne: true)
    case "Mul" where plusOne:
      guard case .value(let factor) = other else { break }
      let isHalf: Bool =
        if let source = source(factor) {
          source.op == .scale(Scale([0.5])) && source.inputs == [x]
        } else { false }
      guard isHalf || factor == x else { break }
      let result = try add(.activation(.gelu(approximate: false)), [x])
      return .value(isHalf ? result : try scaled(result, [2]))
    default: break
    }
    throw unsupported("Erf is read in GELU only")
  }

  // MARK: - Functions

  mutating func selu() throws(InterchangeError) -> ONNXOperand {
    let alpha = node.number("alpha") ?? 1.673_263_242_354_377_2
    let gamma = node.number("gamma") ?? 1.050_700_987_355_480_5
    let curved = try add(.activation(.elu(alpha: alpha)), [try value(0)])
    return .value(try scaled(curved, [gamma]))
  }

  mutating func hardSigmoid() throws(InterchangeError) -> ONNXOperand {
    let isSwish = node.kind == "HardSwish"
    let input = try value(0)
    let slope = isSwish ? 1.0 / 6 : node.number("alpha") ?? 0.2
    let sloped = try add(.scale(Scale([slope])), [input])
    let shifted = try add(.offset(Offset([node.number("beta") ?? 0.5])), [sloped])
    let result = try add(.activation(.clamp(minimum: 0, maximum: 1)), [shifted])
    return .value(isSwish ? try add(.binary(.multiply), [input, result]) : result)
  }

  mutating func clip() throws(InterchangeError) -> ONNXOperand {
    let input = try value(0)
    func bound(_ place: Int, _ name: String) throws(InterchangeError) -> Double? {
      if let number = node.number(name) { return number }
      guard node.input(place) != nil else { return nil }
      guard let numbers = try numbers(place)?.constant, numbers.count == 1 else {
        throw unsupported("\(name): a constant number expected")
      }
      return numbers[0]
    }
    return try clamped(input, try bound(1, "min"), try bound(2, "max"))
  }

  /// A value within bounds, of which either may be none.
  private mutating func clamped(
    _ value: Int, _ minimum: Double?, _ maximum: Double?
  ) throws(InterchangeError) -> ONNXOperand {
    if minimum == 0, maximum == nil { return .value(try add(.activation(.relu), [value])) }
    let largest = Double(Float.greatestFiniteMagnitude)
    func finite(_ number: Double?, _ standard: Double) -> Double {
      guard let number else { return standard }
      return number.isInfinite ? (number < 0 ? -largest : largest) : number
    }
    let bounds = (finite(minimum, -largest), finite(maximum, largest))
    return .value(try add(.activation(.clamp(minimum: bounds.0, maximum: bounds.1)), [value]))
  }

  /// The larger or the smaller of a value and a constant.
  mutating func extreme() throws(InterchangeError) -> ONNXOperand {
    guard node.inputs.count == 2 else { throw unsupported("two inputs expected") }
    let isFirst: Bool = if case .value = try given(0) { true } else { false }
    let input = try value(isFirst ? 0 : 1)
    guard let bound = try numbers(isFirst ? 1 : 0)?.constant, bound.count == 1 else {
      throw unsupported("a value of the network and one constant number expected")
    }
    return node.kind == "Max"
      ? try clamped(input, bound[0], nil) : try clamped(input, nil, bound[0])
  }

  mutating func power() throws(InterchangeError) -> ONNXOperand {
    let input = try value(0)
    guard let exponent = try numbers(1)?.constant, [[1], [2], [3]].contains(exponent) else {
      throw unsupported("an exponent of 1, 2 or 3 expected")
    }
    var result = input
    for _ in 1..<Int(exponent[0]) { result = try add(.binary(.multiply), [result, input]) }
    return .value(result)
  }

  mutating func sum() throws(InterchangeError) -> ONNXOperand {
    var result = try value(0)
    for input in node.inputs.indices.dropFirst() {
      result = try add(.binary(.add), [result, try value(input)])
    }
    if node.kind == "Mean" { result = try scaled(result, [1 / Double(node.inputs.count)]) }
    return .value(result)
  }

  mutating func prelu() throws(InterchangeError) -> ONNXOperand {
    let input = try value(0)
    guard let slope = try parameter(1), slope.shape.count == 1 else {
      throw unsupported("a slope for each channel, or one for all, expected")
    }
    // The slope's own shape must lie along the channels.
    if slope.shape != [1], let shape = node.input(1).flatMap({ model.constants[$0]?.shape }) {
      let full = [Int](repeating: 1, count: max(rank(input) - shape.count, 0)) + shape
      guard full.count == rank(input), full.count >= 2, full[1] == slope.shape[0] else {
        throw unsupported("a slope for each channel expected, a slope of shape \(shape) found")
      }
    }
    return .value(
      try add(
        .prelu(PReLU(perChannel: slope.shape != [1] || shapes[input][0].dropFirst().first == 1)),
        [input],
        name: layer(slope.name), parameters: [slope.name]))
  }
}
