import AviaryGraph
import AviaryTensor
import AviaryTestSupport
import AviaryThreads
import Testing

@testable import AviaryCompute

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#endif

/// The elementary functions that programs of single values are made of, against the C library, over
/// all of float32.
@Suite struct PointwiseTests {
  struct Function: CustomStringConvertible, Sendable {
    let description: String
    let program: PointwiseProgram
    let expected: @Sendable (Double) -> Double

    init(
      _ name: String, _ formula: (PointwiseValue) -> PointwiseValue,
      _ expected: @escaping @Sendable (Double) -> Double
    ) {
      description = name
      program = PointwiseProgram(operands: 1) { formula($0[0]) }
      self.expected = expected
    }
  }

  static let functions: [Function] = [
    Function("exp", { $0.exponential }, { exp($0) }),
    Function("expm1", { $0.exponentialLessOne }, { expm1($0) }),
    Function("log", { $0.logarithm }, { log($0) }),
    Function("sigmoid", { $0.sigmoid }, { 1 / (1 + exp(-$0)) }),
    Function("softplus", { $0.softplus }, { $0 > 700 ? $0 : log1p(exp($0)) }),
    Function("tanh", { $0.hyperbolicTangent }, { tanh($0) }),
    Function("erf", { $0.errorFunction }, { erf($0) }),
    Function("sqrt", { $0.squareRoot }, { sqrt($0) }),
    Function("floor", { $0.floor }, { floor($0) }),
    Function("abs", { $0.magnitude }, { abs($0) }),
    Function("sign", { $0.sign }, { $0 > 0 ? 1 : $0 < 0 ? -1 : $0 }),
    Function("reciprocal", { 1 / $0 }, { 1 / $0 }),
    Function("clamp", { $0.clamped(-2, 3) }, { $0 < -2 ? -2 : $0 > 3 ? 3 : $0 }),
  ]

  /// Every 30011th number of float32, and the special ones: right to 1e-6 of the value, denormal
  /// numbers to the last of float32's.
  @Test(arguments: functions)
  func wholeRange(_ function: Function) {
    var numbers: [Float] = [
      0, -0.0, .infinity, -.infinity, .nan, .leastNonzeroMagnitude, -.leastNonzeroMagnitude,
      .greatestFiniteMagnitude, -.greatestFiniteMagnitude, 88.72, 88.73, -87.4, -103.9, -104.1,
    ]
    numbers += stride(from: UInt64(0), to: 1 << 32, by: 30_011).map {
      Float(bitPattern: UInt32($0))
    }
    let found = run(function.program, [numbers])
    for (x, y) in zip(numbers, found) {
      let exact = function.expected(Double(x))
      let expected = Float(exact)
      let isRight =
        expected.isNaN
        ? y.isNaN
        : expected.isInfinite
          ? y == expected
          : abs(Double(y) - exact)
            <= 1e-6 * abs(exact) + Double(Float.leastNonzeroMagnitude)
      guard isRight else {
        Issue.record("\(function)(\(x)): expected \(exact), found \(y)")
        return
      }
    }
  }

  @Test func pairs() {
    let special: [Float] = [
      0, -0.0, 1, -1, 2, 0.5, -3, .infinity, -.infinity, .nan, 1e-30, 1e30, 7,
    ]
    let a = special.flatMap { x in special.map { _ in x } }
    let b = special.flatMap { _ in special }
    let cases:
      [(String, (PointwiseValue, PointwiseValue) -> PointwiseValue, (Float, Float) -> Float)] = [
        ("minimum", { $0.minimum($1) }, { $0.isNaN || $1.isNaN ? .nan : min($0, $1) }),
        ("maximum", { $0.maximum($1) }, { $0.isNaN || $1.isNaN ? .nan : max($0, $1) }),
        ("divide", { $0 / $1 }, { $0 / $1 }),
        ("power", { $0.power($1) }, { powf($0, $1) }),
        ("equal", { $0.isEqual(to: $1) }, { $0 == $1 ? 1 : 0 }),
        ("less", { $0.isLess(than: $1) }, { $0 < $1 ? 1 : 0 }),
        ("lessOrEqual", { $0.isLessOrEqual(to: $1) }, { $0 <= $1 ? 1 : 0 }),
        ("select", { $0.choosing($1, $1 + 1) }, { $0 != 0 ? $1 : $1 + 1 }),
        ("slope", { $0.leaky($1) }, { $0 > 0 ? $0 : $0 * $1 }),
      ]
    for (name, formula, expected) in cases {
      let found = run(PointwiseProgram(operands: 2) { formula($0[0], $0[1]) }, [a, b])
      for (i, y) in found.enumerated() {
        let wanted = expected(a[i], b[i])
        #expect(
          y == wanted || y.isNaN && wanted.isNaN,
          "\(name)(\(a[i]), \(b[i])): expected \(wanted), found \(y)")
      }
    }
  }

  /// Powers of numbers of all sizes, negative ones among them: right to 1e-6 of the value.
  @Test func powers() {
    var generator = SplitMix64(seed: 3)
    var (a, b): ([Float], [Float]) = ([], [])
    for i in 0..<200_000 {
      let number = Float(bitPattern: UInt32(truncatingIfNeeded: generator.next()))
      let share = generator.unit()
      a.append(i % 2 == 0 ? number : 8 * share - 4)
      b.append(
        i % 3 == 0
          ? Float(bitPattern: UInt32(truncatingIfNeeded: generator.next()))
          : i % 3 == 1 ? (40 * generator.unit()).rounded() - 20 : 12 * generator.unit() - 6)
    }
    let found = run(PointwiseProgram(operands: 2) { $0[0].power($0[1]) }, [a, b])
    for (i, y) in found.enumerated() {
      let exact = pow(Double(a[i]), Double(b[i]))
      let wanted = Float(exact)
      let isRight =
        wanted.isNaN
        ? y.isNaN
        : wanted.isInfinite
          ? y == wanted
          : abs(Double(y) - exact) <= 1e-6 * abs(exact) + Double(Float.leastNonzeroMagnitude)
      // Of a signalling NaN the C library makes another.
      if a[i].isSignalingNaN || b[i].isSignalingNaN || isRight { continue }
      Issue.record("\(a[i]) to the power of \(b[i]): expected \(exact), found \(y)")
      return
    }
  }

  /// A step that several take is there once, one that nobody takes is not, and slots are used again.
  @Test func programs() {
    let program = PointwiseProgram(operands: 1) { operands in
      let x = operands[0]
      _ = x.exponential
      var y = x.sigmoid * x.sigmoid
      for _ in 0..<40 { y = (y + x).hyperbolicTangent }
      return y
    }
    #expect(program.steps.count == 82)
    #expect(program.slots.count == 1)
    let identity = PointwiseProgram(operands: 2) { $0[1] }
    #expect(
      run(identity, [[1, 2], [-0.0, 4]]).map(\.bitPattern) == [
        Float(-0.0).bitPattern, Float(4).bitPattern,
      ])
  }

  /// Runs a program on operands of one length.
  private func run(_ program: PointwiseProgram, _ operands: [[Float]]) -> [Float] {
    let shape = [operands[0].count]
    let value = IRGraph.Value(shape: shape)
    let kernel = PointwiseKernel(program, operands: operands.map { _ in value }, result: value)
    let workers = ThreadPool(count: 1)
    var scratch = [Float](repeating: 0, count: kernel.scratchCount(workers))
    var result = [Float](repeating: 0, count: shape[0])
    let all = operands.flatMap { $0 }
    unsafe all.withUnsafeBufferPointer { all in
      unsafe scratch.withUnsafeMutableBufferPointer { scratch in
        unsafe result.withUnsafeMutableBufferPointer { result in
          guard let from = all.baseAddress, let scratch = scratch.baseAddress,
            let to = result.baseAddress
          else { return }
          let places = unsafe operands.indices.map {
            unsafe UnsafePointer<Float>?(from + $0 * shape[0])
          }
          unsafe kernel.run(places, to: to, scratch: scratch, workers)
        }
      }
    }
    return result
  }
}
