import AviaryTensor

/// A name and a value in the header of an HDF5 object.
struct HDF5AttributeMessage {
  let name: String
  let value: HDF5Attribute

  init(_ message: HDF5Block) throws(HDF5Outline.Uncommon) {
    let version = try message.number(0, 1)
    // The flags of later versions: type or dimensions are elsewhere.
    guard (1...3).contains(version), try message.number(1, 1) == 0 else {
      throw HDF5Outline.Uncommon()
    }
    // Version 1 pads each part to 8 bytes; version 3 says how the name is encoded.
    var place = version == 3 ? 9 : 8
    func next(_ field: Int) throws(HDF5Outline.Uncommon) -> HDF5Block {
      let count = try message.number(field, 2)
      defer { place += version == 1 ? (count + 7) / 8 * 8 : count }
      return try message.part(place, count)
    }
    let text = try next(2)
    let scalar = try HDF5Scalar(try next(4))
    let shape = try HDF5Shape(try next(6))
    name = try text.text(0)
    let (byteCount, overflow) = shape.count.multipliedReportingOverflow(by: scalar.byteCount)
    guard !overflow else { throw HDF5Outline.Uncommon() }
    value = try HDF5Attribute(try message.part(place, byteCount), scalar, count: shape.count)
  }
}

extension HDF5Attribute {
  fileprivate init(
    _ block: HDF5Block, _ scalar: HDF5Scalar, count: Int
  ) throws(HDF5Outline.Uncommon) {
    guard case .number(let type) = scalar else {
      self = .strings(try scalar.strings(block, at: 0, count: count))
      return
    }
    let size = type.byteCount
    var integers: [Int] = []
    var floats: [Double] = []
    for i in 0..<count {
      var bits: UInt64 = 0
      for byte in try block.part(i * size, size).bytes.reversed() {
        bits = bits << 8 | UInt64(byte)
      }
      switch type {
      case .int8: integers.append(Int(Int8(truncatingIfNeeded: bits)))
      case .int16: integers.append(Int(Int16(truncatingIfNeeded: bits)))
      case .int32: integers.append(Int(Int32(truncatingIfNeeded: bits)))
      case .int64: integers.append(Int(truncatingIfNeeded: bits))
      case .uint8, .uint16, .uint32: integers.append(Int(bits))
      case .float32: floats.append(Double(Float(bitPattern: UInt32(truncatingIfNeeded: bits))))
      case .float64: floats.append(Double(bitPattern: bits))
      default: throw HDF5Outline.Uncommon()
      }
    }
    self = type == .float32 || type == .float64 ? .floats(floats) : .integers(integers)
  }
}
