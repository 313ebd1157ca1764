import AviaryTensor
import Testing

@Suite struct ConversionTests {
  /// Every bit pattern of a two-byte type, as a tensor of that type.
  private func allPatterns(_ type: ElementType) throws -> Tensor {
    var tensor = try Tensor(zeros: [65536], elementType: .uint16)
    unsafe tensor.withUnsafeMutableBytes { bytes in
      for i in 0..<65536 {
        unsafe bytes.storeBytes(of: UInt16(i), toByteOffset: 2 * i, as: UInt16.self)
      }
    }
    return try tensor.reinterpreted(as: type)
  }

  /// The value of a pattern by the definition of IEEE 754: sign, exponent, fraction.
  private func value(_ bits: Int, exponentBits: Int, fractionBits: Int) -> Double {
    let sign = bits & 0x8000 == 0 ? 1.0 : -1.0
    let exponent = bits >> fractionBits & (1 << exponentBits - 1)
    let fraction = Double(bits & (1 << fractionBits - 1)) / Double(1 << fractionBits)
    let bias = 1 << (exponentBits - 1) - 1
    if exponent == 1 << exponentBits - 1 { return fraction == 0 ? sign * .infinity : .nan }
    if exponent == 0 {
      return sign * Double(sign: .plus, exponent: 1 - bias, significand: 1) * fraction
    }
    return sign * Double(sign: .plus, exponent: exponent - bias, significand: 1 + fraction)
  }

  @Test(arguments: [(ElementType.float16, 5, 10), (.bfloat16, 8, 7)])
  func everyPatternOfTwoBytes(type: ElementType, exponentBits: Int, fractionBits: Int) throws {
    let patterns = try allPatterns(type)
    let floats = patterns.floats
    let back = try Tensor(shape: [65536], floats).converted(to: type)
    let bits = try back.reinterpreted(as: .uint16).floats
    for i in 0..<65536 {
      let expected = value(i, exponentBits: exponentBits, fractionBits: fractionBits)
      if expected.isNaN {
        #expect(floats[i].isNaN, "pattern \(i)")
        // A NaN stays one, with its sign; a signalling one becomes quiet.
        #expect(Int(bits[i]) | 1 << (fractionBits - 1) == i | 1 << (fractionBits - 1))
      } else {
        #expect(Double(floats[i]) == expected && floats[i].sign == (i < 0x8000 ? .plus : .minus))
        #expect(Int(bits[i]) == i, "pattern \(i) comes back")
      }
    }
  }

  /// Halfway between neighbours goes to the even one, anything else to the nearer one.
  @Test(arguments: [(ElementType.float16, 0x7C00), (.bfloat16, 0x7F80)])
  func narrowingRoundsToNearestEven(type: ElementType, infinity: Int) throws {
    let neighbours = try allPatterns(type).converted(to: .float64)
    var values: [Double] = []
    unsafe neighbours.withUnsafeBytes { unsafe values = Array($0.bindMemory(to: Double.self)) }
    for i in stride(from: 0, to: infinity - 1, by: 7) {
      let middle = (values[i] + values[i + 1]) / 2
      let even = i % 2 == 0 ? i : i + 1
      for (value, expected) in [
        (Float(middle), even), (Float(middle).nextDown, i), (Float(middle).nextUp, i + 1),
      ] {
        let tensor = try Tensor(shape: [2], [value, -value]).converted(to: type)
        let bits = try tensor.reinterpreted(as: .uint16).floats
        #expect(bits == [Float(expected), Float(expected + 0x8000)], "between \(i) and \(i + 1)")
      }
    }
  }

  @Test func overflowGoesToInfinity() throws {
    let half = try Tensor(shape: [4], [65504, 65519.9, 65520, -1e9]).converted(to: .float16)
    #expect(half.floats == [65504, 65504, .infinity, -.infinity])
    let brain = try Tensor(shape: [2], [.greatestFiniteMagnitude, -.infinity])
    #expect(brain.converted(to: .bfloat16).floats == [.infinity, -.infinity])
  }

  @Test func integersTruncateAndSaturate() throws {
    let values = try Tensor(shape: [6], [1.9, -1.9, 300, -300, .nan, -0.5])
    #expect(values.converted(to: .int8).floats == [1, -1, 127, -128, 0, 0])
    #expect(values.converted(to: .uint8).floats == [1, 0, 255, 0, 0, 0])
    #expect(values.converted(to: .bool).floats == [1, 1, 1, 1, 1, 1])
    let large = try Tensor(shape: [2], [1e30, -1e30]).converted(to: .int64)
    #expect(large.floats == [Float(Int64.max), Float(Int64.min)])
  }

  @Test(arguments: ElementType.allCases) func smallIntegersSurviveEveryType(type: ElementType)
    throws
  {
    let values: [Float] = type == .bool ? [0, 1, 1] : [0, 1, 100]
    let tensor = try Tensor(shape: [3], values).converted(to: type)
    #expect(tensor.elementType == type)
    #expect(tensor.byteCount == 3 * type.byteCount)
    #expect(tensor.floats == values)
  }
}
