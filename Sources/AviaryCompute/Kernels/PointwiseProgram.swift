import CKernels

/// What an elementwise operation, or a chain of them, computes for each element: a straight-line
/// program. Its registers are the operands, then the results of the steps; the last step gives the
/// result.
struct PointwiseProgram: Hashable {
  struct Step: Hashable {
    var function: aviary_function
    /// Registers.
    var operands: [Int] = []
    var constants: [Float] = []
  }

  let operandCount: Int
  private(set) var steps: [Step]

  /// A program of so many operands, as `build` writes it down.
  init(operands count: Int, _ build: ([PointwiseValue]) -> PointwiseValue) {
    let builder = PointwiseBuilder(operandCount: count)
    var result = build((0..<count).map { PointwiseValue(builder: builder, register: $0) })
    // An operand as it is.
    if result.register < count { result = result.affine(1, -0.0) }
    operandCount = count
    steps = builder.steps(for: result.register)
  }

  /// What the program computes of values of another.
  func callAsFunction(_ operands: [PointwiseValue]) -> PointwiseValue {
    var registers = operands
    for step in steps {
      registers.append(
        registers[0].builder.value(
          step.function, step.operands.map { registers[$0] }, step.constants))
    }
    return registers[registers.count - 1]
  }
}

/// A value of a program that is written down.
struct PointwiseValue {
  fileprivate let builder: PointwiseBuilder
  fileprivate let register: Int

  fileprivate func by(
    _ function: aviary_function, _ others: PointwiseValue..., constants: [Float] = []
  ) -> PointwiseValue {
    builder.value(function, [self] + others, constants)
  }
}

/// Collects the steps of a program. The same step of the same values is there once.
private final class PointwiseBuilder {
  private let operandCount: Int
  private var steps: [PointwiseProgram.Step] = []
  private var known: [PointwiseProgram.Step: Int] = [:]

  init(operandCount: Int) { self.operandCount = operandCount }

  func value(
    _ function: aviary_function, _ operands: [PointwiseValue], _ constants: [Float]
  ) -> PointwiseValue {
    let step = PointwiseProgram.Step(
      function: function, operands: operands.map(\.register), constants: constants)
    let register = known[step] ?? operandCount + steps.count
    if known.updateValue(register, forKey: step) == nil { steps.append(step) }
    return PointwiseValue(builder: self, register: register)
  }

  /// What is added by the step that gives a value, if that is a multiple of another value.
  func factor(of value: PointwiseValue) -> (of: PointwiseValue, factor: Float)? {
    guard value.register >= operandCount else { return nil }
    let step = steps[value.register - operandCount]
    guard step.function == AVIARY_AFFINE, step.constants[1] == 0 else { return nil }
    return (PointwiseValue(builder: self, register: step.operands[0]), step.constants[0])
  }

  /// The steps that a register's value needs, that of the register last.
  func steps(for register: Int) -> [PointwiseProgram.Step] {
    var isNeeded = [Bool](repeating: false, count: steps.count)
    isNeeded[register - operandCount] = true
    for (i, step) in steps.enumerated().reversed() where isNeeded[i] {
      for operand in step.operands where operand >= operandCount {
        isNeeded[operand - operandCount] = true
      }
    }
    var numbers = Array(0..<operandCount)
    var kept: [PointwiseProgram.Step] = []
    for (i, step) in steps.enumerated() {
      numbers.append(operandCount + kept.count)
      guard isNeeded[i] else { continue }
      var step = step
      step.operands = step.operands.map { numbers[$0] }
      kept.append(step)
    }
    return kept
  }
}

// MARK: - What programs are written in

extension PointwiseValue {
  static func + (a: Self, b: Self) -> Self { a.by(AVIARY_ADD, b) }
  static func - (a: Self, b: Self) -> Self { a.by(AVIARY_SUBTRACT, b) }
  static func * (a: Self, b: Self) -> Self { a.by(AVIARY_MULTIPLY, b) }
  static func / (a: Self, b: Self) -> Self { a.by(AVIARY_DIVIDE, b) }
  static prefix func - (a: Self) -> Self { a * -1 }

  // Adding -0 keeps the sign of a zero.
  static func * (a: Self, factor: Double) -> Self { a.affine(Float(factor), -0.0) }
  static func + (a: Self, term: Double) -> Self {
    if let (source, factor) = a.builder.factor(of: a) { return source.affine(factor, Float(term)) }
    return a.affine(1, Float(term))
  }
  static func - (a: Self, term: Double) -> Self { a + -term }
  static func / (numerator: Double, a: Self) -> Self {
    a.by(AVIARY_RECIPROCAL, constants: [Float(numerator)])
  }

  fileprivate func affine(_ factor: Float, _ term: Float) -> Self {
    by(AVIARY_AFFINE, constants: [factor, term])
  }

  func minimum(_ other: Self) -> Self { by(AVIARY_MINIMUM, other) }
  func maximum(_ other: Self) -> Self { by(AVIARY_MAXIMUM, other) }
  func power(_ exponent: Self) -> Self { by(AVIARY_POWER, exponent) }

  // 1 where it is so, else 0.
  func isEqual(to other: Self) -> Self { by(AVIARY_EQUAL, other) }
  func isLess(than other: Self) -> Self { by(AVIARY_LESS, other) }
  func isLessOrEqual(to other: Self) -> Self { by(AVIARY_LESS_OR_EQUAL, other) }
  func isAbove(_ bound: Double) -> Self { by(AVIARY_ABOVE, constants: [Float(bound)]) }
  func isBelow(_ bound: Double) -> Self { by(AVIARY_BELOW, constants: [Float(bound)]) }

  /// `a` where this is not 0, else `b`.
  func choosing(_ a: Self, _ b: Self) -> Self { by(AVIARY_SELECT, a, b) }
  /// A number for every element.
  func constant(_ number: Double) -> Self { by(AVIARY_CONSTANT, constants: [Float(number)]) }

  /// x for x > 0, else slope · x.
  func leaky(_ slope: Double) -> Self { by(AVIARY_LEAKY, constants: [Float(slope)]) }
  func leaky(_ slope: Self) -> Self { by(AVIARY_SLOPE, slope) }
  func clamped(_ minimum: Double, _ maximum: Double) -> Self {
    by(AVIARY_CLAMP, constants: [Float(minimum), Float(maximum)])
  }

  var magnitude: Self { by(AVIARY_ABSOLUTE) }
  var sign: Self { by(AVIARY_SIGN) }
  var floor: Self { by(AVIARY_FLOOR) }
  var squareRoot: Self { by(AVIARY_SQUARE_ROOT) }
  var exponential: Self { by(AVIARY_EXPONENTIAL) }
  /// exp(x) - 1, as precise near 0 as elsewhere.
  var exponentialLessOne: Self { by(AVIARY_EXPONENTIAL_LESS_ONE) }
  var logarithm: Self { by(AVIARY_LOGARITHM) }
  var sigmoid: Self { by(AVIARY_SIGMOID) }
  /// log(1 + exp(x))
  var softplus: Self { by(AVIARY_SOFTPLUS) }
  var hyperbolicTangent: Self { by(AVIARY_TANH) }
  var errorFunction: Self { by(AVIARY_ERROR_FUNCTION) }
}
