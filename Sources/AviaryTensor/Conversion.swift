extension Tensor {
  /// The same values as another element type: floats rounded to nearest even, integers truncated
  /// towards zero and saturated; NaN becomes 0 as an integer.
  public func converted(to target: ElementType) -> Tensor {
    if target == elementType { return self }
    // Through Double, which holds every float32 and every integer below 2^53 exactly.
    var result = blank(shape, target)
    unsafe withUnsafeBytes { source in
      unsafe result.withUnsafeMutableBytes { destination in
        for i in 0..<count {
          unsafe target.store(elementType.load(source, i), destination, i)
        }
      }
    }
    return result
  }

  /// A tensor whose shape is known to be sound, because another tensor has it.
  private func blank(_ shape: [Int], _ type: ElementType) -> Tensor {
    guard let tensor = try? Tensor(zeros: shape, elementType: type) else {
      preconditionFailure("shape \(shape) of an existing tensor")
    }
    return tensor
  }
}

extension ElementType {
  fileprivate func load(_ bytes: UnsafeRawBufferPointer, _ i: Int) -> Double {
    let offset = i * byteCount
    switch self {
    case .float32: return Double(unsafe bytes.load(fromByteOffset: offset, as: Float.self))
    case .float64: return unsafe bytes.load(fromByteOffset: offset, as: Double.self)
    case .float16:
      return Double(float16: unsafe bytes.load(fromByteOffset: offset, as: UInt16.self))
    case .bfloat16:
      let upper = unsafe bytes.load(fromByteOffset: offset, as: UInt16.self)
      return Double(Float(bitPattern: UInt32(upper) << 16))
    case .int8: return Double(unsafe bytes.load(fromByteOffset: offset, as: Int8.self))
    case .int16: return Double(unsafe bytes.load(fromByteOffset: offset, as: Int16.self))
    case .int32: return Double(unsafe bytes.load(fromByteOffset: offset, as: Int32.self))
    case .int64: return Double(unsafe bytes.load(fromByteOffset: offset, as: Int64.self))
    case .uint8: return Double(unsafe bytes.load(fromByteOffset: offset, as: UInt8.self))
    case .uint16: return Double(unsafe bytes.load(fromByteOffset: offset, as: UInt16.self))
    case .uint32: return Double(unsafe bytes.load(fromByteOffset: offset, as: UInt32.self))
    case .uint64: return Double(unsafe bytes.load(fromByteOffset: offset, as: UInt64.self))
    case .bool: return unsafe bytes[offset] == 0 ? 0 : 1
    }
  }

  fileprivate func store(_ value: Double, _ bytes: UnsafeMutableRawBufferPointer, _ i: Int) {
    let offset = i * byteCount
    func put<T: FixedWidthInteger>(_ type: T.Type) {
      let integer: T =
        value.isNaN
        ? 0 : value >= Double(T.max) ? .max : value <= Double(T.min) ? .min : T(value)
      unsafe bytes.storeBytes(of: integer, toByteOffset: offset, as: T.self)
    }
    switch self {
    case .float32:
      unsafe bytes.storeBytes(of: Float(value), toByteOffset: offset, as: Float.self)
    case .float64: unsafe bytes.storeBytes(of: value, toByteOffset: offset, as: Double.self)
    case .float16:
      unsafe bytes.storeBytes(of: value.float16, toByteOffset: offset, as: UInt16.self)
    case .bfloat16:
      unsafe bytes.storeBytes(of: value.bfloat16, toByteOffset: offset, as: UInt16.self)
    case .int8: put(Int8.self)
    case .int16: put(Int16.self)
    case .int32: put(Int32.self)
    case .int64: put(Int64.self)
    case .uint8: put(UInt8.self)
    case .uint16: put(UInt16.self)
    case .uint32: put(UInt32.self)
    case .uint64: put(UInt64.self)
    case .bool: unsafe bytes[offset] = value == 0 ? 0 : 1
    }
  }
}

// Swift's Float16 does not exist on every x86 system, so the bits are handled here.
extension Double {
  /// The value of IEEE 754 binary16 bits.
  init(float16 bits: UInt16) {
    let sign: Double = bits & 0x8000 == 0 ? 1 : -1
    let exponent = Int(bits >> 10 & 0x1F)
    let fraction = Double(bits & 0x3FF)
    switch exponent {
    case 0: self = sign * fraction * 0x1p-24
    case 31:
      // Infinity, or NaN with its sign and payload, as the hardware widens it.
      let payload = UInt32(bits & 0x8000) << 16 | 0x7F80_0000 | UInt32(bits & 0x3FF) << 13
      self = Double(Float(bitPattern: payload))
    default:
      self = sign * Double(sign: .plus, exponent: exponent - 15, significand: 1 + fraction / 1024)
    }
  }

  /// The nearest IEEE 754 binary16, ties to even.
  var float16: UInt16 {
    let sign: UInt16 = self.sign == .minus ? 0x8000 : 0
    // Quiet, with sign and as much of the payload as there is room for.
    if isNaN { return sign | 0x7E00 | UInt16(truncatingIfNeeded: bitPattern >> 42) & 0x1FF }
    let magnitude = self.magnitude
    if magnitude >= 65520 { return sign | 0x7C00 }
    if magnitude < 0x1p-14 {
      // Subnormal; a carry out of the fraction gives the smallest normal number, as it should.
      return sign | UInt16((magnitude * 0x1p24).rounded(.toNearestOrEven))
    }
    let exponent = Int(magnitude.exponent)
    let steps = (magnitude.significand * 1024).rounded(.toNearestOrEven)
    return sign | UInt16((exponent + 15) << 10 + Int(steps) - 1024)
  }

  /// The nearest bfloat16 of the nearest float32, ties to even.
  var bfloat16: UInt16 {
    let bits = Float(self).bitPattern
    if isNaN { return UInt16(bits >> 16) | 0x40 }
    return UInt16((UInt64(bits) + 0x7FFF + UInt64(bits >> 16 & 1)) >> 16)
  }
}
